import type { Loads } from './loads.ts'
import type { Mesh, MeshElement } from './model.ts'
import type { Send } from './passing.ts'

/**
 * What is said of a state machine is in the place of what its tasks send there. Where these call it (a function that is
 * waited for, or handed an event) the way stays theirs, and what is said is how often runs come to them, in equal parts where
 * several go there: no second way stands beside it.
 */
export function byTasks(mesh: Mesh, loads: Loads): { mesh: Mesh; loads: Loads } {
  const workflows = workflowsOf(mesh)
  const calling = Map.groupBy(
    mesh.elements.filter(
      ({ kind, from }) => (kind === 'invoke' || kind === 'delivery') && workflows.has(from),
    ),
    ({ from, to }) => `${workflows.get(from)}\n${to}`,
  )
  const tasksOf = ({ from, to }: Pick<MeshElement, 'from' | 'to'>): string[] => [
    ...new Set((calling.get(`${from}\n${to}`) ?? []).map((element) => element.from)),
  ]
  const shared = (send: Send): Send[] => {
    const tasks = tasksOf(send)
    return tasks.length === 0
      ? [send]
      : tasks.map((task) => ({ ...send, to: task, ratio: send.ratio / tasks.length }))
  }
  const isSaid = (element: MeshElement) =>
    element.kind === 'call' && element.provenance === 'declared' && tasksOf(element).length > 0
  const declared = mesh.elements.flatMap((element): Send[] =>
    element.kind === 'call' && element.ratio !== null && isSaid(element)
      ? [sendOf(element, element.ratio)]
      : [],
  )
  // what is known under this load is in the place of what the template declares
  const said = new Set(loads.sends.map(({ from, to }) => `${from}\n${to}`))
  const others = declared.filter(({ from, to }) => !said.has(`${from}\n${to}`))
  return {
    mesh: { ...mesh, elements: mesh.elements.filter((element) => !isSaid(element)) },
    loads: { ...loads, sends: [...loads.sends, ...others].flatMap(shared) },
  }
}

/** Of each task its state machine. */
export const workflowsOf = ({ nodes }: Mesh): ReadonlyMap<string, string> =>
  new Map(nodes.flatMap((node) => (node.kind === 'task' ? [[node.id, node.settings.workflow] as const] : [])))

const sendOf = ({ from, to, types, per }: Extract<MeshElement, { kind: 'call' }>, ratio: number): Send => ({
  from,
  to,
  type: types?.[0] ?? '*',
  per,
  ratio,
  reads: false,
  measured: false,
})
