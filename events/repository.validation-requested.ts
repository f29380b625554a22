import * as z from 'zod'
import { defineEvent } from './event-type.ts'
import { repositoryKey, repositoryName } from './github.ts'

export const repositoryValidationRequested = defineEvent({
  type: 'repository.validation-requested',
  description: 'Somebody asked for the quality gates of a commit to be evaluated now.',
  origin: 'outside',
  retention: 'project',
  schema: () =>
    z.strictObject({
      repository: repositoryName,
      branch: z.string().min(1).max(255),
      commit: z.string().min(1).max(255),
    }),
  partitionkey: (data) => repositoryKey(data.repository),
  example: {
    repository: 'Codertocat/Hello-World',
    branch: 'master',
    commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
  },
})
