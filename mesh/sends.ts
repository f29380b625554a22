import type { Loads } from './loads.ts'
import type { ElementOf, Mesh, MeshElement } from './model.ts'
import { anyType, isWay, type Send, toldBy } from './passing.ts'
import { workflowsOf } from './sent-by-tasks.ts'

/**
 * The elements, with what the loads say is sent. Of a node of which somebody has said what it sends, nothing counts that
 * a permission merely allows.
 */
export function* withSends(mesh: Mesh, { sends }: Loads): Generator<MeshElement> {
  const ways = waysOf(mesh)
  const isOfWay = ofWays(mesh, ways)
  const workflows = workflowsOf(mesh)
  const described = new Set([
    ...sends.filter(({ reads }) => !reads).map(({ from }) => from),
    ...mesh.elements.flatMap((each) =>
      each.kind === 'call' && each.provenance === 'declared' && each.carries ? [each.from] : [],
    ),
  ])
  const said = Map.groupBy(sends, ({ from, to }) => `${from}\n${to}`)
  const calls = mesh.elements.filter((element) => element.kind === 'call')
  // of several calls of one way the first
  const known = new Map(calls.toReversed().map((call) => [`${call.from}\n${call.to}`, call]))
  const fromTasks = Map.groupBy(calls, ({ from, to }) => `${workflows.get(from)}\n${to}`)
  const overruled = new Set<MeshElement>(
    calls.filter((call) => {
      if (ways.has(call)) return false
      const senders = [call.from, workflows.get(call.from)]
      const all = senders.flatMap((from) => said.get(`${from}\n${call.to}`) ?? [])
      return isOverruled(call, all, described)
    }),
  )
  for (const element of mesh.elements) if (!overruled.has(element)) yield element
  for (const send of sends) {
    const { from, to, type, per, ratio, reads, measured } = send
    // of a way that the template has, it says how much goes there, and `passes` asks it
    if (isOfWay(send)) continue
    const call = known.get(`${from}\n${to}`)
    const by = call?.by ?? fromTasks.get(`${from}\n${to}`)?.map((each) => each.from)
    yield {
      id: `call:${from}>${to}:${type}${per === null ? '' : `:${per}`}`,
      kind: 'call',
      from,
      to,
      types: type === anyType ? null : [type],
      provenance: measured ? 'measured' : 'declared',
      laws: call?.laws ?? [],
      action: call?.action ?? '*',
      carries: !reads,
      per,
      ratio,
      ...(by !== undefined && { by }),
      retry: call?.retry ?? { attempts: 1, interval: 0, backoff: 1, jitter: false, from: 'declared' },
    }
  }
}

function waysOf({ nodes, elements }: Mesh): ReadonlySet<MeshElement> {
  const kinds = new Map(nodes.map(({ id, kind }) => [id, kind]))
  return new Set(elements.filter((element) => isWay(element, kinds.get(element.from))))
}

/** Whether what is said is of a way that the template has, and not of what code sends beside it. */
function ofWays({ nodes }: Mesh, ways: Iterable<MeshElement>): (send: Send) => boolean {
  const kinds = new Map(nodes.map(({ id, kind }) => [id, kind]))
  const standing = Map.groupBy(ways, ({ from, to }) => `${from}\n${to}`)
  return ({ from, to, type }) =>
    (standing.get(`${from}\n${to}`) ?? []).some((way) =>
      [undefined, type].includes(toldBy(way, kinds.get(from))),
    )
}

/** What is said of ways that the template has, by where they begin. */
export const sendsByWay = (mesh: Mesh, { sends }: Loads): Map<string, Send[]> =>
  Map.groupBy(sends.filter(ofWays(mesh, waysOf(mesh))), ({ from }) => from)

/**
 * `said`: what is said of this way. What is said of a workflow is in the place of what its tasks send; of a type, in the
 * place of that type alone.
 */
function isOverruled(
  { from, types, per, provenance, carries }: ElementOf<'call'>,
  said: Loads['sends'],
  described: ReadonlySet<string>,
): boolean {
  const isOfType = (send: Loads['sends'][number]) =>
    types === null ||
    send.type === anyType ||
    (types.includes(send.type) && (send.per === null || per === null || send.per === per))
  return (
    said.some((send) => provenance !== 'declared' || isOfType(send)) ||
    (provenance === 'inferred' && carries && described.has(from))
  )
}
