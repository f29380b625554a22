import { heap } from '../heap.ts'
import { components } from '../linear/components.ts'
import type { Loaded } from '../load.ts'
import { isOnTheWay, type Stream } from '../passing.ts'
import type { Refusals } from './refusals.ts'
import { meanOfRun, runsOf } from './runs.ts'
import { instant, meanOfExtras } from './times.ts'
import type { Passage } from './waits.ts'
import { type Along, ended, finish, type Path, start, step, type Way } from './way.ts'

/** A way as it is looked for: where it has got to, over what, from where, and what it adds up to. */
type Begun = { state: number; over: Stream | undefined; before: Begun | undefined; sum: number }

const mostPerDoor = 200
/** States on ways that one search may look at: where loops cross there are more than anybody can. */
const mostSteps = 1_000_000

/** Ways, and where there are more of them. */
type Paths = { paths: Path[]; cut: string[] }

/**
 * Every way of what comes in, the most used first. For each door and type at most 200: the most used, the slowest and the one
 * that loses most.
 */
export function pathsOf(loaded: Loaded, passages: ReadonlyMap<string, Passage>, refusals: Refusals): Paths {
  const along: Along = { loaded, passages, refusals, runs: runsOf(loaded, passages) }
  const next = onwardOf(loaded)
  // sinks first; on a loop what was found last
  const order = components(next.map((streams) => streams.map(({ to }) => to))).flatMap((members) =>
    members.toReversed(),
  )
  const [use, time, loss] = measuresOf(along, next)
  const searchBy = (measure: Measure) => searchOf(along, next, { order, measure })
  const used = searchBy(use)
  const worst = [
    { search: searchBy(time), of: meanOfWay },
    { search: searchBy(loss), of: ({ there }: Way) => 1 - there },
  ]
  const cut: string[] = []
  const paths = loaded.external.flatMap((rate, door) => {
    const { node, type = '' } = loaded.states[door] ?? {}
    if (rate === 0) return []
    const { ways, more } = used(door, mostPerDoor)
    if (more) {
      cut.push(
        `${type} at ${node?.name}: of its ways the ${ways.length} most used, the slowest and the one that loses most are told.`,
      )
      for (const { search, of } of worst) {
        const most = Math.max(...ways.map(of))
        ways.push(...search(door, 1).ways.filter((way) => of(way) > most * (1 + 1e-9)))
      }
    }
    return ways.map((way) => ended(way, type, rate))
  })
  return {
    paths: paths.toSorted(
      (a, b) => (b.rate ?? -1) - (a.rate ?? -1) || (a.nodes.join() < b.nodes.join() ? -1 : 1),
    ),
    cut,
  }
}

const meanOfWay = ({ delay, extras }: Way): number =>
  delay === null ? endless : delay.mean + extras.reduce((sum, each) => sum + meanOfExtras(each), 0)

/** Where events go on from each state. */
function onwardOf(loaded: Loaded): Stream[][] {
  const next = loaded.states.map((): Stream[] => [])
  const isOnWay = isOnTheWay(loaded)
  for (const stream of loaded.streams) if (isOnWay(stream)) next[stream.from]?.push(stream)
  return next
}

type Measure = (stream: Stream) => number

/** Below all that is known. */
const unsaid = 1e6
const endless = 1e12

/** What a stream adds to a way, of which the largest sum is looked for: use by its logarithm, seconds, and loss by its own. */
function measuresOf(
  { loaded, passages, refusals, runs }: Along,
  next: readonly (readonly Stream[])[],
): [Measure, Measure, Measure] {
  const passageOf = ({ element }: Stream) => passages.get(element.id)
  return [
    ({ gain }) => (gain === null ? -unsaid : Math.log(gain)),
    (stream) => {
      const { delay = instant, extras = [] } = passageOf(stream) ?? {}
      if (delay === null) return endless
      const { sent, handled } = runs.over(stream.element)
      const node = next[stream.to]?.length === 0 ? loaded.states[stream.to]?.node : undefined
      const all = [sent, handled, ...(node === undefined ? [] : [runs.ended(node)])]
      const mean = delay.mean + all.reduce((sum, run) => sum + meanOfRun(run), 0) + meanOfExtras(extras)
      return Math.min(mean, endless)
    },
    (stream) => {
      const { lost = 0, expired = 0 } = passageOf(stream) ?? {}
      return -Math.log(Math.max((1 - lost) * (1 - expired) * (1 - refusals.handling(stream.to)), 1e-300))
    },
  ]
}

/**
 * Best first (Hart, Nilsson and Raphael 1968): by what a way has, and the most that may come on its way to an end. Where
 * there are loops that is a guess, and the order as good as that.
 */
function searchOf(
  along: Along,
  next: readonly (readonly Stream[])[],
  { order, measure }: { order: readonly number[]; measure: Measure },
): (door: number, most: number) => { ways: Way[]; more: boolean } {
  const { loaded } = along
  const ahead: number[] = []
  for (const state of order)
    ahead[state] = (next[state] ?? []).reduce(
      (best, stream) => Math.max(best, measure(stream) + (ahead[stream.to] ?? 0)),
      next[state]?.length ? Number.NEGATIVE_INFINITY : 0,
    )
  const passed = new Int32Array(loaded.states.length)
  let stamp = 0
  return (door, most) => {
    const [costs, open] = [heap(), new Map<number, Begun[]>()]
    let steps = 0
    const put = (way: Begun) => {
      const cost = -(way.sum + (ahead[way.state] ?? 0))
      const alike = open.get(cost)
      if (alike !== undefined) alike.push(way)
      else {
        open.set(cost, [way])
        costs.put(cost)
      }
    }
    const take = (): Begun | undefined => {
      const cost = costs.least()
      const alike = open.get(cost)
      const way = alike?.pop()
      if (alike?.length === 0) {
        open.delete(cost)
        costs.take()
      }
      return way
    }
    /** Where a way may go on to: a loop is walked once, and a node again as another type. */
    const onwardFrom = ({ state }: Begun) => (next[state] ?? []).filter(({ to }) => passed[to] !== stamp)
    const pass = ({ state }: Begun) => {
      passed[state] = stamp
      steps++
    }
    const over = (way: Begun, stream: Stream): Begun => ({
      ...{ state: stream.to, over: stream, before: way },
      sum: way.sum + measure(stream),
    })
    const worthOf = ({ state, sum }: Begun) => sum + (ahead[state] ?? 0)
    const ways: Way[] = []
    put({ state: door, over: undefined, before: undefined, sum: 0 })
    let way = take()
    for (; way !== undefined && ways.length < most && steps < mostSteps; way = take()) {
      stamp++
      for (let at: Begun | undefined = way; at !== undefined; at = at.before) pass(at)
      const onward = onwardFrom(way)
      if (onward.length === 0) ways.push(walked(along, way, door))
      for (const stream of onward) put(over(way, stream))
    }
    if (way === undefined || ways.length > 0) return { ways, more: way !== undefined }
    // nothing has come to an end yet: the best of what was begun, straight on
    let end = way
    stamp++
    for (let at: Begun | undefined = way; at !== undefined; at = at.before) pass(at)
    for (let on = onwardFrom(end); on.length > 0; on = onwardFrom(end)) {
      const from = end
      end = on
        .map((stream) => over(from, stream))
        .reduce((one, two) => (worthOf(two) > worthOf(one) ? two : one))
      pass(end)
    }
    return { ways: [walked(along, end, door)], more: true }
  }
}

function walked(along: Along, end: Begun, door: number): Way {
  const streams: Stream[] = []
  for (let at: Begun | undefined = end; at?.over !== undefined; at = at.before) streams.push(at.over)
  const way = start(along, door)
  for (const stream of streams.reverse()) step(along, way, stream)
  finish(along, way, end.state)
  return way
}
