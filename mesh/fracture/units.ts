import { append } from '../append.ts'
import type { Loaded } from '../load.ts'
import type { Flow } from './flows.ts'
import type { Needs } from './needs.ts'

/**
 * What may fail as one, a node or an element by its id, with the vertices of a flow that fail with it: all states of the
 * node, all branches of the element, and the states of whatever needs it.
 */
export function unitsOf({ states, streams }: Loaded, flow: Flow, needs: Needs): Map<string, number[]> {
  const units = new Map<string, number[]>()
  flow.states.forEach((index, vertex) => {
    const state = states[index]
    if (state === undefined) return
    append(units, state.node.id, vertex)
    for (const unit of needs(state)) append(units, unit, vertex)
  })
  flow.branches.forEach(({ stream }, position) => {
    const id = streams[stream]?.element.id
    if (id !== undefined) append(units, id, flow.states.length + position)
  })
  return units
}
