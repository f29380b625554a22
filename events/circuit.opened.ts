import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const circuitOpened = defineEvent({
  type: 'circuit.opened',
  description:
    'Several events failed alike at one subscriber, so what comes for it is parked until a probe succeeds.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      subscriber: z.string(),
      /** what did not answer, where the subscriber needs more than one thing; '' for all of it */
      downstream: z.string(),
      /** how they failed; digits, ids and quoted text are left out */
      reason: z.string(),
      /** events that failed alike, and what else was counted, within one minute */
      alike: z.number().int().min(1),
      failed: z.number().int().min(1),
      succeeded: z.number().int().min(0),
      /** when the first delivery is let through to try it, ISO 8601 */
      probeAt: z.iso.datetime(),
    }),
  partitionkey: (data) => `circuit/${data.subscriber}/${data.downstream}`,
  example: {
    subscriber: 'publish',
    downstream: '',
    reason: 'TimeoutError: no answer from events within # ms',
    alike: 5,
    failed: 6,
    succeeded: 1,
    probeAt: '2026-01-01T12:00:30.000Z',
  },
})
