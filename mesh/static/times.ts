/** A time by its first two moments: seconds, and seconds squared. */
export type Moments = { mean: number; variance: number }

export const instant: Moments = { mean: 0, variance: 0 }

/** Of independent times one after the other: both moments add (percentiles do not). */
export const added = (one: Moments, other: Moments): Moments => ({
  mean: one.mean + other.mean,
  variance: one.variance + other.variance,
})

/** The 99th percentile of a standard normal. */
const z99 = 2.326_347_874

/** The lognormal with this median and 99th percentile, seconds. */
export function lognormal(p50: number, p99: number): Moments {
  if (p50 <= 0) return instant
  const sigma = Math.log(Math.max(p99, p50) / p50) / z99
  const mean = p50 * Math.exp(sigma ** 2 / 2)
  return { mean, variance: mean ** 2 * (Math.exp(sigma ** 2) - 1) }
}

/** Median and 99th percentile of the lognormal with these moments. */
export function percentiles({ mean, variance }: Moments): { p50: number; p99: number } {
  if (mean <= 0) return { p50: 0, p99: 0 }
  const sigma = Math.sqrt(Math.log(1 + variance / mean ** 2))
  const p50 = mean * Math.exp(-(sigma ** 2) / 2)
  return { p50, p99: p50 * Math.exp(z99 * sigma) }
}
