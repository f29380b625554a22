import * as z from 'zod'
import { recordedEvent } from '../events/envelope.ts'

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

export const frame = z.discriminatedUnion('door', [emitFrame, outboxFrame, httpFrame, statesFrame])
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
})
export type DeliveryFrame = z.infer<typeof deliveryFrame>

/** What a workflow's execution is started with. Its functions load the event's data from history. */
export const workflowInput = z.object({
  workflow: z.string(),
  run: z.string(),
  attempt: z.number().int().min(1),
  replay: z.string(),
  event: cause.extend({ project: z.string(), type: z.string(), partitionkey: z.string() }),
})
export type WorkflowInput = z.infer<typeof workflowInput>
