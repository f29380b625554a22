import type { ComprehensiveReport } from '../comprehensive/report.ts'
import type { Mesh } from '../model.ts'
import { type Numbers, numbersOf } from './heat.ts'
import { type Drawn, type Parts, partsOf } from './parts.ts'

/** So many boxes and lines are what somebody can look at, and what can be laid out in a second. */
export const most = { nodes: 500, lines: 1500 }
/** So many of the worst findings and of the most used limits are gone out from, and so far along a way. */
const mostTargets = 50
const mostSteps = 50
const mostWays = 60

/** What the page shows of a mesh: all of it, or of a large one what is worst, with the ways through it. */
export type View = {
  /** with all elements, also those that are not drawn */
  parts: Parts
  numbers: Numbers
  /** places of nodes in the mesh */
  boxes: ReadonlySet<number>
  lines: readonly Drawn[]
  /** of the first ways of the report, their nodes by place in the mesh; undefined: not drawn as a whole */
  ways: readonly (readonly number[] | undefined)[]
}

export function viewOf(mesh: Mesh, report: ComprehensiveReport): View {
  const parts = partsOf(mesh)
  const numbers = numbersOf(report.static, mesh)
  const isSmall = mesh.nodes.length <= most.nodes && parts.drawn.length <= most.lines
  const boxes = isSmall ? new Set(mesh.nodes.keys()) : neighbourhood(mesh, report, parts, numbers)
  const among = parts.drawn.filter(({ from, to }) => boxes.has(from) && boxes.has(to))
  const lines = among.length <= most.lines ? among : among.toSorted(firstFor(numbers)).slice(0, most.lines)
  const index = new Map(mesh.nodes.map(({ id }, place) => [id, place]))
  const ways = report.static.paths.slice(0, mostWays).map(({ nodes }) => {
    const places = nodes.flatMap((id) => index.get(id) ?? [])
    return places.every((place) => boxes.has(place)) ? places : undefined
  })
  return { parts, numbers, boxes, lines, ways }
}

const ranks: Readonly<Record<Drawn['part'], number>> = { way: 0, may: 1, after: 2, dead: 3, store: 4 }

/** What is surely a way before what may be one, and the busier first. */
const firstFor =
  ({ worst, load }: Numbers) =>
  (a: Drawn, b: Drawn): number =>
    ranks[a.part] - ranks[b.part] ||
    (load.get(b.element.id)?.rate ?? 0) - (load.get(a.element.id)?.rate ?? 0) ||
    (worst.get(b.element.id) ?? 0) - (worst.get(a.element.id) ?? 0) ||
    a.index - b.index

/**
 * From each of the worst findings and the most used limits in turns the busiest way that leads there and on from it, then
 * what is next to what is drawn, and last what is tied to none of it.
 */
function neighbourhood(
  mesh: Mesh,
  report: ComprehensiveReport,
  { drawn }: Parts,
  numbers: Numbers,
): ReadonlySet<number> {
  const sorted = drawn.toSorted(firstFor(numbers))
  const into = Map.groupBy(sorted, ({ to }) => to)
  const outOf = Map.groupBy(sorted, ({ from }) => from)
  const boxes = new Set<number>()
  const add = (place: number): void => {
    if (boxes.size < most.nodes) boxes.add(place)
  }
  const walk = (start: number, next: (place: number) => number | undefined): void => {
    let place = next(start)
    for (let step = 0; step < mostSteps && place !== undefined && !boxes.has(place); step++) {
      add(place)
      place = next(place)
    }
  }
  for (const target of targets(mesh, report, numbers)) {
    add(target)
    walk(target, (place) => into.get(place)?.[0]?.from)
    walk(target, (place) => outOf.get(place)?.find(({ part }) => ranks[part] <= ranks.may)?.to)
  }
  // what is added on the way is gone out from in its turn
  for (const place of boxes)
    for (const { from, to } of [...(outOf.get(place) ?? []), ...(into.get(place) ?? [])]) {
      add(from)
      add(to)
    }
  for (const place of mesh.nodes.keys()) add(place)
  return boxes
}

function targets(mesh: Mesh, { findings }: ComprehensiveReport, { worst }: Numbers): number[] {
  const index = new Map(mesh.nodes.map(({ id }, place) => [id, place]))
  const ends = new Map(mesh.elements.map(({ id, from }) => [id, from]))
  const placeOf = (at: string): number[] => {
    const place = index.get(at) ?? index.get(ends.get(at) ?? '')
    return place === undefined ? [] : [place]
  }
  const found = [...new Set(findings.flatMap(({ at }) => placeOf(at)))].slice(0, mostTargets)
  const stressed = [...worst].toSorted(([, a], [, b]) => b - a).flatMap(([at]) => placeOf(at))
  const used = [...new Set(stressed)].slice(0, mostTargets)
  return Array.from({ length: mostTargets }, (_, place) => [
    ...found.slice(place, place + 1),
    ...used.slice(place, place + 1),
  ]).flat()
}
