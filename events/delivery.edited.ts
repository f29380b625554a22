import * as z from 'zod'
import { changeShape, deliveryPartition, deliveryShape } from './delivery.ts'
import { defineEvent } from './event-type.ts'

export const deliveryEdited = defineEvent({
  type: 'delivery.edited',
  description: 'Somebody mended the data of an event for the subscriber that could not handle it.',
  origin: 'ours',
  retention: 'audit',
  personal: ['changes'],
  schema: () =>
    z.object({
      ...deliveryShape,
      /** id of the event that takes its place there */
      replacement: z.string(),
      /** the first hundred: JSON pointers into the data, and what stood there; long texts are cut */
      changes: z.array(z.object(changeShape)).max(100),
      /** how many more there were */
      more: z.number().int().min(1).optional(),
    }),
  partitionkey: deliveryPartition,
  example: {
    subscriber: 'analyze-push',
    event: { source: 'https://github.com/octo-org/octo-repo', id: '1', type: 'github.push' },
    replay: '',
    replacement: '8c0f5a5e-5f3b-5b0e-8a53-6d2a5e3f6d11',
    changes: [{ path: '/ref', before: 'refs/heads/mian', after: 'refs/heads/main' }],
  },
})
