import type { NodeKind } from '../model.ts'
import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** What runs somebody's code or states, which can tell what it has caused; code first. */
const handlers: readonly NodeKind[] = ['function', 'service', 'workflow', 'task']

/** Events that beget as many of themselves never end, and cost without end. */
export const loopGain: Rule = function* ({ rates, loaded }) {
  for (const { members, gain } of rates.loops) {
    const states = members.flatMap((member) => loaded.states[member] ?? [])
    const sorted = states.map(({ node }) => node).toSorted((a, b) => (a.id < b.id ? -1 : 1))
    const [first] = sorted
    if (first === undefined) continue
    const [handler] = handlers.flatMap((kind) => sorted.filter((node) => node.kind === kind))
    const ignoring = handler === undefined ? '' : `let ${handler.name} ignore what it has caused itself, or `
    const names = [...new Set(states.map(({ node }) => node.name))].toSorted()
    yield {
      at: first.id,
      severity: 'high',
      measured: gain,
      limit: 1,
      unit: 'events for each',
      says: `Each event that goes round ${names.join(', ')} makes ${shown(gain)} of its kind: the loop never ends.`,
      mend: `Break the loop: ${ignoring}narrow what leads back to it.`,
      from: 'template',
    }
  }
}
