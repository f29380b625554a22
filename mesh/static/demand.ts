import type { Loaded } from '../load.ts'
import type { Rates } from './rates.ts'
import { attemptsOver, expectedAttempts } from './tries.ts'

/** What a node does for what comes over one element, or over all. */
export type Demand = {
  /** messages per second, each counted once */
  messages: number
  /** attempts per second: what fails comes again */
  attempts: number
  /** invocations or requests per second: attempts in batches */
  requests: number
  /** servers busy at once, λE[S]; null: nobody has said how long one takes */
  busy: number | null
  /** whether all that leads here is known; else each number is the least that it can be */
  complete: boolean
}

export type Demands = {
  ofNode: (id: string) => Demand
  ofElement: (id: string) => Demand
}

/** The demand at every node, and by the element that brings it. */
export const demandsOf = (loaded: Loaded, rates: Rates): Demands => demandsIn(loaded)(rates)

/** The same for many rates of one mesh. `changed`: other gains of the streams, and other failures. */
export function demandsIn(
  loaded: Loaded,
): (rates: Rates, changed?: Partial<Pick<Loaded, 'streams' | 'failures'>>) => Demands {
  const { mesh, states, external, service } = loaded
  const attemptsAt = attemptsByNode(loaded)
  const nodes = new Map(mesh.nodes.map(({ id }, place) => [id, place]))
  const elements = new Map(mesh.elements.map(({ id }, place) => [id, place]))
  const nodeOf = Int32Array.from(states, ({ node }) => nodes.get(node.id) ?? -1)
  const elementOf = Int32Array.from(loaded.streams, ({ element }) => elements.get(element.id) ?? -1)
  const batches = mesh.nodes.map(({ id }) => service.get(id)?.batch ?? 1)
  const means = mesh.nodes.map(({ id }) => service.get(id)?.mean ?? Number.NaN)
  return ({ rates, complete }, { streams = loaded.streams, failures = loaded.failures } = {}) => {
    const tries = mesh.nodes.map(({ id }) => expectedAttempts(failures.get(id) ?? 0, attemptsAt.get(id) ?? 1))
    const [atNodes, over] = [sumsOf(mesh.nodes.length), sumsOf(mesh.elements.length)]
    const add = (into: Sums, place: number, node: number, messages: number, known: boolean) => {
      const attempts = messages * (tries[node] ?? 1)
      const requests = attempts / (batches[node] ?? 1)
      into.messages[place] = (into.messages[place] ?? 0) + messages
      into.attempts[place] = (into.attempts[place] ?? 0) + attempts
      into.requests[place] = (into.requests[place] ?? 0) + requests
      into.busy[place] = (into.busy[place] ?? 0) + requests * (means[node] ?? Number.NaN)
      if (!known) into.unknown[place] = 1
    }
    streams.forEach(({ from, to, gain }, stream) => {
      const known = complete[from] === true && gain !== null
      add(over, elementOf[stream] ?? -1, nodeOf[to] ?? -1, (rates[from] ?? 0) * (gain ?? 0), known)
    })
    nodeOf.forEach((node, state) => {
      add(atNodes, node, node, rates[state] ?? 0, complete[state] === true && external[state] !== null)
    })
    return {
      ofNode: (id) => demandIn(atNodes, nodes.get(id)),
      ofElement: (id) => demandIn(over, elements.get(id)),
    }
  }
}

/** By place; of `busy` NaN: not known. */
type Sums = Record<'messages' | 'attempts' | 'requests' | 'busy', Float64Array> & { unknown: Uint8Array }

const sumsOf = (size: number): Sums => ({
  messages: new Float64Array(size),
  attempts: new Float64Array(size),
  requests: new Float64Array(size),
  busy: new Float64Array(size),
  unknown: new Uint8Array(size),
})

function demandIn({ messages, attempts, requests, busy, unknown }: Sums, place = -1): Demand {
  const times = busy[place] ?? 0
  return {
    messages: messages[place] ?? 0,
    attempts: attempts[place] ?? 0,
    requests: requests[place] ?? 0,
    busy: Number.isNaN(times) ? null : times,
    complete: unknown[place] !== 1,
  }
}

/** How often a message is tried at a node, by what leads to it: a queue's receives, a caller's retries. */
export function attemptsByNode({ mesh }: Loaded): ReadonlyMap<string, number> {
  const nodes = new Map(mesh.nodes.map((node) => [node.id, node]))
  const attempts = new Map<string, number>()
  for (const element of mesh.elements) {
    const tries = attemptsOver(element, nodes.get(element.from))
    attempts.set(element.to, Math.max(attempts.get(element.to) ?? 1, tries))
  }
  return attempts
}
