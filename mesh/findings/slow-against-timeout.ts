import { constantIn } from '../laws/constant-values.ts'
import { secondsOf } from '../static/batches.ts'
import { percentiles } from '../static/times.ts'
import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** A function whose slowest runs are cut: one in a hundred fails for no other reason than time. */
export const slowAgainstTimeout: Rule = function* ({ nodes, loaded, arriving, live }) {
  const most = constantIn(loaded.constants, 'lambda-url-timeout')
  for (const { id, name, settings } of nodes('function')) {
    const times = loaded.service.get(id)
    if (times === undefined) continue
    // what waits fills batches, and these take longer
    const fullest = Math.max(times.batch ?? 1, ...arriving(id, 'poll').map(({ batch }) => batch))
    const mean = secondsOf(times, fullest) ?? times.mean
    const { p99 } = percentiles({ mean, variance: times.scv * mean ** 2 })
    if (p99 <= settings.timeout) continue
    const several = arriving(id, 'poll').some((poll) => live(poll) && poll.batch > 1)
    const smaller = several ? ', or give it smaller batches' : ''
    const enough = Math.ceil(p99)
    yield {
      at: id,
      severity: 'medium',
      measured: p99,
      limit: settings.timeout,
      unit: 's',
      says: `One run in a hundred of ${name} takes ${shown(p99)} s or more (mean ${shown(mean)} s${mean > times.mean ? ` with batches of ${fullest}` : ''}, lognormal), and it ends after ${shown(settings.timeout)} s.`,
      mend:
        enough < most
          ? `Set the timeout of ${name} above ${enough} s${smaller}.`
          : `Split the work of ${name} or hand it to a workflow, as no function goes on after ${shown(most)} s${smaller}.`,
      from: 'template',
    }
  }
}
