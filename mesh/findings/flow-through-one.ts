import { doorsOf } from '../fracture/flows.ts'
import type { NodeKind } from '../model.ts'
import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** What somebody runs himself; what AWS runs as one thing for all is not one thing. */
const owned: ReadonlySet<NodeKind> = new Set(['function', 'service', 'workflow'])

/** One node that nearly everything that comes in has to pass. */
export const flowThroughOne: Rule = function* ({ loaded, points, node, constant }) {
  const limit = constant('flow-through-one')
  // what a clock begins comes from nowhere
  const doors = doorsOf(loaded).filter((door) => loaded.states[door]?.node.kind !== 'schedule')
  const total = doors.reduce((sum, door) => sum + (loaded.external[door] ?? Number.NaN), 0)
  // with one kind of event, that all of it goes one way says nothing
  if (doors.length < 2 || Number.isNaN(total)) return
  const stopped = new Map<string, number>()
  for (const { at, door, goals, ofGoals } of points)
    if (goals === ofGoals && doors.includes(door))
      stopped.set(at, (stopped.get(at) ?? 0) + (loaded.external[door] ?? 0))
  for (const [at, rate] of stopped) {
    const found = node(at)
    const measured = rate / total
    if (found === undefined || !owned.has(found.kind) || measured <= limit) continue
    yield {
      at,
      severity: 'low',
      measured,
      limit,
      unit: 'of the flow',
      says: `${shown(100 * measured)} % of all that comes in has to pass ${found.name}.`,
      mend: `Split ${found.name} by event type, so that what stops one does not stop all.`,
      from: 'flow-through-one',
    }
  }
}
