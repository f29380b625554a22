import * as z from 'zod'
import { defineEvent } from './event-type.ts'
import { githubRepository, githubSender, repositoryKey } from './github.ts'

export const githubCheckSuiteCompleted = defineEvent({
  type: 'github.check-suite.completed',
  description: 'All checks of one app on a commit have ended.',
  origin: 'outside',
  retention: 'project',
  schema: () =>
    z.looseObject({
      action: z.literal('completed'),
      check_suite: z.looseObject({
        id: z.number(),
        head_branch: z.string().nullable(),
        head_sha: z.string(),
        status: z.string().nullable(),
        conclusion: z.string().nullable(),
        created_at: z.iso.datetime({ offset: true }).optional(),
        updated_at: z.iso.datetime({ offset: true }),
        app: z.looseObject({ slug: z.string().optional(), name: z.string() }),
      }),
      repository: githubRepository,
      sender: githubSender,
    }),
  partitionkey: (data) => repositoryKey(data.repository.full_name),
  example: {
    action: 'completed',
    check_suite: {
      id: 118578147,
      head_branch: 'changes',
      head_sha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
      status: 'completed',
      conclusion: 'success',
      created_at: '2019-05-15T15:20:31Z',
      updated_at: '2019-05-15T15:21:14Z',
      app: { slug: 'octocoders-linter', name: 'Octocoders-linter' },
    },
    repository: { full_name: 'Codertocat/Hello-World', default_branch: 'master' },
    sender: { login: 'Codertocat' },
  },
})
