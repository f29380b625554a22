import * as z from 'zod'
import { defineEvent } from './event-type.ts'
import { githubRepository, githubSender, repositoryKey } from './github.ts'

const commit = () =>
  z.looseObject({
    id: z.string(),
    message: z.string(),
    timestamp: z.string(),
    author: z.looseObject({ name: z.string(), email: z.string().nullable().optional() }),
    added: z.array(z.string()).default([]),
    removed: z.array(z.string()).default([]),
    modified: z.array(z.string()).default([]),
  })

export const githubPush = defineEvent({
  type: 'github.push',
  description: 'Commits, a branch or a tag were pushed to, or deleted from, a GitHub repository.',
  origin: 'outside',
  retention: 'project',
  schema: () =>
    z.looseObject({
      ref: z.string().startsWith('refs/', { error: 'a full ref such as refs/heads/main' }),
      before: z.string(),
      after: z.string(),
      created: z.boolean().default(false),
      deleted: z.boolean().default(false),
      forced: z.boolean().default(false),
      commits: z.array(commit()),
      head_commit: commit().nullable().optional(),
      repository: githubRepository,
      pusher: z.looseObject({ name: z.string(), email: z.string().nullable().optional() }),
      sender: githubSender.optional(),
    }),
  partitionkey: (data) => repositoryKey(data.repository.full_name),
  personal: ['pusher.email', 'commits.author.email', 'commits.committer.email', 'head_commit.author.email'],
  example: {
    ref: 'refs/heads/master',
    before: '67b4e9d1f1b8b7a8b3e9a3a9b9e5b3a4d2c1f0e9',
    after: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    created: false,
    deleted: false,
    forced: false,
    commits: [
      {
        id: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
        message: 'Update README.md',
        timestamp: '2019-05-15T15:20:30Z',
        author: { name: 'Codertocat', email: '21031067+Codertocat@users.noreply.github.com' },
        added: ['src/index.ts'],
        removed: [],
        modified: ['README.md'],
      },
    ],
    repository: { full_name: 'Codertocat/Hello-World', default_branch: 'master' },
    pusher: { name: 'Codertocat', email: '21031067+Codertocat@users.noreply.github.com' },
    sender: { login: 'Codertocat' },
  },
})
