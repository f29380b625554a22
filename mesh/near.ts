/** The three names that take the fewest letters to come to from `name`, the nearest first. */
export const nearest = (name: string, names: readonly string[]): string[] =>
  names
    .map((other) => ({ other, letters: distance(name, other) }))
    .toSorted((a, b) => a.letters - b.letters)
    .slice(0, 3)
    .map(({ other }) => other)

/** Levenshtein (1966): letters to put in, take out or change. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1]
    for (const [j, against] of [...other].entries())
      next.push(
        Math.min((row[j] ?? 0) + (letter === against ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1),
      )
    row = next
  }
  return row.at(-1) ?? 0
}
