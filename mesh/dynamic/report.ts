import * as z from 'zod'

const seconds = z.number().min(0)

/** A mean of seeded runs, and half of its 95 % interval (Student). */
const estimate = z.object({ mean: z.number(), halfWidth: z.number() })

/** What a seeded simulation of one limit says beside the fluid. Messages and seconds. */
export const simulated = z.object({
  runs: z.int(),
  /** arrivals of a run, on the mean */
  arrivals: z.number(),
  /** rates and servers were divided by this to bound the work; the backlog is told for the whole */
  scaledDownBy: z.number(),
  peakBacklog: estimate,
  oldestAge: estimate,
  /** from the start to when nobody waited any more, after the peak; null: in some run not within the horizon */
  drainedAt: estimate.nullable(),
})
export type Simulated = z.output<typeof simulated>

const limited = z.object({
  /** node or element; of a limit that several share, its name */
  at: z.string(),
  name: z.string(),
  /** which law limits, who says so, and what happens beyond */
  law: z.enum(['servers', 'tokens', 'scaling', 'latency']),
  from: z.string(),
  over: z.enum(['wait', 'refuse', 'delay']),
  /** what it is counted in: servers, servers as they come, or tokens; '': an older report */
  unit: z.string().default(''),
  /** busy servers, or tokens a second */
  limit: z.number(),
  /** the most that was asked of what it could give at the time; null: it could give nothing yet */
  utilisation: z.number().nullable(),
  state: z.enum(['kept up', 'recovered', 'behind']),
  peakBacklog: z.object({ messages: z.number(), at: seconds }),
  /** the longest that one waited, first come first served */
  oldestAge: z.object({ seconds, at: seconds }),
  /** messages whose first attempt was refused */
  throttled: z.number(),
  /** messages that were given up: refused for good, or older than what keeps them allows */
  lost: z.number(),
  /** when more came first than it could take */
  overAt: seconds.nullable(),
  /** when it could take again what came, and how long after `overAt` that was */
  capacityMetAt: seconds.nullable(),
  lag: seconds.nullable(),
  /** when nothing waited any more */
  drainedAt: seconds.nullable(),
  /** messages that wait at the end */
  remaining: z.number(),
  simulation: simulated.nullable(),
  /**
   * the same, were an invocation to take as long with however many messages: with full batches it takes the most then;
   * absent: nothing waits, or it is known what a message takes of an invocation
   */
  filled: z
    .object({
      peakBacklog: z.object({ messages: z.number(), at: seconds }),
      oldestAge: z.object({ seconds, at: seconds }),
      drainedAt: seconds.nullable(),
    })
    .optional(),
  /** why one of the numbers above is null, or what it leaves out */
  notes: z.array(z.string()),
})

export const dynamicReport = z.object({
  shape: z.object({
    shape: z.enum(['step', 'burst', 'ramp']),
    factor: z.number(),
    after: seconds,
    rise: seconds,
    hold: seconds,
    /** which types and doors it is about; null: all */
    types: z.array(z.string()).nullable(),
    doors: z.array(z.string()).nullable(),
  }),
  /** seconds that were looked at, and up to when it was followed */
  horizon: seconds,
  until: seconds,
  seed: z.number(),
  /** the largest backlog first */
  limits: z.array(limited),
  unavailable: z.array(z.object({ at: z.string(), name: z.string(), law: z.string(), why: z.string() })),
  assumptions: z.array(z.string()),
})
export type DynamicReport = z.output<typeof dynamicReport>
