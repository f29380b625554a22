/** A vertex to be drawn, with the room that it takes. */
export type Box = { id: string; width: number; height: number }
export type Line = { from: string; to: string }

export type Placed = {
  /** centre of each box */
  at: ReadonlyMap<string, { x: number; y: number }>
  width: number
  height: number
}

const between = { columns: 90, rows: 18 }

/**
 * A layered drawing from left to right (Sugiyama, Tagawa and Toda 1981): what leads to something stands left of it, loops
 * within one column, and each column is ordered by the middle of its neighbours, which leaves few crossings.
 */
export function layered(boxes: readonly Box[], lines: readonly Line[]): Placed {
  const index = new Map(boxes.map(({ id }, position) => [id, position]))
  const next = boxes.map((): number[] => [])
  const before = boxes.map((): number[] => [])
  for (const { from, to } of lines) {
    const [i, j] = [index.get(from), index.get(to)]
    if (i === undefined || j === undefined || i === j) continue
    next[i]?.push(j)
    before[j]?.push(i)
  }
  const columns = ordered(layersOf(next, before), next, before)
  const at = new Map<string, { x: number; y: number }>()
  const heights = columns.map((column) =>
    column.reduce((sum, vertex) => sum + (boxes[vertex]?.height ?? 0) + between.rows, 0),
  )
  const height = Math.max(0, ...heights)
  let x = 0
  columns.forEach((column, position) => {
    const width = Math.max(...column.map((vertex) => boxes[vertex]?.width ?? 0))
    let y = (height - (heights[position] ?? 0)) / 2
    for (const vertex of column) {
      const box = boxes[vertex]
      if (box === undefined) continue
      at.set(box.id, { x: x + width / 2, y: y + (box.height + between.rows) / 2 })
      y += box.height + between.rows
    }
    x += width + between.columns
  })
  return { at, width: Math.max(0, x - between.columns), height }
}

/**
 * Each vertex right of all that leads to it, but for what leads back: the edges that a walk from the beginnings finds to
 * close a loop. What has nothing before it stands right before what it leads to.
 */
function layersOf(next: readonly (readonly number[])[], before: readonly (readonly number[])[]): number[][] {
  const starts = next
    .map((_, vertex) => vertex)
    .toSorted((a, b) => (before[a]?.length ?? 0) - (before[b]?.length ?? 0))
  const { order, ahead } = walked(next, starts)
  const layer = next.map(() => 0)
  for (const vertex of order)
    for (const to of ahead[vertex] ?? []) layer[to] = Math.max(layer[to] ?? 0, (layer[vertex] ?? 0) + 1)
  for (const vertex of order)
    if ((before[vertex] ?? []).length === 0 && (ahead[vertex] ?? []).length > 0)
      layer[vertex] = Math.min(...(ahead[vertex] ?? []).map((to) => (layer[to] ?? 1) - 1))
  const columns = Array.from({ length: Math.max(0, ...layer) + 1 }, (): number[] => [])
  for (const [vertex, place] of layer.entries()) columns[place]?.push(vertex)
  return columns.filter((column) => column.length > 0)
}

/** A topological order of the graph without the edges that close a loop, and those that are left. */
function walked(
  next: readonly (readonly number[])[],
  starts: readonly number[],
): { order: number[]; ahead: number[][] } {
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

const sweeps = 8

function ordered(
  columns: readonly (readonly number[])[],
  next: readonly (readonly number[])[],
  before: readonly (readonly number[])[],
): number[][] {
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
