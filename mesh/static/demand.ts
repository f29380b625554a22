import { isAsked, type Loaded } from '../load.ts'
import type { Service } from '../loads.ts'
import { type ElementOf, type Law, nodesById } from '../model.ts'
import { perMessage, secondsOf, servedBy, serversOf } from './batches.ts'
import { deadLetterStreams } from './dead-letter-streams.ts'
import type { Rates } from './rates.ts'
import { attemptsOver, expectedAttempts } from './tries.ts'

/** What a node does for what comes over one element, or over all. */
export type Demand = {
  /** messages per second, each counted once */
  messages: number
  /** attempts per second: what fails comes again */
  attempts: number
  /** of these per second, those that only read, and those that fail */
  reads: number
  failing: number
  /** invocations or requests per second: attempts in batches */
  requests: number
  /** servers busy at once, λE[S]; null: nobody has said how long one takes */
  busy: number | null
  /** the same once batches are as full as they get while messages wait, at least and at most (`perMessage`) */
  full: { least: number; most: number } | null
  /** whether all that leads here is known; else each number is the least that it can be */
  complete: boolean
}

export type Demands = {
  ofNode: (id: string) => Demand
  ofElement: (id: string) => Demand
}

/** The demand at every node, and by the element that brings it. */
export const demandsOf = (loaded: Loaded, rates: Rates): Demands => demandsIn(loaded)(rates)

/** The same for many rates of one mesh. `changed`: other gains of the streams, without what fails for good, and other failures. */
export function demandsIn(
  loaded: Loaded,
): (rates: Rates, changed?: Partial<Pick<Loaded, 'streams' | 'failures'>>) => Demands {
  const { mesh, states, external } = loaded
  const nodes = new Map(mesh.nodes.map(({ id }, place) => [id, place]))
  const elements = new Map(mesh.elements.map(({ id }, place) => [id, place]))
  const nodeOf = Int32Array.from(states, ({ node }) => nodes.get(node.id) ?? -1)
  const all = [...loaded.streams, ...deadLetterStreams(loaded)]
  const elementOf = Int32Array.from(all, ({ element }) => elements.get(element.id) ?? -1)
  const byId = nodesById(mesh)
  const most = all.map(({ element }) => attemptsOver(element, byId.get(element.from)))
  const times = mesh.nodes.map(({ id }) => loaded.occupancy.get(id))
  const batches = times.map((time) => time?.batch ?? 1)
  const means = times.map((time) => time?.mean ?? Number.NaN)
  const polls = mesh.elements.flatMap((element, place) => {
    const node = nodes.get(element.to) ?? -1
    const time = times[node]
    const laws = mesh.nodes[node]?.laws ?? []
    return element.kind === 'poll' && time !== undefined ? [{ element, place, node, laws, time }] : []
  })
  return ({ rates, complete }, { streams = all, failures = loaded.failures } = {}) => {
    const fails = mesh.nodes.map(({ id }) => failures.get(id) ?? 0)
    const [atNodes, over] = [sumsOf(mesh.nodes.length), sumsOf(mesh.elements.length)]
    // of what leads to each state: messages, attempts, and those of a message of which nobody knows how many come so
    const [led, tried] = [new Float64Array(states.length), new Float64Array(states.length)]
    const unsaid = new Float64Array(states.length).fill(1)
    const add = (into: Sums, place: number, node: number, come: Come) => {
      const { messages, attempts, reads, known } = come
      const requests = attempts / (batches[node] ?? 1)
      into.messages[place] = (into.messages[place] ?? 0) + messages
      into.attempts[place] = (into.attempts[place] ?? 0) + attempts
      if (reads) into.reads[place] = (into.reads[place] ?? 0) + attempts
      into.failing[place] = (into.failing[place] ?? 0) + attempts * (fails[node] ?? 0)
      into.requests[place] = (into.requests[place] ?? 0) + requests
      into.busy[place] = (into.busy[place] ?? 0) + requests * (means[node] ?? Number.NaN)
      if (!known) into.unknown[place] = 1
    }
    streams.forEach(({ element, from, to, gain }, stream) => {
      const known = complete[from] === true && gain !== null
      const node = nodeOf[to] ?? -1
      const each = expectedAttempts(fails[node] ?? 0, most[stream] ?? 1)
      const messages = (rates[from] ?? 0) * (gain ?? 0)
      led[to] = (led[to] ?? 0) + messages
      tried[to] = (tried[to] ?? 0) + messages * each
      if (!known) unsaid[to] = Math.max(unsaid[to] ?? 1, each)
      const come = { messages, attempts: messages * each, reads: isAsked(element), known }
      add(over, elementOf[stream] ?? -1, node, come)
    })
    nodeOf.forEach((node, state) => {
      const [messages, come, again] = [rates[state] ?? 0, led[state] ?? 0, tried[state] ?? 0]
      const outside = Math.min(external[state] ?? 0, Math.max(0, messages - come))
      // where less was measured than leads here, each way is as much less; more comes by a way that is not known
      const attempts =
        messages < come
          ? (again * messages) / come
          : again + outside + (messages - come - outside) * (unsaid[state] ?? 1)
      const known = complete[state] === true && external[state] !== null
      add(atNodes, node, node, { messages, attempts, reads: states[state]?.asked === true, known })
    })
    for (const sums of [atNodes, over]) for (const end of ['least', 'most'] as const) sums[end].set(sums.busy)
    for (const poll of polls) {
      const more = inBatches(poll, over)
      for (const name of ['requests', 'busy', 'least', 'most'] as const) {
        over[name][poll.place] = (over[name][poll.place] ?? 0) + more[name]
        atNodes[name][poll.node] = (atNodes[name][poll.node] ?? 0) + more[name]
      }
    }
    return {
      ofNode: (id) => demandIn(atNodes, nodes.get(id)),
      ofElement: (id) => demandIn(over, elements.get(id)),
    }
  }
}

type Come = { messages: number; attempts: number; reads: boolean; known: boolean }

type Poll = { element: ElementOf<'poll'>; place: number; laws: readonly Law[]; time: Service }

/** By how much what a poll brings is other than in the batches that were measured, which a caller's stay. */
function inBatches({ element, place, laws, time }: Poll, { attempts, requests, busy }: Sums) {
  const [rate, before, worked] = [attempts[place] ?? 0, requests[place] ?? 0, busy[place] ?? 0]
  const full = perMessage(time, element.batch)
  const more = { requests: 0, busy: 0, least: rate * full.least - worked, most: rate * full.most - worked }
  const served = servedBy(element, time, rate, Math.min(serversOf(element.laws), serversOf(laws)))
  if (served === undefined) return more
  const invocations = rate / served.batch
  const seconds = secondsOf(time, served.batch) ?? time.mean
  return { ...more, requests: invocations - before, busy: invocations * seconds - worked }
}

/** By place; of `busy` and what follows NaN: not known. */
type Sums = Record<(typeof summed)[number], Float64Array> & { unknown: Uint8Array }
const summed = ['messages', 'attempts', 'reads', 'failing', 'requests', 'busy', 'least', 'most'] as const

const sumsOf = (size: number): Sums => ({
  messages: new Float64Array(size),
  attempts: new Float64Array(size),
  reads: new Float64Array(size),
  failing: new Float64Array(size),
  requests: new Float64Array(size),
  busy: new Float64Array(size),
  least: new Float64Array(size),
  most: new Float64Array(size),
  unknown: new Uint8Array(size),
})

function demandIn(sums: Sums, place = -1): Demand {
  const { messages, attempts, reads, failing, requests, busy, least, most, unknown } = sums
  const times = busy[place] ?? 0
  return {
    messages: messages[place] ?? 0,
    attempts: attempts[place] ?? 0,
    reads: reads[place] ?? 0,
    failing: failing[place] ?? 0,
    requests: requests[place] ?? 0,
    busy: Number.isNaN(times) ? null : times,
    full: Number.isNaN(times) ? null : { least: least[place] ?? 0, most: most[place] ?? 0 },
    complete: unknown[place] !== 1,
  }
}
