import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const circuitClosed = defineEvent({
  type: 'circuit.closed',
  description:
    'What a subscriber needs answers again, so its deliveries run, and those that were parked are sent.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      subscriber: z.string(),
      /** as in circuit.opened */
      downstream: z.string(),
      /** since when it was open, ISO 8601 */
      opened: z.iso.datetime(),
      /** deliveries that were let through to try it */
      probes: z.number().int().min(0),
      because: z.enum(['a probe succeeded', 'somebody closed it', 'nothing waits for it']),
      /** what sends the parked ones, where this closing asked for it */
      job: z.string().optional(),
    }),
  partitionkey: (data) => `circuit/${data.subscriber}/${data.downstream}`,
  example: {
    subscriber: 'publish',
    downstream: '',
    opened: '2026-01-01T12:00:00.000Z',
    probes: 3,
    because: 'a probe succeeded',
    job: '5f0e9d0f1c1c9b4d8a11',
  },
})
