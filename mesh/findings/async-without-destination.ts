import type { Rule } from './facts.ts'

/** Whoever hands an event to a function without waiting has delivered it: only the function can keep what fails in it. */
export const asyncWithoutDestination: Rule = function* ({ nodes, arriving, leaving, live, node }) {
  for (const { id, name } of nodes('function')) {
    const deliveries = arriving(id, 'delivery').filter(live)
    if (leaving(id, 'dead-letter').some(({ of }) => of === 'async')) continue
    const lossy = deliveries.filter(({ kept }) => !kept)
    const [first] = lossy
    if (first === undefined) continue
    const senders = [...new Set(lossy.map(({ from }) => node(from)?.name ?? from))]
    yield {
      at: id,
      severity: 'high',
      measured: 0,
      limit: 1,
      unit: 'on-failure destinations',
      says: `${name} is invoked without waiting by ${senders.join(', ')}, and what fails ${first.retry.attempts} times in it is dropped: a dead-letter queue of the sender never sees it.`,
      mend: `Give ${name} an on-failure destination.`,
      from: 'template',
    }
  }
}
