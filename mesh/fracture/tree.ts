import { dominators } from '../linear/dominators.ts'
import type { Flow } from './flows.ts'

/** The dominator tree of a flow: what stands under a vertex is reached through it only. */
export type Tree = {
  /** vertices, each followed by all that stand under it */
  preorder: Int32Array
  /** of a vertex: its place in preorder, and the place after the last one under it; -1: the door does not lead to it */
  start: Int32Array
  end: Int32Array
  depth: Int32Array
  parent: Int32Array
}

export function treeOf({ next }: Flow): Tree {
  const immediate = dominators(next, 0)
  const children = next.map((): number[] => [])
  const parent = new Int32Array(next.length).fill(-1)
  for (const [vertex, dominator] of immediate) {
    children[dominator]?.push(vertex)
    parent[vertex] = dominator
  }
  const preorder: number[] = []
  const start = new Int32Array(next.length).fill(-1)
  const end = new Int32Array(next.length).fill(-1)
  const depth = new Int32Array(next.length)
  const path = [{ vertex: 0, child: 0 }]
  start[0] = preorder.push(0) - 1
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const child = children[top.vertex]?.[top.child++]
    if (child === undefined) {
      end[top.vertex] = preorder.length
      path.pop()
      continue
    }
    start[child] = preorder.push(child) - 1
    depth[child] = path.length
    path.push({ vertex: child, child: 0 })
  }
  return { preorder: Int32Array.from(preorder), start, end, depth, parent }
}

const [reached, gone] = [1, 2]

/** Vertices `of` from one place to before another: not copied, there may be many. */
export type Cut = { of: ArrayLike<number>; from: number; to: number }

/** The vertices that nothing reaches any more without those given, them included. */
export function cutWithout({ next }: Flow, tree: Tree, removed: readonly number[]): Cut {
  const [first] = removed
  const { preorder, start, end } = tree
  if (first === undefined) return { of: [], from: 0, to: 0 }
  // what all of them together cut off stands under what dominates all of them
  const top = removed.reduce((one, other) => meet(tree, one, other), first)
  const below = { of: preorder, from: start[top] ?? 0, to: end[top] ?? 0 }
  if (removed.length === 1) return below
  const seen = new Uint8Array(next.length)
  for (const vertex of removed) seen[vertex] = gone
  if (seen[top] === gone) return below
  const open = [top]
  seen[top] = reached
  for (let vertex = open.pop(); vertex !== undefined; vertex = open.pop())
    for (const to of next[vertex] ?? [])
      if (seen[to] === 0) {
        seen[to] = reached
        open.push(to)
      }
  const lost = preorder.subarray(below.from, below.to).filter((vertex) => seen[vertex] !== reached)
  return { of: lost, from: 0, to: lost.length }
}

/** The nearest vertex that dominates both. */
function meet({ depth, parent }: Tree, one: number, other: number): number {
  let [a, b] = [one, other]
  while (a !== b) {
    if ((depth[a] ?? 0) >= (depth[b] ?? 0)) a = parent[a] ?? 0
    else b = parent[b] ?? 0
  }
  return a
}
