import type { Loaded } from '../load.ts'
import type { Stream } from '../passing.ts'
import type { Refusals } from './refusals.ts'
import type { Run, Runs } from './runs.ts'
import { added, type Extra, extrasOf, instant, type Moments, withExtras } from './times.ts'
import type { Passage } from './waits.ts'

/** One way of an event from where it comes in to where it ends. */
export type Path = {
  /** the type that came in */
  type: string
  /** node ids, from the door to the end */
  nodes: string[]
  /** messages per second that go all the way; null: not known */
  rate: number | null
  /**
   * from the door to the end of the last handling, seconds; null: a queue on the way grows without end. Nobody waits for what
   * a schedule starts: there it is from what that sends on
   */
  delay: { mean: number; p50: number; p99: number } | null
  /** a schedule starts it, and it sends nothing on */
  job?: true
  /** nodes on the way whose service time nobody has said: their part is missing in the delay */
  untimed: string[]
  /** nodes on the way that throttle what is tried again later: the delay is at least that in the mean; absent: none */
  throttling?: string[]
  /** the part that is refused on the way at the first attempt: 1 - Π(1 - lossᵢ) */
  refused: number
  /** the part that is refused at the door for good, or given up or deleted on the way and kept nowhere: 1 - Π(1 - lostᵢ) */
  lost: number
  /** of that, what the door refuses of all that comes there, whichever way it would have gone */
  atDoor: number
}

/** A way as far as it has been walked. */
export type Way = {
  nodes: string[]
  share: number | null
  delay: Moments | null
  extras: (readonly Extra[])[]
  untimed: string[]
  throttling: string[]
  /** at the first attempt, and in the end */
  taken: number
  there: number
  /** what fails here comes back to something that keeps it */
  isKept: boolean
  atDoor: number
  /** nothing has been sent yet of what a schedule has started */
  isJob: boolean
}

/** What ways are walked with. */
export type Along = {
  loaded: Loaded
  passages: ReadonlyMap<string, Passage>
  refusals: Refusals
  runs: Runs
}

/** A way at its door. */
export function start({ loaded, refusals: { atDoor, handling }, runs }: Along, state: number): Way {
  const refused = atDoor(loaded.states[state]?.node.id ?? '')
  const taken = 1 - refused
  const isJob = loaded.states[state]?.node.kind === 'schedule'
  const empty = { nodes: [], untimed: [], throttling: [], extras: [], isKept: false, atDoor: refused, isJob }
  const way: Way = { share: 1, delay: instant, taken, there: taken * (1 - handling(state)), ...empty }
  const { node } = loaded.states[state] ?? {}
  if (node !== undefined) {
    way.nodes.push(node.id)
    take(way, runs.handled(node))
  }
  return way
}

const unhindered: Passage = {
  delay: instant,
  extras: [],
  isLeast: false,
  refused: 0,
  givenUp: 'answered',
  lost: 0,
  expired: 0,
}

/** On over one element. */
export function step(
  { loaded, passages, refusals: { handling }, runs }: Along,
  way: Way,
  { element, to, gain }: Stream,
): void {
  const { delay, extras, isLeast, refused, givenUp, lost, expired } = passages.get(element.id) ?? unhindered
  way.share = way.share === null || gain === null ? null : way.share * gain
  const { sent, handled } = runs.over(element)
  take(way, sent)
  way.isJob &&= element.kind !== 'call'
  way.delay = way.delay === null || delay === null ? null : way.isJob ? way.delay : added(way.delay, delay)
  if (!way.isJob && extras.some(({ seconds }) => seconds > 0)) way.extras.push(extras)
  if (!way.isJob && isLeast) way.throttling.push(element.to)
  way.taken *= 1 - refused
  // whose caller is told, fails with it: it is kept where that is
  if (givenUp !== 'answered') way.isKept = givenUp === 'kept'
  way.there *= 1 - expired
  if (!way.isKept) way.there *= (1 - lost) * (1 - handling(to))
  way.nodes.push(loaded.states[to]?.node.id ?? element.to)
  take(way, handled)
}

/** To its end, where nothing goes on. */
export function finish({ loaded, runs }: Along, way: Way, state: number): void {
  const { node } = loaded.states[state] ?? {}
  if (node !== undefined) take(way, runs.ended(node))
}

function take(way: Way, { delay, extras, untimed }: Run): void {
  if (way.isJob) return
  way.untimed.push(...untimed)
  if (extras.some(({ seconds }) => seconds > 0)) way.extras.push(extras)
  way.delay = way.delay === null || delay === null ? null : added(way.delay, delay)
}

/** A way at its end, of so much that comes in. */
export const ended = (
  { nodes, share, delay, extras, untimed, throttling, taken, there, atDoor, isJob }: Way,
  type: string,
  rate: number | null,
): Path => ({
  type,
  nodes,
  rate: share === null || rate === null ? null : share * rate,
  delay: delay === null ? null : withExtras(delay, extrasOf(extras)),
  ...(isJob && { job: true }),
  untimed: [...new Set(untimed)],
  ...(throttling.length > 0 && { throttling }),
  refused: 1 - taken,
  lost: 1 - there,
  atDoor,
})
