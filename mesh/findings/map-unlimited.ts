import type { NodeOf } from '../model.ts'
import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** A Map that starts more at once than the function that it calls may run: the rest is throttled and tried again. */
export const mapUnlimited: Rule = function* ({ nodes, leaving, node }) {
  for (const task of nodes('task')) {
    const most = mostOf(task)
    const handlers = leaving(task.id, 'invoke').map(({ to }) => node(to))
    for (const handler of handlers) {
      const limit = handler?.kind === 'function' ? handler.settings.reserved : undefined
      if (handler === undefined || limit === undefined || (most !== null && most <= limit)) continue
      yield {
        at: task.id,
        severity: 'medium',
        measured: most,
        limit,
        unit: 'at once',
        says: `${task.name} may call ${handler.name} ${most === null ? 'as often at once as its Map has items' : `${shown(most)} times at once`}, and ${limit} are reserved for it.`,
        mend: `Set MaxConcurrency of the Map around ${task.name} to at most ${limit}.`,
        from: 'template',
      }
    }
  }
}

/** Runs at once in one run of the machine; null: as many as there are items. */
function mostOf({ settings: { times, concurrency } }: NodeOf<'task'>): number | null {
  if (concurrency === 0) return times
  return times === null ? concurrency : Math.min(times, concurrency)
}
