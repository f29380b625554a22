/** How often what happened, by name. */
export type Counts = Readonly<Record<string, number>>

/** The sum of two counts; a name that is in one of them only counts as it is there. */
export const sumOf = <Named extends Counts>(a: Named, b: Named): Named => {
  const sum = { ...a, ...b }
  for (const name in sum) Object.assign(sum, { [name]: (a[name] ?? 0) + (b[name] ?? 0) })
  return sum
}

/** Without what came to nothing. */
export const nonZero = (counts: Counts): Counts =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0))
