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
