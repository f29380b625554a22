import type { Loaded } from '../load.ts'
import type { NodeKind } from '../model.ts'
import type { Demands } from './demand.ts'
import { lognormal } from './times.ts'

/**
 * What a part of the system is there for, with the share of the load that its design assumed before anything was
 * measured: a bus with 40 %, a memory with 25 %, and so on. docs/mesh.md explains the differences.
 */
const roles = [
  {
    role: 'routing',
    assumed: 0.4,
    kinds: ['bus', 'rule', 'queue', 'topic', 'stream', 'pipe', 'api', 'schedule'],
  },
  { role: 'memory', assumed: 0.25, kinds: ['table', 'bucket'] },
  { role: 'models', assumed: 0.15, kinds: ['external'] },
  { role: 'servers', assumed: 0.15, kinds: ['service'] },
  { role: 'execution', assumed: 0.05, kinds: ['function', 'workflow', 'task'] },
] as const satisfies readonly { role: string; assumed: number; kinds: readonly NodeKind[] }[]

export type Shares = {
  /** null: nothing in the mesh has a known time */
  nodes: { node: string; name: string; share: number }[]
  roles: { role: string; share: number; assumed: number }[]
  /** nodes that work and whose time nobody has said: they are missing in the sum */
  untimed: string[]
}

/**
 * The share of each node in the time that all messages spend: λᵢE[Sᵢ] / Σ λⱼE[Sⱼ], E[S] being the time of an invocation
 * or, of what only passes on, the latency of the way from it.
 */
export function sharesOf({ mesh, service }: Loaded, demands: Demands): Shares {
  const work = new Map<string, number>()
  const add = (id: string, amount: number) => work.set(id, (work.get(id) ?? 0) + amount)
  const untimed: string[] = []
  for (const { id, kind } of mesh.nodes) {
    const { requests } = demands.ofNode(id)
    const times = service.get(id)
    if (times !== undefined) add(id, requests * times.mean)
    else if (requests > 0 && (kind === 'function' || kind === 'task' || kind === 'service')) untimed.push(id)
  }
  for (const { id, from, laws } of mesh.elements)
    for (const law of laws)
      if (law.law === 'latency') add(from, demands.ofElement(id).messages * lognormal(law.p50, law.p99).mean)
  const total = [...work.values()].reduce((sum, amount) => sum + amount, 0)
  const share = (amount: number): number => (total === 0 ? 0 : amount / total)
  const nodes = mesh.nodes
    .map(({ id, name }) => ({ node: id, name, share: share(work.get(id) ?? 0) }))
    .filter((entry) => entry.share > 0)
    .toSorted((a, b) => b.share - a.share || (a.node < b.node ? -1 : 1))
  return {
    nodes,
    roles: roles.map(({ role, assumed, kinds }) => ({
      role,
      assumed,
      share: share(
        mesh.nodes
          .filter(({ kind }) => kinds.some((wanted) => wanted === kind))
          .reduce((sum, { id }) => sum + (work.get(id) ?? 0), 0),
      ),
    })),
    untimed,
  }
}
