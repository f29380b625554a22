import { isOff } from '../model.ts'
import type { Rule } from './facts.ts'

/** With none of the concurrency reserved for it Lambda never runs a function: whoever calls is refused. */
export const functionOff: Rule = function* ({ mesh, nodes, node, live }) {
  for (const handler of nodes('function').filter(isOff)) {
    const ways = mesh.elements.filter(
      (element) =>
        element.to === handler.id &&
        element.kind !== 'dead-letter' &&
        element.provenance !== 'inferred' &&
        live(element),
    )
    if (ways.length === 0) continue
    const callers = [...new Set(ways.map(({ from }) => node(from)?.name ?? from))].toSorted()
    yield {
      at: handler.id,
      severity: 'high',
      measured: 0,
      limit: 1,
      unit: 'at once',
      says: `${handler.name} never runs, for its reserved concurrency is 0: all that comes by ${callers.join(', ')} is throttled.`,
      mend: `Reserve some for ${handler.name} or nothing said of it; where it is off on purpose, switch off what leads to it.`,
      from: 'template',
    }
  }
}
