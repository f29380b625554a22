import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** A message that fails comes back when its visibility ends: with long ones it expires before it has failed often enough. */
export const expiresBeforeDeadLetter: Rule = function* ({ nodes, leaving, live }) {
  for (const { id, name, settings } of nodes('queue')) {
    const { maxReceiveCount, visibility, retention } = settings
    if (maxReceiveCount === undefined || !leaving(id, 'poll').some(live)) continue
    const measured = maxReceiveCount * visibility
    if (measured < retention) continue
    yield {
      at: id,
      severity: 'high',
      measured,
      limit: retention,
      unit: 's',
      says: `${maxReceiveCount} receives of ${name} at ${shown(visibility)} s each take ${shown(measured)} s, and it deletes after ${shown(retention)} s: what times out never gets to its dead-letter queue.`,
      mend: `Raise the retention of ${name} well above ${shown(measured)} s, or lower its visibility timeout or maxReceiveCount.`,
      from: 'template',
    }
  }
}
