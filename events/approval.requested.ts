import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const approvalRequested = defineEvent({
  type: 'approval.requested',
  description: 'A workflow waits for a person to approve or deny what it would do next.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      approval: z.string(),
      workflow: z.string(),
      run: z.string(),
      question: z.string(),
      expires: z.iso.datetime(),
    }),
  partitionkey: (data) => `approval/${data.approval}`,
  example: {
    approval: '4f0b8f3e-6f43-5f0e-9d0f-1c1c9b4d8a11',
    workflow: 'test-and-validate',
    run: 'b1946ac92492d2347c6235b4d2611184',
    question: 'Deploy Codertocat/Hello-World ec26c3e to master? Risk 70.',
    expires: '2026-01-01T12:00:00Z',
  },
})
