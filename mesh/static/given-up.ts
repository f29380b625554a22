import { type Mesh, type MeshElement, type MeshNode, nodesById } from '../model.ts'
import { expiresFirst } from './tries.ts'

/**
 * What becomes of a message when all attempts over an element are used up.
 * kept: somewhere from which it can be sent again; dropped: nowhere; answered: who called is told, and decides.
 */
export type GivenUp = 'kept' | 'dropped' | 'answered'

/** Whether who starts a run of a state machine over an element waits for its end, and fails with it. */
export const awaitsRun = (element: MeshElement, from: MeshNode | undefined): boolean =>
  element.kind === 'invoke' ||
  (element.kind === 'call' && element.action === 'states:StartSyncExecution') ||
  (from?.kind === 'task' && from.settings.integration === 'sync')

/**
 * A run of a standard state machine stays in its history and can be redriven for 14 days; one of an express does not: what
 * fails in it is told to who waits for it, and is gone where nobody does.
 */
export function givenUpOf(mesh: Mesh): (element: MeshElement) => GivenUp {
  const nodes = nodesById(mesh)
  const letters = new Set(
    mesh.elements.flatMap((each) =>
      each.kind === 'dead-letter' && each.of === 'poll' && each.unheard !== true ? [each.from] : [],
    ),
  )
  const unawaited = new Set(
    mesh.elements.flatMap((each) =>
      each.kind === 'dead-letter' || awaitsRun(each, nodes.get(each.from)) ? [] : [each.to],
    ),
  )
  const started = new Set(mesh.elements.map(({ to }) => to))
  const machineOf = (id: string) => {
    const node = nodes.get(id)
    return node?.kind === 'task' ? nodes.get(node.settings.workflow) : node
  }
  return (element) => {
    if (element.kind === 'delivery') return element.kept ? 'kept' : 'dropped'
    if (element.kind === 'poll') {
      const isKept = letters.has(element.from) && !expiresFirst(element, nodes.get(element.from))
      return isKept ? 'kept' : 'dropped'
    }
    const machine = machineOf(element.from)
    if (machine?.kind !== 'workflow') return 'answered'
    if (machine.settings.flavour === 'STANDARD') return 'kept'
    return started.has(machine.id) && !unawaited.has(machine.id) ? 'answered' : 'dropped'
  }
}
