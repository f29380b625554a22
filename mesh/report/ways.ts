export type Point = { x: number; y: number }

const n = (value: number): string => String(Math.round(value * 10) / 10)
const to = (point: Point): string => `${n(point.x)} ${n(point.y)}`

const radius = 7

/** An S between two points, level at both. */
const bent = (from: Point, end: Point): string => {
  const half = (end.x - from.x) / 2
  return `C${n(from.x + half)} ${n(from.y)} ${n(end.x - half)} ${n(end.y)} ${to(end)}`
}

/** Level, upright at one place, level: what many lines do at the same place is one line, and no wedge. */
function stepped(from: Point, end: Point, x: number): string {
  const down = end.y - from.y
  const r = Math.sign(down) * Math.min(radius, Math.abs(down) / 2)
  const turn = Math.abs(r)
  return `H${n(x - turn)} Q${n(x)} ${n(from.y)} ${n(x)} ${n(from.y + r)} V${n(end.y - r)} Q${n(x)} ${n(end.y)} ${n(x + turn)} ${n(end.y)} H${n(end.x)}`
}

/** Where a line stands upright, right of its beginning or left of its end, if there are many beside it. */
export type Upright = { right: number | undefined; left: number | undefined }

/** To the right, straight through the places that it has in the columns between. */
export function forward(
  start: Point,
  end: Point,
  stops: readonly { left: number; right: number; y: number }[],
  { right: after, left: before }: Upright = { right: undefined, left: undefined },
): string {
  const parts = [`M${to(start)}`]
  let last = start
  const lead = (place: Point) => {
    const x =
      last === start && after !== undefined ? after : before === undefined ? undefined : place.x + before
    parts.push(x === undefined ? bent(last, place) : stepped(last, place, x))
    last = place
  }
  for (const { left, right, y } of stops) {
    lead({ x: left, y })
    parts.push(`H${n(right)}`)
    last = { x: right, y }
  }
  if (end.x > last.x) lead(end)
  else {
    const away = Math.max(30, Math.abs(end.x - last.x) / 3)
    parts.push(`C${n(last.x + away)} ${n(last.y)} ${n(end.x - away)} ${n(end.y)} ${to(end)}`)
  }
  return parts.join(' ')
}

/** Straight lines with round corners. */
function cornered(points: readonly Point[]): string {
  const parts: string[] = []
  points.forEach((point, index) => {
    const [before, after] = [points[index - 1], points[index + 1]]
    if (before === undefined) parts.push(`M${to(point)}`)
    else if (after === undefined) parts.push(`L${to(point)}`)
    else {
      const towards = (other: Point): Point => {
        const distance = Math.hypot(other.x - point.x, other.y - point.y)
        const part = distance === 0 ? 0 : Math.min(radius, distance / 2) / distance
        return { x: point.x + (other.x - point.x) * part, y: point.y + (other.y - point.y) * part }
      }
      parts.push(`L${to(towards(before))} Q${to(point)} ${to(towards(after))}`)
    }
  })
  return parts.join(' ')
}

/** Back to the left: down beside the column, along below everything, up before the target's column. */
export const around = (start: Point, end: Point, by: { right: number; left: number; y: number }): string =>
  cornered([
    start,
    { x: by.right, y: start.y },
    { x: by.right, y: by.y },
    { x: by.left, y: by.y },
    { x: by.left, y: end.y },
    end,
  ])

type End = Point & {
  width: number
  height: number
  aside: boolean
  /** of its column */
  side: { left: number; right: number }
}

/** To or from what stands aside: between the columns down to it, or up from it. */
export function besides(from: End, end: End, ceiling: number): string {
  const top = ({ x, y, height }: End): Point => ({ x, y: y - height / 2 })
  if (from.aside && end.aside) {
    const [a, b] = [top(from), top(end)]
    return from.y === end.y
      ? `M${to(a)} C${n(a.x)} ${n(a.y - 26)} ${n(b.x)} ${n(b.y - 26)} ${to(b)}`
      : forward({ x: from.x, y: from.y }, { x: end.x - end.width / 2, y: end.y }, [])
  }
  if (end.aside) {
    const x = from.side.right + 8
    const b = top(end)
    return `${cornered([
      { x: from.x + from.width / 2, y: from.y },
      { x, y: from.y },
      { x, y: ceiling },
    ])} C${n(x)} ${n(ceiling + 14)} ${n(b.x)} ${n(b.y - 14)} ${to(b)}`
  }
  const x = end.side.left - 8
  const a = top(from)
  return `M${to(a)} C${n(a.x)} ${n(a.y - 14)} ${n(x)} ${n(ceiling + 14)} ${n(x)} ${n(ceiling)} ${cornered([
    { x, y: ceiling },
    { x, y: end.y },
    { x: end.x - end.width / 2, y: end.y },
  ]).replace(/^M\S+ \S+ /, '')}`
}
