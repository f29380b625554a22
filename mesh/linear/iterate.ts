import type { Block } from './eliminate.ts'

/** Of each value, the part that it may be off by. */
const tolerance = 1e-13
const mostRounds = 2000

/**
 * Solves a block of an M-matrix under loads >= 0 by Gauss and Seidel, from nothing: what each round adds, d, is nowhere
 * below 0, and the next adds Gd, so that once Gd <= q·d everywhere with q < 1 all rounds to come add at most q/(1-q) of
 * the last (Collatz and Wielandt). It ends when that is at most 1e-13 of every value. undefined: the block is of another
 * kind, or has not come so far after 2,000 rounds. From the last unknown to the first.
 */
export function iterate({ diagonal, rows, loads }: Block): Float64Array | undefined {
  const size = rows.length
  const ends = new Int32Array(size)
  const columns = new Int32Array(rows.reduce((count, row) => count + row.size, 0))
  const gains = new Float64Array(columns.length)
  let entry = 0
  rows.forEach((row, unknown) => {
    for (const [column, value] of row) {
      columns[entry] = column
      gains[entry++] = -value / (diagonal[unknown] ?? 1)
    }
    ends[unknown] = entry
  })
  if (![diagonal, loads, gains].every((all) => all.every((value) => value >= 0))) return undefined
  const added = new Float64Array(size)
  const values = new Float64Array(size)
  /** What an unknown gets from the others, as they are by now. */
  const passed = (unknown: number): number => {
    let sum = 0
    for (let at = ends[unknown - 1] ?? 0; at < (ends[unknown] ?? 0); at++)
      sum += (gains[at] ?? 0) * (added[columns[at] ?? 0] ?? 0)
    return sum
  }
  for (let round = 0; round < mostRounds; round++) {
    let [fades, rest] = [0, 0]
    for (let unknown = size - 1; unknown >= 0; unknown--) {
      const before = added[unknown] ?? 0
      const own = round === 0 ? (loads[unknown] ?? 0) / (diagonal[unknown] ?? 1) : 0
      const more = own + passed(unknown)
      const value = (values[unknown] ?? 0) + more
      if (more > fades * before) fades = more / before
      if (more > rest * value) rest = more / value
      added[unknown] = more
      values[unknown] = value
    }
    if (fades < 1 && rest * fades <= tolerance * (1 - fades)) return values
  }
  return undefined
}
