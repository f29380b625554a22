import { type DeadLetter, deadLettersOf } from './dead-letters.ts'
import { type Loads, noLoads, type Service } from './loads.ts'
import { type Mesh, type MeshElement, type MeshNode, nodesById } from './model.ts'
import { anyType, asTaken, passes, type Send, type State, type Stream } from './passing.ts'
import { sendsByWay, withSends } from './sends.ts'
import { byTasks } from './sent-by-tasks.ts'

/** A mesh under its loads: what may come where, of which type, and by which element. */
export type Loaded = {
  /** with what is said to be sent in the place of what permissions allow */
  mesh: Mesh
  states: readonly State[]
  streams: readonly Stream[]
  letters: readonly DeadLetter[]
  /** per second from outside, by state; null: something comes in here and nobody has said how much */
  external: readonly (number | null)[]
  /** rates that were measured, by state */
  measured: ReadonlyMap<number, number>
  /** what somebody says goes over ways that the template has */
  said: readonly Send[]
  service: ReadonlyMap<string, Service>
  /** how long each keeps a server, which is longer than its service where a run waits for what it calls */
  occupancy: ReadonlyMap<string, Service>
  failures: ReadonlyMap<string, number>
  /** what the mesh and the loads say may stay */
  accepted: Loads['accepted']
  shares: Loads['shares']
  targets: Loads['targets']
  /** given in the place of those of laws/constants.ts */
  constants: Loads['constants']
}

/** Whether nothing goes on with it: a table that is read, a service that is asked. */
export const isAsked = (element: MeshElement): boolean => element.kind === 'call' && !element.carries

/** Spreads what comes from outside over the mesh, type by type, along everything that passes it on. */
export function load(given: Mesh, givenLoads: Loads = noLoads): Loaded {
  const { mesh, loads } = byTasks(given, givenLoads)
  const elements = [...withSends(mesh, loads)]
  const waySends = sendsByWay(mesh, loads)
  const said = [...waySends.values()].flat()
  const saidOf = Map.groupBy(said, ({ to }) => to)
  const leaving = Map.groupBy(elements, ({ from }) => from)
  const nodes = nodesById(mesh)
  const failures = failuresOf(mesh.nodes, elements, loads.failures)
  const around = { nodes, leaving, failures }
  // what was measured at a bus was not told apart
  const asking = new Set(
    elements.flatMap(({ from, to }) => {
      const node = nodes.get(to)
      const asks = node?.kind === 'rule' && node.settings.buckets !== undefined
      return asks && !loads.measured.has(from) ? [from] : []
    }),
  )
  const { states, external, stateOf } = statesOf()
  for (const { node, type, rate } of entries(mesh, elements, loads)) external[stateOf(node, type)] = rate
  const streams: Stream[] = []
  const letters: DeadLetter[] = []
  /** At a bus whose rules ask for it, the bucket that tells it. */
  const teller = ({ node }: State, to: MeshNode) =>
    node.kind === 'bucket' && asking.has(to.id) ? node.id : undefined
  const spread = (found: State, from: number) => {
    const state = asTaken(found, saidOf.get(found.node.id) ?? [])
    const out = leaving.get(state.node.id) ?? []
    const first = streams.length
    for (const element of out) {
      const to = nodes.get(element.to)
      if (to === undefined) continue
      const ends = {
        ...{ to, out, beyond: leaving.get(to.id) ?? [], sends: waySends.get(element.from) ?? [] },
        batch: loads.service.get(element.from)?.batch ?? 1,
      }
      const marks = { asked: isAsked(element), of: teller(state, to) }
      for (const { type, gain } of passes(element, state, ends))
        if (gain !== 0) streams.push({ element, from, to: stateOf(to, type, marks), gain })
    }
    for (const { to, type, ...letter } of deadLettersOf(state.type, streams.slice(first), around))
      letters.push({ ...letter, from, to: stateOf(to, type) })
  }
  let next = 0
  // states that are found on the way are looked at in their turn
  const spreadAll = () => {
    for (; next < states.length; next++) {
      const state = states[next]
      if (state !== undefined && !state.asked) spread(state, next)
    }
  }
  spreadAll()
  for (const node of beginnings(mesh, elements, { loads, states })) external[stateOf(node, anyType)] = null
  spreadAll()
  const found = states.length
  const measured = new Map<number, number>()
  for (const [id, types] of loads.measured) {
    const node = nodes.get(id)
    if (node !== undefined) for (const [type, rate] of types) measured.set(stateOf(node, type), rate)
  }
  spreadAll()
  // what nothing that is known leads to comes from outside, all of it
  const led = new Set([...streams, ...letters].map(({ to }) => to))
  for (const [state, rate] of measured) if (state >= found && !led.has(state)) external[state] = rate
  const { service, shares, targets, constants } = loads
  const accepted = [...(mesh.accepted ?? []), ...loads.accepted]
  const occupancy = occupancyOf(mesh.nodes, elements, service)
  const known = { service, occupancy, failures, accepted, shares, targets, constants }
  return { mesh: { ...mesh, elements }, states, streams, letters, external, measured, said, ...known }
}

/** A run of a pipe fails when what it waits for does, unless it is said how often it fails. */
function failuresOf(
  nodes: readonly MeshNode[],
  elements: readonly MeshElement[],
  said: Loaded['failures'],
): Loaded['failures'] {
  const failures = new Map(said)
  const pipes = new Set(nodes.flatMap(({ id, kind }) => (kind === 'pipe' && !said.has(id) ? [id] : [])))
  for (const { kind, from, to } of elements) {
    const fails = said.get(to) ?? 0
    if (kind === 'invoke' && pipes.has(from) && fails > 0)
      failures.set(from, 1 - (1 - (failures.get(from) ?? 0)) * (1 - fails))
  }
  return failures
}

/** A run of a pipe keeps its server as long as the enrichment and the target that it waits for, too. */
function occupancyOf(
  nodes: readonly MeshNode[],
  elements: readonly MeshElement[],
  service: Loaded['service'],
): Loaded['occupancy'] {
  const occupancy = new Map(service)
  const calls = Map.groupBy(
    elements.filter(({ kind }) => kind === 'invoke'),
    ({ from }) => from,
  )
  for (const { id, kind } of nodes) {
    const own = service.get(id)
    if (kind !== 'pipe' || own === undefined) continue
    const waited = (calls.get(id) ?? []).map(({ to }) => service.get(to)?.mean ?? Number.NaN)
    const mean = waited.reduce((sum, each) => sum + each, own.mean)
    if (Number.isNaN(mean)) occupancy.delete(id)
    else occupancy.set(id, { ...own, mean })
  }
  return occupancy
}

type Marks = { asked?: boolean; of?: string | undefined }

/** States as they are found, and what comes into each from outside. */
function statesOf() {
  const states: State[] = []
  const external: (number | null)[] = []
  const positions = new Map<string, number>()
  const stateOf = (node: MeshNode, type: string, { asked = false, of }: Marks = {}): number => {
    const key = `${node.id}\n${type}\n${asked ? 'asked' : ''}\n${of ?? ''}`
    const known = positions.get(key)
    if (known !== undefined) return known
    positions.set(key, states.length)
    states.push({ node, type, ...(asked && { asked }), ...(of !== undefined && { of }) })
    external.push(0)
    return states.length - 1
  }
  return { states, external, stateOf }
}

/**
 * Of what feeds only itself, and where nobody has said that anything comes in: where it may begin, of several kinds what is
 * more of a door.
 */
function beginnings(
  { nodes }: Mesh,
  elements: readonly MeshElement[],
  { loads, states }: { loads: Loads; states: readonly State[] },
): MeshNode[] {
  // where something is said to come in, a loop that nothing of it gets into stands still
  if (loads.arrivals.size > 0 || loads.measured.size > 0) return []
  const known = new Set(states.map(({ node }) => node.id))
  const left = nodes.filter(({ id }) => !known.has(id))
  const places = new Map(left.map(({ id }, place) => [id, place]))
  const before = left.map((): number[] => [])
  const fed = new Set<number>()
  for (const element of elements) {
    const [from, to] = [places.get(element.from), places.get(element.to)]
    const carries = element.kind !== 'dead-letter' && !isAsked(element)
    if (to === undefined || !carries || (element.kind === 'call' && element.ratio === 0)) continue
    if (from === undefined) fed.add(to)
    else before[to]?.push(from)
  }
  const behind = (start: number): Set<number> => {
    const found = new Set(before[start])
    for (const place of found) for (const one of before[place] ?? []) found.add(one)
    return found
  }
  return left.filter(({ kind }, place) => {
    if (!open.has(kind)) return false
    const all = behind(place)
    const isRound = all.has(place) && [...all].every((one) => !fed.has(one) && behind(one).has(place))
    const first = doors.find((each) => [...all].some((one) => left[one]?.kind === each))
    return isRound && kind === first
  })
}

/** The more of a door first. */
const doors: readonly MeshNode['kind'][] = ['api', 'external', 'bucket', 'bus', 'topic', 'stream', 'queue']

type Entry = { node: MeshNode; type: string; rate: number | null }

/** Where something comes in: what the loads name, schedules, and what nothing leads to but outsiders may call. */
function* entries(mesh: Mesh, elements: readonly MeshElement[], loads: Loads): Generator<Entry> {
  // what comes into a dead letter queue comes from inside
  const reached = new Set(elements.map(({ to }) => to))
  const leading = new Set(elements.map(({ from }) => from))
  const told = new Set(mesh.told)
  // from a bucket that tells nobody nothing goes on, and what alarms say is no event
  const isShut = ({ id, kind }: MeshNode) => (kind === 'bucket' && !leading.has(id)) || told.has(id)
  for (const node of mesh.nodes) {
    const said = loads.arrivals.get(node.id)
    const given = said ?? new Map(Object.entries(mesh.arrivals?.[node.id] ?? {}))
    if (given.size > 0) for (const [type, rate] of given) yield { node, type, rate }
    else if (said !== undefined) continue
    else if (node.kind === 'schedule') {
      if (node.settings.enabled) yield { node, type: anyType, rate: node.settings.perSecond }
    } else if (open.has(node.kind) && !reached.has(node.id) && !loads.measured.has(node.id) && !isShut(node))
      yield { node, type: anyType, rate: null }
  }
}

const open: ReadonlySet<MeshNode['kind']> = new Set(doors)
