import { deliveryDropped } from '../../events/delivery.dropped.ts'
import { atMost } from '../at-most.ts'
import { attempt } from '../attempt.ts'
import { keyOf } from '../delivery-key.ts'
import { Failure, reasonOf } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import { type LaneKey, laneOf, releaseLane } from '../lane/lane.ts'
import type { DeliveryState, OpenMark } from '../ports.ts'
import { readEvents } from '../read-events.ts'
import { second } from '../time.ts'
import {
  aboutOf,
  commitTransition,
  type DeliveryWithEvent,
  dropping,
  type MendDeps,
  momentOf,
} from './open-delivery.ts'
import { type Chosen, chooser, nextMarks, type Place, type Selection } from './selection.ts'
import { supersededDetail } from './superseded.ts'

export type Dropped = {
  subscriber: string
  replay: string
  outcome: 'dropped' | 'already'
  state: DeliveryState
  /** why what waits behind it in its lane was not sent at once; what took its place where it was edited */
  detail?: string
}

/** Who drops it, and why, in their words. `tried`: also where somebody has sent it again in this moment. */
export type Dropping = { by: string; reason?: string | undefined; tried?: boolean }

/**
 * Settles an open delivery: its subscriber will not handle the event. What is retrying may be run just then, and is not
 * tried again. On an ordered route what waits behind it is sent; a crash before that leaves it to the sweep.
 */
export async function dropDelivery(
  found: DeliveryWithEvent,
  how: Dropping,
  deps: MendDeps,
): Promise<Dropped> {
  const { dropped, lane } = await settleDropped(found, how, deps)
  const released = lane && (await attempt(() => releaseLane(lane, { dead: [] }, deps)))
  return released !== undefined && 'error' in released
    ? { ...dropped, detail: `the sweep sends what waits behind it: ${reasonOf(released.error)}` }
    : dropped
}

/** `lane`: the one that it has left, to be released. @throws Failure Busy where others change it again and again */
async function settleDropped(
  found: DeliveryWithEvent,
  how: Dropping,
  deps: MendDeps,
  tries = 3,
): Promise<{ dropped: Dropped; lane?: LaneKey }> {
  const { by, reason, tried = false } = how
  const { key, delivery } = found
  const { subscriber, replay } = key
  const { state } = delivery
  if (state === 'done' || state === 'dropped')
    return { dropped: { subscriber, replay, outcome: 'already', state, ...supersededDetail(delivery) } }
  const now = deps.clock()
  const text = `dropped by ${by}${reason === undefined ? '' : `: ${reason}`}`
  const said = { ...aboutOf(found), state, ...(reason === undefined ? {} : { reason }) }
  const outbox = outboxItems(
    { emits: [{ type: deliveryDropped, data: said }], sequence: momentOf(now) },
    { project: key.project, by: 'deliveries', actor: by },
  )
  const transition = dropping(found, text, now)
  const verdict = await commitTransition({ outbox, transition }, deps)
  if (verdict !== 'committed') {
    const [current] = await deps.history.getDeliveries([key])
    if (current === undefined || (current.state === 'retrying' && state !== 'retrying' && !tried))
      return { dropped: { subscriber, replay, outcome: 'already', state: current?.state ?? state } }
    if (tries === 1) throw new Failure('Busy', 'the delivery was changed meanwhile: look at it again')
    return settleDropped({ ...found, delivery: current }, how, deps, tries - 1)
  }
  const dropped = { subscriber, replay, outcome: 'dropped', state: 'dropped' } as const
  const ordered = laneOf(key, found.stored?.event, deps.routes)
  if (ordered === undefined) return { dropped }
  // a release takes off what is settled too
  await attempt(() => deps.lanes.leave(ordered.lane, { key, sequence: ordered.sequence }))
  return { dropped, lane: ordered.lane }
}

/**
 * Those that are to be dropped; where none is open, all: their state says why.
 * @throws Failure Conflict where it is still being tried and nobody named whose it is
 */
export function droppableOf(
  found: readonly DeliveryWithEvent[],
  isNamed: boolean,
): readonly DeliveryWithEvent[] {
  const given = found.filter(({ delivery }) => delivery.state === 'dead' || delivery.state === 'parked')
  if (given.length > 0) return given
  const tried = found.filter(({ delivery }) => delivery.state === 'retrying')
  if (isNamed || tried.length === 0) return found
  throw new Failure('Conflict', 'it is still being tried: name the subscriber that is to give it up', {
    faults: tried.map(({ key }) => ({ path: 'subscriber', expected: key.subscriber, got: 'nothing' })),
  })
}

const mostDropped = 50
const mostReads = 40
/** Nothing more is dropped after so long, and then no more lanes are released: whoever asked waits for an answer. */
const [dropsFor, releasesFor] = [8 * second, 14 * second]
const lanesAtOnce = 10
const mostLookedAt = 500

type DropQuery = {
  project: string
  subscribers: readonly string[]
  state: 'dead' | 'parked'
  selection: Selection
  before: string
  from: Place | undefined
}

/**
 * Drops what is meant, some fifty at a time: `next` is where to go on, undefined at the end. Goes by what was open at
 * `before`. `unreadable` are left as they are: nobody can tell whether they are meant. A lane is released when all are
 * dropped that are meant in it: what is released before may run. What that does not come to is the sweep's.
 */
export async function dropOpen(
  query: DropQuery,
  how: Dropping,
  deps: MendDeps,
): Promise<{ dropped: number; already: number; unreadable: number; next: Place | undefined }> {
  const began = Date.parse(deps.clock())
  const isOver = (longest: number) => Date.parse(deps.clock()) - began > longest
  const lanes = new Map<string, LaneKey>()
  let ended = false
  try {
    const { next, ...counts } = await dropSome(query, how, lanes, () => isOver(dropsFor), deps)
    ended = next === undefined
    return { ...counts, next }
  } finally {
    const inTurn = atMost(lanesAtOnce)
    const release = async (lane: LaneKey) => {
      if (isOver(releasesFor) || (!ended && (await isMeantIn(lane, query, deps)))) return
      await releaseLane(lane, { dead: [] }, deps)
    }
    await Promise.all([...lanes.values()].map((lane) => inTurn(() => attempt(() => release(lane)))))
  }
}

/** Whether more of it is to be dropped that a release would send. It goes no further than what is dead. */
async function isMeantIn(lane: LaneKey, query: DropQuery, deps: MendDeps): Promise<boolean> {
  const { state, selection, before } = query
  if (state === 'dead') return false
  const waiting = await deps.lanes.waiting(lane, mostLookedAt)
  if (waiting.length === mostLookedAt) return true
  const deliveries = await deps.history.getDeliveries(waiting.map(({ key }) => key))
  const marks = waiting.flatMap(({ key }, index): OpenMark[] => {
    const { state: now, changed } = deliveries[index] ?? {}
    return now === state && changed !== undefined && changed <= before ? [{ ...key, state, changed }] : []
  })
  return (await chooser(selection, deps)(marks)).chosen.length > 0
}

async function dropSome(
  { project, subscribers, state, selection, before, from: first }: DropQuery,
  how: Dropping,
  lanes: Map<string, LaneKey>,
  isOver: () => boolean,
  deps: MendDeps,
) {
  const choose = chooser(selection, deps)
  const wanted = { project, subscribers, state, since: selection.since, before }
  const counts = { dropped: 0, already: 0, unreadable: 0 }
  let from = first
  for (let reads = 0; reads < mostReads && counts.dropped + counts.already < mostDropped; reads++) {
    const { marks, next } = await nextMarks(wanted, from, mostDropped, deps.history)
    const { chosen, unreadable } = await choose(marks)
    const events = await readEvents(
      chosen.map(({ mark }) => mark),
      deps.history,
    )
    for (const [index, one] of chosen.entries()) {
      const found = events[index]
      // dropped without it: what waits behind it in its lane is the sweep's to send
      const stored = found === 'unreadable' ? undefined : found
      const { dropped, lane } = await settleDropped({ ...foundOf(one), stored }, how, deps)
      counts[dropped.outcome]++
      if (lane !== undefined) lanes.set(JSON.stringify(lane), lane)
      // what is dropped is met no more
      if (isOver() && index < chosen.length - 1)
        return { ...counts, next: from ?? { subscriber: one.mark.subscriber } }
    }
    counts.unreadable += unreadable.length
    from = next
    if (next === undefined || isOver()) break
  }
  return { ...counts, next: from }
}

const foundOf = ({ mark, delivery }: Chosen): Omit<DeliveryWithEvent, 'stored'> => ({
  key: keyOf(mark),
  delivery,
})
