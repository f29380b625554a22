import * as z from 'zod'
import { changeShape } from './delivery.ts'
import { defineEvent } from './event-type.ts'

export const quarantineReleased = defineEvent({
  type: 'quarantine.released',
  description: 'Somebody sent what was in quarantine through the gate once more, and it was recorded.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      /** of the text as it came */
      digest: z.string(),
      /** why it had been refused */
      reason: z.enum(['invalid', 'forged', 'conflict', 'loop', 'unreadable']),
      recorded: z.object({ source: z.string(), id: z.string(), type: z.string() }),
      /** what was edited before, by JSON pointer, long values cut; empty when it went as it came */
      changes: z.array(z.object(changeShape)).max(100),
    }),
  partitionkey: (data) => `quarantine/${data.digest}`,
  example: {
    digest: '3f2a9c01b4d7e8a6c5f4e3d2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a09f8e',
    reason: 'invalid',
    recorded: { source: 'https://github.com/octo/hello', id: '4711', type: 'github.push' },
    changes: [{ path: '/detail/data/ref', before: 'main', after: 'refs/heads/main' }],
  },
})
