import type { Rule } from './facts.ts'

/** Without a redrive policy, what cannot be handled is tried until its retention ends, and then it is gone. */
export const noRedrive: Rule = function* ({ nodes, leaving, live, keepsFailures }) {
  for (const queue of nodes('queue')) {
    const { id, name, settings } = queue
    if (keepsFailures(queue) || settings.maxReceiveCount !== undefined) continue
    if (leaving(id, 'dead-letter').length > 0 || !leaving(id, 'poll').some(live)) continue
    yield {
      at: id,
      severity: 'high',
      measured: 0,
      limit: 1,
      unit: 'dead-letter queues',
      says: `${name} has no redrive policy: what fails comes again for ${settings.retention} s${settings.fifo ? ', its message group waits behind it' : ''}, and then it is deleted.`,
      mend: `Give ${name} a dead-letter queue with a maxReceiveCount of 5.`,
      from: 'template',
    }
  }
}
