import { attemptsOver } from '../static/tries.ts'
import { attemptsOfInvoke } from './attempts.ts'
import type { Facts, Rule } from './facts.ts'
import { shown } from './finding.ts'

type Layers = { product: number; named: string[] }
const none: Layers = { product: 1, named: [] }

/**
 * Retries of a caller repeat those of whatever it calls: attempts multiply. What SDK clients try again is left out, it
 * has a budget of its own.
 */
export const retriesMultiply: Rule = function* (facts) {
  const { elements, node, nameOf, constant } = facts
  const limit = constant('retry-product')
  const known = new Map<string, Layers>()
  for (const invoke of elements('invoke')) {
    const [from, to] = [node(invoke.from), node(invoke.to)]
    if (from === undefined || to === undefined) continue
    // told once, where the last layer is
    const attempts = attemptsOfInvoke(invoke, from, to)
    const before = layersBefore(facts, invoke.from, known)
    if (attempts <= 1 || before.named.length === 0) continue
    const product = before.product * attempts
    yield {
      at: invoke.id,
      severity: product > limit ? 'medium' : 'low',
      measured: product,
      limit,
      unit: 'attempts',
      says: `${nameOf(invoke)} is tried up to ${shown(product)} times for one message: ${[...before.named, `${shown(attempts)} by ${nameOf(invoke)}`].join(' × ')}.`,
      mend: `Retry at one layer only: let ${from.name} fail at the first failure of ${to.name}, or take the retries around it away.`,
      from: 'retry-product',
    }
  }
}

/** Calls inside of calls; who waits for more than these has long timed out. */
const deepest = 32

/** The layers above a node with the largest product, along calls that wait; a loop is walked once. */
function layersBefore(facts: Facts, id: string, known: Map<string, Layers>, depth = 0): Layers {
  const before = known.get(id)
  if (before !== undefined) return before
  if (depth === deepest) return none
  known.set(id, none)
  const { arriving, node, nameOf } = facts
  const me = node(id)
  const above = arriving(id, 'invoke').map((invoke): Layers => {
    const from = node(invoke.from)
    if (from === undefined || me === undefined) return none
    const layers = layersBefore(facts, invoke.from, known, depth + 1)
    return onto(layers, attemptsOfInvoke(invoke, from, me), nameOf(invoke))
  })
  const worst = [...entries(facts, id), ...above].reduce(
    (most, layers) => (layers.product > most.product ? layers : most),
    none,
  )
  known.set(id, worst)
  return worst
}

const onto = (layers: Layers, attempts: number, name: string): Layers =>
  attempts <= 1 || layers.named.length >= deepest
    ? layers
    : { product: layers.product * attempts, named: [...layers.named, `${shown(attempts)} by ${name}`] }

/** How often what a node takes from a queue, or is given as a function, comes again. */
function* entries({ arriving, node, live, nameOf }: Facts, id: string): Generator<Layers> {
  for (const poll of arriving(id, 'poll').filter(live)) {
    const source = node(poll.from)
    // how often what is outside hands out again, nobody has said
    if (source?.kind === 'external') continue
    yield onto(none, attemptsOver(poll, source), source?.name ?? poll.from)
  }
  if (node(id)?.kind !== 'function') return
  for (const delivery of arriving(id, 'delivery').filter(live))
    yield onto(none, attemptsOver(delivery, node(delivery.from)), nameOf(delivery))
}
