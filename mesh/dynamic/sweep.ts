import { heap } from '../heap.ts'
import { components } from '../linear/components.ts'

type Sweep = {
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
  const late = finished(next, order)
  const rank = new Int32Array(order.length)
  const loop = new Int32Array(order.length)
  let place = 0
  found.forEach((members, number) => {
    for (const vertex of members.toSorted((a, b) => (late[b] ?? 0) - (late[a] ?? 0))) {
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

/** When a search in depth is through with each vertex: what gives is through after what takes, but for what closes a loop. */
function finished(next: readonly (readonly number[])[], starts: readonly number[]): Int32Array {
  const at = new Int32Array(next.length)
  const seen = new Uint8Array(next.length)
  let count = 0
  for (const start of starts) {
    if (seen[start] === 1) continue
    seen[start] = 1
    const path = [{ vertex: start, edge: 0 }]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = next[top.vertex]?.[top.edge++]
      if (to === undefined) {
        at[top.vertex] = ++count
        path.pop()
      } else if (seen[to] !== 1) {
        seen[to] = 1
        path.push({ vertex: to, edge: 0 })
      }
    }
  }
  return at
}
