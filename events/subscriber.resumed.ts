import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const subscriberResumed = defineEvent({
  type: 'subscriber.resumed',
  description:
    'Somebody took back what holds a subscriber up; when nothing else does, its deliveries run, and those that were parked are sent.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      subscriber: z.string(),
      /** since when it was paused, ISO 8601; absent when only circuits were closed */
      paused: z.iso.datetime().optional(),
      /** the downstreams whose circuits were closed by hand; '' for that of the whole subscriber */
      circuits: z.array(z.string()),
      /** what sends the parked ones, and how many a second; absent when nothing was parked */
      job: z.string().optional(),
      rate: z.number().int().optional(),
    }),
  partitionkey: (data) => `control/${data.subscriber}`,
  example: {
    subscriber: 'notify',
    paused: '2026-01-01T12:00:00.000Z',
    circuits: [],
    job: '5f0e9d0f1c1c9b4d8a11',
    rate: 50,
  },
})
