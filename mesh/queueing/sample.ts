/**
 * Draws service times with this mean (seconds) and squared coefficient of variation, from the fit that `arrivalsDuring`
 * computes with (Tijms 1994, ch. 5): constant at 0, a mixture of two Erlang below 1, two exponentials above.
 */
export function serviceTimes(mean: number, scv: number, random: () => number): () => number {
  const exponential = (of: number) => -of * Math.log(1 - random())
  if (scv < 1 / 500) return () => mean
  if (scv > 1) {
    const part = (1 + Math.sqrt((scv - 1) / (scv + 1))) / 2
    return () => exponential(random() < part ? mean / (2 * part) : mean / (2 * (1 - part)))
  }
  const k = Math.ceil(1 / scv - 1e-9)
  if (k === 1) return () => exponential(mean)
  const part = (k * scv - Math.sqrt(k * (1 + scv) - k * k * scv)) / (1 + scv)
  const phase = mean / (k - part)
  return () => {
    let product = 1
    for (let phases = random() < part ? k - 1 : k; phases > 0; phases--) product *= 1 - random()
    return -phase * Math.log(product)
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
