/** A time by its first two moments: seconds, and seconds squared. */
export type Moments = { mean: number; variance: number }

export const instant: Moments = { mean: 0, variance: 0 }

/** Of independent times one after the other: both moments add (percentiles do not). */
export const added = (one: Moments, other: Moments): Moments => ({
  mean: one.mean + other.mean,
  variance: one.variance + other.variance,
})

/** The longer of two independent times by their first two moments, as if they were normal (Clark 1961). */
export function longer(one: Moments, other: Moments): Moments {
  const [more, less] = one.mean >= other.mean ? [one, other] : [other, one]
  const theta = Math.sqrt(one.variance + other.variance)
  if (theta === 0) return more
  const alpha = (more.mean - less.mean) / theta
  const [above, density] = [normal(alpha), Math.exp(-(alpha ** 2) / 2) / Math.sqrt(2 * Math.PI)]
  const mean = more.mean * above + less.mean * (1 - above) + theta * density
  const square =
    (more.mean ** 2 + more.variance) * above +
    (less.mean ** 2 + less.variance) * (1 - above) +
    (more.mean + less.mean) * theta * density
  return { mean, variance: Math.max(0, square - mean ** 2) }
}

/** The 99th percentile of a standard normal. */
const z99 = 2.326_347_874

/** The lognormal with this median and 99th percentile, seconds. */
export function lognormal(p50: number, p99: number): Moments {
  if (p50 <= 0) return instant
  const sigma = Math.log(Math.max(p99, p50) / p50) / z99
  const mean = p50 * Math.exp(sigma ** 2 / 2)
  return { mean, variance: mean ** 2 * (Math.exp(sigma ** 2) - 1) }
}

/** What may come on top of a time: so many seconds, and a time that varies, with this probability; all of them add up to 1. */
export type Extra = { seconds: number; chance: number; more?: Moments }

export const meanOfExtras = (extras: readonly Extra[]): number =>
  extras.reduce((sum, { seconds, chance, more = instant }) => sum + (seconds + more.mean) * chance, 0)

/** Of what comes on top, by itself. */
export function momentsOf(extras: readonly Extra[]): Moments {
  const mean = meanOfExtras(extras)
  const variance = extras.reduce(
    (sum, { seconds, chance, more = instant }) =>
      sum + chance * ((seconds + more.mean - mean) ** 2 + more.variance),
    0,
  )
  return { mean, variance }
}

const mostExtras = 256

/** Of independent extras one after the other. What is least likely to be told apart is taken together. */
export function extrasOf(all: readonly (readonly Extra[])[]): readonly Extra[] {
  let sum: readonly Extra[] = [{ seconds: 0, chance: 1 }]
  for (const extras of all) {
    const pairs = sum.flatMap((one) =>
      extras.map(({ seconds, chance, more = instant }) => ({
        ...{ seconds: one.seconds + seconds, chance: one.chance * chance },
        more: added(one.more ?? instant, more),
      })),
    )
    sum = pairs.toSorted((a, b) => a.seconds - b.seconds)
    while (sum.length > mostExtras) sum = halved(sum)
  }
  return sum
}

/** Neighbours in pairs, by their mean. */
const halved = (extras: readonly Extra[]): Extra[] =>
  extras.flatMap((one, place) => {
    if (place % 2 === 1) return []
    const other = extras[place + 1] ?? { ...one, chance: 0 }
    const chance = one.chance + other.chance
    const weighted = (of: (extra: Extra) => number) =>
      (of(one) * one.chance + of(other) * other.chance) / (chance || 1)
    const more = {
      mean: weighted((extra) => extra.more?.mean ?? 0),
      variance: weighted((extra) => extra.more?.variance ?? 0),
    }
    return [{ seconds: weighted(({ seconds }) => seconds), chance, more }]
  })

/** Mean, median and 99th percentile of a lognormal with these moments and of what comes on top. */
export function withExtras(
  base: Moments,
  extras: readonly Extra[],
): { mean: number; p50: number; p99: number } {
  const mean = base.mean + meanOfExtras(extras)
  const longest = extras.reduce((most, { seconds, more = instant }) => Math.max(most, seconds + more.mean), 0)
  if (longest === 0) return { mean, ...percentiles(base) }
  const alone = belowOf(base)
  const all = extras.map(({ more, ...extra }) => ({
    ...extra,
    below: more === undefined || more.mean === 0 ? alone : belowOf(added(base, more)),
  }))
  const chanceBelow = (time: number): number =>
    all.reduce((sum, { seconds, chance, below }) => sum + chance * below(time - seconds), 0)
  const quantile = (part: number): number => {
    let [low, high] = [0, longest + base.mean]
    while (chanceBelow(high) < part) high += high
    for (let round = 0; round < 60; round++) {
      const middle = (low + high) / 2
      if (chanceBelow(middle) < part) low = middle
      else high = middle
    }
    return high
  }
  return { mean, p50: quantile(0.5), p99: quantile(0.99) }
}

/** The probability that the lognormal with these moments is at most so many seconds. */
function belowOf({ mean, variance }: Moments): (time: number) => number {
  const sigma = mean <= 0 ? 0 : Math.sqrt(Math.log(1 + variance / mean ** 2))
  if (sigma === 0) return (time) => (time >= mean ? 1 : 0)
  const location = Math.log(mean) - sigma ** 2 / 2
  return (time) => (time <= 0 ? 0 : normal((Math.log(time) - location) / sigma))
}

/** The standard normal distribution, to 1e-7 (Abramowitz and Stegun 1964, 26.2.17). */
function normal(z: number): number {
  if (z < 0) return 1 - normal(-z)
  const t = 1 / (1 + 0.231_641_9 * z)
  const series = [0.319_381_53, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429]
  const sum = series.reduceRight((rest, each) => t * (each + rest), 0)
  return 1 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum
}

/** Median and 99th percentile of the lognormal with these moments. */
export function percentiles({ mean, variance }: Moments): { p50: number; p99: number } {
  if (mean <= 0) return { p50: 0, p99: 0 }
  const sigma = Math.sqrt(Math.log(1 + variance / mean ** 2))
  const p50 = mean * Math.exp(-(sigma ** 2) / 2)
  return { p50, p99: p50 * Math.exp(z99 * sigma) }
}
