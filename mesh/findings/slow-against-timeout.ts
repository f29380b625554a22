import { percentiles } from '../static/times.ts'
import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** A function whose slowest runs are cut: one in a hundred fails for no other reason than time. */
export const slowAgainstTimeout: Rule = function* ({ nodes, loaded }) {
  for (const { id, name, settings } of nodes('function')) {
    const times = loaded.service.get(id)
    if (times === undefined) continue
    const { p99 } = percentiles({ mean: times.mean, variance: times.scv * times.mean ** 2 })
    if (p99 <= settings.timeout) continue
    yield {
      at: id,
      severity: 'medium',
      measured: p99,
      limit: settings.timeout,
      unit: 's',
      says: `One run in a hundred of ${name} takes ${shown(p99)} s or more (mean ${shown(times.mean)} s, lognormal), and it ends after ${shown(settings.timeout)} s.`,
      mend: `Set the timeout of ${name} above ${shown(p99)} s, or give it smaller batches.`,
      from: 'template',
    }
  }
}
