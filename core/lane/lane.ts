import type { RecordedEvent } from '../../events/envelope.ts'
import type { Route } from '../../events/route.ts'
import { attempt as attempted } from '../attempt.ts'
import { Failure, reasonOf } from '../errors.ts'
import { saidAgain } from '../frame.ts'
import { messageOf, orderedMessage } from '../gate/send.ts'
import { identityText } from '../identity.ts'
import type { Clock, Delivery, DeliveryKey, History, Listing, Queues, SeenDelivery } from '../ports.ts'
import { readEvents } from '../read-events.ts'

/**
 * What belongs together in an ordered route: the events of one partition key, in their sequence. Replays have lanes of
 * their own, so that they hold up nothing that is live.
 */
export type LaneKey = { project: string; subscriber: string; partitionkey: string; replay: string }

/** The lane that a delivery of an ordered route stands in, and where; undefined for all others. */
export function laneOf(
  { project, subscriber, replay }: DeliveryKey,
  event: Partial<Pick<RecordedEvent, 'partitionkey' | 'sequence'>> | undefined,
  routes: readonly Route[],
): { lane: LaneKey; sequence: number } | undefined {
  const { partitionkey, sequence } = event ?? {}
  const isOrdered = routes.some((route) => route.subscriber === subscriber && route.ordered === true)
  if (!isOrdered || sequence === undefined || partitionkey === undefined) return undefined
  return { lane: { project, subscriber, partitionkey, replay }, sequence }
}

/** A lane that is closed: something of it is dead or parked, and what comes later waits behind that. */
export type Lane = {
  /** changes with every delivery that comes to wait: who releases or opens the lane names the one they saw */
  version: number
  /** messages that were sent under this name may pass; undefined: none may */
  release?: string | undefined
  /** the sequence of the last delivery sent under `release` */
  last?: number | undefined
  /** why it was closed, and when */
  reason: string
  since: string
}

/** A delivery that waits in a lane. */
export type Waiting = { key: DeliveryKey; sequence: number }

export type Marked = Waiting & { mark: Delivery | undefined }

/** Keeps the order of ordered routes; it stands beside the deliveries and changes in one transaction with them. */
export interface Lanes {
  /** Consistent; undefined: open. */
  lane(key: LaneKey): Promise<Lane | undefined>
  /**
   * Marks a delivery dead or parked and has it wait in its lane, in one transaction. `behind`: only if the lane is closed
   * (`open` is answered when it is not, and nothing is written). `closing`: the lane is closed by this, and if it was
   * released that is taken back, or what was sent with this one would overtake it. `seen`: the mark that this one
   * replaces, absent where there was none. `final`: the delivery is done or dropped; `changed`: it no longer stands as
   * it was seen. Then nothing is written.
   */
  wait(
    lane: LaneKey,
    waiting: Waiting & { delivery: Delivery; seen?: SeenDelivery | undefined },
    how: 'behind' | 'closing',
  ): Promise<'waits' | 'open' | 'final' | 'changed'>
  /** The first so many that wait, in sequence. Consistent. */
  waiting(lane: LaneKey, limit: number): Promise<Waiting[]>
  /** Lets pass what is sent under this name from now on, and nothing else. False when the lane is not as it was seen. */
  release(lane: LaneKey, seen: number, release: { name: string; last: number }): Promise<boolean>
  /** A delivery waits no more: it is done or dropped. */
  leave(lane: LaneKey, waiting: Waiting): Promise<void>
  /** Opens a lane in which nothing waits. False when it is not as it was seen. */
  open(lane: LaneKey, seen: number): Promise<boolean>
  /** Closed lanes of a subscriber. Goes by an index: eventually consistent. */
  closed(query: {
    project: string
    subscriber: string
    cursor?: string | undefined
    limit: number
  }): Promise<Listing<LaneKey & Lane>>
}

export type ReleaseDeps = {
  history: Pick<History, 'getDeliveries' | 'getEvents'>
  lanes: Lanes
  queues: Pick<Queues, 'send'>
  clock: Clock
}

/**
 * sent: so many are on their way; what waits behind them is sent when the last of them is done. `paced`: `fresh` of them
 * were not on their way before, `last` is how far it went, and what waits behind them is sent by who keeps the pace.
 * blocked: the first that waits is dead and nobody allows it to be sent, or its event is in history no longer, or newer
 * code wrote it.
 * `already`: none are, for what is wanted was released by somebody else, or waits no more.
 * empty: nothing waits, and the lane is open.
 */
export type Released =
  | { sent: number; paced?: { fresh: readonly Marked[]; last: number }; already?: true }
  | { blocked: DeliveryKey }
  | { empty: true }

type Pace = { upTo: number; most: number; asked: string }

/** `isReleased`: whether it is on its way already, in a lane that stands so. */
type OneWanted = { key: DeliveryKey; isReleased: (seen: Lane) => Promise<boolean> }

/** What waits behind such a release is not for consume to send. It is told by the name: that is what messages carry. */
const paced = ' paced '
export const isPaced = (release: string | undefined): boolean => release?.includes(paced) === true

/** By one release: enough to be quick, and few enough to be read and sent in a second or two. */
const perRelease = 100
const tries = 10

/**
 * Sends what waits in a lane, in sequence, up to the first that is dead and not allowed, under a new name by which it
 * passes; opens the lane when nothing waits. May be called at any time, again, and by several at once: what was sent
 * under an earlier name no longer passes, and does nothing (docs/decisions/0012-lanes.md). `before`: what is to be done
 * once it is known that something is sent, and before anything is. `pace`: no further than `upTo`, and no more than `most`
 * that are not under way already, for somebody who comes again for what has waited since before `asked`. `wanted`: nothing
 * is sent without this one, and of several who want it at once one sends.
 * @throws Failure Unavailable when a message could not be sent: the lane stays closed until it is released again
 * @throws Failure Busy when others changed the lane at each of ten tries
 */
export async function releaseLane(
  lane: LaneKey,
  allow: {
    dead: readonly DeliveryKey[]
    before?: () => Promise<unknown>
    pace?: Pace
    wanted?: OneWanted
  },
  deps: ReleaseDeps,
): Promise<Released> {
  const allowed = new Set(allow.dead.map(identityText))
  let said: Promise<unknown> | undefined
  for (let attempt = 0; attempt < tries; attempt++) {
    const seen = await deps.lanes.lane(lane)
    if (seen === undefined) return { empty: true }
    if (await allow.wanted?.isReleased(seen)) return settled
    const waiting = await stillWaiting(lane, deps)
    const [first] = waiting
    if (first === undefined) {
      if (await deps.lanes.open(lane, seen.version)) return { empty: true }
      continue
    }
    const passing = await mayPass(within(waiting, seen, allow.pace), allowed, deps)
    const last = passing.at(-1)
    if (last === undefined) return nonePasses(first, seen, allow.pace)
    const without = withoutWanted(waiting, passing, allow.wanted)
    if (without !== undefined) return without
    // what came to wait behind meanwhile changes nothing for these, and in a backlog something always does
    const now = await deps.lanes.lane(lane)
    if (now === undefined || now.release !== seen.release || now.reason !== seen.reason) continue
    said ??= allow.before?.()
    await said
    // no two releases are of one version, so the name is given once
    const name = `${now.version}${whoGoesOn(waiting, last, allow.pace)}${deps.clock()}`
    if (!(await deps.lanes.release(lane, now.version, { name, last: last.sequence }))) continue
    await sendOrUnsay(lane, { name, last: last.sequence }, passing, deps)
    return releasedAs(passing, now, allow.pace)
  }
  throw new Failure('Busy', `others changed the lane ${nameOf(lane)} ${tries} times meanwhile: try again`)
}

/** By its name a release that was not sent is so old that nobody waits for what it sends. */
const unsent = new Date(0).toISOString()

const wasSent =
  ({ release, last = 0 }: Lane) =>
  ({ sequence }: Waiting): boolean =>
    release !== undefined && !release.endsWith(unsent) && sequence <= last

function within(waiting: readonly Marked[], seen: Lane, pace: Pace | undefined) {
  if (pace === undefined) return waiting
  const most = waiting.filter(wasSent(seen)).length + pace.most
  return waiting.slice(0, most).filter(({ sequence }) => sequence <= pace.upTo)
}

const nonePasses = (first: Marked, seen: Lane, pace: Pace | undefined): Released =>
  within([first], seen, pace).length === 0 ? releasedAs([], seen, pace) : { blocked: first.key }

const settled: Released = { sent: 0, already: true }

/** Beyond a full page it may wait as well. */
function withoutWanted(
  waiting: readonly Marked[],
  passing: readonly Marked[],
  wanted: OneWanted | undefined,
): Released | undefined {
  if (wanted === undefined) return undefined
  const text = identityText(wanted.key)
  const isIn = (some: readonly Marked[]) => some.some(({ key }) => identityText(key) === text)
  if (isIn(passing)) return undefined
  const before = waiting[passing.length] ?? waiting.at(-1)
  const mayWait = isIn(waiting) || waiting.length === perRelease
  return mayWait && before !== undefined ? { blocked: before.key } : settled
}

/** What came since is nobody's to come again for: it is sent as in any release. Beyond a full page there may be more. */
function whoGoesOn(waiting: readonly Marked[], last: Waiting, pace: Pace | undefined): string {
  if (pace === undefined) return ' '
  const left = waiting.filter(({ sequence }) => sequence > last.sequence)
  const asked = left.length === 0 && waiting.length === perRelease ? waiting.slice(-1) : left
  return asked.some(({ mark }) => mark !== undefined && mark.changed <= pace.asked) ? paced : ' '
}

function releasedAs(passing: readonly Passing[], seen: Lane, pace: Pace | undefined): Released {
  const sent = passing.length
  if (pace === undefined) return { sent }
  const isAhead = wasSent(seen)
  const fresh = passing.filter((item) => !isAhead(item))
  return { sent, paced: { fresh, last: passing.at(-1)?.sequence ?? pace.upTo } }
}

const nameOf = ({ subscriber, partitionkey }: LaneKey): string => `${subscriber} ${partitionkey}`

type Passing = Marked & { event: RecordedEvent }

/** The first that wait. What is settled has only not been taken off the list yet. */
async function stillWaiting(lane: LaneKey, { history, lanes }: ReleaseDeps): Promise<Marked[]> {
  for (;;) {
    const waiting = await lanes.waiting(lane, perRelease)
    const marks = await history.getDeliveries(waiting.map(({ key }) => key))
    const marked = waiting.map((item, index): Marked => ({ ...item, mark: marks[index] }))
    const isSettled = ({ mark }: Marked) => mark?.state === 'done' || mark?.state === 'dropped'
    const gone = marked.filter(isSettled)
    await Promise.all(gone.map((item) => lanes.leave(lane, item)))
    if (gone.length === 0 || gone.length < marked.length) return marked.filter((item) => !isSettled(item))
  }
}

/** Up to the first that is dead and not allowed, or whose event is gone or unreadable: none may pass that. */
async function mayPass(
  waiting: readonly Marked[],
  allowed: ReadonlySet<string>,
  { history }: ReleaseDeps,
): Promise<Passing[]> {
  const mayNot = ({ key, mark }: Marked) => mark?.state === 'dead' && !allowed.has(identityText(key))
  const stop = waiting.findIndex(mayNot)
  const alive = stop < 0 ? waiting : waiting.slice(0, stop)
  const stored = await readEvents(
    alive.map(({ key }) => key),
    history,
  )
  const passing: Passing[] = []
  for (const [index, item] of alive.entries()) {
    const one = stored[index]
    if (one === undefined || one === 'unreadable') break
    passing.push({ ...item, event: one.event })
  }
  return passing
}

async function sendOrUnsay(
  lane: LaneKey,
  { name, last }: { name: string; last: number },
  passing: readonly Passing[],
  deps: ReleaseDeps,
): Promise<void> {
  const sent = await attempted(() => sendAll(lane, name, passing, deps))
  if (!('error' in sent)) return
  const old = name.replace(/\S+$/, unsent)
  // where this fails too it is as after a crash: sent anew when a minute has passed
  await attempted(async () => {
    const now = await deps.lanes.lane(lane)
    if (now?.release === name) await deps.lanes.release(lane, now.version, { name: old, last })
  })
  throw sent.error
}

async function sendAll(
  { subscriber, replay, ...lane }: LaneKey,
  release: string,
  passing: readonly Passing[],
  { queues }: ReleaseDeps,
): Promise<void> {
  const messages = passing.map(({ event, mark }) =>
    orderedMessage(
      messageOf(subscriber, { event, replay, resent: true, release, ...(mark && saidAgain(mark)) }),
    ),
  )
  const failures = await queues.send(subscriber, messages)
  const [failure] = failures
  if (failure === undefined) return
  const which = `${failures.length} of ${messages.length} in the lane ${nameOf({ subscriber, replay, ...lane })}`
  throw new Failure('Unavailable', `${which} could not be sent: ${reasonOf(failure.error)}`, {
    cause: failure.error,
  })
}
