import { z } from 'zod'

/**
 * What the API answers, as far as the command line shows it. Members that are not named here are kept,
 * so that `--json` says all that a newer API says.
 */
export const text = z.string()
export const maybe = z.string().optional()

export const faults = z.array(z.looseObject({ path: text, expected: text, got: text }))

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.looseObject({ items: z.array(item), next: maybe })

export const eventEntry = z.looseObject({
  source: text,
  id: text,
  type: text,
  received: text,
  partitionkey: text,
  correlationid: text,
})

/** an event, all but its data */
const eventSummary = z.looseObject({
  ...eventEntry.shape,
  time: maybe,
  door: maybe,
  subject: maybe,
  actor: maybe,
  cause: z.looseObject({ source: text, id: text, by: text, replay: maybe }).optional(),
  causationid: maybe,
  duplicateof: maybe,
  released: z.looseObject({ digest: text, by: text, at: text, edited: z.boolean().optional() }).optional(),
  unknown: z.boolean().optional(),
})

const shownRun = z.looseObject({
  workflow: text,
  run: text,
  attempt: z.number(),
  status: text,
  started: maybe,
  ended: maybe,
  error: maybe,
})

export const shownDelivery = z.looseObject({
  subscriber: text,
  /** empty for the live delivery */
  replay: text,
  /** a delivery's state, or `waiting` where nothing is written yet */
  state: text,
  expected: z.boolean(),
  attempts: z.number(),
  started: maybe,
  changed: maybe,
  reason: maybe,
  notes: z.array(text).optional(),
  run: shownRun.optional(),
})

export type ShownDelivery = z.infer<typeof shownDelivery>

export const eventWithData = z.looseObject({ ...eventSummary.shape, data: z.unknown().optional() })

export const eventView = z.looseObject({
  event: eventWithData,
  deliveries: z.array(shownDelivery),
  /** its body lay in the bucket and is there no longer */
  bodyGone: z.boolean().optional(),
})

export const why = z.looseObject({
  event: eventSummary,
  expects: z.array(text),
  deliveries: z.array(
    z.looseObject({
      ...shownDelivery.shape,
      emitted: z.array(z.looseObject({ source: text, id: text, type: maybe, recorded: z.boolean() })),
    }),
  ),
  truncated: z.boolean(),
})
export type Why = z.infer<typeof why>

export type TraceNode = {
  event: z.infer<typeof eventSummary>
  deliveries: (z.infer<typeof shownDelivery> & { emitted: TraceNode[]; unseen: string[] })[]
  caused: TraceNode[]
}
const traceNode: z.ZodType<TraceNode> = z.looseObject({
  event: eventSummary,
  deliveries: z.array(
    z.looseObject({
      ...shownDelivery.shape,
      get emitted() {
        return z.array(traceNode)
      },
      unseen: z.array(text),
    }),
  ),
  get caused() {
    return z.array(traceNode)
  },
})

export const trace = z.looseObject({
  story: text,
  events: z.number(),
  roots: z.array(traceNode),
  next: maybe,
})
export type Trace = z.infer<typeof trace>

export const run = z.looseObject({
  workflow: text,
  run: text,
  status: text,
  started: maybe,
  ended: maybe,
  error: maybe,
  cause: maybe,
  attempt: z.number(),
  event: z.looseObject({ source: text, id: text, type: text }).optional(),
  /** what Step Functions says of it now */
  live: z.looseObject({ input: z.unknown().optional(), output: z.unknown().optional() }).optional(),
})
export type Run = z.infer<typeof run>
export const runName = z.looseObject({ workflow: text, run: text })
export const nextRun = z.looseObject({ workflow: text, run: text, attempt: z.number() })

export const approval = z.looseObject({
  approval: text,
  workflow: text,
  run: text,
  question: text,
  status: text,
  expires: text,
  by: maybe,
  comment: maybe,
  decided: maybe,
})
export type Approval = z.infer<typeof approval>

export const key = z.looseObject({
  id: text,
  name: text,
  project: text,
  scopes: z.array(text),
  created: text,
  createdBy: maybe,
  expires: maybe,
  revoked: maybe,
})
/** `key` is the secret itself, shown this once */
export const newKey = z.looseObject({ ...key.shape, key: text })

export const repository = z.looseObject({
  repository: text,
  deployBranch: text,
  gates: z.array(z.looseObject({ gate: text })),
  version: z.number(),
})
export type Repository = z.infer<typeof repository>

export const repositoryChanges = z.looseObject({
  repository: text,
  version: z.number(),
  since: z.number(),
  steps: z.array(
    z.looseObject({
      version: z.number(),
      at: text,
      by: text,
      after: z.number().optional(),
      changes: z.array(
        z.looseObject({ path: text, before: z.unknown().optional(), after: z.unknown().optional() }),
      ),
    }),
  ),
})
export type RepositoryChanges = z.infer<typeof repositoryChanges>

export const build = z.looseObject({
  repository: text,
  branch: text,
  status: text,
  commit: text,
  failing: z.array(text),
})

export const route = z.looseObject({
  subscriber: text,
  kind: text,
  types: z.array(text),
  /** types of which only some events are taken */
  conditional: z.array(text),
  effect: text,
  /** messages of one batch, batches at once, seconds that one may take */
  batch: z.number(),
  concurrency: z.number(),
  timeout: z.number(),
  attempts: z.number(),
  emits: z.array(text),
  ordered: z.boolean().optional(),
})
export type Route = z.infer<typeof route>

export const health = z.looseObject({
  status: text,
  stage: text,
  version: text,
  time: text,
  parts: z.array(z.looseObject({ name: text, status: text, detail: maybe })).optional(),
})
export type Health = z.infer<typeof health>

/** what POST /events says of one event, and POST /webhooks/… of theirs */
export const recorded = z.looseObject({ outcome: text, source: maybe, id: maybe, type: maybe })
const refused = z.looseObject({
  status: z.number(),
  title: text,
  detail: maybe,
  faults: z.array(z.looseObject({ path: text, expected: text, got: text })).optional(),
})
export const recordedBatch = z.array(z.union([recorded.extend({ status: z.number() }), refused]))
export type Recorded = z.infer<typeof recordedBatch>[number]

const pausedBy = z.looseObject({ by: text, at: text, reason: maybe })

export const subscriber = z.looseObject({
  subscriber: text,
  kind: text,
  paused: pausedBy.optional(),
  circuits: z.array(
    z.looseObject({ downstream: text, state: text, since: text, reason: text, probeAt: text }),
  ),
  open: z.looseObject({ retrying: z.number(), parked: z.number(), dead: z.number() }),
  queued: z.number(),
})
export type Subscriber = z.infer<typeof subscriber>

/** `rebuild`: a job that holds the subscriber back as well, until it ends */
export const paused = z.looseObject({
  subscriber: text,
  changed: z.boolean(),
  paused: pausedBy,
  rebuild: maybe,
})

export const resumed = z.looseObject({
  subscriber: text,
  changed: z.boolean(),
  /** downstreams whose circuits were closed, and those whose are still open; empty text: the whole subscriber's */
  closed: z.array(text),
  open: z.array(text),
  job: maybe,
  rebuild: maybe,
})
export type Resumed = z.infer<typeof resumed>
