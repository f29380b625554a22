import type { Identity } from '../../events/envelope.ts'
import { eventRedriven } from '../../events/event.redriven.ts'
import { reasonOf } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import { messageOf, sendTo } from '../gate/send.ts'
import { controlOf, controlRecord, heldBack } from '../hold/control.ts'
import { type Lane, laneOf, releaseLane } from '../lane/lane.ts'
import { isBeingSent, isInLane } from '../lane/released.ts'
import type { DeliveryState } from '../ports.ts'
import {
  aboutOf,
  commitTransition,
  type DeliveryWithEvent,
  deliveriesOf,
  type MendDeps,
  momentOf,
  requireEvent,
  requireRoute,
  type Wanted,
} from './open-delivery.ts'
import { againOf, frameFor, reopening } from './resend.ts'
import { supersededDetail } from './superseded.ts'

/**
 * sent: it is on its way. already: it is not dead (any more), `state` says what it is. blocked: on an ordered route an
 * earlier event of its key is dead, and goes first. delayed: it is to be sent, but the queue did not take it; the sweep
 * sends it within the half hour. `detail` of what was sent: why it will be parked.
 */
export type Redriven = {
  subscriber: string
  replay: string
  outcome: 'sent' | 'already' | 'blocked' | 'delayed'
  state: DeliveryState
  detail?: string
}

/**
 * Sends the dead deliveries of one event again, each to its own subscriber and to no other.
 * @throws Failure NotFound, Conflict (its subscriber is in no route any more)
 */
export async function redriveEvent(
  identity: Identity,
  wanted: Wanted,
  by: string,
  deps: MendDeps,
): Promise<Redriven[]> {
  const found = await deliveriesOf(identity, wanted, deps.history)
  const dead = found.filter(({ delivery }) => delivery.state === 'dead')
  if (dead.length === 0)
    return found.map((one) => answer(one, { outcome: 'already', ...supersededDetail(one.delivery) }))
  for (const one of dead) requireRoute(one, deps)
  const redriven: Redriven[] = []
  for (const one of dead) {
    const answered = await redriveOne(one, by, deps)
    redriven.push(answered.outcome === 'sent' ? { ...answered, ...(await whyParked(one, deps)) } : answered)
  }
  return redriven
}

/** What is sent to who may not run now does not run either: whoever sent it should hear that from us. */
async function whyParked(
  { key, stored }: DeliveryWithEvent,
  { memory, routes }: MendDeps,
): Promise<{ detail?: string }> {
  const { project, subscriber } = key
  const route = routes.find((one) => one.subscriber === subscriber)
  if (stored === undefined || route === undefined || route.unpausable !== undefined) return {}
  const control = controlOf(await memory.get(controlRecord(project, subscriber)))
  const held = heldBack(control, route.downstream?.(stored.event) ?? '')
  return held === undefined
    ? {}
    : { detail: `${held}; it will be parked, and sent again when ${subscriber} runs` }
}

const answer = (
  { key: { subscriber, replay }, delivery: { state } }: DeliveryWithEvent,
  rest: Pick<Redriven, 'outcome'> & Partial<Redriven>,
): Redriven => ({ subscriber, replay, state, ...rest })

async function redriveOne(found: DeliveryWithEvent, by: string, deps: MendDeps): Promise<Redriven> {
  requireEvent(found)
  const ordered = laneOf(found.key, found.stored?.event, deps.routes)
  if (ordered === undefined || (await deps.lanes.lane(ordered.lane)) === undefined)
    return reopen(found, by, deps)
  const { lane } = ordered
  if (!(await isInLane(found.key, lane, deps))) return reopen(found, by, deps)
  // said first: what is done and not told of would be worse than the reverse
  const before = () => commitTransition({ outbox: told(found, by, deps.clock()) }, deps)
  const { subscriber } = lane
  const isReleased = (seen: Lane) => isBeingSent(seen, { ...ordered, subscriber }, deps)
  const wanted = { key: found.key, isReleased }
  const released = await releaseLane(lane, { dead: [found.key], before, wanted }, deps)
  if ('blocked' in released) return blocked(found, released.blocked.id)
  if ('empty' in released) return reopen(found, by, deps)
  if (released.already === undefined) return answer(found, { outcome: 'sent' })
  const now = await settledMeanwhile(found, deps)
  return now.state === 'dead' ? { ...now, detail: 'it was sent, and waits for its turn' } : now
}

const blocked = (found: DeliveryWithEvent, id: string): Redriven =>
  answer(found, {
    outcome: 'blocked',
    detail: `event ${id} of the same key comes first, and cannot be sent: redrive or drop that one`,
  })

/** The mark and what tells of it are one commit: of two at once one is told of, and sends. */
async function reopen(found: DeliveryWithEvent, by: string, deps: MendDeps): Promise<Redriven> {
  const { key } = found
  const event = requireEvent(found)
  const now = deps.clock()
  const transition = reopening({ ...found, event }, by, now)
  const verdict = await commitTransition({ outbox: told(found, by, now), transition }, deps)
  if (verdict !== 'committed') return settledMeanwhile(found, deps)
  const frame = frameFor(event, key, found.delivery)
  const message = messageOf(key.subscriber, frame, againOf(transition.next))
  const [failure] = await sendTo(key.subscriber, [message], deps)
  const { state } = transition.next
  return failure === undefined
    ? answer(found, { outcome: 'sent', state })
    : answer(found, { outcome: 'delayed', state, detail: reasonOf(failure.error) })
}

async function settledMeanwhile(found: DeliveryWithEvent, { history }: MendDeps): Promise<Redriven> {
  const [now] = await history.getDeliveries([found.key])
  const { state, reason } = now ?? found.delivery
  return answer(found, { outcome: 'already', state, ...supersededDetail({ state, reason }) })
}

const told = (found: DeliveryWithEvent, by: string, now: string) =>
  outboxItems(
    {
      emits: [
        {
          type: eventRedriven,
          data: { ...aboutOf(found), state: 'dead', reason: found.delivery.reason },
        },
      ],
      sequence: momentOf(now),
    },
    { project: found.key.project, by: 'deliveries', actor: by },
  )
