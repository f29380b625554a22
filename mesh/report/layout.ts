import { components } from '../linear/components.ts'

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
  const columns = ordered(layersOf(next), next, before)
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

/** The longest way to each vertex, loops taken as one; what leads on stands right before what it leads to. */
function layersOf(next: readonly (readonly number[])[]): number[][] {
  const layer = next.map(() => 0)
  // sinks come first: each loop's place from the end is one more than that of what it leads to
  for (const members of components(next)) {
    const inside = new Set(members)
    const place = Math.max(
      0,
      ...members.flatMap((member) =>
        (next[member] ?? []).filter((to) => !inside.has(to)).map((to) => (layer[to] ?? 0) + 1),
      ),
    )
    for (const member of members) layer[member] = place
  }
  const last = Math.max(0, ...layer)
  const columns = Array.from({ length: last + 1 }, (): number[] => [])
  for (const [vertex, place] of layer.entries()) columns[last - place]?.push(vertex)
  return columns.filter((column) => column.length > 0)
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
