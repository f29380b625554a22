import type { Loaded } from '../load.ts'
import type { MeshNode } from '../model.ts'
import type { Demands } from '../static/demand.ts'
import type { Asked, Stress } from '../static/stress.ts'
import { deepest } from './needs.ts'
import { type Passed, passingOf, recoveryAfter, recoveryFrom } from './recovery.ts'
import type { Surveyed } from './survey.ts'
import type { Cut } from './tree.ts'
import { visits } from './visits.ts'

/** What comes a second to each state of a flow, and over each of its branches; NaN: not known. */
type Come = { states: Float64Array; branches: Float64Array }

function comeIn({ external }: Loaded, { door, flow }: Surveyed): Come {
  const gains = Float64Array.from(flow.branches, ({ gain }) => gain)
  const unknown = new Float64Array(flow.states.length).fill(Number.NaN)
  const states = visits(flow, new Map([[0, external[door] ?? Number.NaN]]), gains) ?? unknown
  return {
    states,
    branches: gains.map((gain, branch) => gain * (states[flow.branches[branch]?.from ?? 0] ?? 0)),
  }
}

/**
 * Counts the nodes that are cut off, each once, and how long the slowest of what they pass needs to make up for what
 * waited: that is what came in the outage and outlasts it.
 */
export function tallyOf(
  loaded: Loaded,
  flows: readonly Surveyed[],
  given: { demands: Demands; stresses: readonly Stress[]; asked: Asked; outage: number },
) {
  const { nodes } = loaded.mesh
  const { outage } = given
  const places = new Map(nodes.map(({ id }, place) => [id, place]))
  const passing = passingOf(loaded, given)
  const come = new Map(flows.map((surveyed) => [surveyed, comeIn(loaded, surveyed)]))
  const atNodes = new Float64Array(nodes.length)
  const over = new Map<string, number>()
  const elementOf = ({ flow }: Surveyed, branch: number): string =>
    loaded.streams[flow.branches[branch]?.stream ?? -1]?.element.id ?? ''
  for (const [surveyed, { states, branches }] of come) {
    states.forEach((rate, state) => {
      const place = surveyed.nodeAt[state] ?? -1
      atNodes[place] = (atNodes[place] ?? 0) + rate
    })
    branches.forEach((rate, branch) => {
      const id = elementOf(surveyed, branch)
      if (passing.elements.has(id)) over.set(id, (over.get(id) ?? 0) + rate)
    })
  }
  const counted = new Int32Array(nodes.length)
  let [stamp, count, longest] = [0, 0, 0]
  let unknown: MeshNode | undefined
  /** by limit: how much of it is used, and for how long all of that would have waited */
  const waiting = new Map<string, { used: number; waited: number }>()
  const one = (place: number) => {
    if (counted[place] !== stamp) count++
    counted[place] = stamp
  }
  const wait = (passed: readonly Passed[], waited: number) => {
    for (const { limit, used, part } of passed) {
      const before = waiting.get(limit)?.waited ?? 0
      waiting.set(limit, { used, waited: before + waited * part })
    }
  }
  const waitAt = (place: number, waited: number) => {
    const passed = passing.nodes[place]
    const node = nodes[place]
    if (passed !== undefined) wait(passed, waited)
    else if (unknown === undefined || (node && node.id < unknown.id)) unknown = node
  }
  /** What waited at the states that are lost; and who sends there or waits for them has failed, and does again what it had done. */
  const makeUp = (surveyed: Surveyed, lost: readonly number[], waited: number): void => {
    const { states, branches } = come.get(surveyed) ?? { states: [], branches: [] }
    const reached = new Set(lost)
    let level = lost.map((state) => ({ state, part: 1 }))
    for (let depth = 0; depth < deepest && level.length > 0; depth++) {
      const senders: typeof level = []
      for (const { state, part } of level) {
        const place = placeOf(surveyed, state)
        waitAt(place, waited * part * partOf(states[state], atNodes[place]))
        for (const branch of surveyed.flow.arriving[state] ?? []) {
          const id = elementOf(surveyed, branch)
          wait(passing.elements.get(id) ?? [], waited * part * partOf(branches[branch], over.get(id)))
          const sender = senderOf(surveyed, branch)
          if (!passing.calls.has(id) || reached.has(sender)) continue
          reached.add(sender)
          senders.push({ state: sender, part: part * Math.min(1, partOf(branches[branch], states[sender])) })
        }
      }
      level = senders
    }
  }
  return {
    start: (at: string): void => {
      stamp++
      ;[count, longest, unknown] = [0, 0, undefined]
      waiting.clear()
      const own = places.get(at)
      if (own !== undefined) one(own)
    },
    /** `tried`: for how long what waits is tried again, seconds */
    add: (surveyed: Surveyed, cut: Cut, tried: number): void => {
      const waited = Math.min(outage, tried)
      longest = Math.max(longest, waited)
      const lost: number[] = []
      for (let index = cut.from; index < cut.to; index++) {
        const state = cut.of[index] ?? -1
        const place = placeOf(surveyed, state)
        if (place < 0) continue
        one(place)
        lost.push(state)
      }
      // where nothing waits there is nothing to do afterwards
      if (waited > 0) makeUp(surveyed, lost, waited)
    },
    nodes: () => count,
    recovery: (at: string, tried: number) => {
      const own = places.get(at)
      const waited = Math.min(outage, tried)
      // what is only used passes no flow itself
      if (own !== undefined && waited > 0 && atNodes[own] === 0) waitAt(own, waited)
      longest = Math.max(longest, waited)
      const seconds = [...waiting.values()].map((limit) =>
        recoveryAfter(Math.min(limit.waited, longest), limit.used),
      )
      // itself first, then by id
      const itself =
        own !== undefined && passing.nodes[own] === undefined && waited > 0 ? nodes[own] : undefined
      return recoveryFrom(Math.max(0, ...seconds), (itself ?? unknown)?.name)
    },
  }
}

/** The place of a state's node in the mesh; -1: it is of none. */
const placeOf = ({ nodeAt }: Surveyed, state: number): number => nodeAt[state] ?? -1

const senderOf = ({ flow }: Surveyed, branch: number): number => flow.branches[branch]?.from ?? 0

/** Of a rate that nobody knows all. */
const partOf = (rate = 0, whole = 0): number => {
  const part = rate === 0 ? 0 : rate / whole
  return Number.isNaN(part) ? 1 : part
}
