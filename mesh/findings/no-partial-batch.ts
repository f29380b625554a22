import type { Rule } from './facts.ts'

/** One bad message of a batch takes the others with it, attempt by attempt, into the dead-letter queue. */
export const noPartialBatch: Rule = function* ({ elements, node, live, nameOf }) {
  for (const poll of elements('poll')) {
    if (!live(poll) || poll.partialBatch || poll.batch <= 1 || node(poll.to)?.kind !== 'function') continue
    yield {
      at: poll.id,
      severity: 'medium',
      measured: poll.batch,
      limit: 1,
      unit: 'messages',
      says: `When one message of ${nameOf(poll)} fails, all of its batch of up to ${poll.batch} come again.`,
      mend: `Report batch item failures (ReportBatchItemFailures) on ${nameOf(poll)}, or set its batch size to 1.`,
      from: 'template',
    }
  }
}
