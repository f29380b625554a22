import { defineEvent } from './event-type.ts'
import { repositoryKey, workflowRunData, workflowRunExample } from './github.ts'

export const githubWorkflowRunRequested = defineEvent({
  type: 'github.workflow-run.requested',
  description: 'A run of a GitHub Actions workflow was asked for.',
  origin: 'outside',
  retention: 'project',
  schema: workflowRunData,
  partitionkey: (data) => repositoryKey(data.repository.full_name),
  example: workflowRunExample('requested', 'queued', null),
})
