import { invocationFailed } from './aws-events.ts'
import { type ElementOf, isOff, type MeshElement, type MeshNode } from './model.ts'
import type { State, Stream } from './passing.ts'

/** Where what fails for good over a stream goes, by their states: no way goes there. How much: static/dead-letter-streams.ts. */
export type DeadLetter = { element: ElementOf<'dead-letter'>; from: number; to: number; over: Stream }

type Leaving = ReadonlyMap<string, readonly MeshElement[]>

/** What may fail of the streams of one state, and the dead letter queues and destinations that it goes to. */
export function deadLettersOf(
  type: State['type'],
  streams: readonly Stream[],
  {
    nodes,
    leaving,
    failures,
  }: { nodes: ReadonlyMap<string, MeshNode>; leaving: Leaving; failures: ReadonlyMap<string, number> },
): (Omit<DeadLetter, 'from' | 'to'> & { to: MeshNode; type: string })[] {
  return streams.flatMap((over) => {
    const target = nodes.get(over.element.to)
    if (target === undefined || !(isOff(target) || (failures.get(target.id) ?? 0) > 0)) return []
    return deadLettersOver(over.element, target, leaving).flatMap((element) => {
      const to = nodes.get(element.to)
      if (to === undefined) return []
      const isTold = to.kind === 'bus' && element.of === 'async'
      return [{ element, over, to, type: isTold ? invocationFailed : type }]
    })
  })
}

/** Where what is given up over an element goes: Lambda keeps that of a function, and whoever polls or pushes the rest. */
export function deadLettersOver(
  { kind, from }: MeshElement,
  to: MeshNode,
  leaving: Leaving,
): ElementOf<'dead-letter'>[] {
  if (kind !== 'poll' && kind !== 'delivery') return []
  const of = kind === 'poll' ? 'poll' : to.kind === 'function' ? 'async' : 'delivery'
  return (leaving.get(of === 'async' ? to.id : from) ?? []).flatMap((element) =>
    element.kind === 'dead-letter' && element.of === of ? [element] : [],
  )
}
