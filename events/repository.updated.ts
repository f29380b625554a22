import * as z from 'zod'
import { defineEvent } from './event-type.ts'
import { repositoryKey } from './github.ts'

/** One condition that a change must meet, and what happens when it does not. */
export const qualityGate = () =>
  z.discriminatedUnion('gate', [
    z.strictObject({
      gate: z.literal('build'),
      /** the branch's builds must be green at this commit */
      onFailure: z.enum(['hold', 'rollback']).default('hold'),
    }),
    z.strictObject({
      gate: z.literal('tests'),
      minimumPassed: z.number().int().min(0).default(1),
      maximumFailed: z.number().int().min(0).default(0),
      onFailure: z.enum(['hold', 'rollback']).default('hold'),
    }),
    z.strictObject({
      gate: z.literal('risk'),
      /** 0 (harmless) to 100; see repository.analyzed */
      maximum: z.number().min(0).max(100),
      onFailure: z.enum(['hold', 'rollback']).default('hold'),
    }),
    z.strictObject({
      gate: z.literal('approval'),
      /** asked only for changes at least this risky; 0 asks always */
      fromRisk: z.number().min(0).max(100).default(0),
      expiresInMinutes: z.number().int().min(1).max(10_080).default(1440),
      /** what an answer that does not come counts as */
      onFailure: z.enum(['hold', 'rollback']).default('hold'),
    }),
  ])
export type QualityGate = z.infer<ReturnType<typeof qualityGate>>

export const repositoryUpdated = defineEvent({
  type: 'repository.updated',
  description: 'A repository was declared, or its branch to deploy or its quality gates were changed.',
  origin: 'ours',
  ordered: true,
  retention: 'project',
  schema: () =>
    z.object({
      repository: z.string(),
      deployBranch: z.string(),
      gates: z.array(qualityGate()).max(20),
      version: z.number().int().min(1),
    }),
  partitionkey: (data) => repositoryKey(data.repository),
  example: {
    repository: 'Codertocat/Hello-World',
    deployBranch: 'master',
    gates: [
      { gate: 'build', onFailure: 'rollback' },
      { gate: 'approval', fromRisk: 60, expiresInMinutes: 60 },
    ],
    version: 1,
  },
})
