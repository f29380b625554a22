import { isLimit, isShared, type Limiting, poolOf, unitOf } from '../laws/limits.ts'
import type { Loaded } from '../load.ts'
import type { MeshNode } from '../model.ts'
import type { Demands } from '../static/demand.ts'
import type { Asked, Stress } from '../static/stress.ts'

export type Recovery = { seconds: number | null; why: string | null; endless?: true }

/** A limit that what waits has to pass: how much of it is used, and the part of that which is of one node or element. */
export type Passed = { limit: string; used: number; part: number }

/** What of a mesh what waits at a node passes afterwards. */
export type Passing = {
  /** of each node, by its place in the mesh, its limits and those that it shares; undefined: not known */
  nodes: readonly (readonly Passed[] | undefined)[]
  /** of each element that has limits, by its id */
  elements: ReadonlyMap<string, readonly Passed[]>
  /** elements by which somebody sends or asks, who fails with what that gets to */
  calls: ReadonlySet<string>
}

export function passingOf(
  { mesh, service }: Loaded,
  { demands, stresses, asked }: { demands: Demands; stresses: readonly Stress[]; asked: Asked },
): Passing {
  const stressAt = new Map(stresses.map((stress) => [`${stress.at} ${stress.unit}`, stress]))
  const passed = (law: Limiting, id: string): Passed[] => {
    const limit = isShared(law) ? poolOf(law) : `${id} ${unitOf(law)}`
    const stress = stressAt.get(limit)
    if (stress === undefined || stress.demand === 0) return []
    const part = isShared(law) ? (asked.get(limit)?.get(id) ?? stress.demand) / stress.demand : 1
    return [{ limit, used: stress.utilisation, part }]
  }
  const ofNode = (node: MeshNode): readonly Passed[] | undefined => {
    const demand = demands.ofNode(node.id)
    const works = node.kind === 'function' || node.kind === 'service'
    if (!demand.complete || (works && demand.messages > 0 && !service.has(node.id))) return undefined
    return node.laws.filter(isLimit).flatMap((law) => passed(law, node.id))
  }
  const limited = mesh.elements.filter(({ laws }) => laws.some(isLimit))
  return {
    nodes: mesh.nodes.map(ofNode),
    elements: new Map(
      limited.map(({ id, laws }) => [id, laws.filter(isLimit).flatMap((law) => passed(law, id))]),
    ),
    calls: new Set(
      mesh.elements.flatMap(({ id, kind }) => (kind === 'call' || kind === 'invoke' ? [id] : [])),
    ),
  }
}

/**
 * After an outage λᵢW messages wait, those of the last W seconds of what stood still that are not given up yet, and μ - λ of
 * each second are left for them: Wρ/(1 - ρ) · λᵢ/λ with ρ = λ/μ. Of those that their retention ends it is the most: more of
 * them expire as they wait. Infinity: there is no spare capacity. `waited`: W · λᵢ/λ.
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
