import type { Loaded } from '../load.ts'
import { doorsOf, flowFrom, onwardOf } from './flows.ts'
import { needsOf } from './needs.ts'
import { cutWithout, treeOf } from './tree.ts'
import { unitsOf } from './units.ts'

/** A node or an element that what comes in at a door has to pass to get to some of its last handlers. */
export type SinglePoint = {
  at: string
  /** the state where it comes in */
  door: number
  /** last handlers that are reached through it only, and all of them */
  goals: number
  ofGoals: number
}

/** The single points of failure of all that comes in: what dominates a last handler, and what those cannot work without. */
export function singlePointsOf(loaded: Loaded): SinglePoint[] {
  const onward = onwardOf(loaded)
  const needs = needsOf(loaded)
  return doorsOf(loaded).flatMap((door) => {
    const flow = flowFrom(loaded, onward, [door])
    const tree = treeOf(flow)
    const isGoal = new Uint8Array(flow.next.length)
    for (const { vertex } of flow.goals) isGoal[vertex] = 1
    return [...unitsOf(loaded, flow, needs)].flatMap(([at, removed]) => {
      const cut = cutWithout(flow, tree, removed)
      let goals = 0
      for (let place = cut.from; place < cut.to; place++) goals += isGoal[cut.of[place] ?? -1] ?? 0
      return goals === 0 ? [] : [{ at, door, goals, ofGoals: flow.goals.length }]
    })
  })
}
