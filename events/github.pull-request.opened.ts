import { defineEvent } from './event-type.ts'
import { pullRequestData, pullRequestExample, repositoryKey } from './github.ts'

export const githubPullRequestOpened = defineEvent({
  type: 'github.pull-request.opened',
  description: 'A pull request was opened.',
  origin: 'outside',
  retention: 'project',
  schema: pullRequestData,
  partitionkey: (data) => repositoryKey(data.repository.full_name),
  example: pullRequestExample('opened'),
})
