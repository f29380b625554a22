type Edges = readonly (readonly number[])[]

/**
 * Each vertex right of all that leads to it, but for what leads back: the edges that a walk from the beginnings finds to
 * close a loop. It takes those of largest `reach` first. What has nothing before it stands right before what it leads to.
 */
export function layersOf(next: Edges, before: Edges, reach: (vertex: number) => number): number[] {
  const starts = next
    .map((_, vertex) => vertex)
    .toSorted((a, b) => (before[a]?.length ?? 0) - (before[b]?.length ?? 0) || reach(b) - reach(a))
  const { order, ahead } = walked(next, starts)
  const layer = next.map(() => 0)
  for (const vertex of order)
    for (const to of ahead[vertex] ?? []) layer[to] = Math.max(layer[to] ?? 0, (layer[vertex] ?? 0) + 1)
  for (const vertex of order)
    if ((before[vertex] ?? []).length === 0 && (ahead[vertex] ?? []).length > 0)
      layer[vertex] = Math.min(...(ahead[vertex] ?? []).map((to) => (layer[to] ?? 1) - 1))
  return layer
}

/** How many vertices can be got to. */
export function reachIn(next: Edges): (vertex: number) => number {
  const known = new Map<number, number>()
  return (start) => {
    const before = known.get(start)
    if (before !== undefined) return before
    const seen = new Set([start])
    for (const vertex of seen) for (const to of next[vertex] ?? []) seen.add(to)
    known.set(start, seen.size)
    return seen.size
  }
}

/** A topological order of the graph without the edges that close a loop, and those that are left. */
function walked(next: Edges, starts: readonly number[]): { order: number[]; ahead: number[][] } {
  const state = next.map(() => 0)
  const ahead = next.map((): number[] => [])
  const order: number[] = []
  for (const start of starts) {
    if (state[start] !== 0) continue
    state[start] = 1
    const path = [{ vertex: start, edge: 0 }]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = next[top.vertex]?.[top.edge++]
      if (to === undefined) {
        state[top.vertex] = 2
        order.push(top.vertex)
        path.pop()
      } else if (state[to] !== 1) {
        ahead[top.vertex]?.push(to)
        if (state[to] === 0) {
          state[to] = 1
          path.push({ vertex: to, edge: 0 })
        }
      }
    }
  }
  return { order: order.toReversed(), ahead }
}

/** So often is each place looked at; of very many less often, so that a drawing takes no longer for it. */
export const rounds = (most: number, places: number): number =>
  Math.max(2, Math.min(most, Math.floor(300_000 / Math.max(1, places))))

/** Each column by the middle of its neighbours in those beside it, which leaves few crossings. */
export function ordered(columns: Edges, next: Edges, before: Edges): number[][] {
  const result = columns.map((column) => [...column])
  const place = new Map<number, number>()
  const settle = (column: readonly number[]) => {
    for (const [position, vertex] of column.entries())
      place.set(vertex, position / Math.max(1, column.length - 1))
  }
  for (const column of result) settle(column)
  const middle = (vertex: number, neighbours: readonly number[]): number =>
    neighbours.length === 0
      ? (place.get(vertex) ?? 0)
      : neighbours.reduce((sum, other) => sum + (place.get(other) ?? 0), 0) / neighbours.length
  const sweeps = rounds(12, next.length)
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const rightwards = sweep % 2 === 0
    for (const column of rightwards ? result : result.toReversed()) {
      const sides = rightwards ? before : next
      const key = new Map(column.map((vertex) => [vertex, middle(vertex, sides[vertex] ?? [])]))
      column.sort((a, b) => (key.get(a) ?? 0) - (key.get(b) ?? 0) || a - b)
      settle(column)
    }
  }
  return result
}

/**
 * Centres of what stands in a column in this order, as near as can be (least squares) to where each wants to be: pool
 * adjacent violators (Ayer et al. 1955) on what is left of the wishes when the heights are taken off.
 */
export function stacked(wishes: readonly number[], heights: readonly number[]): number[] {
  const offsets: number[] = []
  let sum = 0
  for (const height of heights) {
    offsets.push(sum + height / 2)
    sum += height
  }
  const blocks: { sum: number; count: number }[] = []
  wishes.forEach((wish, index) => {
    let block = { sum: wish - (offsets[index] ?? 0), count: 1 }
    for (
      let last = blocks.at(-1);
      last && last.sum / last.count >= block.sum / block.count;
      last = blocks.at(-1)
    ) {
      block = { sum: block.sum + last.sum, count: block.count + last.count }
      blocks.pop()
    }
    blocks.push(block)
  })
  return blocks
    .flatMap(({ sum: total, count }) => Array.from({ length: count }, () => total / count))
    .map((base, index) => base + (offsets[index] ?? 0))
}
