import * as z from 'zod'

const rate = z.number().min(0)
const factor = z.number().min(0)
const interval = z.object({ from: factor, to: factor })
/** attempts a second, and the part of them that fails for who sent them */
const branch = z.object({ rate, failing: z.number().min(0).max(1) })

const critical = z.object({
  factor,
  by: z
    .enum(['fold', 'capacity'])
    .describe('fold: the state of few attempts ends; capacity: more comes than it can do, without a fold'),
})

const site = z.object({
  at: z.string().describe('node, or the name of a limit that several share'),
  name: z.string(),
  demand: rate.describe('messages a second at the load factor 1; of a shared limit: work'),
  capacity: rate.nullable().describe('attempts a second that it can do; null: no limit is known'),
  attempts: z
    .number()
    .describe('attempts for each message when all fail: the product of all layers that try again'),
  amplification: z
    .number()
    .nullable()
    .describe('demand · attempts, and no more than polls can bring, / capacity: above 1 a trigger can stick'),
  state: z.enum(['stable', 'vulnerable', 'overloaded', 'unknown']),
  critical: critical
    .nullable()
    .describe(
      'by which load factor its state of few attempts ends; null: not up to the largest that was looked at',
    ),
  hysteresis: interval.nullable().describe('load factors between which it can stay in either state'),
  low: branch.describe('steady states at the load factor 1, from below and from above; alike: there is one'),
  high: branch,
  curve: z
    .array(z.object({ factor, rate }))
    .describe('steady states by load factor, the unstable between the folds included; of those with a fold'),
  complete: z
    .boolean()
    .describe('whether all that leads to it is known; else demand is the least that it can be'),
  notes: z.array(z.string()),
})

export const nonlinearReport = z.object({
  range: interval,
  mesh: z.object({
    critical: critical.nullable(),
    limiting: z.string().nullable().describe('what ends it first'),
    hysteresis: interval
      .nullable()
      .describe('the lowest and the highest load factor of what can stay in either state, about what limits'),
    twoStates: z.array(z.string()).describe('sites that can stay in either state at the load factor 1'),
    coupled: z
      .array(z.array(z.string()))
      .describe(
        'groups of sites that were solved together, because one waits for the other or they share a limit',
      ),
  }),
  sites: z.array(site).describe('the least critical load factor first'),
  whatIfs: z
    .array(
      z.object({
        what: z.string(),
        removes: z
          .boolean()
          .nullable()
          .describe(
            'whether the upper states go, and those beyond a capacity; null: there are none, or it does not come to rest',
          ),
        left: z.array(z.string()).describe('sites where they stay'),
        says: z.string(),
      }),
    )
    .describe('at the load factor 1'),
  unavailable: z.array(z.object({ at: z.string(), name: z.string(), why: z.string() })),
  assumptions: z.array(z.string()),
})
export type NonlinearReport = z.output<typeof nonlinearReport>
