import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** What waits longer than the retention is deleted without a trace: a consumer may be down for a night. */
export const retentionShort: Rule = function* ({ nodes, leaving, live, keepsFailures, constant }) {
  const limit = constant('least-retention')
  for (const queue of nodes('queue')) {
    const { id, name, settings } = queue
    if (settings.retention >= limit || keepsFailures(queue) || !leaving(id, 'poll').some(live)) continue
    yield {
      at: id,
      severity: 'medium',
      measured: settings.retention,
      limit,
      unit: 's',
      says: `${name} deletes what has waited for ${shown(settings.retention)} s, as it will when its consumer is down for longer.`,
      mend: `Set the retention of ${name} to at least ${shown(limit)} s.`,
      from: 'least-retention',
    }
  }
}
