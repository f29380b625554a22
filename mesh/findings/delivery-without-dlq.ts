import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/**
 * What a rule, a schedule or a topic cannot deliver is dropped, unless it has somewhere to put it. Into a function a
 * delivery says what the function does with what fails in it; what the function was never given is the sender's.
 */
export const deliveryWithoutDlq: Rule = function* ({ elements, node, leaving, live, nameOf }) {
  for (const delivery of elements('delivery')) {
    const from = node(delivery.from)
    if (from?.kind !== 'rule' && from?.kind !== 'schedule' && from?.kind !== 'topic') continue
    const toFunction = node(delivery.to)?.kind === 'function'
    const kept = toFunction ? leaving(from.id, 'dead-letter').length > 0 : delivery.kept
    if (kept || !live(delivery)) continue
    yield {
      at: delivery.id,
      // a topic tries for weeks and Lambda takes what it can queue: lost is what may not be delivered at all
      severity: toFunction || from.kind === 'topic' ? 'medium' : 'high',
      measured: 0,
      limit: 1,
      unit: 'dead-letter queues',
      says: toFunction
        ? `${nameOf(delivery)} drops what Lambda does not take, at once where it may not be delivered.`
        : `${nameOf(delivery)} drops what it could not deliver after ${shown(delivery.retry.attempts)} attempts or ${shown(delivery.maxAge)} s, or at once where it may not.`,
      mend: `Give the ${from.kind === 'topic' ? 'subscription' : 'target'} ${nameOf(delivery)} a dead-letter queue.`,
      from: 'template',
    }
  }
}
