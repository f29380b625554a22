import type { Loaded, Stream } from '../load.ts'
import type { Refusals } from './refusals.ts'
import { added, instant, type Moments, percentiles } from './times.ts'
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
  /** the part that is refused, or given up after all attempts, and kept nowhere: 1 - Π(1 - lostᵢ) */
  lost: number
}

type Way = {
  state: number
  nodes: string[]
  share: number | null
  delay: Moments | null
  untimed: string[]
  /** at the first attempt, and in the end */
  taken: number
  there: number
  /** what fails here comes back to something that keeps it */
  isKept: boolean
}

const mostPerDoor = 200

/** Every way of what comes in, the most used first; at most 200 for each door and type. */
export function pathsOf(loaded: Loaded, passages: ReadonlyMap<string, Passage>, refusals: Refusals): Path[] {
  const next = loaded.states.map((): Stream[] => [])
  const isOnWay = isOnTheWay(loaded)
  for (const stream of loaded.streams) if (isOnWay(stream)) next[stream.from]?.push(stream)
  return loaded.external
    .flatMap((rate, door) => {
      if (rate === 0) return []
      const type = loaded.states[door]?.type ?? ''
      const paths: Path[] = []
      const open: Way[] = [start(loaded, door, refusals)]
      for (let way = open.pop(); way !== undefined && paths.length < mostPerDoor; way = open.pop()) {
        const reached = way
        // a loop is walked once
        const onward = (next[reached.state] ?? []).filter(
          ({ to }) => !reached.nodes.includes(loaded.states[to]?.node.id ?? ''),
        )
        if (onward.length === 0) paths.push(ended(reached, type, rate))
        else for (const stream of onward) open.push(step(loaded, reached, stream, passages, refusals))
      }
      return paths
    })
    .toSorted((a, b) => (b.rate ?? -1) - (a.rate ?? -1) || (a.nodes.join() < b.nodes.join() ? -1 : 1))
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

function start(loaded: Loaded, state: number, { atDoor, handling }: Refusals): Way {
  const taken = 1 - atDoor(loaded.states[state]?.node.id ?? '')
  const there = taken * (1 - handling(state))
  const way: Way = { state, nodes: [], share: 1, delay: instant, untimed: [], taken, there, isKept: false }
  return arrived(loaded, way, state)
}

const unhindered: Passage = { delay: instant, refused: 0, givenUp: 'answered', lost: 0 }

function step(
  loaded: Loaded,
  way: Way,
  stream: Stream,
  passages: ReadonlyMap<string, Passage>,
  { handling }: Refusals,
): Way {
  const { delay, refused, givenUp, lost } = passages.get(stream.element.id) ?? unhindered
  // whose caller is told, fails with it: it is kept where that is
  const isKept = givenUp === 'answered' ? way.isKept : givenUp === 'kept'
  return arrived(
    loaded,
    {
      ...way,
      share: way.share === null || stream.gain === null ? null : way.share * stream.gain,
      delay: way.delay === null || delay === null ? null : added(way.delay, delay),
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
  { nodes, share, delay, untimed, taken, there }: Way,
  type: string,
  rate: number | null,
): Path => ({
  type,
  nodes,
  rate: share === null || rate === null ? null : share * rate,
  delay: delay === null ? null : { mean: delay.mean, ...percentiles(delay) },
  untimed,
  refused: 1 - taken,
  lost: 1 - there,
})
