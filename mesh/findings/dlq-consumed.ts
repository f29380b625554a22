import type { Rule } from './facts.ts'

/** A dead-letter queue that something consumes is a queue like others: what fails there needs a place, and an alarm sees nothing. */
export const dlqConsumed: Rule = function* ({ nodes, keepsFailures, leaving, live, node, watched }) {
  for (const queue of nodes('queue')) {
    const { id, name, settings } = queue
    const consumers = leaving(id, 'poll').filter(live)
    if (!keepsFailures(queue) || consumers.length === 0) continue
    const kept = settings.maxReceiveCount !== undefined || leaving(id, 'dead-letter').length > 0
    const names = consumers.map(({ to }) => node(to)?.name ?? to)
    yield {
      at: id,
      severity: kept || watched(id).length > 0 ? 'low' : 'high',
      measured: consumers.length,
      limit: 0,
      unit: 'consumers',
      says: `${names.join(', ')} takes from ${name} what failed before: its depth no longer tells what was dead-lettered${kept ? '' : `, and what fails there again is deleted after ${settings.retention} s`}.`,
      mend: kept
        ? `Watch the errors of ${names.join(', ')}, or take from ${name} by hand.`
        : `Give ${name} a dead-letter queue of its own, or take from it by hand.`,
      from: 'template',
    }
  }
}
