import { append } from '../append.ts'
import { awaitsRun } from '../awaited.ts'
import type { Loaded } from '../load.ts'
import {
  type ElementKind,
  type MeshElement,
  type MeshNode,
  type NodeOf,
  nodesById,
  type Step,
} from '../model.ts'
import type { State } from '../passing.ts'

/** What things cannot do without: nodes and elements by id. */
export type Needs = {
  /** of a node, itself left out; of a state machine what it needs to begin */
  at: (state: State) => readonly string[]
  /** of what a run of a state machine comes to over an element: what it passes before, with the tasks it belongs to */
  before: (element: MeshElement, type: string) => Before
}

/** By id of node or element, the tasks that it belongs to, by theirs. */
type Before = ReadonlyMap<string, readonly string[]>

/**
 * A handler needs what it reads and writes, and what it calls and waits for; a pipe what it asks before it hands on; a task
 * the tasks that every run passes before it and that catch nothing, and who waits for a run all of these; all of them need
 * what those need. Where a message goes on to is not needed: it is missed there and only there. What a permission allows
 * counts as used.
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
  const knownBefore = new Map<string, Before>()
  const once = (key: string, find: () => Iterable<string>): readonly string[] => {
    const found = known.get(key) ?? [...find()]
    known.set(key, found)
    return found
  }
  const at = (state: State) =>
    once(`${state.node.id}\n${state.type}`, () => {
      const found = new Set<string>()
      const seen = new Set([state.node.id])
      let level = [state.node]
      for (let depth = 0; depth < deepest && level.length > 0; depth++) {
        const asked = level.flatMap((node) => direct({ node, type: state.type }))
        // a run has begun, whatever becomes of its tasks
        const all = depth === 0 ? asked.filter(({ to }) => !isTaskOf(state.node, nodes.get(to))) : asked
        level = all.flatMap(({ id, to }) => {
          const node = nodes.get(to)
          found.add(id)
          if (node === undefined || seen.has(to)) return []
          seen.add(to)
          found.add(to)
          return [node]
        })
      }
      return found
    })
  const task = (id: string) => {
    const node = nodes.get(id)
    return node?.kind === 'task' ? node : undefined
  }
  /** A task, what it needs, and the way to it. */
  const whole = (node: NodeOf<'task'>, type: string): string[] => [
    ...(leaving.get(node.settings.workflow) ?? []).flatMap(({ id, to }) => (to === node.id ? [id] : [])),
    ...[node.id, ...at({ node, type })],
  ]
  const earlier = (node: NodeOf<'task'>): NodeOf<'task'>[] =>
    tasksBefore(node).flatMap((id) => {
      const one = task(id)
      return one === undefined || one.settings.catches ? [] : [one]
    })
  const withTasks = (tasks: readonly NodeOf<'task'>[], type: string): Map<string, string[]> => {
    const found = new Map<string, string[]>()
    for (const one of tasks) for (const id of new Set(whole(one, type))) append(found, id, one.id)
    return found
  }
  const tasksBefore = (node: NodeOf<'task'>): readonly string[] =>
    once(`before ${node.id}`, () => {
      const { workflow, before } = node.settings
      const path = node.id.slice(workflow.length + 1)
      const after = before?.after === undefined ? undefined : task(`${workflow}#${before.after}`)
      const steps = tasksIn(before?.steps ?? [], path).map((each) => `${workflow}#${each}`)
      return new Set([...(after === undefined ? [] : [...tasksBefore(after), after.id]), ...steps])
    })
  /** The tasks of a machine that send what is said of it. */
  const sendersOf = (element: MeshElement): readonly string[] => {
    if (element.kind !== 'call') return []
    const tasks = (leaving.get(element.from) ?? []).filter(({ to }) => task(to) !== undefined)
    const sending = tasks.filter(({ to }) => leaving.get(to)?.some((each) => each.to === element.to))
    return element.by ?? sending.map(({ to }) => to)
  }
  const beforeOver = (element: MeshElement, type: string): Before => {
    const to = task(element.to)
    if (to !== undefined) return withTasks(earlier(to), type)
    // what several of its tasks send lacks only what all of them lack
    const sending = sendersOf(element).flatMap((id) => task(id) ?? [])
    const each = sending.map((one) => withTasks([...earlier(one), one], type))
    const ids = [...(each[0]?.keys() ?? [])].filter((id) => each.every((one) => one.has(id)))
    return new Map(ids.map((id) => [id, [...new Set(each.flatMap((one) => one.get(id) ?? []))]]))
  }
  const nothing: Before = new Map()
  const before = (element: MeshElement, type: string): Before => {
    if (nodes.get(element.from)?.kind !== 'workflow') return nothing
    const key = `${element.id}\n${type}`
    const found = knownBefore.get(key) ?? beforeOver(element, type)
    knownBefore.set(key, found)
    return found
  }
  return { at, before }
}

const isTaskOf = (node: MeshNode, to: MeshNode | undefined): boolean =>
  node.kind === 'workflow' && to?.kind === 'task'

/** Those of the steps before a task that every run has passed, which earlier items of a Map around it are not. */
function tasksIn(steps: readonly Step[], path: string): string[] {
  const all = (inside: readonly Step[]): string[] =>
    inside.flatMap((step) => {
      if ('task' in step) return [step.task]
      if ('longest' in step) return step.longest.flatMap(all)
      return 'steps' in step ? all(step.steps) : []
    })
  const isAround = (one: string): boolean => path.startsWith(one.slice(0, one.lastIndexOf('/') + 1))
  return steps.flatMap((step) => ('times' in step && all(step.steps).some(isAround) ? [] : all([step])))
}

/** Calls inside of calls; who waits for more than these has long timed out. */
export const deepest = 32

function needed(element: MeshElement, from: MeshNode, to: MeshNode | undefined, type: string): boolean {
  if (from.kind === 'task' && to?.kind === 'workflow') return awaitsRun(element, from)
  if (element.kind === 'call')
    return !element.carries && (element.per === null || element.per === type || type === '*')
  // an api or a bus has other ways for other requests
  if (from.kind === 'function' || from.kind === 'service' || from.kind === 'task') return true
  if (from.kind === 'pipe') return to?.id === from.settings.enrichment
  return from.kind === 'workflow' && to?.kind === 'task' && to.settings.times !== null && !to.settings.catches
}
