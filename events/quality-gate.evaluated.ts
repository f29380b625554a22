import * as z from 'zod'
import { defineEvent } from './event-type.ts'
import { repositoryKey } from './github.ts'

/** How one gate came out. `waived`: the gate did not apply to this change. */
export const gateResult = () =>
  z.object({
    gate: z.string(),
    outcome: z.enum(['passed', 'failed', 'needs-approval', 'waived']),
    onFailure: z.enum(['hold', 'rollback']),
    reason: z.string(),
  })
export type GateResult = z.infer<ReturnType<typeof gateResult>>

export const qualityGateEvaluated = defineEvent({
  type: 'quality-gate.evaluated',
  description: 'A change was held against its repository’s quality gates, and what to do was decided.',
  origin: 'ours',
  retention: 'project',
  schema: () =>
    z.object({
      repository: z.string(),
      branch: z.string(),
      commit: z.string(),
      decision: z.enum(['deploy', 'hold', 'rollback']),
      gates: z.array(gateResult()),
    }),
  partitionkey: (data) => repositoryKey(data.repository),
  example: {
    repository: 'Codertocat/Hello-World',
    branch: 'master',
    commit: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
    decision: 'deploy',
    gates: [{ gate: 'build', outcome: 'passed', onFailure: 'rollback', reason: 'all 2 builds are green' }],
  },
})
