import { isAsked, type Loaded } from '../load.ts'
import { type MeshElement, type MeshNode, nodesById, whyNoLimit } from '../model.ts'
import { largestBatch, perMessage } from '../static/batches.ts'
import type { Rates } from '../static/rates.ts'
import { attemptsOver } from '../static/tries.ts'
import { type Capacity, late, most } from './failing.ts'
import { limitSites } from './limited.ts'
import { emptySite, type Inflow, type Site, unlimited } from './site.ts'

/** Every node that handles something, and behind them every limit that several of them share. */
export function sitesOf(loaded: Loaded, { rates, complete }: Rates): Site[] {
  const { mesh, states, streams, external, failures } = loaded
  const nodes = nodesById(mesh)
  const position = new Map<string, number>()
  const sites: Site[] = []
  const arriving = Map.groupBy(mesh.elements, ({ to }) => to)
  for (const node of mesh.nodes) {
    if (!handles(node)) continue
    position.set(node.id, sites.length)
    sites.push(siteOf(node, loaded, arriving.get(node.id) ?? []))
  }
  const inflowOf = new Map<string, Inflow>()
  const waited = new Set(mesh.elements.flatMap(({ kind, to }) => (kind === 'invoke' ? [to] : [])))
  const into = (element: MeshElement, to: MeshNode, rate: number, known: boolean) => {
    const site = sites[position.get(to.id) ?? -1]
    if (site === undefined) return
    site.complete &&= known
    const seen = inflowOf.get(element.id)
    if (seen !== undefined) seen.rate += rate
    else {
      const from = nodes.get(element.from)
      // who starts a machine without waiting has started it, whatever its states do then
      const goesOn = from?.kind === 'workflow' && !waited.has(from.id)
      const synchronous = !goesOn && (element.kind === 'invoke' || isAsked(element))
      const inflow: Inflow = {
        element,
        rate,
        attempts: attemptsOver(element, from),
        caller: synchronous ? (position.get(element.from) ?? null) : null,
        sender: element.kind === 'call' && element.carries ? (position.get(element.from) ?? null) : null,
        patience: patienceOf(element, from),
        cap: capOf(element, site),
      }
      inflowOf.set(element.id, inflow)
      site.inflows.push(inflow)
    }
  }
  for (const { element, from, to, gain } of streams) {
    const target = states[to]
    if (target !== undefined)
      into(element, target.node, (rates[from] ?? 0) * (gain ?? 0), complete[from] === true && gain !== null)
  }
  states.forEach(({ node }, state) => {
    const site = sites[position.get(node.id) ?? -1]
    if (site !== undefined && external[state] === null) site.complete = false
    const rate = external[state] ?? 0
    if (site !== undefined && rate > 0) site.inflows.push(fromOutside(node, rate))
  })
  for (const site of sites) site.inflows = site.inflows.filter(({ rate }) => rate > 0)
  limitSites(sites, loaded, rates)
  sites.forEach((site, place) => {
    const handled = site.inflows.reduce((sum, { rate }) => sum + rate, 0)
    const refuses = site.capacity.tokensOver === 'refuse' && Number.isFinite(site.capacity.tokens)
    for (const inflow of site.inflows) {
      const { caller, attempts, rate } = inflow
      if (!refuses) inflow.sender = null
      const from = caller ?? inflow.sender
      const asking = from === null ? undefined : sites[from]
      const sent = asking?.inflows.reduce((sum, each) => sum + each.rate, 0) ?? 0
      if (asking !== undefined && sent > 0 && handled > 0)
        asking.asks.push({ site: place, calls: rate / sent, attempts, sent: caller === null })
    }
  })
  for (const site of sites) {
    site.fails = failures.get(site.at) ?? site.fails
    site.can = most(site.capacity)
    const pulled = site.inflows.reduce((sum, { cap }) => sum + cap, 0)
    if (!holdsBack(site, pulled)) continue
    // nothing is refused or late: what is beyond waits in the queue, or comes back to it
    site.held = true
    site.can = Math.min(site.can, pulled)
    Object.assign(site.capacity, { servers: unlimited, tokens: unlimited })
  }
  return sites
}

/**
 * Whether a site gets no more than it can do, whatever fails. That is so where all that comes is pulled, and whoever pulls
 * has no more servers than the site, is the site's own code, or is refused what is beyond: Lambda's pollers slow down then,
 * and the message is hidden until its visibility ends, so that what is refused costs no work. Pollers with more servers than
 * one that lets them wait push: what waits there is late.
 */
function holdsBack({ inflows, can, capacity }: Site, pulled: number): boolean {
  if (inflows.length === 0 || inflows.some(({ element }) => element.kind !== 'poll')) return false
  const refuses = capacity.over === 'refuse' && capacity.tokensOver === 'refuse'
  return refuses || pulled <= can * (1 + 1e-9) || inflows.every(({ element }) => element.laws.length === 0)
}

const handles = ({ kind, laws }: MeshNode): boolean =>
  kind === 'function' ||
  kind === 'task' ||
  kind === 'service' ||
  laws.some(({ law }) => law === 'servers' || law === 'tokens')

/**
 * Near its limit messages wait, and whoever polls brings full batches: what one takes of them is what counts. Of what is
 * called, or polled by several, that is the least full of these.
 */
function siteOf(node: MeshNode, { occupancy }: Loaded, arriving: readonly MeshElement[]): Site {
  const times = occupancy.get(node.id)
  const bringing = arriving.filter(({ kind }) => kind === 'poll' || kind === 'invoke' || kind === 'delivery')
  const full = bringing.length === 0 ? 1 : Math.min(...bringing.map(largestBatch))
  const capacity: Capacity = {
    servers: unlimited,
    over: 'wait',
    mean: times === undefined ? null : perMessage(times, full).most,
    scv: times?.scv ?? 1,
    tokens: unlimited,
    tokensOver: 'refuse',
  }
  const why = whyNoLimit(node)
  return {
    ...emptySite(node.id, node.name, capacity),
    ended: node.kind === 'function' ? late({ ...capacity, over: 'refuse' }, 0, node.settings.timeout) : 0,
    notes: why === undefined ? [] : [why],
  }
}

function patienceOf(element: MeshElement, from: MeshNode | undefined): number {
  if (element.kind === 'invoke') return element.timeout
  if (element.kind === 'poll' && from?.kind === 'queue' && from.settings.visibility > 0)
    return from.settings.visibility
  return unlimited
}

/** What a poll has servers for, as attempts a second. */
function capOf(element: MeshElement, { capacity: { mean } }: Site): number {
  if (element.kind !== 'poll' || mean === null || mean === 0) return unlimited
  let cap = unlimited
  for (const law of element.laws) {
    if (law.law === 'servers') cap = Math.min(cap, law.servers / mean)
    if (law.law === 'scaling') cap = Math.min(cap, law.most / mean)
  }
  return cap
}

/** Who comes from outside and tries again is not known: counted as one attempt. */
const fromOutside = (node: MeshNode, rate: number): Inflow => ({
  element: {
    kind: 'dead-letter',
    id: `door:${node.id}`,
    from: 'outside',
    to: node.id,
    types: null,
    provenance: 'declared',
    laws: [],
    of: '',
  },
  rate,
  attempts: 1,
  caller: null,
  sender: null,
  patience: node.kind === 'api' ? node.settings.timeout : unlimited,
  cap: unlimited,
})
