import { isLimit, isShared, type Limiting, poolOf, unitOf } from '../laws/limits.ts'
import type { Loaded } from '../load.ts'
import { isOff, type Law, type MeshElement, type MeshNode, offSays } from '../model.ts'
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
export type Unavailable = { at: string; name: string; unit: string; why: string }

/** Every limit of every node and element against what is asked of it, the most used first. */
export function stressesOf(
  loaded: Loaded,
  demands: Demands,
): { stresses: Stress[]; unavailable: Unavailable[] } {
  const { stresses, unavailable } = stressesIn(loaded)(demands)
  return {
    stresses: stresses.toSorted((a, b) => b.utilisation - a.utilisation || (a.at < b.at ? -1 : 1)),
    unavailable,
  }
}

/** The same for many demands of one mesh, in no order. */
export function stressesIn({
  mesh,
}: Loaded): (demands: Demands) => { stresses: Stress[]; unavailable: Unavailable[] } {
  const leaving = Map.groupBy(mesh.elements, ({ from }) => from)
  const entering = Map.groupBy(mesh.elements, ({ to }) => to)
  const names = new Map(mesh.nodes.map((node) => [node.id, node]))
  const limitedNodes = mesh.nodes.filter(({ laws }) => laws.some(isLimit))
  const off = mesh.nodes.filter(isOff)
  const limitedElements = mesh.elements
    .filter(({ laws }) => laws.some(isLimit))
    .map((element) => ({ element, name: nameOf(element, names) }))
  return (demands) => {
    const stresses: Stress[] = []
    const unavailable = switchedOff(off, demands)
    const shared = new Map<string, Sharers>()
    const judge = (of: { at: string; name: string }, law: Law, demand: Demand, beside: Beside) => {
      const asked = askedOf(law, demand, beside)
      if (asked === undefined) return
      if (asked === null) {
        if (demand.messages > 0)
          unavailable.push({ ...of, unit: unitOf(law), why: 'nobody has said how long one takes' })
        return
      }
      if (!isShared(law)) {
        stresses.push({ ...stressOf(of, law, asked, demand.complete), ...leastOf(law, demand, beside) })
        return
      }
      const key = poolOf(law)
      const group = shared.get(key) ?? { law, name: law.shared, asked: 0, complete: true }
      group.asked += asked
      group.complete &&= demand.complete
      shared.set(key, group)
    }
    for (const node of limitedNodes) {
      const demand = demands.ofNode(node.id)
      const out = leaving.get(node.id) ?? []
      const into = entering.get(node.id) ?? []
      const beside: Beside = {
        deliveries: messagesOver(out, (element) => element.kind === 'delivery', demands),
        writes: messagesOver(into, (element) => element.kind !== 'call' || element.carries, demands),
        reads: messagesOver(into, (element) => element.kind === 'call' && !element.carries, demands),
        inFlight: node.kind === 'queue' ? inFlight(out, demands) : undefined,
      }
      for (const law of node.laws) judge({ at: node.id, name: node.name }, law, demand, beside)
    }
    for (const { element, name } of limitedElements)
      for (const law of element.laws) judge({ at: element.id, name }, law, demands.ofElement(element.id), {})
    for (const { law, name, asked, complete } of shared.values())
      stresses.push(stressOf({ at: name, name }, law, asked, complete))
    return { stresses, unavailable }
  }
}

const switchedOff = (off: readonly MeshNode[], demands: Demands): Unavailable[] =>
  off
    .filter(({ id }) => demands.ofNode(id).messages > 0)
    .map(({ id, name }) => ({ at: id, name, unit: 'servers', why: offSays }))

type Sharers = { law: Limiting; name: string; asked: number; complete: boolean }

export const nameOf = (element: MeshElement, nodes: ReadonlyMap<string, MeshNode>): string =>
  `${nodes.get(element.from)?.name ?? element.from} → ${nodes.get(element.to)?.name ?? element.to}`

/** What a node is asked beside handling what comes, messages per second; of a queue, how many are being handled. */
type Beside = {
  deliveries?: number
  writes?: number
  reads?: number
  inFlight?: number | undefined
}

const messagesOver = (
  elements: readonly MeshElement[],
  wanted: (element: MeshElement) => boolean,
  demands: Demands,
): number => elements.filter(wanted).reduce((sum, { id }) => sum + demands.ofElement(id).messages, 0)

/** Messages that consumers have taken and not yet deleted: as many as their busy servers have in hand. */
function inFlight(out: readonly MeshElement[], demands: Demands): number {
  return out
    .filter(({ kind }) => kind === 'poll')
    .map(({ id }) => demands.ofElement(id))
    .reduce(
      (sum, { busy, attempts, requests }) => sum + (requests === 0 ? 0 : ((busy ?? 0) * attempts) / requests),
      0,
    )
}

/** undefined: no limit; null: not known. */
function askedOf(law: Law, demand: Demand, beside: Beside): number | null | undefined {
  // of what is shared others have a part that they do not give up before it is all used
  if (law.law === 'servers')
    return beside.inFlight ?? (law.shared === undefined ? (demand.full?.most ?? null) : demand.busy)
  if (law.law !== 'tokens') return undefined
  switch (law.unit) {
    case 'deliveries':
      return beside.deliveries ?? demand.messages
    case 'writes':
      return beside.writes ?? demand.messages
    case 'reads':
      return beside.reads ?? demand.messages
    case 'messages':
      return demand.attempts
    default:
      return demand.requests
  }
}

/** Of servers, where it is not known what a message takes of an invocation. */
function leastOf(law: Law, { full }: Demand, { inFlight }: Beside): { least?: number } {
  if (law.law !== 'servers' || full === null || inFlight !== undefined) return {}
  return full.least < full.most * (1 - 1e-9) ? { least: full.least / law.servers } : {}
}

function stressOf(of: { at: string; name: string }, law: Law, demand: number, complete: boolean): Stress {
  const limit =
    law.law === 'servers' ? law.servers : law.law === 'tokens' ? law.rate : Number.POSITIVE_INFINITY
  return {
    ...of,
    unit: unitOf(law),
    demand,
    limit,
    utilisation: demand / limit,
    safety: demand === 0 ? null : limit / demand,
    over: law.law === 'servers' || law.law === 'tokens' ? law.over : 'wait',
    from: law.from,
    complete,
  }
}
