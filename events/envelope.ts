import * as z from 'zod'

/** Limits of what may come in. Sizes are bytes of UTF-8, never characters. */
export const limits = {
  /** id, type, subject, partitionkey, correlationid, causationid */
  key: 256,
  source: 512,
  event: 1_000_000,
  request: 4_000_000,
  /** a message of SQS, 1 MiB, less what its attributes take */
  message: 1_048_000,
  /** a larger body lies in the bucket and the event carries `dataref` */
  inlineBody: 64_000,
  hops: 16,
} as const

export const byteLength = (text: string): number => Buffer.byteLength(text, 'utf8')

const bounded = (max: number) =>
  z
    .string()
    .min(1)
    .refine((text) => byteLength(text) <= max, { error: `at most ${max} bytes of UTF-8` })
    .refine((text) => !/\p{Cc}/u.test(text), { error: 'no control characters' })
    .refine((text) => text.isWellFormed(), { error: 'no half of a character (a lone surrogate)' })

/** One for all: each of its own would be a dozen schemas more at the start of every function. */
const key = bounded(limits.key)

export const projectName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  error: 'a project is 1 to 63 of a-z, 0-9 and -, and begins with a letter or digit',
})

const scalar = z.union([z.string().max(1024), z.number(), z.boolean()])

const time = z.iso.datetime({ offset: true })

/**
 * What an outside system may send: CloudEvents 1.0 with the extension attributes that are its own to set.
 * `project`, `actor`, `dataref` and `replay` are ours: naming one is refused. Further extension attributes
 * (lower case letters and digits, as CloudEvents has it) are kept as sent.
 */
export const incomingEvent = z
  .object({
    specversion: z.literal('1.0'),
    id: key,
    source: bounded(limits.source).refine((text) => !/\s/.test(text), {
      error: 'a URI reference has no spaces',
    }),
    type: key,
    subject: key.optional(),
    time: time.optional(),
    datacontenttype: z.string().max(256).optional(),
    dataschema: z.string().max(1024).optional(),
    data: z.unknown().optional(),
    /** a body that is no JSON and no text, as CloudEvents' JSON format has it */
    data_base64: z.base64().optional(),
    partitionkey: key.optional(),
    correlationid: key.optional(),
    causationid: key.optional(),
    traceparent: z
      .string()
      .regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/, { error: 'not a W3C traceparent' })
      .optional(),
    // binary mode has text only
    hops: z
      .union([
        z.int(),
        z
          .string()
          .regex(/^\d{1,2}$/)
          .transform(Number),
      ])
      .pipe(z.int().min(0).max(limits.hops))
      .optional(),
    project: z.never({ error: 'the project is taken from the credential, never from the event' }).optional(),
    actor: z.never({ error: 'the actor is taken from the credential' }).optional(),
    dataref: z.never({ error: 'only Loadpath writes a dataref; send the body itself' }).optional(),
    replay: z.never({ error: 'only a replay sets this' }).optional(),
    replayid: z.never({ error: 'only a replay sets this' }).optional(),
  })
  .catchall(scalar)
  .refine((event) => event.data === undefined || event.data_base64 === undefined, {
    path: ['data_base64'],
    error: 'either data or data_base64',
  })
  .refine((event) => Object.keys(event).every((name) => /^([a-z0-9]+|data_base64)$/.test(name)), {
    error: 'attribute names of lower case letters and digits only',
  })
export type IncomingEvent = z.infer<typeof incomingEvent>

export const door = z.enum(['http', 'bus', 'emit', 'outbox', 'states', 'edit'])
export type Door = z.infer<typeof door>

/**
 * An event as it is kept: identity is (project, source, id). Everything that record decides is filled in.
 * `data` is absent where the body lies in the bucket under `dataref`.
 */
export const recordedEvent = z.object({
  specversion: z.literal('1.0'),
  project: z.string(),
  source: z.string(),
  id: z.string(),
  type: z.string(),
  subject: z.string().optional(),
  /** the sender's claim; everything of ours goes by `received` */
  time: z.string(),
  /** when it came through the gate: ISO 8601, UTC, milliseconds */
  received: z.string(),
  door,
  datacontenttype: z.string().optional(),
  dataschema: z.string().optional(),
  /** the version of its type that `data` is in; absent for unknown types */
  dataversion: z.number().optional(),
  data: z.unknown().optional(),
  /** `data` is base64 text for a body that is neither JSON nor text */
  database64: z.literal(true).optional(),
  dataref: z.string().optional(),
  /** what belongs together and may be ordered; the event's own id where nobody said */
  partitionkey: z.string(),
  /** one story; the id of its first event */
  correlationid: z.string(),
  /** the id of the event whose handling made this one, or what an outsider claimed */
  causationid: z.string().optional(),
  /** what made it, for events that a handler or workflow of ours emitted; `replay`: of which replay, where it was one */
  cause: z
    .object({ source: z.string(), id: z.string(), by: z.string(), replay: z.string().optional() })
    .optional(),
  hops: z.number(),
  /** per partition key; only events of ours have one */
  sequence: z.number().optional(),
  traceparent: z.string().optional(),
  /** `user:…`, `agent:…`, `service:…` or `system` */
  actor: z.string(),
  /** extension attributes that the sender set and that mean nothing to us */
  extensions: z.record(z.string(), scalar).optional(),
  /** the delivery id under which the same signed webhook body came first */
  duplicateof: z.string().optional(),
  /**
   * somebody sent it through the gate once more, out of quarantine: `digest` of the text as it came; `edited` where they
   * changed that, so that it says what its sender did not
   */
  released: z
    .object({ digest: z.string(), by: z.string(), at: z.string(), edited: z.literal(true).optional() })
    .optional(),
  /** set when no type of this name is declared: recorded as it is */
  unknown: z.literal(true).optional(),
})
export type RecordedEvent = z.infer<typeof recordedEvent>

export type Identity = { project: string; source: string; id: string }
