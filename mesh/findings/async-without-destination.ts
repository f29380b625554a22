import { timesOver } from '../figure.ts'
import type { Rule } from './facts.ts'

/** Whoever hands an event to a function without waiting has delivered it: only the function can keep what fails in it. */
export const asyncWithoutDestination: Rule = function* ({ nodes, arriving, leaving, live, node }) {
  for (const { id, name } of nodes('function')) {
    const deliveries = arriving(id, 'delivery').filter(live)
    const destinations = leaving(id, 'dead-letter').filter(({ of }) => of === 'async')
    if (destinations.some(({ unheard }) => unheard !== true)) continue
    const lossy = deliveries.filter(({ kept }) => !kept)
    const [first] = lossy
    if (first === undefined) continue
    const senders = [...new Set(lossy.map(({ from }) => node(from)?.name ?? from))]
    const unheard = destinations.map(({ to }) => node(to)?.name ?? to).join(' and ')
    const dropped = unheard === '' ? 'dropped' : `sent to ${unheard}, where nothing listens, and dropped`
    yield {
      at: id,
      severity: 'high',
      measured: 0,
      limit: 1,
      unit: 'on-failure destinations',
      says: `${name} is invoked without waiting by ${senders.join(', ')}, and what fails ${timesOver(first.retry.attempts)} in it is ${dropped}: a dead-letter queue of the sender never sees it.`,
      mend:
        unheard === ''
          ? `Give ${name} an on-failure destination.`
          : `Let something take from ${unheard}, or give ${name} an on-failure destination that keeps it.`,
      from: 'template',
    }
  }
}
