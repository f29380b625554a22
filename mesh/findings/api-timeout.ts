import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** An API that answers 504 while the function goes on: callers come again, and the work is done twice. */
export const apiTimeout: Rule = function* ({ elements, node }) {
  for (const invoke of elements('invoke')) {
    const [api, handler] = [node(invoke.from), node(invoke.to)]
    if (api?.kind !== 'api' || handler?.kind !== 'function') continue
    const measured = Math.min(api.settings.timeout, invoke.timeout)
    const limit = handler.settings.timeout
    if (measured >= limit) continue
    yield {
      at: invoke.id,
      severity: 'medium',
      measured,
      limit,
      unit: 's',
      says: `${api.name} gives up after ${shown(measured)} s, and ${handler.name} may go on for ${shown(limit)} s.`,
      mend: `Set the timeout of ${handler.name} below ${shown(measured)} s, or accept the request and do the work behind a queue.`,
      from: 'template',
    }
  }
}
