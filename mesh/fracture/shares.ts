import { components } from '../linear/components.ts'
import type { Loaded } from '../load.ts'
import type { Flow } from './flows.ts'
import { type Consumers, gainsWithout, removedFrom } from './gains.ts'
import { visits, worthOf } from './visits.ts'

/** Answers the share of a flow that no longer gets to its end without some vertices; null: not known. */
export type ShareLost = (vertices: readonly number[]) => number | null

/** Steps that solving anew may take in one flow before shares are left unknown. */
const mostSteps = 3e7

/** For a flow from one door. */
export function sharesLost(loaded: Loaded, flow: Flow, consumers: Consumers): ShareLost {
  const without = gainsWithout(loaded, flow, consumers)
  const gains = without(removedFrom(flow, []))
  const visited = visits(flow, new Map([[0, 1]]), gains)
  const worth = worthOf(flow, gains)
  const whole = worth?.[0] ?? Number.NaN
  // of what only goes round nothing gets to an end, and of nothing there is no share
  if (visited === null || worth === null || !(whole > 0)) return () => null
  const plain = plainVertices(loaded, flow)
  const part = (lost: number): number | null =>
    Number.isNaN(lost) ? null : Math.min(1, Math.max(0, lost / whole))
  let steps = 0
  return (vertices) => {
    const [only = -1] = vertices
    if (vertices.length === 1 && plain[only] === 1) return part(passing(flow, visited, worth, only))
    steps += flow.states.length + flow.branches.length
    const after = steps > mostSteps ? null : endingWithout(flow, without, vertices)
    return after === null ? null : part(whole - after)
  }
}

/** What passes a state or a branch, by what of it gets to the end. */
function passing(flow: Flow, visited: Float64Array, worth: Float64Array, vertex: number): number {
  const branch = flow.branches[vertex - flow.states.length]
  if (branch === undefined) return (visited[vertex] ?? 0) * (worth[vertex] ?? 0)
  return (visited[branch.from] ?? 0) * branch.gain * (worth[branch.to] ?? 0)
}

/** Solves the flow anew: how much of one message gets to the end. */
function endingWithout(
  flow: Flow,
  without: ReturnType<typeof gainsWithout>,
  vertices: readonly number[],
): number | null {
  const removed = removedFrom(flow, vertices)
  const left = visits(flow, new Map([[0, 1]]), without(removed))
  if (left === null) return null
  let after = 0
  flow.leaving.forEach((leaving, state) => {
    if (leaving.length === 0 && !removed.states.has(state)) after += left[state] ?? 0
  })
  return after
}

/** 1: on no loop, and nothing takes over when it fails; then what is lost is what passes it. */
function plainVertices({ streams }: Loaded, flow: Flow): Uint8Array {
  const size = flow.states.length
  const plain = new Uint8Array(size + flow.branches.length).fill(1)
  const looping = new Set(flow.acyclic ? [] : onLoops(flow))
  for (const state of looping) plain[state] = 0
  flow.branches.forEach(({ stream, from, to, gain }, position) => {
    const takenOver = streams[stream]?.element.kind === 'poll' && gain < 1
    if (takenOver) plain[to] = 0
    if (takenOver || (looping.has(from) && looping.has(to))) plain[size + position] = 0
  })
  return plain
}

function onLoops({ leaving, branches }: Flow): number[] {
  const next = leaving.map((out) => out.map((branch) => branches[branch]?.to ?? 0))
  return components(next)
    .filter(([first = 0, ...more]) => more.length > 0 || next[first]?.includes(first))
    .flat()
}
