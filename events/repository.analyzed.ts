import * as z from 'zod'
import { defineEvent } from './event-type.ts'
import { repositoryKey } from './github.ts'

/** What a change touches and how risky it is, told from the push alone. */
export const changeAnalysis = () =>
  z.object({
    /** language -> number of files touched */
    languages: z.record(z.string(), z.number().int()),
    /** top folders touched, most files first */
    areas: z.array(z.object({ area: z.string(), files: z.number().int() })),
    size: z.object({
      commits: z.number().int(),
      added: z.number().int(),
      modified: z.number().int(),
      removed: z.number().int(),
    }),
    risk: z.object({
      /** 0 (harmless) to 100 */
      score: z.number().min(0).max(100),
      level: z.enum(['low', 'medium', 'high']),
      reasons: z.array(z.string()),
    }),
  })
export type ChangeAnalysis = z.infer<ReturnType<typeof changeAnalysis>>

export const repositoryAnalyzed = defineEvent({
  type: 'repository.analyzed',
  description: 'A push was read: languages, areas and size of the change, and its risk.',
  origin: 'ours',
  retention: 'project',
  schema: () =>
    changeAnalysis().extend({
      repository: z.string(),
      branch: z.string(),
      commit: z.string(),
    }),
  partitionkey: (data) => repositoryKey(data.repository),
  example: {
    repository: 'Codertocat/Hello-World',
    branch: 'master',
    commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    languages: { TypeScript: 1, Markdown: 1 },
    areas: [{ area: 'src', files: 1 }],
    size: { commits: 1, added: 1, modified: 1, removed: 0 },
    risk: { score: 5, level: 'low', reasons: ['2 files changed'] },
  },
})
