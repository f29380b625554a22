import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const eventDeadLettered = defineEvent({
  type: 'event.dead-lettered',
  description:
    'Deliveries to one subscriber died within one minute, and wait for somebody to mend them. Told some minutes later, of those that are dead still.',
  origin: 'ours',
  retention: 'project',
  schema: () =>
    z.object({
      subscriber: z.string(),
      /** the minute, ISO 8601 */
      minute: z.iso.datetime(),
      count: z.number().int().min(1),
      /** the first few: which event, and why its delivery died */
      sample: z.array(z.object({ source: z.string(), id: z.string(), reason: z.string() })).max(5),
    }),
  partitionkey: (data) => `subscriber/${data.subscriber}`,
  example: {
    subscriber: 'analyze-push',
    minute: '2026-01-01T12:00:00Z',
    count: 1,
    sample: [
      { source: 'https://github.com/octo-org/octo-repo', id: '1', reason: 'data.ref: expected a full ref' },
    ],
  },
})
