import { defineEvent } from './event-type.ts'
import { repositoryKey, workflowRunData, workflowRunExample } from './github.ts'

export const githubWorkflowRunCompleted = defineEvent({
  type: 'github.workflow-run.completed',
  description: 'A run of a GitHub Actions workflow has ended, well or badly.',
  origin: 'outside',
  retention: 'project',
  schema: workflowRunData,
  partitionkey: (data) => repositoryKey(data.repository.full_name),
  example: workflowRunExample('completed', 'completed', 'success'),
})
