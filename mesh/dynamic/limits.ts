import { isShared, isUncounted, poolOf, type Use, unitOf, workOf } from '../laws/limits.ts'
import { isAsked, type Loaded } from '../load.ts'
import type { Service } from '../loads.ts'
import { type Law, type MeshElement, type MeshNode, nameOf, nodesById, whyNoLimit } from '../model.ts'
import { largestBatch, perMessage, secondsOf } from '../static/batches.ts'
import { deadLetterStreams } from '../static/dead-letter-streams.ts'
import type { Rates } from '../static/rates.ts'
import { gapsOf } from '../static/retry-delays.ts'
import { attemptsOver, expectedAttempts, isHeld, patienceOver } from '../static/tries.ts'
import type { Retrial } from './retrial.ts'

/** One limit, and what it does with what is beyond. Work is in the limit's own unit: busy servers, or tokens. */
export type Limit = {
  /** node or element; of a limit that several share, its name */
  at: string
  name: string
  law: Law['law']
  /** what it is counted in */
  unit: string
  /** who says so */
  from: string
  over: 'wait' | 'refuse' | 'delay'
  /** work a second that it takes at most, in the end */
  most: number
  /** of what scales: the least that it starts with, what it may take at once beyond what it does, and how much more work a
   * second, each second that it is behind */
  scaling: { initial: number; ahead: number; growth: number } | null
  /** tokens that may be used at once */
  burst: number
  /** whether several share it */
  shared: boolean
  /** after so long what waits is given up, seconds */
  patience: number
}

/** What goes over one element into one state, or comes to it from outside, through the limits on its way. */
export type Flow = {
  /** the state that it leaves; null: it comes from outside */
  from: number | null
  to: number
  /** messages for each that leaves `from`; of what comes from outside, messages per second before the change */
  gain: number
  /** in their order: the work of a message at each with all its attempts, whether it waits there, how it comes again, and
   * what a refusal is to it */
  passes: { limit: number; work: number; waits: boolean; retrial?: Retrial | undefined; refused?: Refused }[]
}

export type Limits = {
  limits: Limit[]
  flows: Flow[]
  /** of each limit: how long a request takes there, with its variation; null: not a limit of servers */
  service: (Handling | null)[]
  /** limits that cannot be compared with what comes, and why */
  unavailable: { at: string; name: string; law: string; why: string }[]
}

/** Seconds of a request: fixed + each · n for n of at most `most` that wait; of one of `most` 1, for the messages in it. */
export type Handling = { fixed: number; each: number; most: number; scv: number }

/**
 * Every limit of the mesh with what passes it, and the ways through them. What waits fills batches, so that a limit of
 * its own takes as much as full ones let it; what several share is used as it is at rest. `filling`: of what it is not
 * known for what a message takes of an invocation, which end is taken (`perMessage`).
 */
export function limitsOf(loaded: Loaded, { rates }: Rates, filling: 'least' | 'most' = 'most'): Limits {
  const { states, streams, external, occupancy, failures } = loaded
  const found: Limits = { limits: [], flows: [], service: [], unavailable: [] }
  const nodes = nodesById(loaded.mesh)
  const delivered = states.map(() => 0)
  for (const { element, from, gain } of streams)
    if (element.kind === 'delivery') delivered[from] = (delivered[from] ?? 0) + (gain ?? 0)
  const places = new Map<string, number>()
  const untimed = new Set<string>()

  const placeOf = (key: string, { node, element }: Way, make: () => Limit): number => {
    const known = places.get(key)
    if (known !== undefined) return known
    const limit = make()
    const time = limit.law === 'tokens' ? undefined : occupancy.get(node.id)
    const most = limit.shared ? undefined : largestBatch(element)
    found.service.push(time === undefined ? null : handlingOf(time, most, filling))
    places.set(key, found.limits.push(limit) - 1)
    return found.limits.length - 1
  }

  const lacking = ({ at, name }: Named, law: Law['law'], node: MeshNode) => {
    if (untimed.has(`${at} ${law}`)) return
    untimed.add(`${at} ${law}`)
    const flying = node.kind === 'queue' && 'what is in flight is compared in the steady state alone'
    const why = flying || `nobody has said how long one takes at ${node.name}`
    found.unavailable.push({ at, name, law, why })
  }

  /** The limits of a node or an element that a message to `state` passes. */
  const passed = (of: Named & { laws: readonly Law[] }, way: Way): Flow['passes'] => {
    const { node, state, element } = way
    const from = element && nodes.get(element.from)
    const fails = failures.get(node.id) ?? 0
    const attempts = element ? attemptsOver(element, from) : 1
    const tries = expectedAttempts(fails, attempts)
    const time = occupancy.get(node.id)
    const retrial = element && retrialOver(element, from, { fails, attempts, mean: time?.mean ?? 0 })
    const requests = tries / (time?.batch ?? 1)
    const use: Use = {
      attempts: tries,
      requests,
      busy: time ? requests * time.mean : null,
      full: time ? tries * perMessage(time, largestBatch(element))[filling] : null,
      reads: element !== undefined && isAsked(element) ? tries : 0,
      deliveries: of.at === node.id ? (delivered[state] ?? 0) : 1,
      uncounted: element !== undefined && isUncounted(element, from, node) ? requests : 0,
    }
    return of.laws.flatMap((law, index) => {
      if (law.law === 'latency') return []
      const work = workOf(law, use)
      if (work === null && (rates[state] ?? 0) > 0) lacking(of, law.law, node)
      if (work === null || work === 0) return []
      const { key, who, shared } = ownerOf(of, law, index)
      const place = placeOf(key, way, () => limitOf(who, law, of.laws))
      const limit = found.limits[place]
      const refuses = limit?.over === 'refuse'
      // a caller that tries again within seconds does not outlast a surge of minutes: what it is refused is lost
      const waits = !refuses || (element !== undefined && isHeld(element))
      if (limit !== undefined && !shared && waits)
        limit.patience = Math.min(
          limit.patience,
          patienceOver(element, from, node, refuses && of.at === node.id),
        )
      return [{ limit: place, work, waits, retrial, refused: refusedOver(refuses, element, from) }]
    })
  }
  const ways = (node: MeshNode, state: number, element: MeshElement | undefined): Flow['passes'] => [
    ...(element === undefined
      ? []
      : passed(
          { at: element.id, name: nameOf(element, nodes), laws: element.laws },
          { node, state, element },
        )),
    ...passed({ at: node.id, name: node.name, laws: node.laws }, { node, state, element }),
  ]

  for (const node of nodes.values()) {
    const why = whyNoLimit(node)
    if (
      why !== undefined &&
      states.some((state, place) => state.node.id === node.id && (rates[place] ?? 0) > 0)
    )
      found.unavailable.push({ at: node.id, name: node.name, law: 'servers', why })
  }
  const calibrated = calibration(loaded, rates)
  states.forEach(({ node }, state) => {
    const rate =
      (external[state] ?? 0) * (calibrated.get(state)?.scale ?? 1) + (calibrated.get(state)?.outside ?? 0)
    if (rate > 0)
      found.flows.push({ from: null, to: state, gain: rate, passes: ways(node, state, undefined) })
  })
  for (const { element, from, to, gain } of [...streams, ...deadLetterStreams(loaded)]) {
    const node = states[to]?.node
    const scaled = (gain ?? 0) * (calibrated.get(to)?.scale ?? 1)
    if (node !== undefined && scaled > 0)
      found.flows.push({ from, to, gain: scaled, passes: ways(node, to, element) })
  }
  return found
}

/** A receive of a queue, or an attempt after which whoever delivers waits longer and longer. */
export type Refused = 'receive' | 'backoff' | undefined

function refusedOver(
  refuses: boolean,
  element: MeshElement | undefined,
  from: MeshNode | undefined,
): Refused {
  if (!refuses) return undefined
  if (element?.kind === 'delivery') return 'backoff'
  return element?.kind === 'poll' && from?.kind === 'queue' ? 'receive' : undefined
}

/** How what fails waits again behind others; a record of a stream, and a message of a FIFO queue, keeps its place. */
function retrialOver(
  element: MeshElement,
  from: MeshNode | undefined,
  { fails, attempts, mean }: { fails: number; attempts: number; mean: number },
): Retrial | undefined {
  const queue = element.kind === 'poll' && from?.kind === 'queue' && !from.settings.fifo
  if (fails === 0 || attempts === 1 || !(queue || element.kind === 'delivery')) return undefined
  return { fails, attempts, gap: gapsOf(element, from, mean) }
}

/** `most`: messages that fill a request; undefined: it is as it is at rest. */
function handlingOf(time: Service, most: number | undefined, filling: 'least' | 'most'): Handling {
  const { mean, scv, batch = 1, each = 0 } = time
  const none = secondsOf(time, 0)
  if (most === undefined || most <= batch) return { fixed: mean, each: 0, most: 1, scv }
  if (none !== undefined) return { fixed: none, each, most, scv }
  return { fixed: mean, each: 0, most: filling === 'least' ? most : 1, scv }
}

type Named = { at: string; name: string }

/** Whose limit it is: its own, or that of all who share it. */
function ownerOf(of: Named, law: Exclude<Law, { law: 'latency' }>, index: number) {
  if (!isShared(law)) return { key: `${of.at}\n${index}`, who: of, shared: false }
  return { key: poolOf(law), who: { at: law.shared, name: law.shared }, shared: true }
}

type Way = { node: MeshNode; state: number; element: MeshElement | undefined }

function limitOf(of: Named, law: Exclude<Law, { law: 'latency' }>, siblings: readonly Law[]): Limit {
  const base = {
    at: of.at,
    name: of.name,
    law: law.law,
    unit: law.law === 'scaling' ? 'servers, as they come' : unitOf(law),
    from: law.from,
    scaling: null,
    burst: 0,
    shared: isShared(law),
    patience: Number.POSITIVE_INFINITY,
  }
  switch (law.law) {
    case 'servers':
      return { ...base, over: law.over, most: law.servers }
    case 'tokens':
      return { ...base, over: law.over, most: law.rate, burst: law.burst }
    case 'scaling': {
      const beside = siblings.find((sibling) => sibling.law === 'servers')
      return {
        ...base,
        over: beside?.law === 'servers' ? beside.over : 'wait',
        most: law.most,
        scaling: {
          initial: Math.min(law.initial, law.most),
          ahead: law.ahead ?? 0,
          growth: law.perMinute / 60,
        },
      }
    }
    default:
      return law satisfies never
  }
}

/**
 * What was measured holds before the change: what comes to a measured state is scaled to it, and where more was measured
 * than leads there, the rest comes from outside.
 */
function calibration(
  { streams, external, measured }: Loaded,
  rates: readonly number[],
): ReadonlyMap<number, { scale: number; outside: number }> {
  const inflow = new Map<number, number>()
  for (const { from, to, gain } of streams)
    inflow.set(to, (inflow.get(to) ?? 0) + (rates[from] ?? 0) * (gain ?? 0))
  return new Map(
    [...measured].map(([state, rate]) => {
      const comes = (external[state] ?? 0) + (inflow.get(state) ?? 0)
      return comes > rate
        ? [state, { scale: rate / comes, outside: 0 }]
        : [state, { scale: 1, outside: rate - comes }]
    }),
  )
}
