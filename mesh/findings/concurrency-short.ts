import { attemptsOver } from '../static/tries.ts'
import { concurrencyOf, type Rule } from './facts.ts'
import { shown } from './finding.ts'
import { beforeReserving } from './raising.ts'

/** Pollers that may ask for more than the function may run are throttled, and throttled receives count. */
export const concurrencyShort: Rule = function* (facts) {
  const { nodes, arriving, live, node, constant } = facts
  for (const handler of nodes('function')) {
    const limit = handler.settings.reserved
    if (limit === undefined || limit === 0) continue
    const polls = arriving(handler.id, 'poll').filter(
      (poll) => live(poll) && node(poll.from)?.kind === 'queue',
    )
    const measured = concurrencyOf(polls)
    if (measured <= limit) continue
    const fewest = Math.min(...polls.map((poll) => attemptsOver(poll, node(poll.from))))
    yield {
      at: handler.id,
      severity: fewest < constant('least-receives') ? 'high' : 'medium',
      measured,
      limit,
      unit: 'at once',
      says: `The event sources of ${handler.name} may run ${shown(measured)} at once, and it has ${limit} reserved: the rest is throttled, which counts as a receive.`,
      mend: `Set the maximum concurrency of the event sources of ${handler.name} to ${limit} together, or reserve ${shown(measured)}${beforeReserving(facts, handler.id, measured)}.`,
      from: 'template',
    }
  }
}
