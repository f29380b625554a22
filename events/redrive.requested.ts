import * as z from 'zod'
import { selectionShape } from './delivery.ts'
import { defineEvent } from './event-type.ts'

export const redriveRequested = defineEvent({
  type: 'redrive.requested',
  description: 'Deliveries that are dead or parked are to be sent to their subscribers again, at a rate.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      job: z.string(),
      /** `all`: each delivery to the subscriber that has it open */
      subscriber: z.string(),
      state: z.enum(['dead', 'parked']),
      /** deliveries a second */
      rate: z.number().int().min(1),
      ...selectionShape,
    }),
  partitionkey: (data) => `job/${data.job}`,
  example: {
    job: '5f0e9d0f1c1c9b4d8a11',
    subscriber: 'notify',
    state: 'dead',
    rate: 10,
    reason: 'fetch failed',
    since: '2026-01-01T12:00:00.000Z',
  },
})
