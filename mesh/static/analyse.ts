import { deadLettersOver } from '../dead-letters.ts'
import { lawsAssumed } from '../laws/assumed.ts'
import { listed } from '../listed.ts'
import type { Loaded } from '../load.ts'
import { type MeshElement, nodesById } from '../model.ts'
import { type Pauses, pausesIn } from './backoff.ts'
import { demandsOf } from './demand.ts'
import { pathsOf } from './paths.ts'
import { type Rates, ratesOf } from './rates.ts'
import { type Refusals, refusalsOf } from './refusals.ts'
import type { StaticReport } from './report.ts'
import { sharesOf } from './shares.ts'
import { type Stress, stressesOf } from './stress.ts'
import { isHeld } from './tries.ts'
import { type Passage, passagesOf } from './waits.ts'

/** The steady state of a mesh under its loads: rates, what limits them and by how much, ways and their delays. */
export function analyseStatic(loaded: Loaded): StaticReport {
  const rates = ratesOf(loaded)
  const loops = rates.loops.map(({ members, gain }) => ({
    nodes: [...new Set(members.flatMap((state) => loaded.states[state]?.node.id ?? []))],
    types: [...new Set(members.flatMap((state) => loaded.states[state]?.type ?? []))],
    gain,
  }))
  const demands = demandsOf(loaded, rates)
  const { stresses, unavailable } = stressesOf(loaded, demands)
  const refusals = refusalsOf(loaded, stresses)
  const passages = passagesOf(loaded, demands, refusals)
  const { paths, cut } = pathsOf(loaded, passages, refusals)
  const open = openLetters(loaded, refusals)
  const tightest = stresses.find(({ safety }) => safety !== null)
  return {
    rates: ratesByNode(loaded, rates).map((rate) =>
      open.has(rate.node) ? { ...rate, complete: false } : rate,
    ),
    loads: loaded.mesh.elements.map(({ id }) => {
      const { messages, complete } = demands.ofElement(id)
      return { element: id, rate: messages, complete: complete && !open.has(id) }
    }),
    loops,
    unexplained: [...rates.unexplained].flatMap(([state, rate]) => {
      const { node, type } = loaded.states[state] ?? {}
      return node === undefined || type === undefined || Math.abs(rate) < 1e-9
        ? []
        : [{ node: node.id, type, rate }]
    }),
    stresses: stresses.map((stress) => (open.has(stress.at) ? { ...stress, complete: false } : stress)),
    unavailable,
    safety:
      tightest === undefined || tightest.safety === null
        ? null
        : { factor: tightest.safety, at: tightest.at, name: tightest.name, unit: tightest.unit },
    paths,
    shares: sharesOf(loaded, demands),
    assumptions: [
      ...assumptionsOf(loaded),
      ...openBatches(stresses),
      ...backoffs(passages, pausesIn(loaded.constants)),
      ...cut,
    ],
  }
}

/** Where what is given up for want of room goes, and on from there: at least so much comes there. By node and element id. */
function openLetters({ mesh }: Loaded, refusals: Refusals): ReadonlySet<string> {
  const nodes = nodesById(mesh)
  const leaving = Map.groupBy(mesh.elements, ({ from }) => from)
  const next: MeshElement[] = mesh.elements.flatMap((element) => {
    const to = nodes.get(element.to)
    const { part, expires } = refusals.unserved(element)
    const isOver = isHeld(element) && ((part > 0 && !expires) || refusals.over(element) > 0)
    return to !== undefined && isOver ? deadLettersOver(element, to, leaving) : []
  })
  const open = new Set<string>()
  for (let element = next.pop(); element !== undefined; element = next.pop()) {
    if (open.has(element.id)) continue
    open.add(element.id).add(element.to)
    for (const each of leaving.get(element.to) ?? []) if (each.provenance !== 'inferred') next.push(each)
  }
  return open
}

function ratesByNode({ states, external }: Loaded, { rates, complete }: Rates): StaticReport['rates'] {
  const found = new Map<string, StaticReport['rates'][number]>()
  states.forEach(({ node, type, asked }, state) => {
    // what a bus tells apart by its buckets is one type there
    const key = JSON.stringify([node.id, type, asked])
    const known = found.get(key)
    found.set(key, {
      ...{ node: node.id, name: node.name, type, ...(asked && { asked }) },
      rate: (known?.rate ?? 0) + (rates[state] ?? 0),
      complete: known?.complete !== false && complete[state] === true && external[state] !== null,
    })
  })
  return [...found.values()].toSorted((a, b) => b.rate - a.rate || (a.node < b.node ? -1 : 1))
}

/** What is left out of the time of state machines. */
function runsAssumed({ mesh, states }: Loaded): string[] {
  const used = new Set(states.map(({ node }) => node.id))
  const tasks = mesh.nodes.filter((node) => node.kind === 'task').filter(({ id }) => used.has(id))
  const open = tasks.filter(({ settings: { before } }) => (before?.unknown ?? []).length > 0)
  const unknown = [...new Set(open.flatMap(({ settings: { before } }) => before?.unknown ?? []))]
  return [
    ...(tasks.length > 0
      ? [
          'What Step Functions takes from a state to the next, and to hand something on, is no time; nothing is caught.',
        ]
      : []),
    ...(open.length > 0
      ? [
          `Before ${open.length} tasks of state machines it is not known how often ${listed(unknown)} run or how long they take: the ways over these tasks take at least what is told.`,
        ]
      : []),
  ]
}

function assumptionsOf(loaded: Loaded): string[] {
  const { mesh, states, service, failures } = loaded
  const working = new Set(
    states
      .filter(({ node }) => node.kind === 'function' || node.kind === 'service')
      .map(({ node }) => node.id),
  )
  const without = (known: ReadonlyMap<string, unknown>) => [...working].filter((id) => !known.has(id)).length
  const unbatched = [...working].filter((id) => service.get(id)?.batch === undefined).length
  return [
    'Arrivals from outside are Poisson; nodes are independent of each other (decomposition).',
    'The state is steady: nothing is still growing, nothing is being retried from an earlier outage.',
    ...lawsAssumed(loaded),
    ...keysAssumed(loaded),
    ...runsAssumed(loaded),
    ...(unbatched > 0
      ? [`${unbatched} functions are taken to get one message an invocation: no batch was given for them.`]
      : []),
    ...(without(failures) > 0
      ? [`${without(failures)} functions are taken never to fail: no failures were given for them.`]
      : []),
    ...(mesh.elements.some(({ laws }) => laws.some(({ law }) => law === 'latency'))
      ? [
          'The time on the way is what others measured of each service (see the constants), not what this account has.',
        ]
      : []),
  ]
}

/** Of streams: what is behind a record in its shard waits for it, whoever else is free. */
function keysAssumed({ mesh }: Loaded): string[] {
  const laws = mesh.elements.flatMap((element) =>
    element.laws.filter((law) => law.law === 'servers' && law.keyed === true),
  )
  const guessed = laws.filter(({ from }) => from !== 'template').length
  if (laws.length === 0) return []
  return [
    `What ${laws.length} pollers of streams read is bound to its shard, and with a parallelization factor to a part of that, over which keys are taken to be spread evenly; those of a busier shard wait longer.`,
    ...(guessed > 0
      ? [
          `Of ${guessed} of these streams the shards are not in the template: there are as many as AWS begins with or as the writes of their table need.`,
        ]
      : []),
  ]
}

function backoffs(passages: ReadonlyMap<string, Passage>, { first, longest }: Pauses): string[] {
  const least = [...passages.values()].filter(({ isLeast }) => isLeast).length
  return least === 0
    ? []
    : [
        `Over ${least} elements asynchronous invocations are throttled, and tried again after ${[first, 2 * first, 4 * first].filter((each) => each < longest).join(', ')} … ${longest} s, each as likely to be throttled as any: what comes back together is so more often, so that in the mean their delays are at least these; half of all may wait for less than is told.`,
      ]
}

/** Where it is not known how an invocation grows with its messages: which end was taken, and what the other would say. */
function openBatches(stresses: readonly Stress[]): string[] {
  const open = stresses.filter(({ least }) => least !== undefined)
  const [first] = open
  if (first?.least === undefined) return []
  const percent = (part: number) => `${Number((100 * part).toPrecision(3))} %`
  return [
    `Of ${open.length} limits it is not known what each message takes of an invocation (each): all of it is taken, so that fuller batches help nothing. If one took as long with however many, ${first.name} would be used to ${percent(first.least)} instead of ${percent(first.utilisation)}, with full batches.`,
  ]
}
