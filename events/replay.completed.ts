import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const replayCompleted = defineEvent({
  type: 'replay.completed',
  description: 'A replay or a rebuild has come to its end, or was given up.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      job: z.string(),
      kind: z.enum(['replay', 'rebuild']),
      subscriber: z.string(),
      state: z.enum(['done', 'stopped']),
      /** why it was given up */
      reason: z.string().optional(),
      /** what came of the events that were chosen; of a rebuild, of the records too */
      counts: z.record(z.string(), z.number().int()),
    }),
  partitionkey: (data) => `job/${data.job}`,
  example: {
    job: '5f0e9d0f1c1c9b4d8a11',
    kind: 'replay',
    subscriber: 'notify',
    state: 'done',
    counts: { matched: 12, sent: 12, done: 11, dead: 1 },
  },
})
