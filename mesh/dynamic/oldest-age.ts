import { type Line, valueAt } from './lines.ts'
import { type Retrial, triesOf } from './retrial.ts'
import { retrialAt, type Station } from './station.ts'

export type Oldest = { seconds: number; at: number }

const steps = 400
const mostSteps = 20_000
/** Attempts of which fewer messages are expected are not followed. */
const followed = 0.01

/**
 * The age since it was sent that one message reaches before an attempt of it, seconds. The fluid does all attempts of a
 * message at once; here what fails comes again behind what waits then, in small steps of time: as exact as those.
 */
export function oldestOf(station: Station, until: number): Oldest {
  const { seen, limit } = station
  const retrial = retrialAt(station)
  if (retrial === undefined || retrial === 'mixed' || seen.overAt === null || seen.peak.messages === 0)
    return seen.oldest
  const work = (station.shares[0]?.work ?? 1) / triesOf(retrial)
  const generations = followedOf(retrial, sentIn(station, until))
  const gaps = Array.from({ length: generations - 1 }, (_, at) => retrial.gap(at + 1))
  const most = gaps.reduce((sum, gap) => sum + gap, 0)
  // steady before: who failed earlier comes again already
  const start = seen.overAt === 0 ? 0 : seen.overAt - most
  const end = Math.min(until, (seen.drainedAt ?? until) + most)
  const span = end - start
  const step = Math.max(span / mostSteps, Math.min(span / steps, ...gaps.map((gap) => gap / 4)))
  const rateAt = rateOf(seen.arrivals)
  const { slotAt, take, reached } = rowOf(generations)
  let [head, can] = [0, station.started]
  for (let index = 0; index * step < span; index++) {
    const now = start + index * step
    const came = slotAt(index)
    came.many[0] = rateAt(now) * step
    came.sent[0] = now
    came.left = sumOf(came.many)
    if (head < index) can = Math.min(limit.most, can + (limit.scaling?.growth ?? 0) * step)
    const backAt = (gap: number) => index + Math.max(1, Math.round(gap / step))
    for (let room = (can / work) * step; head <= index && room > 0; ) {
      const next = slotAt(head)
      room -= take(next, room, now, (attempt, many, sent) => {
        const gap = gaps[attempt]
        if (gap !== undefined) join(slotAt(backAt(gap)), attempt + 1, retrial.fails * many, sent)
      })
      if (next.left > 0) break
      head++
    }
  }
  const oldest = oldestAmong(reached)
  if (oldest === undefined) return seen.oldest
  // before the start all is as at the start
  return { seconds: Math.min(oldest.seconds, limit.patience), at: Math.max(0, oldest.at) }
}

/** Who came to wait in one step, by attempts before: how many, and when the first of them was sent; of all how many are left. */
type Slot = { left: number; many: Float64Array; sent: Float64Array }
type Reached = Oldest & { many: number }

const sumOf = (many: Float64Array): number => many.reduce((sum, one) => sum + one, 0)

function rowOf(generations: number) {
  const row: Slot[] = []
  const reached: Reached[] = []
  const empty = (): Slot => ({
    left: 0,
    many: new Float64Array(generations),
    sent: new Float64Array(generations).fill(Number.POSITIVE_INFINITY),
  })
  return {
    reached,
    slotAt: (index: number): Slot => {
      for (let size = row.length; size <= index; size++) row.push(empty())
      return row[index] ?? empty()
    },
    /** Takes at most `room` of a slot, of all alike; answers how many. */
    take: (
      slot: Slot,
      room: number,
      now: number,
      goes: (attempt: number, many: number, sent: number) => void,
    ): number => {
      const all = sumOf(slot.many)
      const taken = Math.min(room, slot.left)
      slot.left = slot.left - taken > 1e-12 * all ? slot.left - taken : 0
      for (const [attempt, many] of taken > 0 ? slot.many.entries() : []) {
        if (many === 0) continue
        const sent = slot.sent[attempt] ?? now
        const part = (taken / all) * many
        reached.push({ seconds: now - sent, at: now, many: part })
        goes(attempt, part, sent)
      }
      return taken
    },
  }
}

function join({ many, sent }: Slot, attempt: number, more: number, from: number): void {
  many[attempt] = (many[attempt] ?? 0) + more
  sent[attempt] = Math.min(sent[attempt] ?? from, from)
}

/** The age that one message reaches. */
function oldestAmong(reached: readonly Reached[]): Oldest | undefined {
  let many = 0
  for (const one of reached.toSorted((a, b) => b.seconds - a.seconds)) {
    many += one.many
    if (many >= 1) return one
  }
  return undefined
}

/** Messages that come in all. */
function sentIn({ seen: { arrivals } }: Station, until: number): number {
  return arrivals.reduce((sum, { from, rate }, place) => {
    const to = Math.min(arrivals[place + 1]?.from ?? until, until)
    return sum + Math.max(0, to - from) * valueAt(rate, (from + to) / 2)
  }, 0)
}

/** Attempts to be followed: up to that which hardly a message needs. */
function followedOf({ fails, attempts }: Retrial, sent: number): number {
  const enough = 1 + Math.ceil(Math.log(followed / Math.max(1, sent)) / Math.log(fails))
  return Math.max(1, Math.min(attempts, fails < 1 ? enough : attempts, 50))
}

/** What comes a second, times asked for in order; before the start as at the start. */
function rateOf(arrivals: readonly { from: number; rate: Line }[]): (time: number) => number {
  let place = 0
  return (time) => {
    while ((arrivals[place + 1]?.from ?? Number.POSITIVE_INFINITY) <= time) place++
    const piece = arrivals[place]
    return piece === undefined ? 0 : Math.max(0, valueAt(piece.rate, Math.max(time, piece.from)))
  }
}
