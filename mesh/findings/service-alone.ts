import type { Rule } from './facts.ts'

/** One copy of a service: each restart and each lost host is an outage. */
export const serviceAlone: Rule = function* ({ nodes, constant, arriving }) {
  const limit = constant('least-copies')
  for (const { id, name, settings } of nodes('service')) {
    const copies = Math.min(settings.desired, settings.least ?? settings.desired)
    // none wanted: it is switched off
    if (copies >= limit || settings.desired === 0) continue
    // what takes from a queue only is late, not gone
    const called = arriving(id, 'invoke').length > 0
    yield {
      at: id,
      severity: called ? 'medium' : 'low',
      measured: copies,
      limit,
      unit: 'tasks',
      says: `${name} runs ${copies} task: a lost host or zone stops it until another has started.`,
      mend: `Run at least ${limit} tasks of ${name} in different zones.`,
      from: 'least-copies',
    }
  }
}
