import * as z from 'zod'
import { defineEvent } from './event-type.ts'

/** healthy: every limit state holds; strained: one is nearly used up, or a high finding is open; failing: one does not hold. */
const health = z.enum(['healthy', 'strained', 'failing', 'unknown'])

const severity = z.enum(['high', 'medium', 'low'])

/** The first few, the gravest first, and how many more there are. */
const findings = () =>
  z.object({
    items: z
      .array(
        z.object({
          rule: z.string(),
          severity,
          /** the node, element or shared limit that it is about */
          at: z.string(),
          says: z.string(),
        }),
      )
      .max(10),
    left: z.int().min(0),
  })

export const meshValidated = defineEvent({
  type: 'mesh.validated',
  description:
    'The deployed structure was analysed under the load that was measured: its score, and what changed since the last time.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      /** what started it: the week of the schedule, or the name that somebody gave */
      run: z.string(),
      /** the stacks whose templates were read */
      stacks: z.array(z.string()).min(1).max(50),
      /** 0 to 100; null: utilisation or latency is not known, for the reasons in `notes` */
      score: z.number().nullable(),
      system_health: health,
      /** limit states: what is asked against what is allowed; null: not known */
      terms: z
        .array(
          z.object({
            name: z.string(),
            demand: z.number().nullable(),
            limit: z.number(),
            unit: z.string(),
            points: z.number().nullable(),
          }),
        )
        .max(20),
      /** open findings */
      findings: z.record(severity, z.int().min(0)),
      /** findings that were not there the last time, and those that are there no more; null: the last report is not readable */
      changes: z.object({ appeared: findings(), gone: findings() }).nullable(),
      /** the validation before; null: this is the first */
      trend: z
        .object({
          last: z.iso.datetime(),
          system_health: health,
          /** score now less score then; null: one of them is not known */
          score: z.number().nullable(),
        })
        .nullable(),
      /** what got worse since the last time, for people; empty: nothing, and nobody is notified */
      worse: z.array(z.string()).max(5),
      /** why there is no score, what holds it down, what could not be known, and what is accepted and not found */
      notes: z.array(z.string()).max(10),
      /** the whole report in the bucket of the stage: this with `.json`, `.md` or `.html` behind it */
      report: z.string(),
    }),
  partitionkey: () => 'mesh/deployed',
  example: {
    run: '2026-W47',
    stacks: ['Loadpath-prod-State', 'Loadpath-prod-App'],
    score: 59,
    system_health: 'strained',
    terms: [
      { name: 'utilisation', demand: 0.21, limit: 0.7, unit: 'of the limit', points: 85 },
      { name: 'latency', demand: null, limit: 30, unit: 's', points: null },
    ],
    findings: { high: 1, medium: 0, low: 4 },
    changes: {
      appeared: {
        items: [
          {
            rule: 'no-redrive',
            severity: 'high',
            at: 'Loadpath-prod-App/orders',
            says: 'orders gives up what fails without keeping it.',
          },
        ],
        left: 0,
      },
      gone: { items: [], left: 0 },
    },
    trend: { last: '2026-11-16T06:00:21.000Z', system_health: 'healthy', score: -22.5 },
    worse: ['health fell from healthy to strained', '1 new finding of high severity'],
    notes: ['at most 59: 1 finding of high severity', 'latency: on every way some time is not known'],
    report: 'audit/main/mesh/2026-W47',
  },
})
