import { type Loads, noLoads, type Service } from './loads.ts'
import type { ElementOf, Mesh, MeshElement, MeshNode } from './model.ts'

/** Events of one type at one node. `*` is a type that nobody has named. */
export type State = { node: MeshNode; type: string }

/** Of what `from` handles, `gain` messages go over the element to `to`; null: nobody has said how many. */
export type Stream = { element: MeshElement; from: number; to: number; gain: number | null }

/** A mesh under its loads: what may come where, of which type, and by which element. */
export type Loaded = {
  /** with what is said to be sent in the place of what permissions allow */
  mesh: Mesh
  states: readonly State[]
  streams: readonly Stream[]
  /** per second from outside, by state; null: something comes in here and nobody has said how much */
  external: readonly (number | null)[]
  /** rates that were measured, by state */
  measured: ReadonlyMap<number, number>
  service: ReadonlyMap<string, Service>
  failures: ReadonlyMap<string, number>
}

export const anyType = '*'

/** Spreads what comes from outside over the mesh, type by type, along everything that passes it on. */
export function load(mesh: Mesh, loads: Loads = noLoads): Loaded {
  const elements = [...withSends(mesh, loads)]
  const waySends = sendsByWay(mesh, loads)
  const leaving = new Map<string, MeshElement[]>()
  for (const element of elements) {
    const known = leaving.get(element.from)
    if (known === undefined) leaving.set(element.from, [element])
    else known.push(element)
  }
  const nodes = new Map(mesh.nodes.map((node) => [node.id, node]))
  const states: State[] = []
  const external: (number | null)[] = []
  const positions = new Map<string, number>()
  const stateOf = (node: MeshNode, type: string): number => {
    const key = `${node.id}\n${type}`
    const known = positions.get(key)
    if (known !== undefined) return known
    positions.set(key, states.length)
    states.push({ node, type })
    external.push(0)
    return states.length - 1
  }
  for (const { node, type, rate } of entries(mesh, elements, loads)) external[stateOf(node, type)] = rate
  const streams: Stream[] = []
  // states that are found on the way are looked at in their turn
  for (let from = 0; from < states.length; from++) {
    const state = states[from]
    if (state === undefined) continue
    const out = leaving.get(state.node.id) ?? []
    for (const element of out) {
      const to = nodes.get(element.to)
      const passed = to && passes(element, state, out, waySends.get(element.from) ?? [])
      if (to && passed) streams.push({ element, from, to: stateOf(to, passed.type), gain: passed.gain })
    }
  }
  const measured = new Map<number, number>()
  for (const [id, types] of loads.measured)
    for (const [type, rate] of types) {
      const position = positions.get(`${id}\n${type}`)
      if (position !== undefined) measured.set(position, rate)
    }
  const { service, failures } = loads
  return { mesh: { ...mesh, elements }, states, streams, external, measured, service, failures }
}

/**
 * The elements, with what the loads say is sent. Of a node of which somebody has said what it sends, nothing counts that
 * a permission merely allows.
 */
function* withSends(mesh: Mesh, { sends }: Loads): Generator<MeshElement> {
  const said = new Set(sends.map(({ from, to }) => `${from}\n${to}`))
  const standing = waysOf(mesh)
  const described = new Set([
    ...sends.filter(({ reads }) => !reads).map(({ from }) => from),
    ...mesh.elements.flatMap((each) =>
      each.kind === 'call' && each.provenance === 'declared' && each.carries ? [each.from] : [],
    ),
  ])
  for (const element of mesh.elements)
    if (element.kind !== 'call' || !isOverruled(element, said, described)) yield element
  for (const { from, to, type, per, ratio, reads, measured } of sends) {
    // of a way that the template has, it says how much goes there, and `passes` asks it
    if (standing.has(`${from}\n${to}`)) continue
    const known = mesh.elements.find(
      (element) => element.kind === 'call' && element.from === from && element.to === to,
    )
    yield {
      id: `call:${from}>${to}:${type}${per === null ? '' : `:${per}`}`,
      kind: 'call',
      from,
      to,
      types: type === anyType ? null : [type],
      provenance: measured ? 'measured' : 'declared',
      laws: known?.laws ?? [],
      action: known?.kind === 'call' ? known.action : '*',
      carries: !reads,
      per,
      ratio,
      retry:
        known?.kind === 'call'
          ? known.retry
          : { attempts: 1, interval: 0, backoff: 1, jitter: false, from: 'declared' },
    }
  }
}

const waysOf = ({ elements }: Mesh): ReadonlySet<string> =>
  new Set(elements.flatMap(({ kind, from, to }) => (isWay(kind) ? [`${from}\n${to}`] : [])))

/** What is said of ways that the template has, by where they begin. */
function sendsByWay(mesh: Mesh, { sends }: Loads): Map<string, Loads['sends'][number][]> {
  const standing = waysOf(mesh)
  const found = new Map<string, Loads['sends'][number][]>()
  for (const send of sends)
    if (standing.has(`${send.from}\n${send.to}`))
      found.set(send.from, [...(found.get(send.from) ?? []), send])
  return found
}

/** What the template itself leads on by, unlike what code may call. */
const isWay = (kind: MeshElement['kind']): boolean => kind !== 'call' && kind !== 'dead-letter'

const isOverruled = (
  { from, to, provenance, carries }: ElementOf<'call'>,
  said: ReadonlySet<string>,
  described: ReadonlySet<string>,
): boolean => said.has(`${from}\n${to}`) || (provenance === 'inferred' && carries && described.has(from))

type Entry = { node: MeshNode; type: string; rate: number | null }

/** Where something comes in: what the loads name, schedules, and what nothing leads to but outsiders may call. */
function* entries(mesh: Mesh, elements: readonly MeshElement[], loads: Loads): Generator<Entry> {
  // what comes into a dead letter queue comes from inside
  const reached = new Set(elements.map(({ to }) => to))
  for (const node of mesh.nodes) {
    const given = loads.arrivals.get(node.id) ?? new Map(Object.entries(mesh.arrivals?.[node.id] ?? {}))
    if (given.size > 0) for (const [type, rate] of given) yield { node, type, rate }
    else if (node.kind === 'schedule') {
      if (node.settings.enabled) yield { node, type: anyType, rate: node.settings.perSecond }
    } else if (open.has(node.kind) && !reached.has(node.id)) yield { node, type: anyType, rate: null }
  }
}

const open: ReadonlySet<MeshNode['kind']> = new Set([
  'api',
  'bus',
  'topic',
  'queue',
  'stream',
  'bucket',
  'external',
])

/** What of a state goes over an element; undefined: nothing does. */
function passes(
  element: MeshElement,
  state: State,
  siblings: readonly MeshElement[],
  sends: Loads['sends'],
): { type: string; gain: number | null } | undefined {
  if (element.kind === 'dead-letter') return undefined
  const { node, type } = state
  if (element.kind === 'call') {
    if (element.per !== null && element.per !== type && type !== anyType) return undefined
    // what is only used is used for whatever is handled
    if (!element.carries) return { type, gain: element.ratio }
    return { type: element.types?.[0] ?? type, gain: element.ratio }
  }
  const said = sends.filter(
    ({ per, type: sent }) => [per ?? sent, anyType].includes(type) || (per ?? sent) === anyType,
  )
  if (said.length > 0) {
    const ratios = said.flatMap(({ to, ratio }) => (to === element.to ? [ratio] : []))
    return ratios.length === 0 ? undefined : { type, gain: ratios.reduce((sum, ratio) => sum + ratio, 0) }
  }
  if (element.kind === 'poll' && !element.enabled) return undefined
  if (node.kind === 'rule' && !node.settings.enabled) return undefined
  if (element.types !== null && type !== anyType && !element.types.includes(type)) return undefined
  // consumers of one queue share what is in it; those of a stream each get all
  const sharers =
    element.kind === 'poll' && node.kind === 'queue'
      ? siblings.filter((sibling) => sibling.kind === 'poll' && sibling.enabled).length
      : 1
  // which route of an API it is, nobody has said
  const routes = node.kind === 'api' ? siblings.filter(({ kind }) => isWay(kind)).length : 1
  const narrowed = (element.types !== null && type === anyType) || routes > 1
  return {
    type: narrowed && element.types?.length === 1 ? (element.types[0] ?? type) : type,
    gain: narrowed ? null : 1 / sharers,
  }
}
