import '@hono/zod-openapi'
import * as z from 'zod'
import { changeShape } from '../events/delivery.ts'
import { limits, recordedEvent } from '../events/envelope.ts'

/** What several resources answer. */
const { data: _, specversion: __, extensions: ___, ...about } = recordedEvent.shape

/** An event, all but its data. */
export const eventSummary = z.object(about).openapi('EventSummary')

/** Made anew, like every named shape here: only schemas that were made after `z` was extended can be named. */
export const eventWithData = z.object(recordedEvent.shape).openapi('Event')

export const deliveryShape = {
  subscriber: z.string(),
  replay: z.string().openapi({ description: 'empty for the live delivery' }),
  state: z.enum(['waiting', 'retrying', 'parked', 'dead', 'done', 'dropped']),
  expected: z.boolean(),
  attempts: z.number().int(),
  started: z.string().optional(),
  changed: z.string().optional(),
  reason: z.string().optional(),
  notes: z.array(z.string()).readonly().optional(),
  run: z
    .object({
      workflow: z.string(),
      run: z.string(),
      attempt: z.number().int(),
      status: z.enum(['starting', 'running', 'succeeded', 'failed']),
      started: z.string().optional(),
      ended: z.string().optional(),
      error: z.string().optional(),
    })
    .optional()
    .openapi({ description: 'the newest run that this delivery started' }),
}

export const delivery = z.object(deliveryShape).openapi('Delivery')

/** Deliveries of which nobody can tell here what they are, or whether they are meant. */
export const unreadableDeliveries = z
  .array(z.object({ subscriber: z.string(), source: z.string(), id: z.string(), replay: z.string() }))
  .readonly()
  .openapi({
    description:
      'left out, as newer code wrote them, or, where that is asked of, the body of their event is gone',
  })

/** A delivery in a list: with the event it is of. */
export const openDelivery = z
  .object({
    source: z.string(),
    id: z.string(),
    subscriber: z.string(),
    replay: z.string(),
    state: z.enum(['retrying', 'parked', 'dead', 'done', 'dropped']),
    attempts: z.number().int(),
    started: z.string(),
    changed: z.string(),
    reason: z.string().optional(),
    notes: z.array(z.string()).readonly().optional(),
    emitted: z.array(z.string()).readonly(),
    run: z.string().optional(),
  })
  .openapi('OpenDelivery')

/** Of leaves that are not the same. */
export const changes = z.array(z.object(changeShape)).readonly()

/** A time in a request. Times are compared as text: it becomes ISO 8601 in UTC with milliseconds. */
export const time = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text).toISOString())
  .openapi({ type: 'string', format: 'date-time' })

/** Why somebody does something, in their words; kept with it. */
export const why = z.string().trim().min(1).max(500).optional()

/** A name in a request: nothing that has one has a longer one. */
export const name = z.string().min(1).max(256)
export const source = z.string().min(1).max(limits.source)

/** The header by which a request that is sent again does nothing again. */
export const onceHeader = z.object({
  'idempotency-key': z.string().min(1).max(256).optional().openapi({
    description: 'the same key asks for the same thing, once',
  }),
})

export const fault = z.object({ path: z.string(), expected: z.string(), got: z.string() })
