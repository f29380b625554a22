import type { Loaded } from '../load.ts'
import { anyType } from '../passing.ts'
import { doorsOf, type Flow, flowFrom, onwardOf } from './flows.ts'
import { needsOf } from './needs.ts'
import { cutWithout, treeOf } from './tree.ts'
import { unitsOf } from './units.ts'
import { visits } from './visits.ts'

/** A node or an element that what comes in at a door has to pass to get to some of its last handlers. */
export type SinglePoint = {
  at: string
  /** the state where it comes in */
  door: number
  /** last handlers that are reached through it only, and all of them */
  goals: number
  ofGoals: number
  /** types of which all has to pass it, and not a part */
  types: readonly string[]
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
    const sure = sureTypes(loaded, flow, door)
    return [...unitsOf(loaded, flow, needs)].flatMap(([at, removed]) => {
      const cut = cutWithout(flow, tree, removed)
      let goals = 0
      for (let place = cut.from; place < cut.to; place++) goals += isGoal[cut.of[place] ?? -1] ?? 0
      const types = new Set(removed.flatMap((vertex) => [...(sure[vertex] ?? [])]))
      return goals === 0 ? [] : [{ at, door, goals, ofGoals: flow.goals.length, types: [...types] }]
    })
  })
}

/**
 * Of each state that all of what comes in passes, or all of some types of it: as which types. What a Choice, a Catch or a
 * filter lets through is a part, and so is what nobody has said the ratio of.
 */
function sureTypes(
  { states, streams }: Loaded,
  flow: Flow,
  door: number,
): (ReadonlySet<string> | undefined)[] {
  const typeAt = (vertex: number): string => states[flow.states[vertex] ?? -1]?.type ?? anyType
  /** The types that all of whatever type is narrowed to; undefined: it is not. */
  const narrowing = ({ stream, from }: Flow['branches'][number]): readonly string[] | undefined => {
    const element = streams[stream]?.element
    const more = element?.kind === 'call' || (element?.kind === 'delivery' && element.filtered === true)
    return more || typeAt(from) !== anyType ? undefined : (element?.types ?? undefined)
  }
  const named = flow.states.map((): Set<string> => new Set())
  named[0]?.add(states[door]?.type ?? anyType)
  const gains = Float64Array.from(flow.branches, (branch) => {
    const types = narrowing(branch)
    for (const type of types ?? named[branch.from] ?? []) named[branch.to]?.add(type)
    return types === undefined ? Math.min(1, branch.gain || 0) : 1
  })
  const visited = visits(flow, new Map([[0, 1]]), gains)
  return named.map((types, vertex) => ((visited?.[vertex] ?? 0) < 1 - negligible ? undefined : types))
}

/** Of sums of parts that are a whole. */
const negligible = 1e-9
