import type { Loaded } from '../load.ts'
import { isOff, type MeshNode } from '../model.ts'
import type { Stream } from '../passing.ts'
import { attemptsOver, expiresFirst } from './tries.ts'

/**
 * What fails at every attempt, qⁿ of what goes over an element, as streams from where the attempts began to a dead letter queue
 * or a destination. What is given up because it is more than a limit does is not of it.
 */
export function deadLetterStreams({ mesh, letters, failures }: Loaded): Stream[] {
  const nodes = new Map(letters.length === 0 ? [] : mesh.nodes.map((node) => [node.id, node]))
  // of several targets of one rule nobody has said whose it is
  const several = new Set<string>()
  const first = new Map<string, string>()
  for (const { element } of letters)
    if (element.of === 'delivery' && (first.get(element.from) ?? element.id) !== element.id)
      several.add(element.from)
    else first.set(element.from, element.id)
  return letters.map(({ element, from, to, over }) => {
    const part = failingOver(over, nodes, failures)
    const isOpen = element.of === 'delivery' && several.has(element.from)
    const gain = over.gain === null || part === null || (isOpen && part > 0) ? null : over.gain * part
    return { element, from, to, gain }
  })
}

/** qⁿ of what is given up before it expires; null: it is never run, and what becomes of that depends on who asks. */
function failingOver(
  { element }: Stream,
  nodes: ReadonlyMap<string, MeshNode>,
  failures: ReadonlyMap<string, number>,
): number | null {
  const [from, to] = [nodes.get(element.from), nodes.get(element.to)]
  if (element.kind === 'poll' && expiresFirst(element, from)) return 0
  if (element.kind === 'delivery' && !element.kept) return 0
  if (to === undefined || isOff(to)) return null
  // who starts a machine has started it, whatever it does then
  return to.kind === 'workflow' ? 0 : (failures.get(to.id) ?? 0) ** attemptsOver(element, from)
}
