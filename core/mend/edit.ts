import { eventTypeNamed } from '../../events/catalogue.ts'
import { deliveryEdited } from '../../events/delivery.edited.ts'
import { byteLength, type RecordedEvent } from '../../events/envelope.ts'
import { subscribersOf } from '../../events/route.ts'
import { type Change, changesBetween } from '../changes.ts'
import { Failure } from '../errors.ts'
import { deepest, editedId } from '../event/admit.ts'
import { hasHalfCharacter } from '../event/as-sent.ts'
import { dataOf } from '../event/body.ts'
import { outboxItems } from '../event/outbox.ts'
import { faultsOf, newestData } from '../event/versions.ts'
import { editFrame } from '../frame.ts'
import type { SendDeps } from '../gate/send.ts'
import { canonicalJson, contentDigest, isDeeperThan } from '../identity.ts'
import type { Delivery, OutboxItem } from '../ports.ts'
import {
  aboutOf,
  type DeliveryWithEvent,
  dropping,
  type MendDeps,
  momentOf,
  requireEvent,
  requireRoute,
} from './open-delivery.ts'
import { supersededBy, supersededText } from './superseded.ts'

/** `replacement`: id of the event that is handled in place of the one that was edited. */
export type Edited = { outcome: 'edited' | 'already'; replacement: string; changes: readonly Change[] }

/** Of the frame, names and escapes included: it goes through the outbox, in one item of 400 KB. */
const largestFrame = 380_000
const mostChanges = 100

/**
 * Puts a new event in the place of one that a subscriber could not handle, for that subscriber alone. The settling of the
 * delivery, what tells of it and the new event on its way to the gate are one commit. The same edit again is known by its
 * id; another one comes too late.
 * @throws Failure Invalid, with what does not fit; TooLarge, Conflict, NotFound
 */
export async function editDelivery(
  found: DeliveryWithEvent,
  data: unknown,
  by: string,
  deps: MendDeps,
): Promise<Edited> {
  const { key, delivery } = found
  const event = requireEvent(found)
  if (key.replay !== '')
    throw new Failure(
      'Conflict',
      `this is a delivery of replay ${key.replay}, which runs what was recorded: redrive or drop it, and edit the live one`,
    )
  refuseDecided(event)
  requireData(event, data)
  const content = contentDigest({ type: event.type, subject: event.subject, data })
  const replacement = editedId(key, [key.subscriber], content)
  const before = await presentData(event, deps)
  const changes = changesBetween(before, data)
  const already = alreadyEdited(delivery, replacement)
  if (already) return { outcome: 'already', replacement, changes }
  requireRoute(found, deps)
  requireTaken(event, data, key.subscriber, deps)
  if (canonicalJson(before) === canonicalJson(data))
    throw new Failure('Invalid', 'nothing was changed: to have it handled again as it is, redrive it')
  const now = deps.clock()
  const outbox = [
    replacing(event, { id: replacement, data, by, subscriber: key.subscriber }),
    ...told(found, { replacement, changes, by, now }),
  ]
  const transition = dropping(found, supersededText(replacement), now)
  if ((await deps.memory.commit({ writes: [], outbox, transition })) === 'committed')
    return { outcome: 'edited', replacement, changes }
  const [current] = await deps.history.getDeliveries([key])
  if (current === undefined || !alreadyEdited(current, replacement))
    throw new Failure('Busy', `the delivery was changed meanwhile: look at it again`)
  return { outcome: 'already', replacement, changes }
}

/** Whether it was edited to this very replacement. @throws Failure Conflict when it is not dead for another reason */
function alreadyEdited(delivery: Delivery, replacement: string): boolean {
  if (delivery.state === 'dead') return false
  const other = supersededBy(delivery)
  if (other === replacement) return true
  const what = other === undefined ? `it is ${delivery.state}` : `already superseded by ${other}`
  throw new Failure('Conflict', `${what}; only what is dead can be edited`)
}

/**
 * What was decided here was written down together with its event, by somebody who may decide it: other data would say
 * what nobody decided. @throws Failure Conflict
 */
function refuseDecided({ type, door }: RecordedEvent): void {
  if (door === 'outbox' || door === 'states')
    throw new Failure(
      'Conflict',
      `this ${type} says what was decided or done here, so it is not edited: redrive or drop the delivery, and decide anew`,
    )
}

/** In its newest version where it can be lifted to that, else as it was sent: for that may be why it died. */
export async function presentData(
  event: RecordedEvent,
  { bodies }: Pick<MendDeps, 'bodies'>,
): Promise<unknown> {
  const data = await dataOf(event, bodies)
  try {
    return newestData(event, data).data
  } catch (error) {
    if (error instanceof Failure) return data
    throw error
  }
}

function requireData(event: RecordedEvent, data: unknown): void {
  const fault = faultIn(event, data)
  if (fault !== undefined)
    throw new Failure('Invalid', `this is no data that a ${event.type} can have`, {
      faults: [{ path: 'data', expected: fault, got: 'something else' }],
    })
  const parsed = eventTypeNamed(event.type)?.schema.safeParse(data)
  if (parsed?.error !== undefined)
    throw new Failure('Invalid', `the data does not fit ${event.type}`, {
      faults: faultsOf(parsed.error, data, 'data'),
    })
}

function faultIn(event: RecordedEvent, data: unknown): string | undefined {
  if (data === undefined) return 'JSON'
  if (event.database64 && (typeof data !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(data)))
    return 'text in base64, as its data was before'
  if (isDeeperThan(data, deepest)) return `at most ${deepest} levels`
  return hasHalfCharacter(data) ? 'whole characters, no lone surrogate' : undefined
}

/** What a subscriber's route would not give it any more, it would never have got. */
function requireTaken(
  event: RecordedEvent,
  data: unknown,
  subscriber: string,
  { routes }: Pick<SendDeps, 'routes'>,
): void {
  const own = routes.filter((one) => one.subscriber === subscriber)
  const parsed = eventTypeNamed(event.type)?.schema.parse(data) ?? data
  const isTaken = subscribersOf(own, event.type, parsed).length > 0
  if (!isTaken)
    throw new Failure(
      'Invalid',
      `with this data ${subscriber} would not get the event, its route says: drop the delivery if nothing is to be done`,
    )
}

/** The new event, on its way to the gate: what it says is new, all else is as it was. */
function replacing(
  event: RecordedEvent,
  { id, data, by, subscriber }: { id: string; data: unknown; by: string; subscriber: string },
): OutboxItem {
  const { project, source } = event
  const frame = editFrame.parse({
    door: 'edit',
    project,
    actor: by,
    of: { source, id: event.id },
    expects: [subscriber],
    event: {
      ...event,
      ...{ id, data, causationid: event.id, cause: { source, id: event.id, by: 'edit' } },
      // of the body as it was
      ...{ dataschema: undefined, dataversion: undefined, unknown: undefined, duplicateof: undefined },
    },
  })
  const size = byteLength(JSON.stringify(frame))
  if (size > largestFrame)
    throw new Failure(
      'TooLarge',
      `edited, the event has ${size} bytes; at most ${largestFrame} can be edited: send a new event in its place, and drop this delivery`,
    )
  // a key of its own: it need not wait behind what else is told of its partition key
  return { project, partitionkey: `edit/${id}`, sequence: 1, index: 0, frame }
}

const told = (
  found: DeliveryWithEvent,
  edit: { replacement: string; changes: readonly Change[]; by: string; now: string },
): OutboxItem[] => {
  const { replacement, changes, by, now } = edit
  const more = changes.length - mostChanges
  const data = {
    ...aboutOf(found),
    replacement,
    changes: changes.slice(0, mostChanges),
    ...(more > 0 ? { more } : {}),
  }
  return outboxItems(
    { emits: [{ type: deliveryEdited, data }], sequence: momentOf(now) },
    { project: found.key.project, by: 'deliveries', actor: by },
  )
}
