import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const quarantineDropped = defineEvent({
  type: 'quarantine.dropped',
  description: 'Somebody decided that what was in quarantine is not to be recorded.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      /** of the text as it came */
      digest: z.string(),
      /** why it had been refused */
      reason: z.enum(['invalid', 'forged', 'conflict', 'loop', 'unreadable']),
      /** why it was dropped */
      note: z.string(),
    }),
  partitionkey: (data) => `quarantine/${data.digest}`,
  example: {
    digest: '3f2a9c01b4d7e8a6c5f4e3d2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a09f8e',
    reason: 'forged',
    note: 'a test of the sender; they were told',
  },
})
