import type { Oldest } from './oldest-age.ts'
import type { Simulated } from './report.ts'
import { retrialAt, type Share, type Station } from './station.ts'

export type Told = {
  until: number
  horizon: number
  oldest: Oldest
  simulation: Simulated | string | null
}

/** Why a number of a limit is null, or what it leaves out. */
export function notesOf(station: Station, { until, horizon, oldest, simulation }: Told): string[] {
  const { limit, seen, over: behind } = station
  const { overAt, metAt } = seen
  return [
    ...(overAt !== null && behind
      ? [`not drained within ${Math.round(until)} s${until < horizon ? ': followed no further' : ''}`]
      : []),
    ...(overAt !== null && metAt === null ? ['more comes than it can take up to the end'] : []),
    ...(overAt === 0 ? ['over its limit before the change'] : []),
    ...(typeof simulation === 'string' ? [`not simulated: ${simulation}`] : []),
    ...retrialNotes(station, oldest),
    ...refusedNotes(station),
    ...(limit.shared ? ['shared: what waits for it is not given up, however old it gets'] : []),
  ]
}

function retrialNotes(station: Station, oldest: Oldest): string[] {
  const { seen, limit } = station
  if (seen.peak.messages > 0 && retrialAt(station) === 'mixed')
    return ['the oldest age is at least that: what fails comes again behind what waits']
  const tooOld = oldest.seconds >= limit.patience && seen.oldest.seconds < limit.patience - 1e-6
  return tooOld ? ['lost are at least so many: what fails and waits again gets too old'] : []
}

/** What a refusal makes of what waits beside what the fluid says of it, which is the least of all orders. */
function refusedNotes({ seen, shares }: Station): string[] {
  const one = (of: Share['refused']) => seen.peak.messages > 0 && shares.some(({ refused }) => refused === of)
  return [
    ...(one('receive')
      ? ['lost are at least so many: a refusal is a receive, and what was refused comes back in any order']
      : []),
    ...(one('backoff')
      ? [
          'oldest age and drained are at least that: what is refused is tried again later and later, and servers are free meanwhile',
        ]
      : []),
  ]
}
