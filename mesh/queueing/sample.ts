import { fitted } from './fit.ts'

/** Draws service times with this mean (seconds) and squared coefficient of variation, from what is computed with (`fitted`). */
export function serviceTimes(mean: number, scv: number, random: () => number): () => number {
  const exponential = (of: number) => -of * Math.log(1 - random())
  const fit = fitted(scv)
  if (fit.kind === 'constant') return () => mean
  if (fit.kind === 'hyperexponential') {
    const { part, rest } = fit
    return () => exponential(random() < part ? mean / (2 * part) : mean / (2 * rest))
  }
  const { phases, part, phase } = fit
  if (phases === 1) return () => exponential(mean)
  return () => {
    let product = 1
    for (let left = random() < part ? phases - 1 : phases; left > 0; left--) product *= 1 - random()
    return -phase * mean * Math.log(product)
  }
}

/** Mean, and half of its 95 % interval, of independent values (Student; Cornish-Fisher expansion of the quantile). */
export function estimated(values: readonly number[]): { mean: number; halfWidth: number } {
  const count = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / count
  if (count < 2) return { mean, halfWidth: Number.POSITIVE_INFINITY }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1)
  return { mean, halfWidth: student(count - 1) * Math.sqrt(variance / count) }
}

/** The 97.5 % quantile of Student's t; two degrees of freedom and below exact, above within 1 %. */
function student(degrees: number): number {
  if (degrees === 1) return 12.706
  if (degrees === 2) return 4.303
  const z = 1.959_964
  return (
    z +
    (z ** 3 + z) / (4 * degrees) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
  )
}
