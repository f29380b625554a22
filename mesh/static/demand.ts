import type { Loaded } from '../load.ts'
import type { MeshElement, MeshNode } from '../model.ts'
import type { Rates } from './rates.ts'

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

/** Expected attempts of at most n, each failing with probability q by itself: (1 - qⁿ)/(1 - q). */
export const expectedAttempts = (q: number, n: number): number => (q === 1 ? n : (1 - q ** n) / (1 - q))

export type Demands = {
  ofNode: (id: string) => Demand
  ofElement: (id: string) => Demand
}

/** The demand at every node, and by the element that brings it. */
export function demandsOf(loaded: Loaded, { rates, complete }: Rates): Demands {
  const { states, streams, external, service, failures } = loaded
  const byNode = new Map<string, Demand>()
  const byElement = new Map<string, Demand>()
  const attemptsAt = attemptsByNode(loaded)
  const add = (into: Map<string, Demand>, key: string, node: MeshNode, messages: number, known: boolean) => {
    const times = service.get(node.id)
    const attempts = messages * expectedAttempts(failures.get(node.id) ?? 0, attemptsAt.get(node.id) ?? 1)
    const requests = attempts / (times?.batch ?? 1)
    const before = into.get(key) ?? nothing
    const busy = times === undefined ? null : requests * times.mean
    into.set(key, {
      messages: before.messages + messages,
      attempts: before.attempts + attempts,
      requests: before.requests + requests,
      busy: before.busy === null || busy === null ? null : before.busy + busy,
      complete: before.complete && known,
    })
  }
  streams.forEach(({ element, from, to, gain }) => {
    const target = states[to]
    if (target === undefined) return
    add(
      byElement,
      element.id,
      target.node,
      (rates[from] ?? 0) * (gain ?? 0),
      complete[from] === true && gain !== null,
    )
  })
  states.forEach(({ node }, state) => {
    add(byNode, node.id, node, rates[state] ?? 0, complete[state] === true && external[state] !== null)
  })
  return {
    ofNode: (id) => byNode.get(id) ?? nothing,
    ofElement: (id) => byElement.get(id) ?? nothing,
  }
}

const nothing: Demand = { messages: 0, attempts: 0, requests: 0, busy: 0, complete: true }

/** How often a message is tried at a node, by what leads to it: a queue's receives, a caller's retries. */
export function attemptsByNode({ mesh }: Loaded): ReadonlyMap<string, number> {
  const nodes = new Map(mesh.nodes.map((node) => [node.id, node]))
  const attempts = new Map<string, number>()
  for (const element of mesh.elements) {
    const tries = attemptsOver(element, nodes.get(element.from))
    if (tries !== undefined) attempts.set(element.to, Math.max(attempts.get(element.to) ?? 1, tries))
  }
  return attempts
}

/** What nobody ends is tried until it expires: counted as a thousand. */
const endless = 1000

export function attemptsOver(element: MeshElement, from: MeshNode | undefined): number | undefined {
  switch (element.kind) {
    case 'delivery':
    case 'invoke':
    case 'call':
      return element.retry.attempts
    case 'poll':
      return from?.kind === 'queue' ? (from.settings.maxReceiveCount ?? endless) : endless
    case 'dead-letter':
      return undefined
    default:
      return element satisfies never
  }
}
