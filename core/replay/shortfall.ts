import type { Job } from '../job/job.ts'
import { rebuildAsked } from './replay-job.ts'

/**
 * What came of events that were handed over, and is not what was asked for; `older`: records that were not replaced;
 * `keysHeld`: keys of an ordered route of which something is dead, so that what comes behind it has not been handled.
 */
const short = ['failed', 'dead', 'parked', 'dropped', 'open', 'unreadable'] as const

/** What a replay or a rebuild that has come to its end lacks of what was asked for, in words; undefined: nothing. */
export function shortfallOf({ kind, state, selection, counts }: Job): string | undefined {
  if (kind === 'redrive' || state !== 'done') return undefined
  const told = short.flatMap((name) => (counts[name] ? [`${name} ${counts[name]}`] : []))
  const kept = kind === 'rebuild' && rebuildAsked.parse(selection).switch === true ? (counts.older ?? 0) : 0
  const held = kind === 'rebuild' ? (counts.keysHeld ?? 0) : 0
  const parts = [
    ...(told.length === 0 ? [] : [`not all events came through: ${told.join(', ')}`]),
    ...(held === 0
      ? []
      : [`${held} keys stop at what is dead: redrive or drop that, and what waits behind it comes too`]),
    ...(kept === 0 ? [] : [`${kept} records were not replaced: made from events that are kept no more`]),
  ]
  return parts.length === 0 ? undefined : parts.join('; ')
}
