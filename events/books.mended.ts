import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const booksMended = defineEvent({
  type: 'books.mended',
  description: 'Somebody had sent on what the books named as missing.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      mend: z.string(),
      /** those that had come to nothing, and lay in no queue */
      deliveries: z.array(z.object({ source: z.string(), id: z.string(), subscriber: z.string() })).max(100),
    }),
  partitionkey: (data) => `books/${data.mend}`,
  example: {
    mend: '0b1f6a52c94e4d2fa5f7c1f3d9f0a7be',
    deliveries: [{ source: 'https://github.com/octo/hello', id: '4711', subscriber: 'notify' }],
  },
})
