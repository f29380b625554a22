import * as z from 'zod'

const seconds = z.number().min(0)

/** A mean of seeded runs, and half of its 95 % interval (Student). */
const estimate = z.object({ mean: z.number(), halfWidth: z.number() })

/** What a seeded simulation of one limit says beside the fluid. Messages and seconds. */
const simulated = z.object({
  runs: z.int(),
  arrivals: z.number().describe('arrivals of a run, on the mean'),
  scaledDownBy: z
    .number()
    .describe('rates and servers were divided by this to bound the work; the backlog is told for the whole'),
  peakBacklog: estimate,
  oldestAge: estimate,
  drainedAt: estimate
    .nullable()
    .describe(
      'from the start to when nobody waited any more, after the peak; null: in some run not within the horizon',
    ),
})
export type Simulated = z.output<typeof simulated>

const limited = z.object({
  at: z.string().describe('node or element; of a limit that several share, its name'),
  name: z.string(),
  law: z
    .enum(['servers', 'tokens', 'scaling', 'latency'])
    .describe('which law limits, who says so, and what happens beyond'),
  from: z.string(),
  over: z.enum(['wait', 'refuse', 'delay']),
  unit: z
    .string()
    .default('')
    .describe("what it is counted in: servers, servers as they come, or tokens; '': an older report"),
  limit: z.number().describe('busy servers, or tokens a second'),
  utilisation: z
    .number()
    .nullable()
    .describe('the most that was asked of what it could give at the time; null: it could give nothing yet'),
  state: z.enum(['kept up', 'recovered', 'behind']),
  peakBacklog: z.object({ messages: z.number(), at: seconds }),
  oldestAge: z
    .object({ seconds, at: seconds })
    .describe(
      'the longest from when one was sent to an attempt of it, first come first served: what failed comes again behind what waits then',
    ),
  throttled: z.number().describe('messages whose first attempt was refused'),
  lost: z
    .number()
    .describe('messages that were given up: refused for good, or older than what keeps them allows'),
  overAt: seconds.nullable().describe('when more came first than it could take'),
  capacityMetAt: seconds
    .nullable()
    .describe('when it could take again what came, and how long after `overAt` that was'),
  lag: seconds.nullable(),
  drainedAt: seconds.nullable().describe('when nothing waited any more'),
  remaining: z.number().describe('messages that wait at the end'),
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
  notes: z.array(z.string()).describe('why one of the numbers above is null, or what it leaves out'),
})

export const dynamicReport = z.object({
  shape: z.object({
    shape: z.enum(['step', 'burst', 'ramp']),
    factor: z.number(),
    after: seconds,
    rise: seconds,
    hold: seconds,
    types: z.array(z.string()).nullable().describe('which types and doors it is about; null: all'),
    doors: z.array(z.string()).nullable(),
  }),
  horizon: seconds.describe('seconds that were looked at, and up to when it was followed'),
  until: seconds,
  seed: z.number(),
  limits: z.array(limited).describe('the largest backlog first'),
  unavailable: z.array(z.object({ at: z.string(), name: z.string(), law: z.string(), why: z.string() })),
  assumptions: z.array(z.string()),
})
export type DynamicReport = z.output<typeof dynamicReport>
