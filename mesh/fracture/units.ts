import { append } from '../append.ts'
import type { Loaded } from '../load.ts'
import { anyType } from '../passing.ts'
import type { Flow } from './flows.ts'
import type { Needs } from './needs.ts'

/**
 * What may fail as one, a node or an element by its id, with the vertices of a flow that fail with it: all states of the
 * node, all branches of the element, the states of whatever needs it, and the branches that a run comes to only after it.
 */
export function unitsOf({ states, streams }: Loaded, flow: Flow, needs: Needs): Map<string, number[]> {
  const units = new Map<string, number[]>()
  flow.states.forEach((index, vertex) => {
    const state = states[index]
    if (state === undefined) return
    append(units, state.node.id, vertex)
    for (const unit of needs.at(state)) append(units, unit, vertex)
  })
  flow.branches.forEach(({ stream, from }, position) => {
    const element = streams[stream]?.element
    if (element === undefined) return
    const type = states[flow.states[from] ?? -1]?.type ?? anyType
    for (const unit of [element.id, ...needs.before(element, type).keys()])
      append(units, unit, flow.states.length + position)
  })
  return units
}
