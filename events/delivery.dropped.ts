import * as z from 'zod'
import { deliveryPartition, deliveryShape } from './delivery.ts'
import { defineEvent } from './event-type.ts'

export const deliveryDropped = defineEvent({
  type: 'delivery.dropped',
  description: 'Somebody decided that a subscriber will not handle an event.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      ...deliveryShape,
      /** what it was before */
      state: z.enum(['dead', 'parked', 'retrying']),
      /** why, in their words */
      reason: z.string().optional(),
    }),
  partitionkey: deliveryPartition,
  example: {
    subscriber: 'notify',
    event: { source: 'https://github.com/octo-org/octo-repo', id: '1', type: 'workflow.failed' },
    replay: '',
    state: 'dead',
    reason: 'the topic was deleted on purpose',
  },
})
