import type { RecordedEvent } from '../../events/envelope.ts'
import { Failure } from '../errors.ts'
import type { Bodies } from '../ports.ts'

/** The data of an event, from the bucket where it lies there. undefined: the event has none, or its body is gone. */
export async function dataOf(event: RecordedEvent, bodies: Pick<Bodies, 'get'>): Promise<unknown> {
  if (event.dataref === undefined) return event.data
  const body = await bodies.get(event.dataref)
  return body === undefined ? undefined : JSON.parse(new TextDecoder().decode(body))
}

/** The same for somebody who cannot do without. @throws Failure NotFound when the body is gone. */
export async function presentDataOf(event: RecordedEvent, bodies: Pick<Bodies, 'get'>): Promise<unknown> {
  const data = await dataOf(event, bodies)
  if (data === undefined && event.dataref !== undefined)
    throw new Failure('NotFound', `the body of event ${event.id} is gone from the bucket`)
  return data
}
