import { type SinglePoint, singlePointsOf } from '../fracture/points.ts'
import type { Loaded } from '../load.ts'
import {
  type ElementKind,
  type ElementOf,
  type Mesh,
  type MeshElement,
  type MeshNode,
  type NodeKind,
  type NodeOf,
  nameOf,
  nodesById,
} from '../model.ts'
import { type Demands, demandsOf } from '../static/demand.ts'
import { type Rates, ratesOf } from '../static/rates.ts'
import { type Stress, stressesOf } from '../static/stress.ts'
import { type ConstantName, constantsWith } from './constants.ts'
import type { BareFinding } from './finding.ts'

/** What rules look at: the mesh by its ends, and what the loads make of it. */
export type Facts = {
  loaded: Loaded
  mesh: Mesh
  constant: (name: ConstantName) => number
  node: (id: string) => MeshNode | undefined
  nodes: <Kind extends NodeKind>(kind: Kind) => NodeOf<Kind>[]
  elements: <Kind extends ElementKind>(kind: Kind) => ElementOf<Kind>[]
  leaving: <Kind extends ElementKind>(id: string, kind: Kind) => ElementOf<Kind>[]
  arriving: <Kind extends ElementKind>(id: string, kind: Kind) => ElementOf<Kind>[]
  /** whether what leaves it over the element is switched on */
  live: (element: MeshElement) => boolean
  /** whether a queue keeps what failed elsewhere */
  keepsFailures: (queue: NodeOf<'queue'>) => boolean
  watched: (id: string) => readonly string[]
  nameOf: (element: MeshElement) => string
  rates: Rates
  demands: Demands
  stresses: readonly Stress[]
  points: readonly SinglePoint[]
}

export type Rule = (facts: Facts) => Iterable<BareFinding>

export function factsOf(loaded: Loaded): Facts {
  const { mesh, constants } = loaded
  const byId = nodesById(mesh)
  const from = Map.groupBy(mesh.elements, (element) => element.from)
  const to = Map.groupBy(mesh.elements, (element) => element.to)
  const rates = ratesOf(loaded)
  const demands = demandsOf(loaded, rates)
  return {
    loaded,
    mesh,
    constant: constantsWith(constants),
    node: (id) => byId.get(id),
    nodes: (kind) => mesh.nodes.filter((node) => isNode(node, kind)),
    elements: (kind) => mesh.elements.filter((element) => isElement(element, kind)),
    leaving: (id, kind) => (from.get(id) ?? []).filter((element) => isElement(element, kind)),
    arriving: (id, kind) => (to.get(id) ?? []).filter((element) => isElement(element, kind)),
    live: (element) => isLive(element, byId.get(element.from)),
    keepsFailures: ({ id, settings }) =>
      settings.deadLetters || (to.get(id) ?? []).some(({ kind }) => kind === 'dead-letter'),
    watched: (id) => mesh.watched[id] ?? [],
    nameOf: (element) => nameOf(element, byId),
    rates,
    demands,
    stresses: stressesOf(loaded, demands).stresses,
    points: singlePointsOf(loaded),
  }
}

function isNode<Kind extends NodeKind>(node: MeshNode, kind: Kind): node is NodeOf<Kind> {
  return node.kind === kind
}

function isElement<Kind extends ElementKind>(element: MeshElement, kind: Kind): element is ElementOf<Kind> {
  return element.kind === kind
}

function isLive(element: MeshElement, from: MeshNode | undefined): boolean {
  if (element.kind === 'poll') return element.enabled
  return from?.kind === 'rule' || from?.kind === 'schedule' ? from.settings.enabled : true
}

/** How many at once all of these can start; of which nobody has said, none. */
export function concurrencyOf(elements: readonly MeshElement[]): number {
  const limits = elements.map(({ laws }) =>
    laws.flatMap((law) => (law.law === 'servers' ? [law.servers] : law.law === 'scaling' ? [law.most] : [])),
  )
  return limits.reduce((sum, own) => sum + (own.length === 0 ? 0 : Math.min(...own)), 0)
}
