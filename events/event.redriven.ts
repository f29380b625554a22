import * as z from 'zod'
import { deliveryPartition, deliveryShape } from './delivery.ts'
import { defineEvent } from './event-type.ts'

const state = z.enum(['dead', 'parked'])

export const eventRedriven = defineEvent({
  type: 'event.redriven',
  description: 'A delivery was sent to its subscriber again, or a job that does so for many has ended.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.union([
      z.object({
        job: z.string(),
        subscriber: z.string(),
        state,
        /** what came of the deliveries that were chosen */
        counts: z.record(z.string(), z.number().int()),
        /** why it ended early */
        stopped: z.string().optional(),
      }),
      z.object({
        ...deliveryShape,
        state,
        /** why it was dead */
        reason: z.string().optional(),
      }),
    ]),
  partitionkey: (data) => ('job' in data ? `job/${data.job}` : deliveryPartition(data)),
  example: {
    job: '5f0e9d0f1c1c9b4d8a11',
    subscriber: 'notify',
    state: 'dead',
    counts: { matched: 12, sent: 12, done: 12 },
  },
})
