import { refusalText } from '../core/quarantine/quarantine-groups.ts'
import type { MendedQuarantine } from './answers-mending.ts'
import type { Api, QuarantineFilter } from './api.ts'
import type { Cli } from './context.ts'
import { pause } from './io.ts'

export type Redriven = {
  /** by outcome */
  counts: Record<string, number>
  /** what was refused or failed, alike together */
  refusals: { refusal: string; count: number; such: string }[]
  /** it ended before all were tried, because so many were refused alike */
  stopped?: { refusal: string; count: number }
  /** it was interrupted */
  interrupted?: true
}

const perCall = 25

/**
 * Sends all that is meant through the gate, page by page at a rate, until the same refusal has come so many times: then
 * the cause is not gone, and more of it tells nothing new. What was tried stays as it is when it is interrupted.
 */
export async function redriveAll(
  cli: Cli,
  api: Api,
  filter: QuarantineFilter,
  { dryRun, rate, stopAfter }: { dryRun: boolean; rate: number; stopAfter: number },
): Promise<Redriven> {
  const done: Redriven = { counts: {}, refusals: [] }
  const signal = cli.io.interrupted()
  const limit = dryRun ? perCall : Math.min(perCall, rate, stopAfter)
  let cursor: string | undefined
  do {
    const began = cli.io.now()
    const { items, next } = await api.redriveQuarantine({ ...filter, dryRun, limit, cursor })
    for (const item of items) add(done, item)
    cursor = next
    const alike = done.refusals.find(({ count }) => count >= stopAfter)
    if (alike !== undefined && !dryRun && cursor !== undefined)
      return { ...done, stopped: { refusal: alike.refusal, count: alike.count } }
    // the whole is the answer
    if (cursor === undefined) break
    cli.note(
      Object.entries(done.counts)
        .map(([outcome, count]) => `${count} ${outcome}`)
        .join(', '),
    )
    if (!dryRun) await pause(Math.max(0, (items.length * 1000) / rate - (cli.io.now() - began)), signal)
    if (signal.aborted) return { ...done, interrupted: true }
  } while (cursor !== undefined)
  return done
}

function add({ counts, refusals }: Redriven, item: MendedQuarantine): void {
  const { outcome, digest, reason, faults } = item
  counts[outcome] = (counts[outcome] ?? 0) + 1
  if (outcome !== 'refused' && outcome !== 'failed') return
  const refusal = refusalText({ reason, faults })
  const known = refusals.find((one) => one.refusal === refusal)
  if (known === undefined) refusals.push({ refusal, count: 1, such: digest })
  else known.count++
}
