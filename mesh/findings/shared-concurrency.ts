import { isShared, type Shared } from '../laws/limits.ts'
import type { NodeOf } from '../model.ts'
import { concurrencyOf, type Facts, type Rule } from './facts.ts'
import { type BareFinding, shown } from './finding.ts'

type Member = { handler: NodeOf<'function'>; law: Shared & { law: 'servers' } }

/**
 * A function that may take all of a concurrency that it shares: what waits in a queue has time, those that are called and
 * waited for are refused meanwhile.
 */
export const sharedConcurrency: Rule = function* (facts) {
  const { nodes, arriving } = facts
  const sharing = nodes('function').flatMap((handler): Member[] => {
    const law = handler.laws.filter(isShared).find((each) => each.law === 'servers')
    return law === undefined ? [] : [{ handler, law }]
  })
  for (const members of Map.groupBy(sharing, ({ law }) => law.shared).values()) {
    const waitedFor = new Set(
      members.flatMap(({ handler: { id } }) => (arriving(id, 'invoke').length > 0 ? [id] : [])),
    )
    for (const member of members) {
      const others = waitedFor.size - (waitedFor.has(member.handler.id) ? 1 : 0)
      if (others > 0) yield* judged(facts, member, others)
    }
  }
}

/** `others`: how many share it and are waited for. */
function* judged(facts: Facts, { handler, law }: Member, others: number): Generator<BareFinding> {
  const { name, id } = handler
  const busy = facts.demands.ofNode(id).busy ?? 0
  const fair = facts.constant('fair-share') * law.servers
  const most = concurrencyOf(facts.arriving(id, 'poll').filter(facts.live))
  const mend = `Set a maximum concurrency on the event sources of ${name}, or reserve concurrency for it.`
  const pool = `that it shares in ${law.shared} with ${others} that are waited for`
  if (busy > fair)
    yield {
      ...{ at: id, severity: 'medium', measured: busy, limit: fair, unit: 'at once' },
      says: `${name} keeps ${shown(busy)} busy of the ${shown(law.servers)} ${pool}.`,
      ...{ mend, from: 'fair-share' },
    }
  else if (most >= law.servers)
    yield {
      ...{ at: id, severity: 'low', measured: most, limit: law.servers, unit: 'at once' },
      says: `A backlog of ${name} may run ${shown(most)} at once, and there are ${shown(law.servers)} ${pool}.`,
      ...{ mend, from: law.from },
    }
}
