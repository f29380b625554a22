import { layersOf, ordered, reachIn, rounds, stacked } from './columns.ts'
import { around, besides, forward, type Point, type Upright } from './ways.ts'

/** A vertex to be drawn, with the room that it takes; what stands aside is in a row below all others. */
type Box = { width: number; height: number; aside: boolean }
/** By places of boxes. Of what does not lead, the line is drawn and no box moved for it; what is sure says what is left. */
type Line = { from: number; to: number; leads: boolean; sure: boolean }

type Placed = {
  /** centre of each box */
  at: readonly Point[]
  /** of each line, as the `d` of an SVG path */
  paths: readonly string[]
  width: number
  height: number
}

const rows = 16
const gap = 64
const thin = 10
const lane = 7
/** More lines than these that begin or end at a box share one upright. */
const fan = 12

/**
 * A layered drawing from left to right (Sugiyama, Tagawa and Toda 1981): what leads to something stands left of it. What
 * goes further than the next column goes through its own place in those between, in one trunk for all that lead to the
 * same box; what leads back goes below all of them.
 */
export function layered(boxes: readonly Box[], lines: readonly Line[]): Placed {
  const main = boxes.flatMap(({ aside }, index) => (aside ? [] : [index]))
  const standing = columnsOf(boxes, main, lines)
  const { column, columns, trunks } = standing
  const { y, height: heights } = rowsOf(boxes, standing)
  const xs: { left: number; right: number }[] = []
  let x = 0
  for (const vertices of columns) {
    const width = Math.max(0, ...vertices.map((vertex) => boxes[vertex]?.width ?? 0))
    xs.push({ left: x, right: x + width })
    x += width + gap
  }
  const width = Math.max(0, x - gap)
  const at = boxes.map((): Point => ({ x: 0, y: 0 }))
  for (const vertex of main) {
    const { left = 0, right = 0 } = xs[column.get(vertex) ?? 0] ?? {}
    at[vertex] = { x: (left + right) / 2, y: y.get(vertex) ?? 0 }
  }
  const returns = [
    ...new Set(lines.flatMap(({ from, to, leads }) => (leads && isBack(column, from, to) ? [to] : []))),
  ]
  const below = heights + rows + returns.length * lane
  const shelf = shelved(boxes, lines, { at, width, top: below + 34 })
  const ahead = lines.filter(
    ({ from, to, leads }) => leads && !boxes[from]?.aside && !boxes[to]?.aside && !isBack(column, from, to),
  )
  const [leaving, arriving] = [counted(ahead, 'from'), counted(ahead, 'to')]
  const uprightOf = ({ from, to, leads }: Line, end: Point): Upright => {
    const fans = leads && (leaving.get(from) ?? 0) > fan
    const meets = leads && (arriving.get(to) ?? 0) > fan
    return {
      right: fans ? (xs[column.get(from) ?? 0]?.right ?? 0) + 12 + 3 * (from % 8) : undefined,
      left: meets ? (xs[column.get(to) ?? 0]?.left ?? end.x) - end.x - 12 - 3 * (to % 8) : undefined,
    }
  }
  const wayOf = (line: Line): string => {
    const [a, b] = [at[line.from], at[line.to]]
    const [from, to] = [boxes[line.from], boxes[line.to]]
    if (!a || !b || !from || !to) return ''
    const [start, end] = [
      { x: a.x + from.width / 2, y: a.y },
      { x: b.x - to.width / 2, y: b.y },
    ]
    if (from.aside || to.aside) {
      const sideOf = (vertex: number) => xs[column.get(vertex) ?? 0] ?? { left: 0, right: 0 }
      return besides(
        { ...a, ...from, side: sideOf(line.from) },
        { ...b, ...to, side: sideOf(line.to) },
        below + 14,
      )
    }
    if (line.leads && isBack(column, line.from, line.to)) {
      const place = returns.indexOf(line.to)
      return around(start, end, {
        right: (xs[column.get(line.from) ?? 0]?.right ?? start.x) + 12 + 3 * (place % 8),
        left: (xs[column.get(line.to) ?? 0]?.left ?? end.x) - 12 - 3 * (place % 8),
        y: heights + rows + place * lane,
      })
    }
    const through = line.leads ? (trunks.get(line.to) ?? []).toReversed() : []
    const stops = through.flatMap(({ vertex, layer }) => {
      const side = xs[layer]
      return layer > (column.get(line.from) ?? 0) && side ? [{ ...side, y: y.get(vertex) ?? 0 }] : []
    })
    return forward(start, end, stops, uprightOf(line, end))
  }
  return {
    at,
    paths: lines.map(wayOf),
    width: Math.max(width, shelf.width),
    height: boxes.some(({ aside }) => aside) ? shelf.bottom : below,
  }
}

const counted = (lines: readonly Line[], end: 'from' | 'to'): ReadonlyMap<number, number> =>
  new Map([...Map.groupBy(lines, (line) => line[end])].map(([vertex, all]) => [vertex, all.length]))

const isBack = (column: ReadonlyMap<number, number>, from: number, to: number): boolean =>
  (column.get(to) ?? 0) <= (column.get(from) ?? 0)

/** Columns in their order, with places for what only passes: numbers beyond those of the boxes. */
function columnsOf(boxes: readonly Box[], main: readonly number[], lines: readonly Line[]) {
  const leading = lines.filter(
    ({ from, to, leads }) => leads && from !== to && !boxes[from]?.aside && !boxes[to]?.aside,
  )
  const place = new Map(main.map((vertex, index) => [vertex, index]))
  const placeOf = (vertex: number): number => place.get(vertex) ?? -1
  const next = main.map((): number[] => [])
  const before = main.map((): number[] => [])
  const certain = main.map((): number[] => [])
  for (const { from, to, sure } of leading) if (sure) certain[placeOf(from)]?.push(placeOf(to))
  const reach = reachIn(certain)
  // the walk that finds what leads back goes first where most is sure to follow
  const walked = leading.toSorted(
    (a, b) => Number(b.sure) - Number(a.sure) || reach(placeOf(b.to)) - reach(placeOf(a.to)),
  )
  for (const { from, to } of walked) {
    next[placeOf(from)]?.push(placeOf(to))
    before[placeOf(to)]?.push(placeOf(from))
  }
  const layers = layersOf(next, before, reach)
  // columns that nothing is in are left out
  const used = [...new Set(layers)].toSorted((a, b) => a - b)
  const rank = new Map(used.map((layer, position) => [layer, position]))
  const column = new Map(main.map((vertex, index) => [vertex, rank.get(layers[index] ?? 0) ?? 0]))
  const inLayer = Map.groupBy(main, (vertex) => column.get(vertex) ?? 0)
  const columns = used.map((_, position) => inLayer.get(position) ?? [])
  const trunks = new Map<number, { vertex: number; layer: number }[]>()
  const ahead = new Map<number, Set<number>>()
  const behind = new Map<number, Set<number>>()
  const join = (from: number, to: number) => {
    ahead.set(from, (ahead.get(from) ?? new Set()).add(to))
    behind.set(to, (behind.get(to) ?? new Set()).add(from))
  }
  let count = boxes.length
  for (const { from, to } of leading) {
    const [first, last] = [column.get(from) ?? 0, column.get(to) ?? 0]
    if (last <= first) continue
    // from the box to the left, as far as the farthest line that leads there
    const trunk = trunks.get(to) ?? []
    trunks.set(to, trunk)
    for (let layer = last - 1 - trunk.length; layer > first; layer--) {
      const stop = { vertex: count++, layer }
      columns[layer]?.push(stop.vertex)
      join(stop.vertex, trunk.at(-1)?.vertex ?? to)
      trunk.push(stop)
    }
    join(from, trunk[last - first - 2]?.vertex ?? to)
  }
  const filled = (edges: ReadonlyMap<number, ReadonlySet<number>>) =>
    Array.from({ length: count }, (_, vertex) => [...(edges.get(vertex) ?? [])])
  const [onward, back] = [filled(ahead), filled(behind)]
  return { column, trunks, onward, back, columns: ordered(columns, onward, back) }
}

/** Of the middle of the drawing, against that of one neighbour. */
const weight = 0.15

/** Heights of all that stands in columns: each as near to the middle of its neighbours as the others leave room. */
function rowsOf(
  boxes: readonly Box[],
  { columns, onward, back }: Pick<ReturnType<typeof columnsOf>, 'columns' | 'onward' | 'back'>,
): { y: ReadonlyMap<number, number>; height: number } {
  const room = (vertex: number): number => {
    const box = boxes[vertex]
    return box === undefined ? thin : box.height + rows
  }
  const y = new Map<number, number>()
  for (const column of columns) {
    const heights = column.map(room)
    const all = heights.reduce((sum, height) => sum + height, 0)
    stacked(
      column.map(() => 0),
      heights,
    ).forEach((centre, index) => {
      y.set(column[index] ?? 0, centre - all / 2)
    })
  }
  const passes = rounds(10, y.size)
  for (let pass = 0; pass < passes; pass++)
    for (const column of pass % 2 === 0 ? columns : columns.toReversed()) {
      const wishes = column.map((vertex) => {
        const near = [...(onward[vertex] ?? []), ...(back[vertex] ?? [])]
        return near.reduce((sum, other) => sum + (y.get(other) ?? 0), 0) / (near.length + weight)
      })
      stacked(wishes, column.map(room)).forEach((centre, index) => {
        y.set(column[index] ?? 0, centre)
      })
    }
  let [top, bottom] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const [vertex, centre] of y) {
    top = Math.min(top, centre - room(vertex) / 2)
    bottom = Math.max(bottom, centre + room(vertex) / 2)
  }
  for (const [vertex, centre] of y) y.set(vertex, centre - top)
  return { y, height: y.size === 0 ? 0 : bottom - top }
}

/** What stands aside, in rows below the others, each under what it is tied to; answers where the rows end. */
function shelved(
  boxes: readonly Box[],
  lines: readonly Line[],
  { at, width, top }: { at: Point[]; width: number; top: number },
): { width: number; bottom: number } {
  const aside = boxes.flatMap((box, index) => (box.aside ? [{ index, box, wish: 0 }] : []))
  for (const one of aside) {
    const tied = lines.flatMap(({ from, to }) => {
      const other = from === one.index ? to : to === one.index ? from : -1
      return other < 0 || boxes[other]?.aside ? [] : [at[other]?.x ?? 0]
    })
    one.wish = tied.length === 0 ? width : tied.reduce((sum, x) => sum + x, 0) / tied.length
  }
  aside.sort((a, b) => a.wish - b.wish || a.index - b.index)
  const most = Math.max(width, 900)
  const shelves: (typeof aside)[] = []
  let used = most
  for (const one of aside) {
    if (used + one.box.width + rows > most) {
      shelves.push([])
      used = 0
    }
    shelves.at(-1)?.push(one)
    used += one.box.width + 2 * rows
  }
  let y = top
  let right = 0
  for (const shelf of shelves) {
    const height = Math.max(...shelf.map(({ box }) => box.height))
    const places = stacked(
      shelf.map(({ wish }) => wish),
      shelf.map(({ box }) => box.width + 2 * rows),
    )
    // within the drawing, where there is room
    const [first = 0, last = 0] = [places[0], places.at(-1)]
    const end = last + (shelf.at(-1)?.box.width ?? 0) / 2
    const start = first - (shelf[0]?.box.width ?? 0) / 2
    const shift = start < 0 ? -start : end > most ? Math.max(most - end, -start) : 0
    shelf.forEach(({ index }, place) => {
      at[index] = { x: (places[place] ?? 0) + shift, y: y + height / 2 }
    })
    right = Math.max(right, end + shift)
    y += height + 2 * rows
  }
  return { width: right, bottom: y - rows }
}
