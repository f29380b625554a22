import { append } from '../append.ts'
import type { Loaded } from '../load.ts'
import type { MeshElement } from '../model.ts'
import type { Demands } from '../static/demand.ts'
import type { Removal } from './report.ts'

/** Who takes over from a consumer of a shared queue, and how much each gets then. */
export function movesOf({ mesh }: Loaded, demands: Demands): (at: string) => Removal['moves'] {
  const queues = new Set(mesh.nodes.flatMap(({ id, kind }) => (kind === 'queue' ? [id] : [])))
  const polls = mesh.elements.filter(
    (element) => element.kind === 'poll' && element.enabled && queues.has(element.from),
  )
  const byQueue = Map.groupBy(polls, ({ from }) => from)
  const touching = new Map<string, MeshElement[]>()
  for (const poll of polls) for (const at of [poll.id, poll.to]) append(touching, at, poll)
  return (at) =>
    [...Map.groupBy(touching.get(at) ?? [], ({ from }) => from)].flatMap(([queue, gone]) => {
      const all = byQueue.get(queue) ?? []
      const left = all.filter((poll) => !gone.includes(poll))
      return left.map(({ id }) => {
        const { messages, complete } = demands.ofElement(id)
        return {
          at: id,
          before: complete ? messages : null,
          after: complete ? (messages * all.length) / left.length : null,
        }
      })
    })
}
