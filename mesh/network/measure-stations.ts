import { MeshError } from '../faults.ts'
import { solveFlow } from '../linear/flow.ts'
import { type Demand, isOne, type Measure, measure, merged, mixed } from '../queueing/station.ts'
import type { Network, NetworkNode } from './network.ts'
import { arrivalVariability, type Through } from './variability.ts'

/** A class at a node. */
export type State = { node: string; kind: string; demand: { mean: number; scv: number } }

/** By the position of its states. */
type Route = { from: number; to: number; probability: number }

/** Every class at every node, given the rates that come; `passed` is the part of them that each lets through. */
export function measureStations(
  where: string,
  network: Network,
  states: readonly State[],
  routes: readonly Route[],
  rates: readonly number[],
  passed: readonly number[],
): Measure[] {
  const names = Object.keys(network.nodes)
  const nodes = Object.values(network.nodes)
  const place = new Map(names.map((name, index) => [name, index]))
  const nodeOf = states.map(({ node }) => place.get(node) ?? -1)
  const isBack = ({ from, to }: Route): boolean =>
    nodeOf[from] === nodeOf[to] && staysFor(nodes[nodeOf[from] ?? -1])
  const back = routes.filter(isBack)
  const streams = names.map(() => new Map<number, number>())
  const entering = rates.slice()
  const goes = ({ from, probability }: Route) => (rates[from] ?? 0) * (passed[from] ?? 1) * probability
  for (const route of routes) {
    const [i, j] = [nodeOf[route.from] ?? -1, nodeOf[route.to] ?? -1]
    if (isBack(route)) entering[route.to] = Math.max(0, (entering[route.to] ?? 0) - goes(route))
    else streams[i]?.set(j, (streams[i]?.get(j) ?? 0) + goes(route))
  }
  // how often those that enter are served, were nobody turned away
  const visits = solveFlow(
    states.length,
    back.map(({ from, to, probability }) => ({ from, to, gain: probability })),
    entering,
  ).rates
  const demands = names.map((): (Demand & { state: number })[] => [])
  states.forEach(({ demand }, state) => {
    const node = nodeOf[state] ?? -1
    const finite = nodes[node]?.discipline === 'loss' || nodes[node]?.buffer !== null
    const rate = (finite ? visits[state] : rates[state]) ?? 0
    demands[node]?.push({ state, ...demand, rate, returning: Math.max(0, rate - (entering[state] ?? 0)) })
  })
  const variability = arrivalVariability(
    nodes.map((node, index) => {
      const classes = demands[index] ?? []
      const served = classes.reduce((sum, { state }) => sum + (rates[state] ?? 0) * (passed[state] ?? 1), 0)
      return through(node, classes, served)
    }),
    {
      external: names.map((name) => outside(network, name)),
      internal: streams.map((stream) => [...stream].map(([to, rate]) => ({ to, rate }))),
    },
  )
  const measures: Measure[] = []
  nodes.forEach((node, index) => {
    const classes = demands[index] ?? []
    const found = countable(`${where}: nodes.${names[index]}.buffer`, () =>
      measure(node, classes, variability[index]),
    )
    classes.forEach(({ state }, place) => {
      const measured = found[place]
      if (measured !== undefined) measures[state] = measured
    })
  })
  return measures
}

/** Where it takes too long to count through the places. */
function countable<Value>(path: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    if (error instanceof RangeError) throw new MeshError(`${path}: ${error.message}: give it fewer, or null`)
    throw error
  }
}

/** Whether who comes back at once is taken as staying: in a queue, and where it keeps its place. */
const staysFor = (node: NetworkNode | undefined): boolean =>
  node !== undefined && node.discipline !== 'delay' && (node.discipline !== 'ps' || node.buffer !== null)

/** `served`: services a second, those included after which somebody comes back at once. */
function through(node: NetworkNode, demands: readonly Demand[], served: number): Through {
  const { servers, discipline } = node
  const all = mixed(demands)
  // what leaves these is Poisson when what comes is, whatever the service: a delay passes it on as it comes
  if (discipline === 'delay') return { utilisation: 0, servers: 1, kept: 1, serviceScv: 1 }
  const kept = all.rate === 0 ? 1 : Math.min(1, served / all.rate)
  const serviceScv = discipline === 'ps' ? 1 : merged(all).scv
  return { utilisation: (all.rate * all.mean * kept) / servers, servers, kept, serviceScv }
}

/** What comes from outside, class by class; of those that are Poisson all together are one stream that is. */
function outside({ arrivals }: Network, name: string): { rate: number; scv: number }[] {
  const here = arrivals.filter(({ node }) => node === name)
  const poisson = here.filter(({ scv }) => isOne(scv)).reduce((sum, { rate }) => sum + rate, 0)
  return [...here.filter(({ scv }) => !isOne(scv)), ...(poisson > 0 ? [{ rate: poisson, scv: 1 }] : [])]
}
