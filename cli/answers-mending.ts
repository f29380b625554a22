import { z } from 'zod'
import { eventWithData, faults, maybe, text } from './answers.ts'

/** What the API answers of what is open and how it is mended: dead letters, jobs, quarantine, the books. */
/** a delivery in a list, with the event it is of */
export const openDelivery = z.looseObject({
  source: text,
  id: text,
  subscriber: text,
  replay: text,
  state: text,
  attempts: z.number(),
  started: text,
  changed: text,
  reason: maybe,
  notes: z.array(text).optional(),
})

export const deadLetters = z.looseObject({
  items: z.array(openDelivery),
  unreadable: z.array(z.looseObject({ id: text })),
  next: maybe,
})

export const deadLetter = z.looseObject({
  delivery: openDelivery,
  event: eventWithData,
  /** its data in the newest version of its type */
  newest: z.unknown().optional(),
})

export const deadGroup = z.looseObject({
  subscriber: text,
  like: text,
  count: z.number(),
  first: text,
  last: text,
  types: z.array(text),
  reason: text,
  sample: z.array(z.looseObject({ source: text, id: text, replay: text })),
})
export type DeadGroup = z.infer<typeof deadGroup>
export const deadGroups = z.looseObject({
  groups: z.array(deadGroup),
  read: z.number(),
  unreadable: z.array(z.looseObject({ subscriber: text, id: text })),
  next: maybe,
})

const mended = { subscriber: text, replay: text, state: text, outcome: text, detail: maybe }
export const mendedItems = z.looseObject({ items: z.array(z.looseObject(mended)) })
export const droppedSome = z.looseObject({
  dropped: z.number(),
  already: z.number(),
  unreadable: z.number(),
  next: maybe,
})
const change = z.looseObject({ path: text, before: z.unknown().optional(), after: z.unknown().optional() })
export const edited = z.looseObject({
  outcome: text,
  subscriber: text,
  replacement: text,
  changes: z.array(change),
})

export const job = z.looseObject({
  id: text,
  kind: text,
  subscriber: text,
  by: text,
  asked: text,
  rate: z.number(),
  state: text,
  reason: maybe,
  ended: maybe,
  attempt: z.number(),
  run: z.looseObject({ workflow: text, run: text }),
  selection: z.unknown().optional(),
  counts: z.record(z.string(), z.number()),
  incomplete: maybe,
})
export type Job = z.infer<typeof job>

export const askedJob = job.extend({ note: maybe })
export const countedReplay = z.looseObject({
  types: z.record(z.string(), z.number()),
  left: z.number(),
  unreadable: z.number(),
  next: maybe,
})
export type CountedReplay = z.infer<typeof countedReplay>

const recordNames = z.array(z.looseObject({ kind: text, name: text }))
const eventName = z.looseObject({ source: text, id: text })

/** a replay or a rebuild with what it found */
export const replay = job.extend({
  step: text,
  differing: z.array(eventName.extend({ notes: z.array(text) })).optional(),
  report: z
    .looseObject({
      different: z.array(z.looseObject({ kind: text, name: text, changes: z.array(change) })),
      onlyRebuilt: recordNames,
      onlyLive: recordNames,
      older: recordNames.default([]),
      failed: z.array(eventName.extend({ reason: text })),
    })
    .optional(),
})
export type Replay = z.infer<typeof replay>

const settlement = z.looseObject({ state: text, by: text, at: text, note: text })

export const quarantined = z.looseObject({
  digest: text,
  reason: text,
  faults,
  door: text,
  received: text,
  type: maybe,
  source: maybe,
  id: maybe,
  settled: settlement.optional(),
  raw: maybe,
})

export const quarantineGroup = z.looseObject({
  reason: text,
  type: text,
  path: text,
  expected: text,
  count: z.number(),
  first: text,
  last: text,
  digests: z.array(text),
})
export type QuarantineGroup = z.infer<typeof quarantineGroup>

export const settledQuarantine = z.looseObject({
  digest: text,
  reason: text,
  type: maybe,
  received: text,
  settled: settlement,
})

export const mendedQuarantine = z.looseObject({
  digest: text,
  outcome: text,
  event: z.looseObject({ source: text, id: text, type: text }).optional(),
  settled: settlement.optional(),
  reason: maybe,
  faults: faults.optional(),
})
export type MendedQuarantine = z.infer<typeof mendedQuarantine>

const line = z.object({
  expected: z.number(),
  done: z.number(),
  dead: z.number(),
  parked: z.number(),
  retrying: z.number(),
  dropped: z.number(),
  inFlight: z.number(),
  missing: z.number(),
  stalled: z.number(),
  unexpected: z.number(),
})

const sweepState = z.looseObject({
  read: maybe,
  lagMinutes: z.number().optional(),
  behind: z.record(z.string(), z.string()),
  passes: z.number(),
  since: maybe,
  lastPass: maybe,
  did: z
    .looseObject({
      since: text,
      at: text,
      resent: z.number(),
      relayed: z.number(),
      ended: z.number(),
      expired: z.number(),
      restarted: z.number(),
      last: z.array(z.looseObject({ source: text, id: text, subscriber: text, at: text })),
    })
    .optional(),
  unrelayed: z.number().default(0),
})
export type SweepState = z.infer<typeof sweepState>

/** a slice of the books; slices are added, so what is not known here cannot be kept */
export const balance = z.object({
  window: z.object({ since: text, until: text }),
  sheet: z.object({
    events: z.object({
      recorded: z.number(),
      unknown: z.number(),
      duplicates: z.number(),
      expectingNobody: z.number(),
      again: z.number().default(0),
      skipped: z.number(),
      unreadable: z.number(),
    }),
    subscribers: z.record(z.string(), line),
    total: line,
    lost: z.array(
      z.object({
        source: text,
        id: text,
        subscriber: text,
        type: text,
        received: text,
        standing: z.enum(['missing', 'stalled']),
      }),
    ),
    lostMore: z.number(),
    replayed: z.number(),
    redriven: z.number(),
    quarantined: z.record(z.string(), z.number()),
  }),
  imbalances: z.array(text),
  sweep: sweepState,
  replay: z
    .looseObject({ id: text, subscriber: text, state: text, counts: z.record(z.string(), z.number()) })
    .optional(),
  next: maybe,
})
export type Balance = z.infer<typeof balance>

export const rates = z.looseObject({
  window: z.object({ since: text, until: text }),
  events: z.number(),
  left: z.number(),
  measured: z.object({
    arrived: z.array(z.object({ door: text, type: text, count: z.number() })),
    sent: z.array(z.object({ door: text, type: text, subscriber: text, count: z.number() })),
    handled: z.array(
      z.object({
        ...{ subscriber: text, type: text },
        ...{ count: z.number(), attempts: z.number(), failed: z.number() },
      }),
    ),
    emitted: z.array(z.object({ by: text, per: text, door: text, type: text, count: z.number() })),
  }),
  next: maybe,
})
export type Rates = z.infer<typeof rates>

export const mendedDelivery = z.looseObject({
  source: text,
  id: text,
  subscriber: text,
  outcome: text,
  detail: maybe,
})
export type MendedDelivery = z.infer<typeof mendedDelivery>
