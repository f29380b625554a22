import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const approvalDecided = defineEvent({
  type: 'approval.decided',
  description: 'An approval was given or denied by somebody, or expired without an answer.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      approval: z.string(),
      decision: z.enum(['approved', 'denied', 'expired']),
      by: z.string(),
      comment: z.string().optional(),
    }),
  partitionkey: (data) => `approval/${data.approval}`,
  example: {
    approval: '4f0b8f3e-6f43-5f0e-9d0f-1c1c9b4d8a11',
    decision: 'approved',
    by: 'user:k_7d1f',
    comment: 'checked on staging',
  },
})
