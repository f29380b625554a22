import * as z from 'zod'
import { role } from '../roles.ts'

const perSecond = z.number()

/** The answer of the static analysis; docs/mesh.md says what each number means. Rates per second, times in seconds. */
export const staticReport = z.object({
  rates: z.array(
    z.object({
      node: z.string(),
      name: z.string(),
      type: z.string(),
      asked: z
        .literal(true)
        .optional()
        .describe(
          'requests that only use the node (a table that is read), beside what it is sent of that type',
        ),
      rate: perSecond,
      complete: z
        .boolean()
        .describe('false: the least that it can be, because something that leads here is not known'),
    }),
  ),
  loads: z
    .array(z.object({ element: z.string(), rate: perSecond, complete: z.boolean() }))
    .describe('what goes over each element, by its id; `complete` as above'),
  loops: z
    .array(z.object({ nodes: z.array(z.string()), types: z.array(z.string()), gain: z.number() }))
    .describe('loops in which what goes round does not fade; rates in and behind them are not known'),
  unexplained: z
    .array(z.object({ node: z.string(), type: z.string(), rate: perSecond }))
    .describe(
      'per second, what must come from outside to explain a measured rate; below 0: what gets lost on the way',
    ),
  stresses: z.array(
    z.object({
      at: z.string(),
      name: z.string(),
      unit: z.string(),
      demand: z.number(),
      limit: z.number(),
      utilisation: z.number(),
      least: z
        .number()
        .optional()
        .describe(
          'of it at least, were an invocation to take as long with however many messages; absent: that is known',
        ),
      safety: z.number().nullable(),
      over: z.enum(['wait', 'refuse', 'delay']),
      from: z.string(),
      complete: z.boolean(),
    }),
  ),
  unavailable: z.array(z.object({ at: z.string(), name: z.string(), unit: z.string(), why: z.string() })),
  safety: z
    .object({ factor: z.number(), at: z.string(), name: z.string(), unit: z.string() })
    .nullable()
    .describe('the smallest factor of safety, by which the whole load may grow, and what limits it'),
  paths: z.array(
    z.object({
      type: z.string(),
      nodes: z.array(z.string()),
      rate: perSecond.nullable(),
      delay: z.object({ mean: z.number(), p50: z.number(), p99: z.number() }).nullable(),
      job: z
        .literal(true)
        .optional()
        .describe(
          'what a schedule starts and nothing is sent on of: nobody waits for it, and it has no delay',
        ),
      untimed: z.array(z.string()),
      throttling: z
        .array(z.string())
        .optional()
        .describe('nodes that throttle what is tried again later: the delay is at least that in the mean'),
      refused: z.number().describe('at the first attempt'),
      lost: z.number().describe('for good: refused, given up or deleted, and kept nowhere'),
      atDoor: z
        .number()
        .default(0)
        .describe('of that, what the door refuses, whichever way it would have gone'),
    }),
  ),
  shares: z.object({
    nodes: z.array(z.object({ node: z.string(), name: z.string(), share: z.number() })),
    roles: z.array(
      z.object({
        role,
        share: z.number().nullable().describe('null: no time of it is known'),
        expected: z.number().nullable().describe('what the file of rates expects; null: nothing'),
        difference: z.number().nullable(),
        why: z.array(z.string()).describe('what the share leaves out, or counts that one may not expect'),
      }),
    ),
    untimed: z.array(z.string()),
  }),
  assumptions: z.array(z.string()),
})
export type StaticReport = z.output<typeof staticReport>
