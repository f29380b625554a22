import type { Rule } from './facts.ts'

/** A queue that is filled and that nothing takes from. */
export const queueWithoutConsumer: Rule = function* ({
  nodes,
  arriving,
  leaving,
  live,
  keepsFailures,
  loaded,
}) {
  for (const queue of nodes('queue')) {
    const { id, name, settings } = queue
    const polls = leaving(id, 'poll')
    if (keepsFailures(queue) || polls.some(live) || leaving(id, 'delivery').length > 0) continue
    const senders =
      arriving(id, 'delivery').length + arriving(id, 'call').filter((call) => call.carries).length
    const read = arriving(id, 'call').some(({ action }) => action === 'sqs:ReceiveMessage')
    const outside = loaded.states.some(
      (state, place) => state.node.id === id && (loaded.external[place] ?? 0) > 0,
    )
    // what comes from outside to a queue that has no poll at all is told as arrivals that nothing takes
    if (read || (senders === 0 && !(outside && polls.length > 0))) continue
    const by = senders === 0 ? 'from outside' : `by ${senders}`
    const taken =
      polls.length > 0 ? 'what polls it is switched off' : 'nothing in the templates takes from it'
    yield {
      at: id,
      severity: 'medium',
      measured: 0,
      limit: 1,
      unit: 'consumers',
      says: `${name} is filled ${by}, and ${taken}: messages are deleted after ${settings.retention} s.`,
      mend:
        polls.length > 0
          ? `Switch on what polls ${name}, or delete both with what fills it.`
          : `Add an event source of ${name} to a function, or delete it with what fills it.`,
      from: 'template',
    }
  }
}
