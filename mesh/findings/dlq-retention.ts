import type { Rule } from './facts.ts'

/**
 * A message of a standard queue keeps its age when it is dead-lettered, so that a dead-letter queue with the source's
 * retention keeps it for the rest only. FIFO queues start anew.
 */
export const dlqRetention: Rule = function* ({ elements, node }) {
  for (const { from, to } of elements('dead-letter')) {
    const [source, kept] = [node(from), node(to)]
    if (source?.kind !== 'queue' || kept?.kind !== 'queue' || kept.settings.fifo) continue
    const [measured, limit] = [kept.settings.retention, source.settings.retention]
    if (measured > limit) continue
    yield {
      at: kept.id,
      severity: measured < limit ? 'high' : 'medium',
      measured,
      limit,
      unit: 's',
      says: `${kept.name} deletes after ${measured} s counted from the first sending, and ${source.name} may have held a message for ${limit} s before.`,
      mend: `Set the retention of ${kept.name} above that of ${source.name} (at most 1209600 s), or lower that of ${source.name}.`,
      from: 'template',
    }
  }
}
