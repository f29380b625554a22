import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** Events that beget as many of themselves never end, and cost without end. */
export const loopGain: Rule = function* ({ rates, loaded }) {
  for (const { members, gain } of rates.loops) {
    const states = members.flatMap((member) => loaded.states[member] ?? [])
    const [first] = states.toSorted((a, b) => (a.node.id < b.node.id ? -1 : 1))
    if (first === undefined) continue
    const names = [...new Set(states.map(({ node }) => node.name))].toSorted()
    yield {
      at: first.node.id,
      severity: 'high',
      measured: gain,
      limit: 1,
      unit: 'events for each',
      says: `Each event that goes round ${names.join(', ')} makes ${shown(gain)} of its kind: the loop never ends.`,
      mend: `Break the loop: let ${first.node.name} ignore what it has caused itself, or narrow what leads back to it.`,
      from: 'template',
    }
  }
}
