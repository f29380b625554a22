import { append } from '../append.ts'
import type { Loaded } from '../load.ts'
import { doorsOf, type Flow, flowFrom, type Onward, onwardOf } from './flows.ts'
import { consumersOf } from './gains.ts'
import { type Needs, needsOf } from './needs.ts'
import type { Loss } from './report.ts'
import { type ShareLost, sharesLost } from './shares.ts'
import { type Cut, cutWithout, type Tree, treeOf } from './tree.ts'
import { unitsOf } from './units.ts'

/** One flow with all that the analyses ask of it. */
export type Surveyed = {
  door: number
  flow: Flow
  tree: Tree
  shareLost: ShareLost
  /** by vertex: goal, and place of the node in the mesh; -1: none */
  goalAt: Int32Array
  nodeAt: Int32Array
}

/** What fails in a flow with a node or an element. */
export type Part = { surveyed: Surveyed; vertices: readonly number[] }

export type Survey = {
  onward: Onward
  needs: Needs
  flows: readonly Surveyed[]
  /** what may fail, by id of node or element, with its part in each flow that it is in */
  units: ReadonlyMap<string, readonly Part[]>
}

export function survey(loaded: Loaded): Survey {
  const onward = onwardOf(loaded)
  const needs = needsOf(loaded)
  const places = new Map(loaded.mesh.nodes.map(({ id }, place) => [id, place]))
  const consumers = consumersOf(loaded)
  const units = new Map<string, Part[]>()
  const flows = doorsOf(loaded).map((door): Surveyed => {
    const flow = flowFrom(loaded, onward, [door])
    const goalAt = new Int32Array(flow.next.length).fill(-1)
    flow.goals.forEach(({ vertex }, goal) => {
      goalAt[vertex] = goal
    })
    const nodeAt = new Int32Array(flow.next.length).fill(-1)
    flow.states.forEach((state, vertex) => {
      nodeAt[vertex] = places.get(loaded.states[state]?.node.id ?? '') ?? -1
    })
    const shareLost = sharesLost(loaded, flow, consumers)
    const surveyed = { door, flow, goalAt, nodeAt, tree: treeOf(flow), shareLost }
    for (const [at, vertices] of unitsOf(loaded, flow, needs)) append(units, at, { surveyed, vertices })
    return surveyed
  })
  return { onward, needs, flows, units }
}

const mostSinks = 20

/** What a flow loses without some of its vertices, which goals those are, and all that nothing reaches then. */
export function lossOf(
  loaded: Loaded,
  { surveyed, vertices }: Part,
): { loss: Loss; cut: Cut; goals: number[] } {
  const { door, flow, tree, goalAt, shareLost } = surveyed
  const cut = cutWithout(flow, tree, vertices)
  const goals: number[] = []
  for (let place = cut.from; place < cut.to; place++) {
    const goal = goalAt[cut.of[place] ?? -1] ?? -1
    if (goal >= 0) goals.push(goal)
  }
  // of what only goes round nothing gets to an end, and nothing of that can be lost
  const all = goals.length > 0 && goals.length === flow.goals.length
  return {
    cut,
    goals,
    loss: {
      type: loaded.states[door]?.type ?? '',
      door: loaded.states[door]?.node.id ?? '',
      sinks: goals
        .slice(0, mostSinks)
        .map((goal) => nodesOf(loaded, flow, flow.goals[goal]?.states ?? []))
        .toSorted((a, b) => (a.join() < b.join() ? -1 : 1)),
      ...{ lost: goals.length, of: flow.goals.length },
      share: all ? 1 : shareLost(vertices),
    },
  }
}

/** The nodes of some states of a flow, by id. */
export const nodesOf = ({ states }: Loaded, flow: Flow, positions: readonly number[]): string[] =>
  [...new Set(positions.flatMap((position) => states[flow.states[position] ?? -1]?.node.id ?? []))].toSorted()
