import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** Order has its price: a FIFO queue or topic takes a fraction of what a standard one does. */
export const fifoThroughput: Rule = function* ({ nodes, stresses, constant }) {
  const warning = constant('utilisation-warning')
  for (const { id, name, settings } of [...nodes('queue'), ...nodes('topic')]) {
    if (!settings.fifo) continue
    const stress = stresses.find(({ at, unit }) => at === id && unit !== 'servers')
    if (stress === undefined || stress.utilisation <= warning) continue
    const { demand: measured, limit, from } = stress
    yield {
      at: id,
      severity: measured > limit ? 'high' : 'medium',
      measured,
      limit,
      unit: 'requests/s',
      says: `${name} gets ${shown(measured)} requests a second, and a FIFO one takes ${shown(limit)}.`,
      mend: `Turn on high throughput for ${name} and spread it over more message groups, send in batches, or give up its order.`,
      from,
    }
  }
}
