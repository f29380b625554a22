import { deliveryDropped } from '../../events/delivery.dropped.ts'
import { attempt } from '../attempt.ts'
import { keyOf } from '../delivery-key.ts'
import { Failure, reasonOf } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import { laneOf, releaseLane } from '../lane/lane.ts'
import { supersededDetail } from '../lane/superseded.ts'
import type { DeliveryState } from '../ports.ts'
import { readEvents } from '../read-events.ts'
import { aboutOf, dropping, type Found, type MendDeps, momentOf } from './open-delivery.ts'
import { type Chosen, chooser, nextMarks, type Place, type Selection } from './selection.ts'

export type Dropped = {
  subscriber: string
  replay: string
  outcome: 'dropped' | 'already'
  state: DeliveryState
  /** why what waits behind it in its lane was not sent at once; what took its place where it was edited */
  detail?: string
}

/** Who drops it, and why, in their words. */
export type Dropping = { by: string; reason?: string | undefined }

/**
 * Settles an open delivery: its subscriber will not handle the event. What is retrying may be run just then, and is not
 * tried again. On an ordered route what waits behind it is sent; a crash before that leaves it to the sweep.
 */
export async function dropDelivery(found: Found, { by, reason }: Dropping, deps: MendDeps): Promise<Dropped> {
  const { key, delivery } = found
  const { subscriber, replay } = key
  const { state } = delivery
  if (state === 'done' || state === 'dropped')
    return { subscriber, replay, outcome: 'already', state, ...supersededDetail(delivery) }
  const now = deps.clock()
  const text = `dropped by ${by}${reason === undefined ? '' : `: ${reason}`}`
  const said = { ...aboutOf(found), state, ...(reason === undefined ? {} : { reason }) }
  const outbox = outboxItems(
    { emits: [{ type: deliveryDropped, data: said }], sequence: momentOf(now) },
    { project: key.project, by: 'deliveries', actor: by },
  )
  const transition = dropping(found, text, now)
  const verdict = await deps.memory.commit({ writes: [], outbox, transition })
  if (verdict !== 'committed') {
    const [current] = await deps.history.getDeliveries([key])
    const now = current ?? delivery
    return { subscriber, replay, outcome: 'already', state: now.state, ...supersededDetail(now) }
  }
  const dropped = { subscriber, replay, outcome: 'dropped', state: 'dropped' } as const
  const ordered = laneOf(key, found.stored?.event, deps.routes)
  if (ordered === undefined) return dropped
  const released = await attempt(async () => {
    await deps.lanes.leave(ordered.lane, { key, sequence: ordered.sequence })
    await releaseLane(ordered.lane, { dead: [] }, deps)
  })
  return 'error' in released
    ? { ...dropped, detail: `the sweep sends what waits behind it: ${reasonOf(released.error)}` }
    : dropped
}

/**
 * Those that are to be dropped; where none is open, all: their state says why.
 * @throws Failure Conflict where it is still being tried and nobody named whose it is
 */
export function droppableOf(found: readonly Found[], isNamed: boolean): readonly Found[] {
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

/**
 * Drops what is meant, some fifty at a time: `next` is where to go on, undefined at the end. Goes by what was open at
 * `before`. `unreadable` are left as they are: nobody can tell whether they are meant.
 */
export async function dropOpen(
  query: {
    project: string
    subscribers: readonly string[]
    state: 'dead' | 'parked'
    selection: Selection
    before: string
    from: Place | undefined
  },
  how: Dropping,
  deps: MendDeps,
): Promise<{ dropped: number; already: number; unreadable: number; next: Place | undefined }> {
  const { project, subscribers, state, selection, before } = query
  const choose = chooser(selection, deps)
  const wanted = { project, subscribers, state, since: selection.since, before }
  const counts = { dropped: 0, already: 0, unreadable: 0 }
  let from = query.from
  for (let reads = 0; reads < mostReads && counts.dropped + counts.already < mostDropped; reads++) {
    const { marks, next } = await nextMarks(wanted, from, mostDropped, deps.history)
    const { chosen, unreadable } = await choose(marks)
    counts.unreadable += unreadable.length
    const events = await readEvents(
      chosen.map(({ mark }) => mark),
      deps.history,
    )
    for (const [index, one] of chosen.entries()) {
      const found = events[index]
      // dropped without it: what waits behind it in its lane is the sweep's to send
      const stored = found === 'unreadable' ? undefined : found
      const { outcome } = await dropDelivery({ ...foundOf(one), stored }, how, deps)
      counts[outcome]++
    }
    from = next
    if (next === undefined) break
  }
  return { ...counts, next: from }
}

const foundOf = ({ mark, delivery }: Chosen): Omit<Found, 'stored'> => ({ key: keyOf(mark), delivery })
