import { type Route, subscribersOf, typeName } from '../../events/route.ts'
import { Failure } from '../errors.ts'
import { presentDataOf } from '../event/body.ts'
import { newestData } from '../event/versions.ts'
import type { Bodies, Delivery, StoredEvent } from '../ports.ts'
import type { Verdict } from './replay-pass.ts'
import type { RecordedFate } from './replay-step.ts'

/**
 * Whether an event is for a subscriber: by its route as it is now, or `asRecorded` by what was expected then, as far as
 * the route still takes the type. What a person mended is for the subscriber alone that it was mended for; the copy of a
 * signed webhook is for nobody. `unreadable`: its data is gone, or does not fit, and a condition has to see it.
 */
async function takes(
  route: Route,
  { event, expects }: StoredEvent,
  asRecorded: boolean,
  bodies: Pick<Bodies, 'get'>,
): Promise<boolean | 'unreadable'> {
  const { subscriber, types, when = [] } = route
  if (event.duplicateof !== undefined || !types.some((type) => typeName(type) === event.type)) return false
  if (asRecorded || event.door === 'edit') return expects.includes(subscriber)
  if (!when.some(({ type }) => type === event.type)) return true
  try {
    const { type, data } = newestData(event, await presentDataOf(event, bodies))
    return subscribersOf([route], type, data).includes(subscriber)
  } catch (error) {
    if (error instanceof Failure) return 'unreadable'
    throw error
  }
}

/** What becomes of an event that was come upon: where it is for the subscriber, as its live delivery stands there. */
export async function judgeTaken(
  route: Route,
  { stored, deliveries }: RecordedFate,
  asRecorded: boolean,
  bodies: Pick<Bodies, 'get'>,
  judge: (live: Delivery | undefined) => Verdict,
): Promise<Verdict> {
  const taken = await takes(route, stored, asRecorded, bodies)
  if (taken === 'unreadable') return taken
  if (!taken) return 'no'
  return judge(liveOf(deliveries, route.subscriber))
}

export const liveOf = (deliveries: RecordedFate['deliveries'], name: string): Delivery | undefined =>
  deliveries.find(({ subscriber, replay }) => subscriber === name && replay === '')
