import type { Rule } from './facts.ts'

/** What counts messages however they came. */
const telling: readonly string[] = ['ApproximateNumberOfMessagesVisible', 'ApproximateAgeOfOldestMessage']

/** Counts what rules, topics and functions send there, and not what the redrive policy of a queue moves. */
const tellingOfSent = 'NumberOfMessagesSent'

/** What nobody is told of stays in a dead-letter queue until it is deleted. */
export const dlqWithoutAlarm: Rule = function* ({ nodes, keepsFailures, watched }) {
  for (const queue of nodes('queue')) {
    const metrics = watched(queue.id)
    const tells = (metric: string): boolean =>
      telling.includes(metric) || (metric === tellingOfSent && !queue.settings.deadLetters)
    if (!keepsFailures(queue) || metrics.some(tells)) continue
    yield {
      at: queue.id,
      severity: 'high',
      measured: 0,
      limit: 1,
      unit: 'alarms',
      says:
        metrics.length === 0
          ? `No alarm with an action watches ${queue.name}, which deletes what it keeps after ${queue.settings.retention} s.`
          : `The alarms of ${queue.name} watch ${metrics.join(', ')}, which what is dead-lettered does not move.`,
      mend: `Set an alarm on ApproximateNumberOfMessagesVisible of ${queue.name} above 0.`,
      from: 'template',
    }
  }
}
