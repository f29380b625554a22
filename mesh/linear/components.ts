/**
 * The strongly connected components of a directed graph, each before those that lead to it: sinks first (Tarjan 1972,
 * without recursion). `next`: for each vertex, where its edges lead.
 */
export function components(next: readonly (readonly number[])[]): number[][] {
  const index = next.map(() => -1)
  const low = next.map(() => 0)
  const waiting: number[] = []
  const isWaiting = next.map(() => false)
  const found: number[][] = []
  let visited = 0
  const enter = (vertex: number): { vertex: number; edge: number } => {
    index[vertex] = visited
    low[vertex] = visited
    visited++
    waiting.push(vertex)
    isWaiting[vertex] = true
    return { vertex, edge: 0 }
  }
  const lower = (vertex: number, to: number) => {
    low[vertex] = Math.min(low[vertex] ?? 0, to)
  }
  const close = (vertex: number) => {
    if (low[vertex] !== index[vertex]) return
    const members = waiting.splice(waiting.lastIndexOf(vertex))
    for (const member of members) isWaiting[member] = false
    found.push(members)
  }
  const walk = (start: number) => {
    const path = [enter(start)]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { vertex } = top
      const to = next[vertex]?.[top.edge++]
      if (to === undefined) {
        path.pop()
        const parent = path.at(-1)
        if (parent !== undefined) lower(parent.vertex, low[vertex] ?? 0)
        close(vertex)
      } else if (index[to] === -1) path.push(enter(to))
      else if (isWaiting[to]) lower(vertex, index[to] ?? 0)
    }
  }
  for (const start of next.keys()) if (index[start] === -1) walk(start)
  return found
}
