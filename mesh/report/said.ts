import type { ComprehensiveReport } from '../comprehensive/report.ts'
import { figure } from '../figure.ts'
import type { NonlinearReport } from '../nonlinear/report.ts'

type Filled = NonNullable<ComprehensiveReport['dynamic']['limits'][number]['filled']>

/** What a surge leaves, were an invocation to take as long with however many messages. */
export const filledIn = (filled: Filled | undefined): string =>
  filled === undefined
    ? ''
    : filled.peakBacklog.messages === 0
      ? 'nothing waits'
      : `${figure(filled.peakBacklog.messages)}, drained at ${filled.drainedAt === null ? 'no time' : `${figure(filled.drainedAt)} s`}`

/** What leaves its state of few attempts first, as people call it. */
export const limitingOf = ({ mesh: { limiting }, sites }: NonlinearReport): string =>
  sites.find(({ at }) => at === limiting)?.name ?? limiting ?? ''

type WhatIf = NonlinearReport['whatIfs'][number]

/** What is tried of one thing, only more and more of it, and ends alike, in one. */
export function alike(whatIfs: readonly WhatIf[]): Pick<WhatIf, 'what' | 'removes' | 'says'>[] {
  const number = /\d+/
  const runs: { first: WhatIf; last: WhatIf }[] = []
  for (const one of whatIfs) {
    const run = runs.at(-1)
    const same =
      run?.first.says === one.says && run.first.what.replace(number, '') === one.what.replace(number, '')
    if (same) run.last = one
    else runs.push({ first: one, last: one })
  }
  return runs.map(({ first, last }) => {
    const { what, removes, says } = first
    const to = number.exec(last.what)?.[0] ?? ''
    return { what: first === last ? what : what.replace(number, (from) => `${from} to ${to}`), removes, says }
  })
}
