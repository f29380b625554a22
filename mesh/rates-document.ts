import * as z from 'zod'
import { faultsOf, MeshError, membersOnly, noneOf } from './faults.ts'
import { acceptance } from './model.ts'
import { role } from './roles.ts'

/** `40ms`, `2s`, `5min` as seconds. */
const spans: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, h: 3600 }
/** `4/s`, `120/min`, `1000/h` as per second. */
const paces: Readonly<Record<string, number>> = { '/s': 1, '/min': 1 / 60, '/h': 1 / 3600, '/d': 1 / 86_400 }

/** `most`: more is a mistake in the unit. */
const measure = (units: Readonly<Record<string, number>>, expected: string, most: number) =>
  z
    .union(
      [
        z.number().meta({ exclusiveMinimum: 0, maximum: most }),
        z.string().meta({ pattern: `^[\\d.]+ ?(${Object.keys(units).join('|')})$` }),
      ],
      { error: `expected ${expected}` },
    )
    .meta({ description: expected })
    .transform((given, context) => {
      const [, digits, unit] = /^([\d.]+) ?([a-z/]+)$/.exec(String(given)) ?? []
      const factor = units[unit ?? '']
      const value = typeof given === 'number' ? given : Number(digits) * (factor ?? Number.NaN)
      if (value > 0 && value <= most) return value
      const bound = value > most ? `, and at most ${most.toLocaleString('en')}` : ''
      context.issues.push({
        code: 'custom',
        input: given,
        message: `expected ${expected}${bound}, not ${JSON.stringify(given)}`,
      })
      return z.NEVER
    })

const year = 365 * 86_400
const seconds = measure(spans, 'seconds above 0, such as 0.04 or 40ms', year)
export const perSecond = measure(
  paces,
  'a rate above 0: a number per second, or 120/min; leave out what does not come',
  1e9,
)
const part = z
  .number('expected a part from 0 to 1: 0.1 for 10 %')
  .min(0, 'a part is 0 or more')
  .max(1, 'a part is at most 1: 0.01 for one in a hundred')
const targetPart = part.gt(0, 'expected a part above 0: nothing can be held against 0')

const perType = z.record(
  z.string(),
  perSecond,
  'expected how much of each event type: { order.placed: 20/s }',
)
const perNode = z.record(z.string(), perType, 'expected nodes: { Orders: { order.placed: 20/s } }')
const scv = 'expected 0 or more: 0 constant, 1 exponential'
const sent = 'expected a list of what is sent: - { from: Worker, to: Orders, ratio: 2 }'
const livedWith = 'expected a list of findings: - { rule: no-redrive, at: Orders, because: … }'
const batch = 'expected messages of an invocation, 1 or more'

/** A file of rates, as people write it. */
export const ratesDocument = membersOnly({
  version: z.literal(1, { error: 'expected version: 1' }),
  constants: z
    .record(
      z.string(),
      z.number('expected a number above 0').positive('expected a number above 0'),
      'expected constants by name: { lambda-concurrency: 1000 }',
    )
    .default({})
    .describe('in the place of numbers of docs/mesh-reference.md, by name'),
  arrivals: perNode.default({}).describe('what comes from outside: node -> event type -> per second'),
  service: z
    .record(
      z.string(),
      membersOnly(
        {
          mean: seconds.describe('of an invocation, or of one job'),
          scv: z
            .number(scv)
            .min(0, scv)
            .default(1)
            .describe('squared coefficient of variation: 0 constant, 1 exponential'),
          batch: z.number(batch).min(1, batch).optional().describe('messages of an invocation, in the mean'),
          each: z
            .union([z.literal(0), seconds], { error: 'expected seconds of 0 or more, such as 4ms' })
            .optional()
            .describe('of the mean, what each message takes; the rest is of the invocation'),
        },
        'expected how long it takes: { mean: 100ms }',
      ),
      'expected nodes: { Worker: { mean: 100ms } }',
    )
    .default({})
    .describe('how long nodes take, by node'),
  failures: z
    .record(z.string(), part, 'expected nodes: { Worker: 0.01 }')
    .default({})
    .describe('the part of the attempts at a node that fails and is worth another'),
  sends: z
    .array(
      membersOnly(
        {
          from: z.string().describe('node'),
          to: z.string().describe('node'),
          type: z.string().default('*').describe('what is sent; *: what came'),
          per: z
            .string()
            .optional()
            .describe('for each message of this type that from handles; absent: of any'),
          ratio: z
            .number('expected a number of 0 or more')
            .min(0, 'expected 0 or more')
            .default(1)
            .describe('how many for each'),
          reads: z.boolean().default(false).describe('it only reads there: nothing goes on'),
          measured: z.boolean().default(false).describe('seen, and not only said'),
        },
        sent,
      ),
      sent,
    )
    .default([])
    .describe('what code sends'),
  measured: perNode
    .default({})
    .describe('what was seen at a node, whatever leads there: node -> event type -> per second'),
  accepted: z
    .array(membersOnly(acceptance.shape, livedWith), livedWith)
    .default([])
    .describe('findings to live with'),
  shares: z
    .partialRecord(role, part, {
      error: ({ code, keys }: { code?: string; keys?: unknown }) =>
        code === 'unrecognized_keys' ? noneOf(role.options, keys) : 'expected roles: { routing: 0.4 }',
    })
    .refine(
      (given) => Object.values(given).reduce((sum, share) => sum + share, 0) <= 1.000_001,
      'they add up to more than 1',
    )
    .default({})
    .describe('what somebody expects of the load, by role; shown beside what is computed'),
  targets: membersOnly({
    utilisation: targetPart.exactOptional(),
    latency: seconds.exactOptional(),
    loss: targetPart.exactOptional(),
    stopped: targetPart.exactOptional(),
    recovery: seconds.exactOptional(),
  })
    .default({})
    .describe("what the score's limit states are held against"),
})

/** Of what has no words of its own. */
const unlike: z.core.$ZodErrorMap = ({ code, expected, input }) =>
  code !== 'invalid_type'
    ? undefined
    : `expected ${expected === 'string' ? 'text' : expected}${input === undefined ? ', and there is none' : `, not ${JSON.stringify(input)}`}`

/** What a file of rates says, by whatever names. `where` names the file in errors. */
export function parseRates(where: string, value: unknown): z.output<typeof ratesDocument> {
  if (value === null || value === undefined) throw new MeshError(`${where}: is empty: begin with version: 1`)
  const parsed = ratesDocument.safeParse(value, { error: unlike })
  if (!parsed.success) throw faultsOf(where, parsed.error)
  return parsed.data
}
