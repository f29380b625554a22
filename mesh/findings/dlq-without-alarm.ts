import type { Rule } from './facts.ts'

/** NumberOfMessagesSent does not count what a redrive policy moves: an alarm on it never goes off. */
const telling: ReadonlySet<string> = new Set([
  'ApproximateNumberOfMessagesVisible',
  'ApproximateAgeOfOldestMessage',
])

/** What nobody is told of stays in a dead-letter queue until it is deleted. */
export const dlqWithoutAlarm: Rule = function* ({ nodes, keepsFailures, watched }) {
  for (const queue of nodes('queue')) {
    const metrics = watched(queue.id)
    if (!keepsFailures(queue) || metrics.some((metric) => telling.has(metric))) continue
    yield {
      at: queue.id,
      severity: 'high',
      measured: 0,
      limit: 1,
      unit: 'alarms',
      says:
        metrics.length === 0
          ? `No alarm watches ${queue.name}, which deletes what it keeps after ${queue.settings.retention} s.`
          : `The alarms of ${queue.name} watch ${metrics.join(', ')}, which what is dead-lettered does not move.`,
      mend: `Set an alarm on ApproximateNumberOfMessagesVisible of ${queue.name} above 0.`,
      from: 'template',
    }
  }
}
