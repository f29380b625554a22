import * as z from 'zod'
import { faultsOf, MeshError, membersOnly } from '../faults.ts'
import { dominators, properDominators } from '../linear/dominators.ts'
import type { Link } from './frontier.ts'
import { reliability } from './reliability.ts'

const vertex = z.union([z.string(), z.number()], { error: 'expected a name' }).transform(String)
const probability = z.number().min(0, 'a probability is 0 or more').max(1, 'a probability is at most 1')

const document = membersOnly({
  edges: z
    .array(
      z.union([z.tuple([vertex, vertex]), z.tuple([vertex, vertex, probability])], {
        error: 'expected ["from", "to"] or ["from", "to", reliability], reliability from 0 to 1',
      }),
    )
    .min(1, 'expected at least one edge'),
  root: vertex,
  sinks: z.array(vertex).min(1, 'expected at least one sink'),
  directed: z.boolean().default(true),
  edgeReliability: probability.default(1),
})

/** A bare graph: who is reached from `root`, by which edges, and how likely each edge holds. */
type Graph = {
  vertices: readonly string[]
  links: readonly Link[]
  root: number
  sinks: readonly number[]
  directed: boolean
}

/** Reads a graph in its notation; throws a MeshError that names each fault. `where` names the file. */
export function parseGraph(where: string, value: unknown): Graph {
  const parsed = document.safeParse(value)
  if (!parsed.success) throw faultsOf(where, parsed.error)
  const { edges, root, sinks, directed, edgeReliability } = parsed.data
  const vertices = [...new Set([...edges.map(([from]) => from), ...edges.map(([, to]) => to)])]
  const index = new Map(vertices.map((name, position) => [name, position]))
  const at = (path: string, name: string): number => {
    const found = index.get(name)
    if (found === undefined) throw new MeshError(`${where}: ${path}: no edge touches ${name}`)
    return found
  }
  return {
    vertices,
    links: edges.map(([from, to, holds]) => ({
      from: at('edges', from),
      to: at('edges', to),
      reliability: holds ?? edgeReliability,
    })),
    root: at('root', root),
    sinks: sinks.map((sink, position) => at(`sinks.${position}`, sink)),
    directed,
  }
}

export type GraphAnswer = {
  /** the immediate dominator of each vertex that the root reaches */
  dominators: Record<string, string>
  /** of each sink: the probability that it is reached */
  reliability: Record<string, number>
  /** its standard error; 0 where it is exact */
  reliabilityError: Record<string, number>
  /** of each sink: what lies on every way to it, nearest first; neither root nor sink */
  singlePointsOfFailure: Record<string, string[]>
  /** sinks that no edge leads to, even when all hold */
  unreachable: string[]
}

export function fractureGraph(graph: Graph, options: { seed?: number; samples?: number } = {}): GraphAnswer {
  const { vertices, links, root, sinks, directed } = graph
  const next = vertices.map((): number[] => [])
  for (const { from, to } of links) {
    next[from]?.push(to)
    if (!directed) next[to]?.push(from)
  }
  const immediate = dominators(next, root)
  const name = (position: number): string => vertices[position] ?? ''
  const each = <Value>(answer: (sink: number) => Value): Record<string, Value> =>
    Object.fromEntries(sinks.map((sink) => [name(sink), answer(sink)]))
  const found = new Map(
    sinks.map((sink) => [
      sink,
      reliability(vertices.length, links, root, sink, { directed, sinks: sinks.length, ...options }),
    ]),
  )
  return {
    dominators: Object.fromEntries(
      [...immediate].map(([position, dominator]) => [name(position), name(dominator)]),
    ),
    reliability: each((sink) => found.get(sink)?.value ?? 0),
    reliabilityError: each((sink) => found.get(sink)?.error ?? 0),
    singlePointsOfFailure: each((sink) => properDominators(immediate, sink, root).map(name)),
    unreachable: sinks.filter((sink) => sink !== root && !immediate.has(sink)).map(name),
  }
}
