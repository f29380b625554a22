import type { Limit, Refused } from './limits.ts'
import { type Line, nought } from './lines.ts'
import type { Retrial } from './retrial.ts'

/** What comes over one flow: messages a second in and out, and the work of each. `place`: which of its station. */
export type Share = {
  place: number
  in: Line
  out: Line
  work: number
  waits: boolean
  retrial?: Retrial | undefined
  refused?: Refused
}

/** What came in one stretch of time and waits, first come first served: of each share the part of the work. */
export type Stretch = { from: number; rate: Line; parts: readonly number[]; before: number }

/**
 * One limit in time, as a fluid. Either it keeps up, and what comes goes on; or it is over: it gives all that it can, who
 * may wait does, and who may not is refused. Of both their parts of the capacity are as what comes: kept from one event to
 * the next, so that all rates stay linear.
 */
export type Station = {
  limit: Limit
  shares: Share[]
  /** places of those that come otherwise than when it was last settled */
  changed: number[]
  /** up to when the sums below are right */
  time: number
  over: boolean
  /** whether more comes than it can take */
  beyond: boolean
  /** work a second that it can take */
  capacity: Line
  /** what it begins with, in the same unit */
  started: number
  /** tokens left */
  tokens: number
  /** work, and messages, that wait */
  backlog: number
  messages: number
  /** work that came to wait, and that went, since it began to */
  came: number
  gone: number
  waiting: Stretch[]
  /** of `waiting`, who is next */
  head: number
  /** those by which the capacity is given now, when the backlog began, and when they are told anew at the latest */
  parts: readonly number[] | undefined
  begun: number
  renewed: number
  /** whether what waits longest is given up now */
  expiring: boolean
  /** rates: of messages that come; of work, all that comes, of it what may wait, what goes of this and what of it
   * is served; and of messages how many more wait, are lost and are refused */
  messagesIn: Line
  all: Line
  patient: Line
  leaving: Line
  serving: Line
  growing: Line
  losing: Line
  refusing: Line
  seen: Seen
}

/** What is to be told of it. Times in seconds, null: never. */
type Seen = {
  utilisation: number
  peak: { messages: number; at: number }
  oldest: { seconds: number; at: number }
  refused: number
  lost: number
  overAt: number | null
  metAt: number | null
  drainedAt: number | null
  /** messages a second that came, from each time on */
  arrivals: { from: number; rate: Line }[]
}

/** A limit that nothing has come to yet. `started`: work a second that it can take at first. */
export const emptyStation = (limit: Limit, started: number): Station => ({
  limit,
  shares: [],
  changed: [],
  time: 0,
  over: false,
  beyond: false,
  capacity: { at: started, slope: 0 },
  started,
  tokens: limit.burst,
  backlog: 0,
  messages: 0,
  came: 0,
  gone: 0,
  waiting: [],
  head: 0,
  parts: undefined,
  begun: 0,
  renewed: 0,
  expiring: false,
  messagesIn: nought,
  all: nought,
  patient: nought,
  leaving: nought,
  serving: nought,
  growing: nought,
  losing: nought,
  refusing: nought,
  seen: {
    utilisation: 0,
    peak: { messages: 0, at: 0 },
    oldest: { seconds: 0, at: 0 },
    refused: 0,
    lost: 0,
    overAt: null,
    metAt: null,
    drainedAt: null,
    arrivals: [],
  },
})

/** How what fails comes again to a limit; undefined: it does not; 'mixed': not all of it alike. */
export function retrialAt({ shares }: Station): Retrial | 'mixed' | undefined {
  const [first, ...others] = shares
  if (shares.every(({ retrial }) => retrial === undefined)) return undefined
  const keyOf = ({ retrial, work, waits }: Share): string =>
    waits && retrial ? [retrial.fails, retrial.attempts, retrial.gap(1), retrial.gap(2), work].join() : ''
  const key = first && keyOf(first)
  return key && others.every((other) => keyOf(other) === key) ? first?.retrial : 'mixed'
}

/** What rounding may make of a capacity. */
export const closeTo = (can: number): number => 1e-9 * Math.max(can, 1e-9)

/** From so many flows on the parts of what is shared are told anew only now and then. */
export const many = 64
