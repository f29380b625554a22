import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** A queue that shows a message again while its function may still be at it, or before throttled batches had their turn. */
export const visibilityShort: Rule = function* ({ elements, node, live, constant }) {
  const times = constant('visibility-per-timeout')
  for (const poll of elements('poll')) {
    const [queue, handler] = [node(poll.from), node(poll.to)]
    if (
      !live(poll) ||
      poll.provenance === 'inferred' ||
      queue?.kind !== 'queue' ||
      handler?.kind !== 'function'
    )
      continue
    const { visibility } = queue.settings
    const { timeout } = handler.settings
    const limit = times * timeout + poll.window
    if (visibility >= limit) continue
    yield {
      at: queue.id,
      // below one run of the function, messages are handled twice and receives burn without a failure
      severity: visibility < timeout + poll.window ? 'high' : 'medium',
      measured: visibility,
      limit,
      unit: 's',
      says: `${queue.name} hides a message for ${shown(visibility)} s, while ${times} timeouts of ${handler.name} and its window are ${shown(limit)} s.`,
      mend: `Set the visibility timeout of ${queue.name} to at least ${shown(limit)} s, or lower the timeout of ${handler.name}.`,
      from: 'visibility-per-timeout',
    }
  }
}
