import { defineEvent } from './event-type.ts'
import { pullRequestData, pullRequestExample, repositoryKey } from './github.ts'

export const githubPullRequestSynchronize = defineEvent({
  type: 'github.pull-request.synchronize',
  description: 'New commits were pushed to the branch of an open pull request.',
  origin: 'outside',
  retention: 'project',
  schema: pullRequestData,
  partitionkey: (data) => repositoryKey(data.repository.full_name),
  example: pullRequestExample('synchronize'),
})
