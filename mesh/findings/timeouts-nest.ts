import type { ElementOf, MeshNode } from '../model.ts'
import { waitsOf } from '../static/tries.ts'
import { retryOf } from './attempts.ts'
import type { Facts, Rule } from './facts.ts'
import { shown } from './finding.ts'

/** A caller that ends before what it called has had its attempts leaves work running that nobody waits for. */
export const timeoutsNest: Rule = function* (facts) {
  const { elements, node, nameOf } = facts
  for (const invoke of elements('invoke')) {
    const [from, to] = [node(invoke.from), node(invoke.to)]
    if (from === undefined || to === undefined) continue
    const [own, needed] = [timeoutOf(from), neededBy(facts, invoke, from, to)]
    if (own === undefined || needed === undefined || own >= needed.seconds) continue
    yield {
      at: invoke.id,
      severity: 'medium',
      measured: own,
      limit: needed.seconds,
      unit: 's',
      says: `${from.name} ends after ${shown(own)} s, and ${nameOf(invoke)} may take ${shown(needed.seconds)} s in ${shown(needed.attempts)} attempts with the waits between them.`,
      mend: `Give ${from.name} at least ${Math.ceil(needed.seconds)} s, or ${to.name} less time or fewer attempts.`,
      from: 'template',
    }
  }
}

/** undefined: it has none of its own; an api's is another rule. */
function timeoutOf(node: MeshNode): number | undefined {
  return node.kind === 'function' || node.kind === 'task' || node.kind === 'workflow'
    ? node.settings.timeout
    : undefined
}

/** How long a caller has to wait when each attempt takes all of its time; undefined: not known. */
function neededBy(
  { leaving, node }: Facts,
  { to: id, retry }: ElementOf<'invoke'>,
  from: MeshNode,
  to: MeshNode,
): { seconds: number; attempts: number } | undefined {
  if (to.kind !== 'task') {
    const each = timeoutOf(to)
    if (each === undefined) return undefined
    // the timeout of a state is for each attempt of it
    return from.kind === 'task'
      ? { seconds: each, attempts: 1 }
      : { seconds: retry.attempts * each + waitsOf(retry), attempts: retry.attempts }
  }
  const called = leaving(id, 'invoke').flatMap((next) => {
    const callee = node(next.to)
    return callee?.kind === 'function' ? [callee.settings.timeout] : []
  })
  const each = to.settings.timeout ?? called[0]
  if (each === undefined) return undefined
  const again = retryOf(to, 'States.Timeout') ?? retry
  return { seconds: again.attempts * each + waitsOf(again), attempts: again.attempts }
}
