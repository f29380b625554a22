import type { Rule } from './facts.ts'

/** A queue that is filled and that nothing takes from. */
export const queueWithoutConsumer: Rule = function* ({ nodes, arriving, leaving, keepsFailures }) {
  for (const queue of nodes('queue')) {
    const { id, name, settings } = queue
    if (keepsFailures(queue) || leaving(id, 'poll').length > 0 || leaving(id, 'delivery').length > 0) continue
    const senders =
      arriving(id, 'delivery').length + arriving(id, 'call').filter((call) => call.carries).length
    const read = arriving(id, 'call').some(({ action }) => action === 'sqs:ReceiveMessage')
    if (senders === 0 || read) continue
    yield {
      at: id,
      severity: 'medium',
      measured: 0,
      limit: 1,
      unit: 'consumers',
      says: `${name} is filled by ${senders}, and nothing in the templates takes from it: messages are deleted after ${settings.retention} s.`,
      mend: `Add an event source of ${name} to a function, or delete it with what fills it.`,
      from: 'template',
    }
  }
}
