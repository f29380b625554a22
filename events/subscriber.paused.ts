import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const subscriberPaused = defineEvent({
  type: 'subscriber.paused',
  description: 'Somebody paused a subscriber: what comes for it is parked until it is resumed.',
  origin: 'ours',
  retention: 'audit',
  schema: () => z.object({ subscriber: z.string(), reason: z.string().optional() }),
  partitionkey: (data) => `control/${data.subscriber}`,
  example: { subscriber: 'notify', reason: 'the mail relay is being moved' },
})
