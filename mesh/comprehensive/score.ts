import * as z from 'zod'

/** One limit state: what is asked of the structure against what it is allowed. */
const term = z.object({
  name: z.enum([
    'utilisation',
    'latency',
    'loss',
    'vulnerability',
    'flow through single points of failure',
    'recovery',
  ]),
  demand: z.number().nullable().describe('null: not known, for the reason in `says`'),
  endless: z.literal(true).exactOptional().describe('it has no end, and `demand` is a year in its place'),
  limit: z.number(),
  unit: z.string(),
  unity: z.number().nullable().describe('unity check, demand / limit: up to 1 it holds'),
  points: z.number().nullable().describe('100 unstressed, 50 at the limit, towards 0 beyond it'),
  says: z.string(),
  atLeast: z
    .string()
    .nullable()
    .default(null)
    .describe(
      'what of it is not known, so that demand is the least that it can be; null: all of it is known',
    ),
})
export type Term = z.output<typeof term>

export const scored = z.object({
  score: z
    .number()
    .nullable()
    .describe('0 to 100; null: a term that nothing can be said without is not known'),
  atMost: z
    .boolean()
    .default(false)
    .describe('whether the score is the most that it can be, because something of a term is not known'),
  uncapped: z.number().nullable().describe('the mean of the terms that are known, before anything caps it'),
  caps: z.array(z.object({ at: z.number(), because: z.string() })),
  terms: z.array(term),
  unavailable: z.array(z.string()).describe('names of the terms that nobody can know from what was given'),
})
export type Scored = z.output<typeof scored>

/** A point of a limit state: linear from 100 to 50 up to its limit, then falling as 50/u. */
const pointsOf = (unity: number): number => (unity <= 1 ? 100 - 50 * unity : 50 / unity)

/** A year: what never ends counts as that, and is told as ∞. */
export const endless = 31_536_000

export function termOf(
  name: Term['name'],
  demand: number | null,
  limit: number,
  unit: string,
  says: string,
  atLeast: string | null = null,
): Term {
  const unity = demand === null ? null : demand / limit
  const points = unity === null ? null : pointsOf(unity)
  const isEndless = unit === 's' && demand === endless
  return { name, demand, ...(isEndless && { endless: true }), limit, unit, unity, points, says, atLeast }
}

/** Without these there is no score: what is left says nothing of a structure under load. */
const needed: ReadonlySet<Term['name']> = new Set(['utilisation', 'latency'])

/** What open findings of high severity leave. */
const capOfHigh = 59
/** What a limit state that does not hold leaves. */
const capOfBroken = 49

/**
 * The score of a structure, derived from its limit states: the mean of their points, capped while a high finding is open
 * and while a limit state does not hold. What is not known is left out and named, never guessed: without utilisation or
 * latency there is no score, and where a demand is the least that it can be the score is the most.
 */
export function scoreOf(terms: readonly Term[], high: number): Scored {
  const points = terms.flatMap((each) => (each.points === null ? [] : [each.points]))
  const uncapped = points.length === 0 ? null : points.reduce((sum, each) => sum + each, 0) / points.length
  const isOpen = terms.some(({ name, unity }) => needed.has(name) && unity === null)
  const broken = terms.filter(({ unity }) => unity !== null && unity > 1).map(({ name }) => name)
  const caps = [
    ...(high === 0
      ? []
      : [{ at: capOfHigh, because: `${high} ${high === 1 ? 'finding' : 'findings'} of high severity` }]),
    ...(broken.length === 0 ? [] : [{ at: capOfBroken, because: `over its limit: ${broken.join(', ')}` }]),
  ]
  return {
    score: uncapped === null || isOpen ? null : Math.min(uncapped, ...caps.map(({ at }) => at)),
    atMost: terms.some(({ atLeast }) => atLeast !== null),
    uncapped,
    caps,
    terms: [...terms],
    unavailable: terms.filter(({ unity }) => unity === null).map(({ name }) => name),
  }
}
