import * as z from 'zod'
import { defineEvent } from './event-type.ts'
import { repositoryKey, repositoryName } from './github.ts'

export const deploymentFailed = defineEvent({
  type: 'deployment.failed',
  description: 'A deployment did not succeed; sent by the system that tried it.',
  origin: 'outside',
  retention: 'project',
  schema: () =>
    z.object({
      repository: repositoryName,
      environment: z.string(),
      commit: z.string().optional(),
      reason: z.string(),
      url: z.url().optional(),
    }),
  partitionkey: (data) => repositoryKey(data.repository),
  example: {
    repository: 'Codertocat/Hello-World',
    environment: 'production',
    commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    reason: 'health check did not pass within 300 s',
  },
})
