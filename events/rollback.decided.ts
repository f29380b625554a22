import * as z from 'zod'
import { defineEvent } from './event-type.ts'
import { repositoryKey } from './github.ts'

export const rollbackDecided = defineEvent({
  type: 'rollback.decided',
  description: 'A change failed a gate that says rollback: what it brought is to be taken back.',
  origin: 'ours',
  retention: 'project',
  schema: () =>
    z.object({
      repository: z.string(),
      branch: z.string(),
      commit: z.string(),
      reasons: z.array(z.string()).min(1),
    }),
  partitionkey: (data) => repositoryKey(data.repository),
  example: {
    repository: 'Codertocat/Hello-World',
    branch: 'master',
    commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    reasons: ['build: CI fails'],
  },
})
