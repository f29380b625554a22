import * as z from 'zod'
import { dynamicReport } from '../dynamic/report.ts'
import { finding } from '../findings/finding.ts'
import { fractureReport } from '../fracture/report.ts'
import { nonlinearReport } from '../nonlinear/report.ts'
import { staticReport } from '../static/report.ts'
import { scored } from './score.ts'

/** All analyses of one mesh, and what they come to. `reportVersion` changes when a reader of the older would misread it. */
export const reportVersion = 1

const changedParts = z.object({ added: z.array(z.string()), removed: z.array(z.string()) }).nullable()

export const comprehensiveReport = z.object({
  version: z.literal(reportVersion),
  mesh: z.object({
    stacks: z.array(z.string()),
    nodes: z.int(),
    elements: z.int(),
    parts: z
      .object({ nodes: z.record(z.string(), z.string()), elements: z.record(z.string(), z.string()) })
      .exactOptional()
      .describe('id -> what people call it, to compare with a later report'),
  }),
  system_health: z
    .enum(['healthy', 'strained', 'failing', 'unknown'])
    .describe(
      'failing: a limit state does not hold; strained: one is at four fifths, or a high finding is open; unknown: there is no score',
    ),
  score: scored,
  findings: z.array(finding).describe('those that are open'),
  accepted: z
    .array(finding.extend({ because: z.string() }))
    .default([])
    .describe('those that somebody has decided to live with; they cap no score'),
  needless: z
    .array(z.object({ rule: z.string(), at: z.string(), because: z.string() }))
    .default([])
    .describe('accepted, and not found any more'),
  gaps: z.array(z.string()).describe('not modelled or not followed'),
  static: staticReport,
  dynamic: dynamicReport,
  nonlinear: nonlinearReport,
  fracture: fractureReport,
  trend: z
    .object({
      score: z.number().nullable().describe('score now less score then; null: one of them is not known'),
      appeared: z.array(finding),
      gone: z.array(finding),
      terms: z
        .array(z.object({ name: z.string(), before: z.number().nullable(), now: z.number().nullable() }))
        .describe('terms that changed by more than a hundredth'),
      nodes: changedParts.describe(
        'names of what is new and what is gone; null: the earlier report does not say what there was',
      ),
      elements: changedParts,
    })
    .nullable(),
})
export type ComprehensiveReport = z.output<typeof comprehensiveReport>

/** What a later report is compared with. */
export const earlierReport = comprehensiveReport.pick({
  version: true,
  mesh: true,
  score: true,
  findings: true,
})
export type EarlierReport = z.output<typeof earlierReport>
