import { seeded } from '../random.ts'
import { byFrontier, type Link } from './frontier.ts'

type Reliability = {
  /** the probability that the sink is reached */
  value: number
  /** standard error; 0 where the value is exact */
  error: number
}

type ReliabilityOptions = {
  directed: boolean
  /** states of the exact method before it gives up (default 100,000) */
  states?: number
  /** samples of the simulation (default 100,000, fewer of a large graph) */
  samples?: number
  seed?: number
  /** of how many sinks this is one: they share the time (default 1) */
  sinks?: number
}

/**
 * Whether `sink` is reached from `root` when edges fail independently. Exact by the frontier of the graph, and where that
 * is wide by conditioning on the edges out of what is reached already (Satyanarayana and Prabhakar 1978; states that leave
 * the same rest are merged); where both take too many states, simulated, with its standard error.
 */
export function reliability(
  size: number,
  links: readonly Link[],
  root: number,
  sink: number,
  options: ReliabilityOptions,
): Reliability {
  if (root === sink) return { value: 1, error: 0 }
  const { directed, states = 100_000, sinks = 1 } = options
  const exact =
    byFrontier(links, root, sink, { directed, most: states / sinks }) ??
    conditioned(
      edgesOf(size, links, directed),
      root,
      sink,
      Math.min(states, Math.ceil(mostWork / sinks / (size + links.length))),
    )
  return exact === undefined
    ? simulated(size, links, root, sink, options)
    : { value: Math.min(1, exact), error: 0 }
}

/** Vertices and edges looked at by conditioning before it is given up: each state looks at all. */
const mostWork = 5_000_000
/** Edges drawn, so that a large graph is simulated less often. */
const mostDrawn = 20_000_000

/** Edges by their start: vertex -> probability that at least one of the parallel ones holds. */
type Edges = readonly ReadonlyMap<number, number>[]

function edgesOf(size: number, links: readonly Link[], directed: boolean): Edges {
  const edges = Array.from({ length: size }, () => new Map<number, number>())
  const add = (from: number, to: number, holds: number) => {
    const row = edges[from]
    if (from !== to) row?.set(to, 1 - (1 - (row.get(to) ?? 0)) * (1 - holds))
  }
  for (const { from, to, reliability: holds } of links) {
    add(from, to, holds)
    if (!directed) add(to, from, holds)
  }
  return edges
}

/** undefined: too many states, or too deep. */
function conditioned(edges: Edges, root: number, sink: number, most: number): number | undefined {
  const backward = edges.map((): number[] => [])
  edges.forEach((row, from) => {
    for (const to of row.keys()) backward[to]?.push(from)
  })
  const known = new Map<string, number>()
  let overflow = false
  /** `front`: what the reached part leads to; `reached`: no way leads back into it. */
  const solve = (front: ReadonlyMap<number, number>, reached: ReadonlySet<number>, depth: number): number => {
    if (overflow) return 0
    const useful = between(edges, backward, front, reached, sink)
    const rest = [...front].filter(([vertex]) => useful.has(vertex)).toSorted(([a], [b]) => a - b)
    const [first] = rest
    if (first === undefined) return 0
    const key = `${[...useful].toSorted((a, b) => a - b).join()}|${rest.map(([vertex, holds]) => `${vertex}:${holds}`).join()}`
    const before = known.get(key)
    if (before !== undefined) return before
    if (known.size >= most || depth > 2000) {
      overflow = true
      return 0
    }
    const [vertex, holds] = first
    const without = new Map(rest.slice(1))
    const fails = holds === 1 ? 0 : solve(without, reached, depth + 1)
    const inside = new Set([...reached, vertex])
    const works = vertex === sink ? 1 : solve(grown(without, edges[vertex], inside), inside, depth + 1)
    const value = holds * works + (1 - holds) * fails
    known.set(key, value)
    return value
  }
  const value = solve(edges[root] ?? new Map(), new Set([root]), 0)
  return overflow ? undefined : value
}

/** What the reached part leads to once a vertex has joined it, whose edges are `out`. */
function grown(
  front: ReadonlyMap<number, number>,
  out: ReadonlyMap<number, number> = new Map(),
  inside: ReadonlySet<number>,
): Map<number, number> {
  const onward = new Map(front)
  for (const [to, holds] of out)
    if (!inside.has(to)) onward.set(to, 1 - (1 - (onward.get(to) ?? 0)) * (1 - holds))
  return onward
}

/** The vertices on some way from the front to the sink that does not come back into what is reached. */
function between(
  edges: Edges,
  backward: readonly (readonly number[])[],
  front: ReadonlyMap<number, number>,
  reached: ReadonlySet<number>,
  sink: number,
): Set<number> {
  const walk = (starts: Iterable<number>, step: (vertex: number) => Iterable<number>): Set<number> => {
    const seen = new Set(starts)
    const open = [...seen]
    for (let vertex = open.pop(); vertex !== undefined; vertex = open.pop())
      for (const to of step(vertex))
        if (!seen.has(to) && !reached.has(to)) {
          seen.add(to)
          open.push(to)
        }
    return seen
  }
  const ahead = walk(front.keys(), (vertex) => (vertex === sink ? [] : (edges[vertex]?.keys() ?? [])))
  const leading = walk([sink], (vertex) => backward[vertex] ?? [])
  return new Set([...ahead].filter((vertex) => leading.has(vertex)))
}

const enoughFor = (links: number): number => Math.round(Math.min(100_000, Math.max(1000, mostDrawn / links)))

function simulated(
  size: number,
  links: readonly Link[],
  root: number,
  sink: number,
  { directed, sinks = 1, samples = enoughFor(links.length * sinks), seed = 1 }: ReliabilityOptions,
): Reliability {
  const random = seeded(seed)
  const incident = Array.from({ length: size }, (): { to: number; link: number }[] => [])
  links.forEach(({ from, to }, link) => {
    incident[from]?.push({ to, link })
    if (!directed) incident[to]?.push({ to: from, link })
  })
  // by sample: the last one in which an edge was drawn or a vertex reached
  const drawn = new Uint32Array(links.length)
  const holds = new Uint8Array(links.length)
  const seen = new Uint32Array(size)
  const isUp = (link: number, sample: number): boolean => {
    if (drawn[link] !== sample) {
      drawn[link] = sample
      holds[link] = random() < (links[link]?.reliability ?? 0) ? 1 : 0
    }
    return holds[link] === 1
  }
  const reaches = (sample: number): boolean => {
    const open = [root]
    seen[root] = sample
    for (let vertex = open.pop(); vertex !== undefined; vertex = open.pop()) {
      if (vertex === sink) return true
      for (const { to, link } of incident[vertex] ?? [])
        if (seen[to] !== sample && isUp(link, sample)) {
          seen[to] = sample
          open.push(to)
        }
    }
    return false
  }
  let reachedSink = 0
  for (let sample = 1; sample <= samples; sample++) if (reaches(sample)) reachedSink++
  const value = reachedSink / samples
  // with no failure seen, the rule of three bounds what is unseen
  const error = value === 0 || value === 1 ? 3 / samples : Math.sqrt((value * (1 - value)) / samples)
  return { value, error }
}
