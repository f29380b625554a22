import { awaitsRun } from '../awaited.ts'
import type { Rule } from './facts.ts'

const telling: ReadonlySet<string> = new Set(['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'])

/** Whoever starts a machine without waiting has delivered the event: that the run fails is nobody's to keep. */
export const workflowFailuresUnseen: Rule = function* ({ nodes, arriving, live, node, watched }) {
  const states = Map.groupBy(nodes('task'), ({ settings }) => settings.workflow)
  for (const { id, name } of nodes('workflow')) {
    const starters = [
      ...arriving(id, 'delivery'),
      ...arriving(id, 'call').filter((call) => call.carries && !awaitsRun(call, node(call.from))),
    ]
    const open = (states.get(id) ?? []).filter(({ settings }) => !settings.catches)
    if (!starters.some(live) || open.length === 0) continue
    if (watched(id).some((metric) => telling.has(metric))) continue
    const by = [...new Set(starters.filter(live).map(({ from }) => node(from)?.name ?? from))].toSorted()
    yield {
      at: id,
      severity: 'high',
      measured: open.length,
      limit: 0,
      unit: 'states without Catch',
      says: `${by.join(', ')} starts ${name} without waiting, ${open.length} of its states catch nothing, and no alarm with an action watches its failed runs.`,
      mend: `Set an alarm on ExecutionsFailed and ExecutionsTimedOut of ${name}, or catch and keep what fails.`,
      from: 'template',
    }
  }
}
