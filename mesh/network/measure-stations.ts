import { type Demand, type Measure, measure, mixed } from '../queueing/station.ts'
import type { Network, NetworkNode } from './network.ts'
import { arrivalVariability, type Through } from './variability.ts'

/** A class at a node. */
export type State = { node: string; kind: string; demand: { mean: number; scv: number } }

/** By the position of its states. */
type Route = { from: number; to: number; probability: number }

/** Every class at every node, given the rates that come; `passed` is the part of them that each lets through. */
export function measureStations(
  network: Network,
  states: readonly State[],
  routes: readonly Route[],
  rates: readonly number[],
  passed: readonly number[],
): Measure[] {
  const names = Object.keys(network.nodes)
  const nodes = Object.values(network.nodes)
  const nodeOf = states.map(({ node }) => names.indexOf(node))
  const again = states.map(() => 0)
  for (const { from, to, probability } of routes)
    if (from === to && mergesReturns(network.nodes[states[from]?.node ?? ''])) again[from] = probability
  const demands = names.map((): (Demand & { state: number })[] => [])
  states.forEach(({ demand }, state) => {
    demands[nodeOf[state] ?? -1]?.push({ state, ...stayed(demand, rates[state] ?? 0, again[state] ?? 0) })
  })
  const streams = names.map(() => new Map<number, number>())
  for (const { from, to, probability } of routes) {
    if (from === to && (again[from] ?? 0) > 0) continue
    const [i, j] = [nodeOf[from] ?? -1, nodeOf[to] ?? -1]
    const rate = (rates[from] ?? 0) * (passed[from] ?? 1) * probability
    streams[i]?.set(j, (streams[i]?.get(j) ?? 0) + rate)
  }
  const variability = arrivalVariability(
    nodes.map((node, index) => through(node, demands[index] ?? [])),
    {
      external: names.map((name) => outside(network, name)),
      internal: streams.map((stream) => [...stream].map(([to, rate]) => ({ to, rate }))),
    },
  )
  const measures: Measure[] = []
  nodes.forEach((node, index) => {
    const classes = demands[index] ?? []
    const found = measure(node, classes, variability[index])
    classes.forEach(({ state }, place) => {
      const measured = found[place]
      if (measured !== undefined) measures[state] = perVisit(measured, again[state] ?? 0)
    })
  })
  return measures
}

/**
 * Whoever comes back at once to the queue that it left is taken as staying (Whitt 1983, section III.A): a sum of as many
 * services as visits. Exact for the number in M/G/1 with feedback (Takács 1963).
 */
const mergesReturns = (node: NetworkNode | undefined): boolean =>
  node !== undefined && node.discipline === 'fifo' && node.buffer === null

const stayed = ({ mean, scv }: { mean: number; scv: number }, rate: number, again: number): Demand => ({
  rate: rate * (1 - again),
  mean: mean / (1 - again),
  scv: again + (1 - again) * scv,
})

const perVisit = (measured: Measure, again: number): Measure => ({
  ...measured,
  arrivalRate: measured.arrivalRate / (1 - again),
  throughput: measured.throughput / (1 - again),
  time: measured.time === null ? null : measured.time * (1 - again),
})

function through(node: NetworkNode, demands: readonly Demand[]): Through {
  const all = mixed(demands)
  // what leaves a station of these kinds is Poisson when what comes is, whatever the service
  if (node.discipline !== 'fifo') return { utilisation: 0, servers: 1, serviceScv: 1 }
  return { utilisation: (all.rate * all.mean) / node.servers, servers: node.servers, serviceScv: all.scv }
}

/** What comes from outside, of all classes: variabilities add in proportion to the rates (Whitt 1983, eq. 33). */
function outside({ arrivals }: Network, name: string): { rate: number; scv: number } {
  const here = arrivals.filter(({ node }) => node === name)
  const rate = here.reduce((sum, arrival) => sum + arrival.rate, 0)
  const weighted = here.reduce((sum, arrival) => sum + arrival.rate * arrival.scv, 0)
  return { rate, scv: rate === 0 ? 1 : weighted / rate }
}
