import * as z from 'zod'
import { defineEvent } from './event-type.ts'

export const buildStatus = z.enum(['pending', 'passing', 'failing'])
export type BuildStatus = z.infer<typeof buildStatus>

export const buildStatusChanged = defineEvent({
  type: 'build.status-changed',
  description: 'The builds of a branch, taken together, went from one status to another.',
  origin: 'ours',
  ordered: true,
  retention: 'project',
  schema: () =>
    z.object({
      repository: z.string(),
      branch: z.string(),
      commit: z.string(),
      /** null: the branch's first build */
      from: buildStatus.nullable(),
      to: buildStatus,
      /** names of the builds that fail */
      failing: z.array(z.string()),
    }),
  partitionkey: (data) => `build/${data.repository}/${data.branch}`,
  example: {
    repository: 'octo-org/octo-repo',
    branch: 'master',
    commit: '3484a3fb816e0859fd6e1cea078d76385ff50625',
    from: 'passing',
    to: 'failing',
    failing: ['CI'],
  },
})
