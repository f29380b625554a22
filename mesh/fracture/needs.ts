import type { Loaded } from '../load.ts'
import { type ElementKind, type MeshElement, type MeshNode, nodesById } from '../model.ts'
import type { State } from '../passing.ts'

/** What a node cannot work without: nodes and elements by id, itself left out. */
export type Needs = (state: State) => readonly string[]

/**
 * A handler needs what it reads and writes, and what it calls and waits for; a pipe what it asks before it hands on; a state
 * machine the states that every run passes and that catch nothing; all of them need what those need. Where a message goes
 * on to is not needed: it is missed there and only there. What a permission allows counts as used.
 */
export function needsOf({ mesh }: Pick<Loaded, 'mesh'>): Needs {
  const nodes = nodesById(mesh)
  const calls: ReadonlySet<ElementKind> = new Set(['call', 'invoke'])
  const leaving = Map.groupBy(
    mesh.elements.filter(({ kind }) => calls.has(kind)),
    ({ from }) => from,
  )
  const direct = ({ node, type }: State): readonly MeshElement[] =>
    (leaving.get(node.id) ?? []).filter((element) => needed(element, node, nodes.get(element.to), type))
  const known = new Map<string, readonly string[]>()
  return (state) => {
    const key = `${state.node.id}\n${state.type}`
    const before = known.get(key)
    if (before !== undefined) return before
    const found = new Set<string>()
    const seen = new Set([state.node.id])
    let level = [state.node]
    for (let depth = 0; depth < deepest && level.length > 0; depth++) {
      const asked = level.flatMap((node) => direct({ node, type: state.type }))
      level = asked.flatMap(({ id, to }) => {
        const node = nodes.get(to)
        found.add(id)
        if (node === undefined || seen.has(to)) return []
        seen.add(to)
        found.add(to)
        return [node]
      })
    }
    const all = [...found]
    known.set(key, all)
    return all
  }
}

/** Calls inside of calls; who waits for more than these has long timed out. */
const deepest = 32

function needed(element: MeshElement, from: MeshNode, to: MeshNode | undefined, type: string): boolean {
  if (element.kind === 'call')
    return !element.carries && (element.per === null || element.per === type || type === '*')
  // an api or a bus has other ways for other requests
  if (from.kind === 'function' || from.kind === 'service' || from.kind === 'task') return true
  if (from.kind === 'pipe') return to?.id === from.settings.enrichment
  return from.kind === 'workflow' && to?.kind === 'task' && to.settings.times !== null && !to.settings.catches
}
