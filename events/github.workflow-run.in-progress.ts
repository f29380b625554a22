import { defineEvent } from './event-type.ts'
import { repositoryKey, workflowRunData, workflowRunExample } from './github.ts'

export const githubWorkflowRunInProgress = defineEvent({
  type: 'github.workflow-run.in-progress',
  description: 'A run of a GitHub Actions workflow has begun.',
  origin: 'outside',
  retention: 'project',
  schema: workflowRunData,
  partitionkey: (data) => repositoryKey(data.repository.full_name),
  example: workflowRunExample('in_progress', 'in_progress', null),
})
