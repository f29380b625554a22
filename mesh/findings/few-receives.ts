import type { Rule } from './facts.ts'

/** Throttled receives count as well, so that few of them dead-letter what no handler has seen. */
export const fewReceives: Rule = function* ({ nodes, leaving, live, node, constant }) {
  const limit = constant('least-receives')
  for (const { id, name, settings } of nodes('queue')) {
    const receives = settings.maxReceiveCount
    const polled = leaving(id, 'poll').some(
      (poll) => live(poll) && poll.provenance !== 'inferred' && node(poll.to)?.kind === 'function',
    )
    if (receives === undefined || receives >= limit || !polled) continue
    yield {
      at: id,
      severity: receives === 1 ? 'high' : 'medium',
      measured: receives,
      limit,
      unit: 'receives',
      says: `${name} dead-letters after ${receives} receives, of which throttled ones count too; ${limit} are the least.`,
      mend: `Set maxReceiveCount of ${name} to 5, or at least to ${limit}.`,
      from: 'least-receives',
    }
  }
}
