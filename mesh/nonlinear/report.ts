import * as z from 'zod'

const rate = z.number().min(0)
const factor = z.number().min(0)
const interval = z.object({ from: factor, to: factor })
/** attempts a second, and the part of them that fails for who sent them */
const branch = z.object({ rate, failing: z.number().min(0).max(1) })

const critical = z.object({
  factor,
  /** fold: the state of few attempts ends; capacity: more comes than it can do, without a fold */
  by: z.enum(['fold', 'capacity']),
})

const site = z.object({
  /** node, or the name of a limit that several share */
  at: z.string(),
  name: z.string(),
  /** messages a second at the load factor 1; of a shared limit: work */
  demand: rate,
  /** attempts a second that it can do; null: no limit is known */
  capacity: rate.nullable(),
  /** attempts for each message when all fail: the product of all layers that try again */
  attempts: z.number(),
  /** demand · attempts, and no more than polls can bring, / capacity: above 1 a trigger can stick */
  amplification: z.number().nullable(),
  state: z.enum(['stable', 'vulnerable', 'overloaded', 'unknown']),
  /** by which load factor its state of few attempts ends; null: not up to the largest that was looked at */
  critical: critical.nullable(),
  /** load factors between which it can stay in either state */
  hysteresis: interval.nullable(),
  /** steady states at the load factor 1, from below and from above; alike: there is one */
  low: branch,
  high: branch,
  /** steady states by load factor, the unstable between the folds included; of those with a fold */
  curve: z.array(z.object({ factor, rate })),
  /** whether all that leads to it is known; else demand is the least that it can be */
  complete: z.boolean(),
  notes: z.array(z.string()),
})

export const nonlinearReport = z.object({
  range: interval,
  mesh: z.object({
    critical: critical.nullable(),
    /** what ends it first */
    limiting: z.string().nullable(),
    /** the lowest and the highest load factor of what can stay in either state, about what limits */
    hysteresis: interval.nullable(),
    /** sites that can stay in either state at the load factor 1 */
    twoStates: z.array(z.string()),
    /** groups of sites that were solved together, because one waits for the other or they share a limit */
    coupled: z.array(z.array(z.string())),
  }),
  /** the least critical load factor first */
  sites: z.array(site),
  /** at the load factor 1 */
  whatIfs: z.array(
    z.object({
      what: z.string(),
      /** whether the upper states go, and those beyond a capacity; null: there are none, or it does not come to rest */
      removes: z.boolean().nullable(),
      /** sites where they stay */
      left: z.array(z.string()),
      says: z.string(),
    }),
  ),
  unavailable: z.array(z.object({ at: z.string(), name: z.string(), why: z.string() })),
  assumptions: z.array(z.string()),
})
export type NonlinearReport = z.output<typeof nonlinearReport>
