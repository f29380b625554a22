import { defineEvent } from './event-type.ts'
import { runKey, runStatusData, runStatusExample } from './workflow.ts'

export const workflowFailed = defineEvent({
  type: 'workflow.failed',
  description: 'A run of a workflow has failed, timed out or was stopped.',
  origin: 'ours',
  retention: 'project',
  schema: runStatusData,
  partitionkey: runKey,
  example: {
    ...runStatusExample,
    ended: '2026-01-01T12:00:09.000Z',
    error: 'States.Timeout',
    cause: 'the run took longer than 3600 s',
  },
})
