import type { Mesh, MeshElement, MeshNode } from '../model.ts'

/**
 * way: what events go by; may: a permission allows it and nobody has said that it is used; store: a table or a bucket is
 * used; dead: what failed for good; after: nothing goes there but when something has failed, as somebody has said.
 */
export type Part = 'way' | 'may' | 'store' | 'dead' | 'after'

export type Drawn = { index: number; element: MeshElement; part: Part; from: number; to: number }

export type Parts = {
  /** by index in the mesh: whether it stands beside the ways, as a place where things are kept, or is tied to nothing */
  aside: readonly boolean[]
  drawn: readonly Drawn[]
}

/** What of a mesh is the way of events, and what stands beside it. */
export function partsOf({ nodes, elements }: Mesh): Parts {
  const index = new Map(nodes.map(({ id }, position) => [id, position]))
  const ends = elements.flatMap((element, place) => {
    const [from, to] = [index.get(element.from), index.get(element.to)]
    return from === undefined || to === undefined ? [] : [{ index: place, element, from, to }]
  })
  const into = Map.groupBy(ends, ({ to }) => to)
  const outOf = Map.groupBy(ends, ({ from }) => from)
  const aside = nodes.map((node, place) => isKept(node, into.get(place) ?? [], outOf.get(place) ?? []))
  // what takes from dead letter queues alone stands beside them
  nodes.forEach((_, place) => {
    const arriving = into.get(place) ?? []
    if (arriving.length > 0 && arriving.every(({ from }) => aside[from])) aside[place] = true
  })
  if (aside.every(Boolean)) aside.fill(false)
  const partOf = (element: MeshElement, from: number, to: number): Part => {
    if (element.kind === 'dead-letter') return 'dead'
    if (element.kind === 'call' && !element.carries) return 'store'
    if (aside[from] && nodes[from]?.kind !== 'bucket') return 'dead'
    if (aside[to]) return nodes[to]?.kind === 'queue' ? 'dead' : 'store'
    if (element.kind !== 'call') return 'way'
    if (element.ratio === 0) return 'after'
    return element.provenance === 'inferred' ? 'may' : 'way'
  }
  return { aside, drawn: ends.map((end) => ({ ...end, part: partOf(end.element, end.from, end.to) })) }
}

type End = { element: MeshElement }

/** Tied to nothing; a queue of what failed; a table or a bucket of which nothing comes. */
function isKept(node: MeshNode, arriving: readonly End[], leaving: readonly End[]): boolean {
  if (arriving.length + leaving.length === 0) return true
  if (node.kind === 'table' || node.kind === 'bucket')
    return leaving.every(({ element }) => element.kind === 'dead-letter')
  const letters = arriving.some(({ element }) => element.kind === 'dead-letter')
  return node.kind === 'queue' && (letters || node.settings.deadLetters)
}
