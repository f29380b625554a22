import { isShared } from '../laws/limits.ts'
import type { Loaded } from '../load.ts'
import type { MeshNode } from '../model.ts'
import type { Demands } from '../static/demand.ts'
import type { Stress } from '../static/stress.ts'

export type Recovery = { seconds: number | null; why: string | null; endless?: true }

/**
 * The largest part used of the limits of each node, of those that it shares, and of what brings its messages;
 * by the node's place in the mesh. NaN: not known.
 */
export function usedOf(
  { mesh, service }: Loaded,
  demands: Demands,
  stresses: readonly Stress[],
): Float64Array {
  const at = new Map<string, number>()
  for (const { at: id, utilisation } of stresses) at.set(id, Math.max(at.get(id) ?? 0, utilisation))
  const arriving = Map.groupBy(mesh.elements, ({ to }) => to)
  const part = (node: MeshNode): number => {
    const demand = demands.ofNode(node.id)
    const works = node.kind === 'function' || node.kind === 'service'
    if (!demand.complete || (works && demand.messages > 0 && !service.has(node.id))) return Number.NaN
    const own = [
      node.id,
      ...node.laws.filter(isShared).map(({ shared }) => shared),
      ...(arriving.get(node.id) ?? []).map(({ id }) => id),
    ]
    return own.reduce((most, id) => Math.max(most, at.get(id) ?? 0), 0)
  }
  return Float64Array.from(mesh.nodes, part)
}

/**
 * After an outage λW messages wait, those of the last W seconds that are not given up yet, and μ - λ of each second are left
 * for them: W·ρ/(1 - ρ) with ρ = λ/μ. Of those that their retention ends it is the most: more of them expire as they
 * wait. NaN: ρ is not known; Infinity: there is no spare capacity.
 */
export const recoveryAfter = (waited: number, used: number): number =>
  used >= 1 ? Number.POSITIVE_INFINITY : (waited * used) / (1 - used)

/** By the slowest of what stood still. `unknown`: the name of a node whose limit nobody knows. */
export function recoveryFrom(seconds: number, unknown: string | undefined): Recovery {
  if (seconds === Number.POSITIVE_INFINITY)
    return { seconds: null, why: 'there is no spare capacity', endless: true }
  if (unknown !== undefined)
    return { seconds: null, why: `the rate or the service time of ${unknown} is not known` }
  return { seconds, why: null }
}
