import { type Loop, solveFlow } from '../linear/flow.ts'
import type { Loaded } from '../load.ts'
import { deadLetterStreams } from './dead-letter-streams.ts'

export type Rates = {
  /** messages per second, by state; what is not known counts as nothing */
  rates: readonly number[]
  /** by state: whether all that leads to it is known, so that its rate is the rate and not the least it can be */
  complete: readonly boolean[]
  /** for each measured state: what must come from outside beyond what is known, per second; below 0: what gets lost */
  unexplained: ReadonlyMap<number, number>
  /** loops that never fade; where something gets into one, there is no rate in it nor behind it */
  loops: readonly Loop[]
}

/** The rate of every type at every node: (I - Pᵀ)λ = γ, with measured rates as boundary conditions. */
export function ratesOf(loaded: Loaded): Rates {
  const { states, external, measured } = loaded
  const streams = [...loaded.streams, ...deadLetterStreams(loaded)]
  const flows = streams.map(({ from, to, gain }) => ({ from, to, gain: gain ?? 0 }))
  const { rates, reactions, loops, endless } = solveFlow(
    states.length,
    flows,
    external.map((rate) => rate ?? 0),
    measured,
  )
  return {
    rates,
    complete: completeness({ states, streams, external, measured }, endless),
    unexplained: reactions,
    loops,
  }
}

/** What is not known makes all behind it unknown, up to the next measured rate. */
function completeness(
  { states, streams, external, measured }: Pick<Loaded, 'states' | 'streams' | 'external' | 'measured'>,
  endless: Iterable<number>,
): boolean[] {
  const complete = states.map(() => true)
  const next = states.map((): number[] => [])
  const open: number[] = []
  const mark = (state: number) => {
    if (measured.has(state) || complete[state] === false) return
    complete[state] = false
    open.push(state)
  }
  for (const { from, to } of streams) next[from]?.push(to)
  external.forEach((rate, state) => {
    if (rate === null) mark(state)
  })
  for (const { gain, to } of streams) if (gain === null) mark(to)
  for (const state of endless) mark(state)
  for (let state = open.pop(); state !== undefined; state = open.pop())
    for (const to of next[state] ?? []) mark(to)
  return complete
}
