import type { Flow } from './flows.ts'

const rounds = 2000
const negligible = 1e-12

/**
 * How often each state is visited when `entering` comes in: x = entering + Pᵀx, along the order of the states, in as many
 * rounds as its loops ask for. `gains`: what of a state goes over each branch. NaN: not known; null: it does not settle.
 */
export function visits(
  flow: Flow,
  entering: ReadonlyMap<number, number>,
  gains: Float64Array,
): Float64Array | null {
  const size = flow.states.length
  const found = new Float64Array(size)
  const rest = new Float64Array(size)
  for (const [state, amount] of entering) rest[state] = amount
  /** Passes on what waits at a state; answers whether that was something. */
  const pass = (state: number): boolean => {
    const amount = rest[state] ?? 0
    rest[state] = 0
    // what is not known stays so, however often it comes round
    if (amount === 0 || Number.isNaN(found[state])) return false
    found[state] = (found[state] ?? 0) + amount
    for (const branch of flow.leaving[state] ?? []) {
      const to = flow.branches[branch]?.to ?? -1
      rest[to] = (rest[to] ?? 0) + amount * (gains[branch] ?? 0)
    }
    return !(Math.abs(amount) < negligible)
  }
  return settles(flow, () => {
    let moved = false
    for (let state = 0; state < size; state++) moved = pass(state) || moved
    return moved
  })
    ? found
    : null
}

/** For one message at each state, how many get to the end: a last handler. NaN: not known; null: it does not settle. */
export function worthOf(flow: Flow, gains: Float64Array): Float64Array | null {
  const size = flow.states.length
  const worth = new Float64Array(size)
  const at = (state: number): number => {
    const leaving = flow.leaving[state] ?? []
    let sum = leaving.length === 0 ? 1 : 0
    for (const branch of leaving) sum += (gains[branch] ?? 0) * (worth[flow.branches[branch]?.to ?? -1] ?? 0)
    return sum
  }
  return settles(flow, () => {
    let moved = false
    for (let state = size - 1; state >= 0; state--) {
      const before = worth[state] ?? 0
      const after = at(state)
      worth[state] = after
      moved ||= !Number.isNaN(before) && !(Math.abs(after - before) < negligible)
    }
    return moved
  })
    ? worth
    : null
}

/** Goes round until nothing moves any more; once where there is no loop. */
function settles({ acyclic }: Flow, round: () => boolean): boolean {
  for (let i = 0; i < rounds; i++) if (!round() || acyclic) return true
  return false
}
