import { components } from './components.ts'
import { type Block, eliminate } from './eliminate.ts'
import { assemble, type Element, solve } from './solve.ts'

/** Of what leaves `from`, `gain` goes to `to`: probability times fan-out. */
type Flow = { from: number; to: number; gain: number }

/** States that feed each other for ever: what goes round grows, or at best does not fade. */
export type Loop = { members: number[]; gain: number }

/**
 * The rate at each state: λ = γ + Pᵀλ, which is (I - Pᵀ)λ = γ, assembled from one element for each connection (-gain at
 * (to, from)) and 1 on each diagonal. Where a loop's gain is 1 or more, and something gets into it, there is no steady
 * rate in it nor behind it: `loops` names all such loops, `endless` the states without a rate, whose rate here is 0. A loop
 * that nothing gets into stands still. `measured`: rates that are known, which also end a loop; `reactions` is what must
 * come from outside to make them so.
 */
export function solveFlow(
  size: number,
  flows: readonly Flow[],
  external: readonly number[],
  measured: ReadonlyMap<number, number> = new Map(),
): { rates: number[]; reactions: Map<number, number>; loops: Loop[]; endless: ReadonlySet<number> } {
  const loops = loopsOf(size, flows)
  const { endless, held } = heldBy(loops, { size, flows, external, measured })
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
  const { values, reactions } = solve(assemble(size, [...diagonal, ...connections]), external, held)
  // what holds a loop still, or comes from one without end, explains nothing
  const behind = new Set(flows.flatMap(({ from, to }) => (endless.has(from) ? [to] : [])))
  for (const state of held.keys()) if (!measured.has(state) || behind.has(state)) reactions.delete(state)
  return { rates: values.map((rate) => Math.max(0, rate)), reactions, loops, endless }
}

/** Which states have no steady rate, and which rates are known: those that are measured, and 0 in and behind such loops. */
function heldBy(
  loops: readonly Loop[],
  given: {
    size: number
    flows: readonly Flow[]
    external: readonly number[]
    measured: ReadonlyMap<number, number>
  },
): { endless: ReadonlySet<number>; held: ReadonlyMap<number, number> } {
  const { size, flows, external, measured } = given
  if (loops.length === 0) return { endless: new Set(), held: measured }
  const open = flows.filter(({ gain, to }) => gain > 0 && !measured.has(to))
  const next = Map.groupBy(open, ({ from }) => from)
  const behind = (starts: Iterable<number>): Set<number> => {
    const reached = new Set(starts)
    for (const state of reached) for (const { to } of next.get(state) ?? []) reached.add(to)
    return reached
  }
  // a measured state on a loop ends it
  const lasting = measured.size === 0 ? loops : loopsOf(size, open)
  const fed = behind(
    Array.from({ length: size }, (_, state) => state).filter(
      (state) => (measured.get(state) ?? external[state] ?? 0) > 0,
    ),
  )
  const members = lasting.flatMap((loop) => loop.members)
  const endless = behind(members.filter((state) => fed.has(state)))
  const still = [...endless, ...members].filter((state) => !measured.has(state))
  return { endless, held: new Map([...still.map((state) => [state, 0] as const), ...measured]) }
}

/** Every loop that does not fade, with its gain per round, the spectral radius of its part of P. */
export function loopsOf(size: number, flows: readonly Flow[]): Loop[] {
  const next = Array.from({ length: size }, (): number[] => [])
  for (const { from, to, gain } of flows) if (gain > 0) next[from]?.push(to)
  const rounds = components(next).filter(
    ([first = -1, ...more]) => more.length > 0 || next[first]?.includes(first),
  )
  const loopOf = new Int32Array(size).fill(-1)
  const place = new Int32Array(size)
  rounds.forEach((members, loop) => {
    members.forEach((member, position) => {
      loopOf[member] = loop
      place[member] = position
    })
  })
  const inside = rounds.map((): Flow[] => [])
  for (const { from, to, gain } of flows) {
    const loop = loopOf[from] ?? -1
    if (gain > 0 && loop >= 0 && loopOf[to] === loop)
      inside[loop]?.push({ from: place[from] ?? -1, to: place[to] ?? -1, gain })
  }
  return rounds
    .map((members, loop) => ({ members, gain: gainOf(members.length, inside[loop] ?? []) }))
    .filter(({ gain }) => gain >= lasting)
}

/** Below this a loop fades. */
const lasting = 1 - 1e-9
/** Rounds of power iteration before each costs an elimination, and of those. */
const powers = 1000
const inversions = 50
/** How near the bounds come to each other, relative to the radius. */
const near = 1e-12

/**
 * Spectral radius of a nonnegative irreducible matrix, or a bound of it that is below 1. Min and max of (Pᵀx)ᵢ/xᵢ enclose
 * it for every x > 0 (Collatz and Wielandt), so that whether a loop fades is no guess. By power iteration on (I + Pᵀ)/2,
 * which is primitive; a long loop, where that takes the square of its length, by the inverse iteration of Noda (1971): each
 * step solves (high·I - Pᵀ)y = x, an M-matrix as long as `high` is above the radius, and converges quadratically. Where
 * the numbers leave what a double can tell before the bounds meet, the upper one is answered.
 */
function gainOf(size: number, flows: readonly Flow[]): number {
  const passed = passing(flows)
  let vector = new Float64Array(size).fill(1)
  let [low, high] = [0, Number.POSITIVE_INFINITY]
  for (let round = 0; round < powers + inversions && high >= lasting; round++) {
    const image = passed(vector)
    const ratios = image.map((value, state) => value / (vector[state] ?? 0))
    if (!ratios.every(Number.isFinite)) break
    low = Math.max(
      low,
      ratios.reduce((one, other) => Math.min(one, other)),
    )
    high = Math.min(
      high,
      ratios.reduce((one, other) => Math.max(one, other)),
    )
    if (high - low <= near * high) return (low + high) / 2
    const next =
      round < powers
        ? image.map((value, state) => value + (vector[state] ?? 0))
        : inverted(vector, flows, high)
    if (next === undefined) break
    const scale = next.reduce((one, other) => Math.max(one, other))
    vector = next.map((value) => value / scale)
  }
  return high
}

/** Answers Pᵀx. */
function passing(flows: readonly Flow[]): (vector: Float64Array) => Float64Array<ArrayBuffer> {
  const from = Int32Array.from(flows, (flow) => flow.from)
  const to = Int32Array.from(flows, (flow) => flow.to)
  const gains = Float64Array.from(flows, ({ gain }) => gain)
  return (vector) => {
    const image = new Float64Array(vector.length)
    for (let flow = 0; flow < gains.length; flow++) {
      const target = to[flow] ?? 0
      image[target] = (image[target] ?? 0) + (gains[flow] ?? 0) * (vector[from[flow] ?? 0] ?? 0)
    }
    return image
  }
}

/** (shift·I - Pᵀ)⁻¹x; undefined where that is singular: the shift is the radius. */
function inverted(
  vector: Float64Array,
  flows: readonly Flow[],
  shift: number,
): Float64Array<ArrayBuffer> | undefined {
  const block: Block = {
    diagonal: new Float64Array(vector.length).fill(shift),
    rows: Array.from(vector, () => new Map()),
    loads: vector.slice(),
  }
  for (const { from, to, gain } of flows)
    if (from === to) block.diagonal[to] = (block.diagonal[to] ?? 0) - gain
    else block.rows[to]?.set(from, (block.rows[to]?.get(from) ?? 0) - gain)
  try {
    const solved = eliminate(block)
    return solved.every((value) => value > 0) ? solved : undefined
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
