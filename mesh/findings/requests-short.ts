import { concurrencyOf, type Rule } from './facts.ts'
import { shown } from './finding.ts'
import { beforeReserving } from './raising.ts'

/**
 * Lambda lets a function begin so many invocations a second for each environment that it may have, so what is quick runs
 * out of them long before it runs out of environments. Pollers that may begin more are throttled: the batch comes back
 * when its visibility ends, and that was a receive.
 */
export const requestsShort: Rule = function* (facts) {
  const { nodes, arriving, live, node, loaded } = facts
  for (const { id, name, settings, laws } of nodes('function')) {
    const mean = loaded.service.get(id)?.mean
    const tokens = laws.find((law) => law.law === 'tokens' && law.shared === undefined)
    if (mean === undefined || settings.reserved === undefined || tokens?.law !== 'tokens') continue
    const polls = arriving(id, 'poll').filter((poll) => live(poll) && node(poll.from)?.kind === 'queue')
    const most = concurrencyOf(polls)
    const measured = Math.min(most, settings.reserved) / mean
    if (measured <= tokens.rate) continue
    const enough = Math.ceil((measured / tokens.rate) * settings.reserved)
    yield {
      at: id,
      severity: 'medium',
      measured,
      limit: tokens.rate,
      unit: 'requests/s',
      says: `The event sources of ${name} may run ${shown(most)} at once, which take ${shown(mean)} s each: ${shown(measured)} requests a second, and with ${settings.reserved} reserved Lambda takes ${shown(tokens.rate)}. The rest is throttled, which counts as a receive.`,
      mend: `Reserve ${enough} for ${name}${beforeReserving(facts, id, enough)}, or set the maximum concurrency of its event sources to ${Math.max(1, Math.floor(tokens.rate * mean))}.`,
      from: tokens.from,
    }
  }
}
