import { isOne, type Measure } from '../queueing/station.ts'
import type { State } from './measure-stations.ts'
import type { Network, NetworkNode } from './network.ts'

/** A node with what comes to it. */
type Seen = {
  name: string
  node: NetworkNode
  services: { mean: number; scv: number }[]
  saturated: boolean
  /** whether somebody comes back at once */
  again: boolean
  /** other nodes, to which something goes from here */
  next: readonly string[]
  /** what comes from outside */
  poisson: boolean
  /** something that comes is turned away, or piles up */
  thins: boolean
}

/**
 * Why the numbers of a node are no exact ones, by its name; who is not there has exact ones. Exact is what is proven for the
 * station when its arrivals are Poisson; and these are so when all that leads to it begins Poisson and passes nodes alone
 * that keep it so (BCMP; Burke 1956): exponential queues of services alike, processor sharing, delays.
 */
export function approximations(
  network: Network,
  states: readonly State[],
  measures: readonly Measure[],
): Map<string, string> {
  const seen = seenIn(network, states, measures)
  const bursts = reachedFrom(seen, (one) => !one.poisson || !keepsPoisson(one))
  const whys = new Map<string, string>()
  for (const one of seen.values()) {
    if (one.services.length === 0 || one.node.discipline === 'delay') continue
    const arrivals = arrivalsWhy(one, seen.get(bursts.get(one.name) ?? ''))
    const why = arrivals === undefined ? stationWhy(one) : arrivals + asExponential(one)
    if (why !== undefined) whys.set(one.name, why)
  }
  // a delay holds as many as come for as long as they stay, however they come
  const thinned = reachedFrom(seen, ({ name, thins }) => thins && whys.has(name))
  for (const { name, node, services } of seen.values()) {
    const by = thinned.get(name)
    if (services.length > 0 && node.discipline === 'delay' && by !== undefined)
      whys.set(name, `how much ${by} lets through is approximate`)
  }
  return whys
}

/** To which nodes something comes from one of those asked for, and from which. */
function reachedFrom(
  seen: ReadonlyMap<string, Seen>,
  isAsked: (one: Seen) => boolean,
): ReadonlyMap<string, string> {
  const reached = new Map<string, string>()
  const spread = (from: Seen, source: string) => {
    for (const name of from.next) if (!reached.has(name)) reached.set(name, source)
  }
  for (const one of seen.values()) if (isAsked(one)) spread(one, one.name)
  for (const [name, source] of reached) {
    const one = seen.get(name)
    if (one !== undefined) spread(one, source)
  }
  return reached
}

function seenIn(network: Network, states: readonly State[], measures: readonly Measure[]): Map<string, Seen> {
  const comes = new Set(
    states.flatMap(({ node, kind }, state) =>
      (measures[state]?.arrivalRate ?? 0) > 0 ? [JSON.stringify([node, kind])] : [],
    ),
  )
  const used = network.routes.filter((route) => comes.has(JSON.stringify([route.from, route.class])))
  const next = Map.groupBy(used, ({ from }) => from)
  const here = Map.groupBy(states.keys(), (state) => states[state]?.node ?? '')
  const outside = Map.groupBy(network.arrivals, ({ node }) => node)
  return new Map(
    Object.entries(network.nodes).map(([name, node]) => {
      const places = here.get(name) ?? []
      const saturated = places.some((state) => measures[state]?.number === null)
      return [
        name,
        {
          name,
          node,
          services: places.flatMap((state) => {
            const { demand } = states[state] ?? {}
            return demand !== undefined && (measures[state]?.arrivalRate ?? 0) > 0 ? [demand] : []
          }),
          saturated,
          again: (next.get(name) ?? []).some(({ to }) => to === name),
          next: (next.get(name) ?? []).map(({ to }) => to).filter((to) => to !== name),
          poisson: (outside.get(name) ?? []).every(({ scv }) => isOne(scv)),
          thins: node.discipline === 'loss' || node.buffer !== null || saturated,
        },
      ]
    }),
  )
}

/** Why what comes is not Poisson; `source`: where it comes by that does not keep it so. */
function arrivalsWhy({ name, poisson }: Seen, source: Seen | undefined): string | undefined {
  if (!poisson) return 'of its arrivals two moments are known'
  if (source === undefined) return undefined
  if (!source.poisson) return `of the arrivals at ${source.name} two moments are known`
  return source.name === name
    ? 'what comes back to it is not Poisson, and is taken by two moments'
    : `what comes by way of ${source.name} is not Poisson, and is taken by two moments`
}

const keepsPoisson = ({ node, services, thins }: Seen): boolean =>
  !thins && (node.discipline !== 'fifo' || alike(services))

/** Exponential services that are the same for all classes. */
const alike = (services: Seen['services']): boolean =>
  services.every(({ mean, scv }) => isOne(scv) && Math.abs(mean / (services[0]?.mean ?? mean) - 1) < 1e-12)

/** What else is approximate at the few places of those who share, when arrivals are. */
const asExponential = ({ node, services }: Seen): string =>
  node.discipline === 'ps' && node.buffer !== null && !services.every(({ scv }) => isOne(scv))
    ? '; at few places its services are taken as exponential'
    : ''

/** Why the formula of a station is none that is proven, were its arrivals Poisson. */
function stationWhy({ node, services, saturated, again }: Seen): string | undefined {
  const { discipline, servers, buffer } = node
  const same = alike(services)
  const several = again && services.length > 1
  if (discipline === 'ps' && saturated && !services.every(({ scv }) => scv === 0 || isOne(scv)))
    return 'of the services of those who pile up two moments are known'
  const finite = buffer !== null || discipline === 'loss'
  if (finite && several) return 'who comes back at once is taken as any of its classes'
  if (discipline !== 'fifo' || buffer === 0 || same || saturated) return undefined
  if (several) return 'who comes back at once is taken as any of its classes'
  if (buffer !== null) {
    const known = servers === 1 && !again && services.every(({ scv }) => scv === 0 || isOne(scv))
    return known ? undefined : 'of its services two moments are known'
  }
  return servers === 1 ? undefined : 'of its services two moments are known (Allen-Cunneen)'
}
