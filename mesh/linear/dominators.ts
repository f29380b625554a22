/**
 * The immediate dominator of each vertex that `root` reaches, the root's own left out: whatever gets to a vertex passes
 * its dominators (Cooper, Harvey and Kennedy 2001). `next`: for each vertex, where its edges lead.
 */
export function dominators(next: readonly (readonly number[])[], root: number): Map<number, number> {
  const order = postorder(next, root)
  const rank = new Map(order.map((vertex, position) => [vertex, position]))
  const before = next.map((): number[] => [])
  for (const from of order) for (const to of next[from] ?? []) before[to]?.push(from)
  const immediate = new Map([[root, root]])
  const meet = (one: number, other: number): number => {
    let [a, b] = [one, other]
    while (a !== b) {
      if ((rank.get(a) ?? 0) < (rank.get(b) ?? 0)) a = immediate.get(a) ?? root
      else b = immediate.get(b) ?? root
    }
    return a
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const vertex of order.toReversed()) {
      if (vertex === root) continue
      const known = (before[vertex] ?? []).filter((from) => immediate.has(from))
      const [first] = known
      if (first === undefined) continue
      const dominator = known.reduce((a, b) => meet(a, b), first)
      if (immediate.get(vertex) !== dominator) {
        immediate.set(vertex, dominator)
        changed = true
      }
    }
  }
  immediate.delete(root)
  return immediate
}

/** All that dominate a vertex, nearest first; neither the vertex nor the root. */
export function properDominators(
  immediate: ReadonlyMap<number, number>,
  vertex: number,
  root: number,
): number[] {
  const found: number[] = []
  for (let at = immediate.get(vertex); at !== undefined && at !== root; at = immediate.get(at)) found.push(at)
  return found
}

function postorder(next: readonly (readonly number[])[], root: number): number[] {
  const seen = new Set([root])
  const order: number[] = []
  const path = [{ vertex: root, edge: 0 }]
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const to = next[top.vertex]?.[top.edge++]
    if (to === undefined) {
      order.push(top.vertex)
      path.pop()
    } else if (!seen.has(to)) {
      seen.add(to)
      path.push({ vertex: to, edge: 0 })
    }
  }
  return order
}
