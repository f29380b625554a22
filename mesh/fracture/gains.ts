import type { Loaded } from '../load.ts'
import type { Flow } from './flows.ts'

/** What fails: states that still get but pass nothing on, branches that carry nothing, both by their positions. */
type Removed = { states: ReadonlySet<number>; branches: ReadonlySet<number> }

/** Splits the vertices of a flow that fail. */
export function removedFrom({ states, branches }: Flow, vertices: readonly number[]): Removed {
  const size = states.length
  const isBranch = (vertex: number): boolean => vertex >= size && vertex < size + branches.length
  return {
    states: new Set(vertices.filter((vertex) => vertex < size)),
    branches: new Set(vertices.filter(isBranch).map((vertex) => vertex - size)),
  }
}

/** The branches from a state of a queue to its consumers, and how many consumers the queue has. */
type Shared = { branches: readonly number[]; sharers: number }

/**
 * The gains of a flow's branches without what failed: consumers of a queue that are left share what is in it. `unsaid`:
 * what stands for a gain that nobody has said.
 */
export function gainsWithout(
  loaded: Loaded,
  flow: Flow,
  consumers: Consumers,
  unsaid = Number.NaN,
): (removed: Removed) => Float64Array {
  const whole = Float64Array.from(flow.branches, ({ gain }) => (Number.isNaN(gain) ? unsaid : gain))
  const shared = sharedIn(loaded, flow, consumers)
  return (removed) => {
    const gains = whole.slice()
    for (const queue of shared) share(flow, queue, removed, gains)
    for (const branch of removed.branches) gains[branch] = 0
    for (const state of removed.states) for (const branch of flow.leaving[state] ?? []) gains[branch] = 0
    return gains
  }
}

/** How many take from each queue. */
export type Consumers = ReadonlyMap<string, number>

export function consumersOf({ mesh }: Loaded): Consumers {
  const queues = new Set(mesh.nodes.flatMap(({ id, kind }) => (kind === 'queue' ? [id] : [])))
  const consumers = new Map<string, number>()
  for (const element of mesh.elements)
    if (element.kind === 'poll' && element.enabled && queues.has(element.from))
      consumers.set(element.from, (consumers.get(element.from) ?? 0) + 1)
  return consumers
}

function sharedIn({ states, streams }: Loaded, flow: Flow, consumers: Consumers): Shared[] {
  return flow.states.flatMap((index, state) => {
    const several = consumers.get(states[index]?.node.id ?? '') ?? 0
    if (several < 2) return []
    const branches = (flow.leaving[state] ?? []).filter(
      (branch) => streams[flow.branches[branch]?.stream ?? -1]?.element.kind === 'poll',
    )
    return [{ branches, sharers: several }]
  })
}

function share(flow: Flow, { branches, sharers }: Shared, removed: Removed, gains: Float64Array): void {
  const failed = branches.filter(
    (branch) => removed.branches.has(branch) || removed.states.has(flow.branches[branch]?.to ?? -1),
  )
  if (failed.length === 0 || failed.length >= sharers) return
  for (const branch of branches) gains[branch] = ((gains[branch] ?? 0) * sharers) / (sharers - failed.length)
  for (const branch of failed) gains[branch] = 0
}
