import type { Loaded } from '../load.ts'
import type { Flow } from './flows.ts'
import type { Needs } from './needs.ts'

/**
 * What may fail as one, a node or an element by its id, with the vertices of a flow that fail with it: all states of the
 * node, all branches of the element, and the states of whatever needs it.
 */
export function unitsOf({ states, streams }: Loaded, flow: Flow, needs: Needs): Map<string, number[]> {
  const units = new Map<string, number[]>()
  const add = (unit: string, vertex: number) => {
    const known = units.get(unit)
    if (known === undefined) units.set(unit, [vertex])
    else known.push(vertex)
  }
  flow.states.forEach((index, vertex) => {
    const state = states[index]
    if (state === undefined) return
    add(state.node.id, vertex)
    for (const unit of needs(state)) add(unit, vertex)
  })
  flow.branches.forEach(({ stream }, position) => {
    const id = streams[stream]?.element.id
    if (id !== undefined) add(id, flow.states.length + position)
  })
  return units
}
