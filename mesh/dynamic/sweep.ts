import { components } from '../linear/components.ts'
import { heap } from './heap.ts'

export type Sweep = {
  /** a vertex is to be renewed */
  touch: (vertex: number) => void
  /** the next to be renewed; undefined: none is left */
  next: () => number | undefined
}

/**
 * In which order what has changed is renewed: what gives before what takes; round a loop in sweeps, so that what one
 * round leads back to waits for the next, and what lies behind the loop until it stands. `next`: where the edges lead.
 */
export function sweepOver(next: readonly (readonly number[])[]): Sweep {
  const found = components(next).toReversed()
  const order = found.flat()
  const rank = new Int32Array(order.length)
  const loop = new Int32Array(order.length)
  let place = 0
  found.forEach((members, number) => {
    for (const vertex of members) {
      order[place] = vertex
      loop[place] = number
      rank[vertex] = place++
    }
  })
  const touched = new Uint8Array(order.length)
  const open = heap()
  let again: number[] = []
  let current = -1
  return {
    touch: (vertex) => {
      const at = rank[vertex] ?? 0
      if (touched[at] === 1) return
      touched[at] = 1
      if (at > current) open.put(at)
      else again.push(at)
    },
    next: () => {
      const [back] = again
      if (back !== undefined && loop[open.least()] !== loop[back]) {
        for (const at of again) open.put(at)
        again = []
      }
      const at = open.least()
      current = Number.isFinite(at) ? at : -1
      if (current < 0) return undefined
      open.take()
      touched[at] = 0
      return order[at]
    },
  }
}
