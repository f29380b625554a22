import * as z from 'zod'
import { recordedEvent } from '../events/envelope.ts'
import type { Delivery } from './ports.ts'

/** The event whose handling emits: its identity within the project, and the story it belongs to. */
export const cause = z.object({
  source: z.string(),
  id: z.string(),
  correlationid: z.string(),
  hops: z.number().int().min(0),
  traceparent: z.string().optional(),
})
export type Cause = z.infer<typeof cause>

/** An event of ours before it has an identity: that is derived from what caused it and the step. */
const emittedEvent = z.object({
  type: z.string(),
  data: z.unknown(),
  subject: z.string().optional(),
  /** the index among what a function emits; for a workflow the state's name */
  step: z.union([z.string(), z.number()]),
})

/** A handler or workflow emits. `again`: said by a replay or a later attempt that means to emit anew. */
export const emitFrame = z.object({
  door: z.literal('emit'),
  project: z.string(),
  received: z.string().optional(),
  by: z.string(),
  again: z.string().default(''),
  replay: z.string().default(''),
  cause: cause.optional(),
  event: emittedEvent,
})

/** A change of state that was committed says so. Without a cause it is a command's. */
export const outboxFrame = z.object({
  door: z.literal('outbox'),
  project: z.string(),
  received: z.string().optional(),
  by: z.string(),
  replay: z.string().default(''),
  actor: z.string(),
  cause: cause.optional(),
  /** the aggregate's partition key and version: the identity of a command's event, and the order of all of them */
  partitionkey: z.string(),
  sequence: z.number().int().min(0),
  event: emittedEvent,
})
export type OutboxFrame = z.infer<typeof outboxFrame>

/** What came by HTTP and could not be recorded there and then, or was made by the API on somebody's behalf. */
export const httpFrame = z.object({
  door: z.literal('http'),
  project: z.string(),
  actor: z.string(),
  received: z.string(),
  duplicateof: z.string().optional(),
  event: z.unknown(),
})

/** The status of an execution, as AWS's default bus tells it. */
export const statesFrame = z.object({ door: z.literal('states'), event: z.unknown() })

/**
 * A person has mended an event that a subscriber could not handle: it takes the place of the one that caused it, for
 * that subscriber alone. It goes through the outbox, together with the settling of the old delivery.
 */
export const editFrame = z.object({
  door: z.literal('edit'),
  project: z.string(),
  received: z.string().optional(),
  actor: z.string(),
  /** the event that was mended */
  of: z.object({ source: z.string(), id: z.string() }),
  expects: z.array(z.string()).min(1),
  /** complete but for what the gate fills in; its id is derived from `of` and what it says now */
  event: recordedEvent.omit({ project: true, received: true, door: true, actor: true, dataref: true }),
})
export type EditFrame = z.infer<typeof editFrame>

export const frame = z.discriminatedUnion('door', [emitFrame, outboxFrame, httpFrame, statesFrame, editFrame])
export type Frame = z.infer<typeof frame>

/** What EventBridge sends to a rule's target. */
export const eventBridgeEnvelope = z.looseObject({
  id: z.string(),
  source: z.string(),
  account: z.string(),
  time: z.string(),
  'detail-type': z.string(),
  detail: z.unknown(),
})
export type EventBridgeEnvelope = z.infer<typeof eventBridgeEnvelope>

/** What lies on a subscriber's queue. */
export const deliveryFrame = z.object({
  event: recordedEvent,
  /** '' for the live delivery */
  replay: z.string(),
  /** it was sent before, so its mark is read first */
  resent: z.boolean().optional(),
  /** of a workflow's run; 1 unless somebody retried it */
  attempt: z.number().int().min(1).optional(),
  /** of a replay: what it emits is emitted anew, under ids of this replay; without it, it is only compared */
  emit: z.boolean().optional(),
  /** of a replay to a subscriber of effect state: what it changes goes into a copy of its own, and it emits nothing */
  rebuild: z.boolean().optional(),
  /** of an ordered route: sent when its lane was released under this name, which may pass the closed lane */
  release: z.string().optional(),
})
export type DeliveryFrame = z.infer<typeof deliveryFrame>

/** How a replay's frame says that it is to be handled, for its mark. */
export const replayedAs = ({ emit, rebuild }: DeliveryFrame): Delivery['replayed'] =>
  rebuild ? 'rebuild' : emit ? 'emit' : undefined

/** What the frame says, again, of a delivery that is sent anew. */
export const saidAgain = ({
  replayed,
}: Pick<Delivery, 'replayed'>): Pick<DeliveryFrame, 'emit' | 'rebuild'> =>
  replayed === undefined ? {} : replayed === 'emit' ? { emit: true } : { rebuild: true }

/** What a workflow's execution is started with. Its functions load the event's data from history. */
export const workflowInput = z.object({
  workflow: z.string(),
  run: z.string(),
  attempt: z.number().int().min(1),
  replay: z.string(),
  event: cause.extend({ project: z.string(), type: z.string(), partitionkey: z.string() }),
})
export type WorkflowInput = z.infer<typeof workflowInput>
