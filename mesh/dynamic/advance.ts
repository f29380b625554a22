import { between, type Line, minus, untilLineZero, untilSum, valueAt } from './lines.ts'
import { cameAt } from './overflow.ts'
import type { Station } from './station.ts'

/** Brings all sums to `time`, along the lines that hold since the last event. */
export function advance(station: Station, time: number): void {
  const { time: since, seen } = station
  if (time <= since) return
  const sum = (line: Line) => between(line, since, time)
  observed(station, time)
  if (!station.over) {
    const left = station.tokens + sum(minus(station.capacity, station.all))
    station.tokens = Math.max(0, Math.min(station.limit.burst, left))
  } else {
    seen.refused += sum(station.refusing)
    seen.lost += sum(station.losing)
    const turn = untilLineZero(station.growing, since)
    if (since + turn < time)
      peaked(station, since + turn, station.messages + between(station.growing, since, since + turn))
    aged(station, time)
    station.came += sum(station.patient)
    station.gone += sum(station.leaving)
    station.backlog = Math.max(0, station.backlog + sum(minus(station.patient, station.leaving)))
    station.messages = Math.max(0, station.messages + sum(station.growing))
    peaked(station, time, station.messages)
  }
  station.time = time
}

/** What it was since the last event; what holds for no time at all is not told. */
function observed({ seen, time: since, over, beyond, all, capacity }: Station, time: number): void {
  for (const at of [since, time]) {
    const can = valueAt(capacity, at)
    if (can > 0) seen.utilisation = Math.max(seen.utilisation, valueAt(all, at) / can)
  }
  if (over) seen.drainedAt = null
  else if (seen.overAt !== null) seen.drainedAt ??= since
  if (over && beyond) {
    seen.overAt ??= since
    seen.metAt = null
  } else if (seen.overAt !== null) seen.metAt ??= since
}

function peaked({ seen }: Station, at: number, messages: number): void {
  if (messages > seen.peak.messages) seen.peak = { messages, at }
}

/**
 * The longest wait up to `time`. As a function of who is served, N, it stands still where N leaves as fast as it came; both
 * rates are linear in time, so their squares are linear in N.
 */
function aged(station: Station, time: number): void {
  const { time: since, waiting, head, leaving, seen } = station
  const next = waiting[head]
  if (next === undefined) return
  const note = (at: number) => {
    const seconds = at - cameAt(next, station.gone + between(leaving, since, at))
    if (seconds > seen.oldest.seconds) seen.oldest = { seconds, at }
  }
  note(since)
  note(time)
  if (station.expiring) return
  const goes = valueAt(leaving, since)
  const came = valueAt(next.rate, cameAt(next, station.gone))
  const bend = 2 * (leaving.slope - next.rate.slope)
  const turn = bend === 0 ? 0 : (came ** 2 - goes ** 2) / bend
  if (turn > 0 && turn < between(leaving, since, time)) note(since + untilSum(leaving, since, turn))
}
