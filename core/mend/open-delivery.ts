import type { Identity, RecordedEvent } from '../../events/envelope.ts'
import { commitDecision } from '../commit-decision.ts'
import { parted } from '../delivery-key.ts'
import { Failure } from '../errors.ts'
import type { SendDeps } from '../gate/send.ts'
import type { Lanes } from '../lane/lane.ts'
import type {
  Bodies,
  Delivery,
  DeliveryKey,
  History,
  Memory,
  OutboxItem,
  StoredEvent,
  Transition,
} from '../ports.ts'

/** What commands on deliveries need of the world. */
export type MendDeps = SendDeps & { history: History; memory: Memory; bodies: Bodies; lanes: Lanes }

/** A delivery as it was seen. `stored`: its event; a dead letter may be of one that was never recorded. */
export type DeliveryWithEvent = { key: DeliveryKey; delivery: Delivery; stored: StoredEvent | undefined }

/** Which deliveries of an event: all of a subscriber's where no replay is named, all where no subscriber is. */
export type Wanted = { subscriber?: string | undefined; replay?: string | undefined }

/** @throws Failure NotFound when there is none, with those that there are */
export async function deliveriesOf(
  identity: Identity,
  { subscriber, replay }: Wanted,
  history: Pick<History, 'fate'>,
): Promise<DeliveryWithEvent[]> {
  const { stored, deliveries } = await history.fate(identity)
  const found = deliveries.filter(
    (one) => (subscriber ?? one.subscriber) === one.subscriber && (replay ?? one.replay) === one.replay,
  )
  if (found.length > 0) return found.map((one) => ({ ...parted(one), stored }))
  const to = subscriber === undefined ? '' : ` to ${subscriber}`
  throw new Failure('NotFound', `event ${identity.id} has no delivery${to} that was tried`, {
    faults: deliveries.map((one) => ({
      path: 'subscriber',
      expected: `${one.subscriber} (${one.state})`,
      got: subscriber ?? 'nothing',
    })),
  })
}

/**
 * The same for who drops them: what newer code wrote can be given up too, by the name of its subscriber. What waits
 * behind it in its lane is the sweep's to send then.
 * @throws Failure NotFound, NewerVersion where nobody named it
 */
export async function deliveriesToDrop(
  identity: Identity,
  wanted: Wanted,
  history: Pick<History, 'fate' | 'getDeliveries'>,
): Promise<DeliveryWithEvent[]> {
  const { subscriber, replay = '' } = wanted
  try {
    return await deliveriesOf(identity, wanted, history)
  } catch (error) {
    if (subscriber === undefined || !(error instanceof Failure && error.code === 'NewerVersion')) throw error
    const key = { ...identity, subscriber, replay }
    const [delivery] = await history.getDeliveries([key])
    if (delivery === undefined) throw error
    return [{ key, delivery, stored: undefined }]
  }
}

/**
 * The one that a command is about: the only one in the first of these states that any is in, else the only one at all. A
 * live delivery goes before those of replays of the same subscriber, which have to be named.
 * @throws Failure Conflict when several are, with their subscribers
 */
export function theOne(
  found: readonly DeliveryWithEvent[],
  states: readonly Delivery['state'][],
): DeliveryWithEvent {
  const inState = states.map((state) =>
    found.filter(({ delivery }) => delivery.state === state).filter(isNearest),
  )
  const [first, ...others] = inState.find((some) => some.length > 0) ?? found
  if (first === undefined) throw new Failure('NotFound', 'no such delivery')
  if (others.length === 0) return first
  const all = [first, ...others]
  throw new Failure('Conflict', `${all.length} deliveries of ${first.key.id} could be meant: name one`, {
    faults: all.map(({ key, delivery }) => ({
      path: 'subscriber',
      expected: `${key.subscriber}${key.replay === '' ? '' : `, replay ${key.replay}`} (${delivery.state})`,
      got: 'nothing',
    })),
  })
}

const isNearest = ({ key }: DeliveryWithEvent, _: number, all: readonly DeliveryWithEvent[]): boolean =>
  key.replay === '' || !all.some((one) => one.key.subscriber === key.subscriber && one.key.replay === '')

/** What events of ours say a delivery is. */
export const aboutOf = ({ key, stored }: DeliveryWithEvent) => ({
  subscriber: key.subscriber,
  replay: key.replay,
  event: { source: key.source, id: key.id, type: stored?.event.type ?? 'unknown' },
})

/** The mark of a delivery that nobody will handle. */
export const dropping = ({ key, delivery }: DeliveryWithEvent, reason: string, now: string): Transition => ({
  key,
  seen: delivery,
  next: { ...delivery, state: 'dropped', changed: now, reason: reason.slice(0, 1000) },
})

/**
 * `done already`: the mark no longer stands as it was seen.
 * @throws Failure Busy where other transactions were in the way at each of five tries: that says nothing of the mark
 */
export async function commitTransition(
  change: { outbox: readonly OutboxItem[]; transition?: Transition },
  { memory }: Pick<MendDeps, 'memory'>,
): Promise<'committed' | 'done already'> {
  const { key } = change.transition ?? {}
  const what = key === undefined ? 'what is told' : `the delivery of ${key.id} to ${key.subscriber}`
  const decide = async () => ({ change: { writes: [], ...change }, answer: undefined })
  const { verdict } = await commitDecision((commit) => memory.commit(commit), what, decide)
  return verdict === 'committed' ? verdict : 'done already'
}

/** Events about one delivery are told in the order of what was done to it: by when it was done. */
export const momentOf = (now: string): number => Date.parse(now)

/** @throws Failure Conflict when the subscriber is in no route any more */
export function requireRoute({ key }: DeliveryWithEvent, { routes }: Pick<SendDeps, 'routes'>): void {
  if (routes.some((route) => route.subscriber === key.subscriber)) return
  throw new Failure(
    'Conflict',
    `${key.subscriber} is in no route any more, so nobody would take it: drop it, or deploy the route again`,
  )
}

/** @throws Failure NotFound */
export function requireEvent({ key, stored }: DeliveryWithEvent): RecordedEvent {
  if (stored !== undefined) return stored.event
  throw new Failure('NotFound', `the event ${key.id} itself was never recorded, so there is nothing to send`)
}
