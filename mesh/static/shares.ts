import { listed } from '../listed.ts'
import type { Loaded } from '../load.ts'
import type { MeshNode } from '../model.ts'
import { role, roles } from '../roles.ts'
import type { Demands } from './demand.ts'
import type { StaticReport } from './report.ts'
import { isAwaited } from './runs.ts'
import { lognormal } from './times.ts'

type Shares = StaticReport['shares']

/**
 * The share of each node in the time that all messages spend: λᵢE[Sᵢ] / Σ λⱼE[Sⱼ], E[S] being the time of an invocation
 * or, of what only passes on, the latency of the way from it. Beside it what somebody expected of each role, and what the
 * number leaves out.
 */
export function sharesOf({ mesh, service, shares: expected }: Loaded, demands: Demands): Shares {
  const handling = new Map<string, number>()
  const passing = new Map<string, number>()
  const awaited = new Set(
    mesh.nodes.flatMap((node) => (node.kind === 'task' && isAwaited(node) ? [node.id] : [])),
  )
  // the time of a task that waits is that of what it calls
  const waiting = new Set(
    mesh.elements.flatMap(({ from, to }) => (awaited.has(from) && service.has(to) ? [from] : [])),
  )
  for (const { id, kind } of mesh.nodes) {
    const { busy, requests } = demands.ofNode(id)
    const { mean } = service.get(id) ?? {}
    if (busy === null || mean === undefined || waiting.has(id)) continue
    // a run of a pipe is busy while it waits, too
    handling.set(id, kind === 'pipe' ? requests * mean : busy)
  }
  for (const { id, from, laws } of mesh.elements)
    for (const law of laws)
      if (law.law === 'latency')
        passing.set(
          from,
          (passing.get(from) ?? 0) + demands.ofElement(id).messages * lognormal(law.p50, law.p99).mean,
        )
  const work = (id: string): number => (handling.get(id) ?? 0) + (passing.get(id) ?? 0)
  const total = mesh.nodes.reduce((sum, { id }) => sum + work(id), 0)
  const shareOf = (ids: readonly string[], of: (id: string) => number): number =>
    total === 0 ? 0 : ids.reduce((sum, id) => sum + of(id), 0) / total
  const untimed = new Map(
    mesh.nodes.flatMap(({ id, name, kind }) => {
      const isTimed = service.has(id) || passing.has(id) || waiting.has(id)
      return !isTimed && demands.ofNode(id).requests > 0 && (worksItself.has(kind) || isCalled.has(kind))
        ? [[id, { name, kind }]]
        : []
    }),
  )
  return {
    nodes: mesh.nodes
      .map(({ id, name }) => ({ node: id, name, share: shareOf([id], work) }))
      .filter((entry) => entry.share > 0)
      .toSorted((a, b) => b.share - a.share || (a.node < b.node ? -1 : 1)),
    roles: role.options.map((name) => {
      const kinds: readonly string[] = roles[name]
      const nodes = mesh.nodes.filter(({ kind }) => kinds.includes(kind))
      const ids = nodes.map(({ id }) => id)
      const unknown = [...untimed.values()].filter(({ kind }) => kinds.includes(kind))
      const known = shareOf(ids, work)
      const share = total === 0 || (known === 0 && unknown.length > 0) ? null : known
      const claimed = expected[name] ?? null
      return {
        role: name,
        share,
        expected: claimed,
        difference: share === null || claimed === null ? null : share - claimed,
        why: reasons({
          kinds,
          nodes,
          total,
          passed: shareOf(ids, (id) => passing.get(id) ?? 0),
          untimed: unknown,
          elsewhere: [...untimed.values()].filter(
            (one) => isCalled.has(one.kind) && !kinds.includes(one.kind),
          ),
          tooHigh: share !== null && claimed !== null && share > claimed,
        }),
      }
    }),
    untimed: [...untimed].flatMap(([id, { kind }]) => (worksItself.has(kind) ? [id] : [])),
  }
}

/** What is busy with a message while it handles it. */
const worksItself: ReadonlySet<string> = new Set(['function', 'task', 'service'])
/** What is busy while its caller waits, whose time it is counted in. */
const isCalled: ReadonlySet<string> = new Set(['table', 'bucket', 'external'])

const named = (nodes: readonly { name: string }[]): string => listed(nodes.map(({ name }) => name))

/** Why a share may be another than it seems. */
function reasons(given: {
  kinds: readonly string[]
  nodes: readonly MeshNode[]
  total: number
  /** the share that is latency of ways */
  passed: number
  untimed: readonly { name: string; kind: string }[]
  /** called ones of other roles, whose time counts where a handler waits */
  elsewhere: readonly { name: string; kind: string }[]
  /** more than was expected */
  tooHigh: boolean
}): string[] {
  const { kinds, nodes, total, passed, untimed, elsewhere, tooHigh } = given
  if (nodes.length === 0) return [`nothing in the mesh is of it (${kinds.join(', ')})`]
  if (total === 0) return ['no time at all is known']
  const working = untimed.filter(({ kind }) => worksItself.has(kind))
  const called = untimed.filter(({ kind }) => isCalled.has(kind))
  return [
    ...(tooHigh && elsewhere.length > 0 && kinds.some((kind) => worksItself.has(kind))
      ? [
          `too high: it has the time of ${named(elsewhere)} in it, which is not known apart, while a handler waits for it`,
        ]
      : []),
    ...(working.length > 0
      ? [`${tooHigh ? 'and more still' : 'too low'}: nobody has said how long ${named(working)} take`]
      : []),
    ...(called.length > 0
      ? [`too low: the time of ${named(called)} is not known apart, and counts where a handler waits for it`]
      : []),
    ...(passed > 0
      ? [
          `${(100 * passed).toFixed(0)} % of all is latency of asynchronous ways: nobody waits there and no server is busy`,
        ]
      : []),
  ]
}
