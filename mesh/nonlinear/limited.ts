import {
  isLimit,
  isShared,
  isUncounted,
  type Limiting,
  poolOf,
  type Shared,
  type Use,
  workOf,
} from '../laws/limits.ts'
import { isAsked, type Loaded } from '../load.ts'
import type { Service } from '../loads.ts'
import { type MeshElement, type MeshNode, nodesById } from '../model.ts'
import type { Capacity } from './failing.ts'
import { emptySite, type Site, unlimited } from './site.ts'

/** Gives each site what limits it, and adds a site for each limit that several share. */
export function limitSites(
  sites: Site[],
  { mesh, streams, occupancy }: Loaded,
  rates: readonly number[],
): void {
  const nodes = nodesById(mesh)
  const delivered = new Map<string, number>()
  for (const { element, from, gain } of streams)
    if (element.kind === 'delivery')
      delivered.set(element.from, (delivered.get(element.from) ?? 0) + (rates[from] ?? 0) * (gain ?? 0))
  const pools = new Map<string, number>()
  sites.slice().forEach((site, member) => {
    const { laws = [], kind } = nodes.get(site.at) ?? {}
    const use = useOf(site, occupancy.get(site.at), delivered.get(site.at) ?? 0, nodes)
    // what is in flight of a queue is a limit of those who poll it
    for (const law of laws.filter((each) => kind !== 'queue' || each.law !== 'servers').filter(isLimit)) {
      const work = workOf(law, use)
      if (work === null && site.notes.length === 0) site.notes.push(untimed)
      if (!isShared(law)) limitBy(site.capacity, law, work)
      else if (work !== null && work > 0 && site.inflows.length > 0)
        shareIn({ sites, pools }, { site, member, law, work })
    }
  })
}

const untimed = 'nobody has said how long one takes: its servers are no limit here'

/** What an attempt at a site asks of its limits, as its inflows are mixed at the load factor 1. */
function useOf(
  { inflows, capacity }: Site,
  times: Service | undefined,
  delivered: number,
  nodes: ReadonlyMap<string, MeshNode>,
): Use {
  const requests = 1 / (times?.batch ?? 1)
  const handled = inflows.reduce((sum, { rate }) => sum + rate, 0) || 1
  const part = (of: (element: MeshElement) => boolean) =>
    inflows.reduce((sum, { element, rate }) => sum + (of(element) ? rate : 0), 0) / handled
  return {
    attempts: 1,
    requests,
    busy: times === undefined ? null : requests * times.mean,
    full: capacity.mean,
    reads: part(isAsked),
    deliveries: delivered / handled,
    uncounted:
      requests * part((element) => isUncounted(element, nodes.get(element.from), nodes.get(element.to))),
  }
}

/** `work`: of an attempt; of servers it is the capacity's own mean. */
function limitBy(capacity: Capacity, law: Limiting, work: number | null): void {
  if (law.law === 'servers' && law.servers < capacity.servers)
    Object.assign(capacity, { servers: law.servers, over: law.over })
  if (law.law === 'tokens' && law.rate / (work ?? 0) < capacity.tokens)
    Object.assign(capacity, { tokens: law.rate / (work ?? 0), tokensOver: law.over })
}

/** Puts a site among those that share a limit, which is a site of its own. */
function shareIn(
  { sites, pools }: { sites: Site[]; pools: Map<string, number> },
  { site, member, law, work }: { site: Site; member: number; law: Shared; work: number },
): void {
  const key = poolOf(law)
  const pool = pools.get(key) ?? sites.push(siteOfPool(law)) - 1
  pools.set(key, pool)
  sites[pool]?.members.push(member)
  site.pools.push({ pool, work })
}

/** Attempts at a pool are work: busy servers, each of one second, or tokens. */
function siteOfPool(law: Shared): Site {
  const capacity: Capacity =
    law.law === 'servers'
      ? { servers: law.servers, over: law.over, mean: 1, scv: 1, tokens: unlimited, tokensOver: 'refuse' }
      : { servers: unlimited, over: 'wait', mean: null, scv: 1, tokens: law.rate, tokensOver: law.over }
  return emptySite(law.shared, law.shared, capacity)
}
