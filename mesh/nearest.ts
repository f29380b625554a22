/** Of some names those that are most like what somebody wrote, the nearest first: a third of its letters off at most. */
export function nearest(wanted: string, names: Iterable<string>, most = 3): string[] {
  const said = wanted.toLowerCase()
  return [...new Set(names)]
    .map((name) => ({ name, off: distance(said, name.toLowerCase()) }))
    .filter(({ off }) => off <= Math.ceil(said.length / 3))
    .toSorted((a, b) => a.off - b.off)
    .slice(0, most)
    .map(({ name }) => name)
}

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
