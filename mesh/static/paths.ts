import { heap } from '../dynamic/heap.ts'
import { components } from '../linear/components.ts'
import type { Loaded, Stream } from '../load.ts'
import type { Refusals } from './refusals.ts'
import { added, type Extra, extrasOf, instant, type Moments, withExtras } from './times.ts'
import type { Passage } from './waits.ts'

/** One way of an event from where it comes in to where it ends. */
export type Path = {
  /** the type that came in */
  type: string
  /** node ids, from the door to the end */
  nodes: string[]
  /** messages per second that go all the way; null: not known */
  rate: number | null
  /** from the door to the end of the last handling, seconds; null: a queue on the way grows without end */
  delay: { mean: number; p50: number; p99: number } | null
  /** nodes on the way whose service time nobody has said: their part is missing in the delay */
  untimed: string[]
  /** the part that is refused on the way at the first attempt: 1 - Π(1 - lossᵢ) */
  refused: number
  /** the part that is refused at the door for good, or given up on the way and kept nowhere: 1 - Π(1 - lostᵢ) */
  lost: number
}

type Way = {
  state: number
  nodes: string[]
  share: number | null
  delay: Moments | null
  extras: (readonly Extra[])[]
  untimed: string[]
  /** at the first attempt, and in the end */
  taken: number
  there: number
  /** what fails here comes back to something that keeps it */
  isKept: boolean
  /** what the search adds up */
  sum: number
}

const mostPerDoor = 200
/** Ways that may be begun in one search: where loops cross there are more than anybody can look at. */
const mostBegun = 50_000

/** Ways, and where there are more of them. */
export type Paths = { paths: Path[]; cut: string[] }

/**
 * Every way of what comes in, the most used first. For each door and type at most 200: the most used, the slowest and the one
 * that loses most.
 */
export function pathsOf(
  loaded: Loaded,
  passages: ReadonlyMap<string, Passage>,
  refusals: Refusals,
): Paths {
  const along: Along = { loaded, passages, refusals }
  const next = onwardOf(loaded)
  const order = components(next.map((streams) => streams.map(({ to }) => to))).flat()
  const searches = measuresOf(along).map((measure) => searchOf(along, next, { order, measure }))
  const cut: string[] = []
  const paths = loaded.external.flatMap((rate, door) => {
    const { node, type = '' } = loaded.states[door] ?? {}
    if (rate === 0) return []
    const [used, ...worst] = searches.map((search, place) => search(door, place === 0 ? mostPerDoor : 1))
    const ways = used?.ways ?? []
    if (used?.more) {
      cut.push(
        `${type} at ${node?.name}: of its ways the ${ways.length} most used, the slowest and the one that loses most are told.`,
      )
      worst.forEach((found, place) => {
        const of = [meanOf, ({ there }: Way) => 1 - there][place] ?? meanOf
        const most = Math.max(...ways.map(of))
        ways.push(...found.ways.filter((way) => of(way) > most * (1 + 1e-9)))
      })
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

const meanOf = ({ delay, extras }: Way): number =>
  delay === null ? endless : delay.mean + extras.reduce((sum, each) => sum + expected(each), 0)

const expected = (extras: readonly Extra[]): number =>
  extras.reduce((sum, { seconds, chance }) => sum + seconds * chance, 0)

/** Where events go on from each state. */
function onwardOf(loaded: Loaded): Stream[][] {
  const next = loaded.states.map((): Stream[] => [])
  const isOnWay = isOnTheWay(loaded)
  for (const stream of loaded.streams) if (isOnWay(stream)) next[stream.from]?.push(stream)
  return next
}

/** Whether an event goes on over it: what is only read ends no way, nor what is only kept; its handler does. */
export function isOnTheWay({
  states,
  streams,
}: Pick<Loaded, 'states' | 'streams'>): (stream: Stream) => boolean {
  const leadsOn = new Set(streams.map(({ from }) => from))
  return ({ element, to }) => {
    const kind = states[to]?.node.kind
    const isKept = (kind === 'table' || kind === 'bucket') && !leadsOn.has(to)
    return !isKept && (element.kind !== 'call' || element.carries)
  }
}

/** What ways are walked with. */
type Along = { loaded: Loaded; passages: ReadonlyMap<string, Passage>; refusals: Refusals }

type Measure = (stream: Stream) => number

/** Below all that is known. */
const unsaid = 1e6
const endless = 1e12

/** What a stream adds to a way, of which the largest sum is looked for: use by its logarithm, seconds, and loss by its own. */
function measuresOf({ loaded, passages, refusals }: Along): Measure[] {
  const passageOf = ({ element }: Stream) => passages.get(element.id)
  return [
    ({ gain }) => (gain === null ? -unsaid : Math.log(gain)),
    (stream) => {
      const { delay = instant, extras = [] } = passageOf(stream) ?? {}
      const mean = loaded.service.get(stream.element.to)?.mean ?? 0
      return delay === null ? endless : delay.mean + mean + expected(extras)
    },
    (stream) =>
      -Math.log(
        Math.max((1 - (passageOf(stream)?.lost ?? 0)) * (1 - refusals.handling(stream.to)), 1e-300),
      ),
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
  return (door, most) => {
    const [costs, open] = [heap(), new Map<number, Way[]>()]
    let begun = 0
    const put = (way: Way) => {
      const cost = -(way.sum + (ahead[way.state] ?? 0))
      const alike = open.get(cost)
      begun++
      if (alike !== undefined) alike.push(way)
      else {
        open.set(cost, [way])
        costs.put(cost)
      }
    }
    const take = (): Way | undefined => {
      const cost = costs.least()
      const alike = open.get(cost)
      const way = alike?.pop()
      if (alike?.length === 0) {
        open.delete(cost)
        costs.take()
      }
      return way
    }
    const ways: Way[] = []
    put(start(along, door))
    let way = take()
    for (; way !== undefined && ways.length < most && begun < mostBegun; way = take()) {
      const { state, nodes, sum } = way
      // a loop is walked once
      const onward = (next[state] ?? []).filter(({ to }) => !nodes.includes(loaded.states[to]?.node.id ?? ''))
      if (onward.length === 0) ways.push(way)
      for (const stream of onward) put({ ...step(along, way, stream), sum: sum + measure(stream) })
    }
    return { ways, more: way !== undefined }
  }
}

function start({ loaded, refusals: { atDoor, handling } }: Along, state: number): Way {
  const taken = 1 - atDoor(loaded.states[state]?.node.id ?? '')
  const empty = { nodes: [], untimed: [], extras: [], isKept: false, sum: 0 }
  const way: Way = { state, share: 1, delay: instant, taken, there: taken * (1 - handling(state)), ...empty }
  return arrived(loaded, way, state)
}

const unhindered: Passage = { delay: instant, extras: [], refused: 0, givenUp: 'answered', lost: 0 }

function step({ loaded, passages, refusals: { handling } }: Along, way: Way, stream: Stream): Way {
  const { delay, extras, refused, givenUp, lost } = passages.get(stream.element.id) ?? unhindered
  const isExtra = extras.some(({ seconds }) => seconds > 0)
  // whose caller is told, fails with it: it is kept where that is
  const isKept = givenUp === 'answered' ? way.isKept : givenUp === 'kept'
  return arrived(
    loaded,
    {
      ...way,
      share: way.share === null || stream.gain === null ? null : way.share * stream.gain,
      delay: way.delay === null || delay === null ? null : added(way.delay, delay),
      extras: isExtra ? [...way.extras, extras] : way.extras,
      taken: way.taken * (1 - refused),
      there: isKept ? way.there : way.there * (1 - lost) * (1 - handling(stream.to)),
      isKept,
    },
    stream.to,
  )
}

function arrived(loaded: Loaded, way: Way, state: number): Way {
  const node = loaded.states[state]?.node
  if (node === undefined) return way
  const times = loaded.service.get(node.id)
  const works = node.kind === 'function' || node.kind === 'task' || node.kind === 'service'
  const handling = times && { mean: times.mean, variance: times.scv * times.mean ** 2 }
  return {
    ...way,
    state,
    nodes: [...way.nodes, node.id],
    delay: way.delay === null || handling === undefined ? way.delay : added(way.delay, handling),
    untimed: works && times === undefined ? [...way.untimed, node.id] : way.untimed,
  }
}

const ended = (
  { nodes, share, delay, extras, untimed, taken, there }: Way,
  type: string,
  rate: number | null,
): Path => ({
  type,
  nodes,
  rate: share === null || rate === null ? null : share * rate,
  delay: delay === null ? null : withExtras(delay, extrasOf(extras)),
  untimed,
  refused: 1 - taken,
  lost: 1 - there,
})
