import { components } from './components.ts'
import { assemble, type Element, solve } from './solve.ts'

/** Of what leaves `from`, `gain` goes to `to`: probability times fan-out. */
export type Flow = { from: number; to: number; gain: number }

/** States that feed each other for ever: what goes round grows, or at best does not fade. */
export type Loop = { members: number[]; gain: number }

/**
 * The rate at each state: λ = γ + Pᵀλ, which is (I - Pᵀ)λ = γ, assembled from one element for each connection (-gain at
 * (to, from)) and 1 on each diagonal. Where a loop's gain is 1 or more there is no steady rate: `loops` names them, and
 * nothing is solved. `measured`: rates that are known; `reactions` is what must come from outside to make them so.
 */
export function solveFlow(
  size: number,
  flows: readonly Flow[],
  external: readonly number[],
  measured: ReadonlyMap<number, number> = new Map(),
): { rates: number[]; reactions: Map<number, number>; loops: Loop[] } {
  const loops = loopsOf(size, flows).filter(({ gain }) => gain >= 1 - 1e-9)
  if (loops.length > 0) return { rates: [], reactions: new Map(), loops }
  const diagonal: Element[] = Array.from({ length: size }, (_, state) => ({
    unknowns: [state],
    matrix: [[1]],
  }))
  const connections: Element[] = flows.map(({ from, to, gain }) =>
    from === to
      ? { unknowns: [from], matrix: [[-gain]] }
      : {
          unknowns: [to, from],
          matrix: [
            [0, -gain],
            [0, 0],
          ],
        },
  )
  const { values, reactions } = solve(assemble(size, [...diagonal, ...connections]), external, measured)
  return { rates: values.map((rate) => Math.max(0, rate)), reactions, loops: [] }
}

/** Every loop with its gain per round, the spectral radius of its part of P. */
export function loopsOf(size: number, flows: readonly Flow[]): Loop[] {
  const next = Array.from({ length: size }, (): number[] => [])
  for (const { from, to, gain } of flows) if (gain > 0) next[from]?.push(to)
  return components(next)
    .filter((members) => members.length > 1 || next[members[0] ?? -1]?.includes(members[0] ?? -1))
    .map((members) => ({ members, gain: radius(members, flows) }))
}

/**
 * Spectral radius of the nonnegative irreducible matrix among `members`, by power iteration on (I + P)/2, which is
 * primitive, between the bounds of Collatz and Wielandt.
 */
function radius(members: readonly number[], flows: readonly Flow[]): number {
  const place = new Map(members.map((member, position) => [member, position]))
  const inside = flows.flatMap(({ from, to, gain }) => {
    const [i, j] = [place.get(from), place.get(to)]
    return i === undefined || j === undefined || gain === 0 ? [] : [{ i, j, gain }]
  })
  let vector = members.map(() => 1)
  let [low, high] = [0, Number.POSITIVE_INFINITY]
  for (let round = 0; round < 20_000 && !(high - low <= 1e-12 * Math.max(1, low)); round++) {
    const image = vector.map((value) => value / 2)
    for (const { i, j, gain } of inside) image[j] = (image[j] ?? 0) + (gain / 2) * (vector[i] ?? 0)
    const ratios = image.map((value, position) => value / (vector[position] ?? 1))
    low = Math.max(low, 2 * Math.min(...ratios) - 1)
    high = Math.min(high, 2 * Math.max(...ratios) - 1)
    const scale = Math.max(...image)
    vector = image.map((value) => value / scale)
  }
  return (low + high) / 2
}
