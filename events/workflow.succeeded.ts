import { defineEvent } from './event-type.ts'
import { runKey, runStatusData, runStatusExample } from './workflow.ts'

export const workflowSucceeded = defineEvent({
  type: 'workflow.succeeded',
  description: 'A run of a workflow has ended well.',
  origin: 'ours',
  retention: 'project',
  schema: runStatusData,
  partitionkey: runKey,
  example: { ...runStatusExample, ended: '2026-01-01T12:00:09.000Z' },
})
