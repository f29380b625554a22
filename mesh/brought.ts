import type { Service } from './loads.ts'
import type { Mesh } from './model.ts'

/** Messages that come in one request, by node, where that is known: of a machine that only pipes start, what they take at once. */
export function broughtTo(
  { nodes, elements }: Mesh,
  service: ReadonlyMap<string, Service>,
): ReadonlyMap<string, number> {
  const pipes = new Set(nodes.flatMap(({ id, kind }) => (kind === 'pipe' ? [id] : [])))
  const entering = Map.groupBy(elements, ({ to }) => to)
  return new Map(
    nodes.flatMap(({ id, kind }) => {
      const callers = (entering.get(id) ?? []).map(({ from }) => from)
      const isPiped = kind === 'workflow' && callers.length > 0 && callers.every((from) => pipes.has(from))
      // the least of several is the most requests
      const piped = isPiped ? Math.min(...callers.map((from) => service.get(from)?.batch ?? 1)) : undefined
      const batch = service.get(id)?.batch ?? piped
      return batch === undefined ? [] : [[id, batch] as const]
    }),
  )
}
