import { defineEvent } from './event-type.ts'
import { runKey, runStatusData, runStatusExample } from './workflow.ts'

export const workflowStarted = defineEvent({
  type: 'workflow.started',
  description: 'A run of a workflow has begun.',
  origin: 'ours',
  retention: 'project',
  schema: runStatusData,
  partitionkey: runKey,
  example: runStatusExample,
})
