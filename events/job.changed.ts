import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const jobChanged = defineEvent({
  type: 'job.changed',
  description: 'Somebody paused, resumed or stopped a job.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      job: z.string(),
      kind: z.enum(['redrive', 'replay', 'rebuild']),
      subscriber: z.string(),
      to: z.enum(['paused', 'resumed', 'stopped']),
      /** why, in their words */
      reason: z.string().optional(),
    }),
  partitionkey: (data) => `job/${data.job}`,
  example: { job: '5f0e9d0f1c1c9b4d8a11', kind: 'redrive', subscriber: 'notify', to: 'paused' },
})
