import { MeshError } from '../faults.ts'
import { type Loop, solveFlow } from '../linear/flow.ts'
import type { Measure } from '../queueing/station.ts'
import { approximations } from './exactness.ts'
import { measureStations, type State } from './measure-stations.ts'
import { type Network, ownOf } from './network.ts'

/** Of one class at one node; `saturated` says why there is no number, `approximate` why the numbers are not exact. */
type NetworkMeasure = Measure & { saturated?: string; approximate?: string }

export type NetworkAnswer = { nodes: Record<string, Record<string, NetworkMeasure>> }

/**
 * The steady state of an open network, node by node (decomposition): exact for product-form networks (Jackson; BCMP
 * without finite buffers), by the Queueing Network Analyzer where services or arrivals are not exponential. What a full
 * node turns away, and what a saturated one cannot serve, goes nowhere. Each number that is not exact says why. Throws a MeshError for a loop that nothing leaves.
 */
export function analyseNetwork(where: string, network: Network): NetworkAnswer {
  const states: State[] = Object.entries(network.nodes).flatMap(([node, { service }]) =>
    Object.entries(service).map(([kind, demand]) => ({ node, kind, demand })),
  )
  const position = new Map(states.map(({ node, kind }, index) => [JSON.stringify([node, kind]), index]))
  const at = (node: string, kind: string): number => position.get(JSON.stringify([node, kind])) ?? -1
  const routes = network.routes.map(({ from, to, class: kind, becomes, probability }) => ({
    from: at(from, kind),
    to: at(to, becomes),
    probability,
  }))
  const external = states.map(() => 0)
  for (const { node, class: kind, rate } of network.arrivals)
    external[at(node, kind)] = (external[at(node, kind)] ?? 0) + rate
  const steady = (gains: readonly number[]) =>
    solveFlow(
      states.length,
      routes.map(({ from, to }, route) => ({ from, to, gain: gains[route] ?? 0 })),
      external,
    )
  const { loops, endless: lasting } = steady(routes.map(({ probability }) => probability))
  const endless = loops.find(({ members }) => members.some((state) => lasting.has(state)))
  if (endless !== undefined)
    throw new MeshError(`${where}: routes: ${endlessText(endless, states, network)}; let some of it out`)
  let passed = states.map(() => 1)
  let measures: Measure[] = []
  // losses thin what comes further on, and what comes makes the losses
  for (let round = 0; ; round++) {
    if (round === mostRounds)
      throw new MeshError(
        `${where}: what is lost and what comes do not settle on each other after ${mostRounds} rounds: give some node a larger buffer, or less to do`,
      )
    const { rates } = steady(routes.map(({ from, probability }) => probability * (passed[from] ?? 1)))
    measures = measureStations(where, network, states, routes, rates, passed)
    const next = measures.map(({ arrivalRate, throughput }) =>
      arrivalRate === 0 ? 1 : throughput / arrivalRate,
    )
    const change = Math.max(0, ...next.map((part, state) => Math.abs(part - (passed[state] ?? 1))))
    if (change < 1e-12) break
    passed = next.map((part, state) => part + (1 - weightIn(round)) * ((passed[state] ?? 1) - part))
  }
  const whys = approximations(network, states, measures)
  const nodes = new Map(Object.keys(network.nodes).map((name) => [name, new Map<string, NetworkMeasure>()]))
  states.forEach(({ node, kind }, state) => {
    const found = measures[state]
    if (found === undefined) return
    const why = whys.get(node)
    const approximate = found.arrivalRate > 0 && why !== undefined && { approximate: why }
    const saturated = found.number === null && { saturated: saturation(node, network, measures, states) }
    nodes.get(node)?.set(kind, { ...found, ...saturated, ...approximate })
  })
  return {
    nodes: Object.fromEntries([...nodes].map(([name, classes]) => [name, Object.fromEntries(classes)])),
  }
}

function endlessText({ members, gain }: Loop, states: readonly State[], network: Network): string {
  const turnsAway = members.some((state) => {
    const { discipline, buffer = null } = ownOf(network.nodes, states[state]?.node ?? '') ?? {}
    return discipline === 'loss' || buffer !== null
  })
  const little = gain < 1 - 1e-15 ? `hardly anything (${(1 - gain).toPrecision(1)})` : 'nothing'
  const leaves = turnsAway ? 'only what finds no place' : little
  return `${leaves} ever leaves the loop of ${members.map((state) => `${states[state]?.node} (${states[state]?.kind})`).join(', ')}`
}

const mostRounds = 5000

/** How much of what a round finds is taken on: where rounds swing to and fro, less and less. */
const weightIn = (round: number): number => (round < 50 ? 1 : Math.max(0.01, 0.5 ** Math.floor(round / 250)))

function saturation(
  node: string,
  network: Network,
  measures: readonly Measure[],
  states: readonly State[],
): string {
  const load = states.reduce(
    (sum, state, index) =>
      state.node === node ? sum + (measures[index]?.arrivalRate ?? 0) * state.demand.mean : sum,
    0,
  )
  const { servers = 1 } = ownOf(network.nodes, node) ?? {}
  const work = Number(load.toPrecision(4))
  return `cannot keep up: ${work === 1 ? "1 server's" : `${work} servers'`} work arrives, there ${servers === 1 ? 'is 1' : `are ${servers}`}; the queue grows without end`
}
