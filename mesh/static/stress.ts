import {
  isLimit,
  isShared,
  isUncounted,
  type Limiting,
  poolOf,
  type Use,
  unitOf,
  workOf,
} from '../laws/limits.ts'
import type { Loaded } from '../load.ts'
import { type MeshElement, type MeshNode, type NodeOf, nameOf, nodesById, whyNoLimit } from '../model.ts'
import type { Demand, Demands } from './demand.ts'

/** How much of one limit is used. */
export type Stress = {
  /** node or element */
  at: string
  name: string
  /** what is limited: `servers`, or the unit of a rate */
  unit: string
  demand: number
  limit: number
  /** demand / limit */
  utilisation: number
  /**
   * utilisation at least, where it is not known what a message takes of an invocation: if one took as long with however
   * many messages, for batches fill while messages wait
   */
  least?: number
  /** limit / demand: by how much the load may grow; null: there is no demand */
  safety: number | null
  /** beyond the limit: waits, is refused, or is delayed */
  over: 'wait' | 'refuse' | 'delay'
  /** who says what the limit is */
  from: string
  /** whether the demand is known whole; else it is the least that it can be */
  complete: boolean
}

/** A limit that cannot be compared with a demand, and why. */
type Unavailable = { at: string; name: string; unit: string; why: string }

/** Of each limit that is shared (`poolOf`), what each who shares it asks of it beyond its own, by id. */
export type Asked = ReadonlyMap<string, ReadonlyMap<string, number>>

/** Every limit of every node and element against what is asked of it, the most used first. */
export function stressesOf(
  loaded: Loaded,
  demands: Demands,
): { stresses: Stress[]; unavailable: Unavailable[]; asked: Asked } {
  const { stresses, unavailable, shared } = stressesIn(loaded)(demands)
  return {
    stresses: stresses.toSorted((a, b) => b.utilisation - a.utilisation || (a.at < b.at ? -1 : 1)),
    unavailable,
    asked: new Map(
      [...shared].map(([pool, { parts }]) => [
        pool,
        new Map(parts.map((part) => [part.id, beyondOwn(part)])),
      ]),
    ),
  }
}

/** The same for many demands of one mesh, in no order. */
export function stressesIn({ mesh }: Loaded): (demands: Demands) => {
  stresses: Stress[]
  unavailable: Unavailable[]
  shared: ReadonlyMap<string, Sharers>
} {
  const leaving = Map.groupBy(mesh.elements, ({ from }) => from)
  const entering = Map.groupBy(mesh.elements, ({ to }) => to)
  const nodes = nodesById(mesh)
  const limitedNodes = mesh.nodes.filter(({ laws }) => laws.some(isLimit))
  const unlimited = mesh.nodes.filter((node) => whyNoLimit(node) !== undefined)
  const limitedElements = mesh.elements
    .filter(({ laws }) => laws.some(isLimit))
    .map((element) => ({ element, name: nameOf(element, nodes) }))
  return (demands) => {
    const stresses: Stress[] = []
    const unavailable = withoutLimit(unlimited, demands)
    const shared = new Map<string, Sharers>()
    // of what it delivers, each target that nobody knows the part of may take more
    const isWhole = (law: Limiting, { complete, messages }: Demand, { out = [] }: Named): boolean =>
      complete &&
      (unitOf(law) !== 'deliveries' ||
        messages === 0 ||
        out.every(({ kind, id }) => kind !== 'delivery' || demands.ofElement(id).complete))
    const judge = (node: Named, law: Limiting, demand: Demand, use: Use, why = untimed) => {
      const of = { at: node.id, name: node.name }
      const asked = workOf(law, use)
      if (asked === null) {
        if (demand.messages > 0) unavailable.push({ ...of, unit: unitOf(law), why })
        return
      }
      if (!isShared(law)) {
        stresses.push({
          ...stressOf(of, law, asked, isWhole(law, demand, node)),
          ...leastOf(law, demand, use),
        })
        return
      }
      const key = poolOf(law)
      const group = shared.get(key) ?? { law, name: law.shared, parts: [], complete: true }
      group.parts.push({ id: node.id, asked, own: (law.law === 'servers' && node.own) || 0 })
      group.complete &&= isWhole(law, demand, node)
      shared.set(key, group)
    }
    for (const node of limitedNodes) {
      const demand = demands.ofNode(node.id)
      const out = leaving.get(node.id) ?? []
      const use = useOf(
        demand,
        deliveredBy(out, demands),
        (entering.get(node.id) ?? []).reduce(
          (sum, element) =>
            sum +
            (isUncounted(element, nodes.get(element.from), node)
              ? demands.ofElement(element.id).requests
              : 0),
          0,
        ),
      )
      const flying = node.kind === 'queue' ? inFlight(node, out, demands) : undefined
      const named = { id: node.id, name: node.name, own: ownOf(node), out }
      for (const law of node.laws.filter(isLimit))
        if (flying === undefined || law.law !== 'servers') judge(named, law, demand, use)
        else judge(named, law, demand, { ...use, busy: flying, full: flying }, `${untimed} that polls it`)
    }
    for (const { element, name } of limitedElements)
      for (const law of element.laws.filter(isLimit)) {
        const demand = demands.ofElement(element.id)
        judge({ id: element.id, name }, law, demand, useOf(demand, demand.messages))
      }
    for (const { law, name, parts, complete } of shared.values()) {
      const stress = stressOf({ at: name, name }, law, allBeyondOwn(parts), complete)
      stresses.push({ ...stress, safety: growth(parts, stress) })
    }
    return { stresses, unavailable, shared }
  }
}

const withoutLimit = (nodes: readonly MeshNode[], demands: Demands): Unavailable[] =>
  nodes
    .filter(({ id }) => demands.ofNode(id).messages > 0)
    .map((node) => ({ at: node.id, name: node.name, unit: 'servers', why: whyNoLimit(node) ?? '' }))

const untimed = 'nobody has said how long one takes'

type Named = { id: string; name: string; own?: number; out?: readonly MeshElement[] }
const ownOf = (node: MeshNode): number => (node.kind === 'function' && node.settings.provisioned) || 0

/** What each asks for, and what of it the account keeps for it alone: environments that are provisioned. */
type Part = { id: string; asked: number; own: number }
type Sharers = { law: Limiting; name: string; parts: Part[]; complete: boolean }

const beyondOwn = ({ asked, own }: Part): number => Math.max(0, asked - own)
const allBeyondOwn = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + beyondOwn(part), 0)

/** By how much the load may grow until all of a shared limit is used, where what is one's own is used up first. */
function growth(parts: readonly Part[], { limit, safety }: Stress): number | null {
  const asking = parts.filter(({ asked }) => asked > 0)
  if (asking.every(({ own }) => own === 0)) return safety
  const from = asking.toSorted((a, b) => a.own / a.asked - b.own / b.asked)
  let [slope, own] = [0, 0]
  for (const [index, part] of from.entries()) {
    slope += part.asked
    own += part.own
    const next = from[index + 1]
    if (next === undefined || slope * (next.own / next.asked) - own >= limit) break
  }
  return slope === 0 ? null : (limit + own) / slope
}

/** What comes to a node or an element, as what it asks of a limit. */
const useOf = (demand: Demand, deliveries: number, uncounted = 0): Use => ({
  ...demand,
  full: demand.full?.most ?? null,
  deliveries,
  uncounted,
})

const deliveredBy = (elements: readonly MeshElement[], demands: Demands): number =>
  elements.reduce((sum, { kind, id }) => sum + (kind === 'delivery' ? demands.ofElement(id).messages : 0), 0)

/**
 * Messages that those who poll a queue have taken and not yet deleted: what is being handled, and what failed up to the end
 * of its visibility. null: nobody has said how long one takes.
 */
function inFlight(
  { settings: { visibility } }: NodeOf<'queue'>,
  out: readonly MeshElement[],
  demands: Demands,
): number | null {
  let sum = 0
  for (const { kind, id } of out) {
    const { attempts, failing, requests, busy } = demands.ofElement(id)
    if (kind !== 'poll' || attempts === 0) continue
    if (busy === null) return null
    const seconds = busy / requests
    sum += (attempts - failing) * seconds + failing * Math.max(seconds, visibility)
  }
  return sum
}

/** Of servers, where it is not known what a message takes of an invocation. */
function leastOf(law: Limiting, { full }: Demand, use: Use): { least?: number } {
  if (law.law !== 'servers' || full === null || use.full !== full.most) return {}
  return full.least < full.most * (1 - 1e-9) ? { least: full.least / law.servers } : {}
}

function stressOf(
  of: { at: string; name: string },
  law: Limiting,
  demand: number,
  complete: boolean,
): Stress {
  const limit = law.law === 'servers' ? law.servers : law.rate
  return {
    ...of,
    unit: unitOf(law),
    demand,
    limit,
    utilisation: demand / limit,
    safety: demand === 0 ? null : limit / demand,
    over: law.over,
    from: law.from,
    complete,
  }
}
