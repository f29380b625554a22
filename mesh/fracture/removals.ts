import type { Loaded } from '../load.ts'
import { nameOf, nodesById } from '../model.ts'
import type { Demands } from '../static/demand.ts'
import type { Asked, Stress } from '../static/stress.ts'
import { movesOf } from './moves.ts'
import type { Windows, Works } from './reach.ts'
import type { Recovery } from './recovery.ts'
import type { Loss, Removal } from './report.ts'
import { lossOf, type Part, type Survey, type Surveyed } from './survey.ts'
import { tallyOf } from './tally.ts'

/** What a goal fails with; `window`: how long that may fail before what waits for it is given up; `dropped`:
 * before it is and is kept nowhere. */
export type Point = { at: string; depth: number; window: number; dropped: number }

type Removals = {
  /** the worst first */
  removals: Removal[]
  /** by flow and goal, nearest first */
  points: ReadonlyMap<Surveyed, readonly (readonly Point[])[]>
}

type Given = {
  /** by flow and state */
  windows: ReadonlyMap<Surveyed, Windows>
  dropped: ReadonlyMap<Surveyed, Windows>
  demands: Demands
  stresses: readonly Stress[]
  asked: Asked
  outage: number
  works: Works
}

/** Removes every node and element from every flow that it is in. */
export function removalsOf(loaded: Loaded, { flows, units }: Survey, given: Given): Removals {
  const { mesh, external } = loaded
  const moves = movesOf(loaded, given.demands)
  const nodes = nodesById(mesh)
  const elements = new Map(mesh.elements.map((element) => [element.id, element]))
  const points = new Map(flows.map((flow) => [flow, flow.flow.goals.map((): Point[] => [])]))
  const tally = tallyOf(loaded, flows, given)
  const windowOf = windowWith(loaded)
  const worksAt = (at: string): number => {
    const node = nodes.get(at)
    return node === undefined ? 1 : given.works(node)
  }
  const removal = (at: string, parts: readonly Part[]): Removal => {
    const element = elements.get(at)
    const losses: Loss[] = []
    const shares = new Map<Surveyed, number | null>()
    let [window, longest] = [Number.POSITIVE_INFINITY, 0]
    tally.start(at)
    for (const part of parts) {
      const { surveyed, vertices } = part
      const { least: tries, most } = windowOf(at, part, given.windows.get(surveyed))
      window = Math.min(window, tries)
      longest = Math.max(longest, most)
      const { loss, cut, goals } = lossOf(loaded, part)
      shares.set(surveyed, loss.share)
      if (goals.length > 0) losses.push(loss)
      const depth = surveyed.tree.depth[vertices[0] ?? 0] ?? 0
      const { least: dropped } = windowOf(at, part, given.dropped.get(surveyed))
      const point = { at, depth, window: tries, dropped }
      for (const goal of goals) points.get(surveyed)?.[goal]?.push(point)
      tally.add(surveyed, cut, most)
    }
    return {
      at,
      name: element === undefined ? (nodes.get(at)?.name ?? at) : nameOf(element, nodes),
      is: element === undefined ? 'node' : 'element',
      works: worksAt(at),
      types: new Set(losses.map(({ type }) => type)).size,
      share: shareOfAll(external, flows, shares),
      nodes: tally.nodes(),
      losses,
      moves: moves(at),
      holdsFor: Number.isFinite(window) ? window : null,
      recovery: Number.isFinite(window) ? tally.recovery(at, longest) : refused,
      cascade: null,
    }
  }
  const weight = weightAmong(flows.length)
  const removals = [...units]
    .map(([at, parts]) => removal(at, parts))
    .filter(({ losses, moves: taken, share }) => losses.length > 0 || taken.length > 0 || share !== 0)
    .toSorted((a, b) => weight(b) - weight(a) || b.nodes - a.nodes || (a.at < b.at ? -1 : 1))
  for (const goals of points.values())
    for (const before of goals) before.sort((a, b) => b.depth - a.depth || (a.at < b.at ? -1 : 1))
  return { removals, points }
}

const refused: Recovery = { seconds: null, why: 'nothing waits for it: what comes meanwhile is refused' }

/**
 * The shortest of all that fails with it, and of those that end the longest (0: nothing waits); of a branch, that of where
 * it gets to.
 */
const windowWith =
  ({ states, streams }: Loaded) =>
  (at: string, { surveyed, vertices }: Part, windows: Windows | undefined) => {
    const { flow } = surveyed
    let [least, most] = [Number.POSITIVE_INFINITY, 0]
    for (const vertex of vertices) {
      const branch = flow.branches[vertex - flow.states.length]
      // what a run does not come to has its window from what it would have passed before
      if (branch !== undefined && streams[branch.stream]?.element.id !== at) continue
      const state = branch?.to ?? vertex
      const own = branch !== undefined || states[flow.states[vertex] ?? -1]?.node.id === at
      const window = windows?.[own ? 'itself' : 'needs'][state] ?? Number.POSITIVE_INFINITY
      least = Math.min(least, window)
      if (Number.isFinite(window)) most = Math.max(most, window)
    }
    return { least, most }
  }

/** By rate over all doors; where a rate or a share is not known, only when all of them agree. */
function shareOfAll(
  external: Loaded['external'],
  flows: readonly Surveyed[],
  shares: ReadonlyMap<Surveyed, number | null>,
): number | null {
  let [lost, whole] = [0, 0]
  for (const [flow, share] of shares) lost += (external[flow.door] ?? Number.NaN) * (share ?? Number.NaN)
  for (const { door } of flows) whole += external[door] ?? Number.NaN
  const part = lost / whole
  if (!Number.isNaN(part)) return part
  const all = new Set(shares.values())
  if (shares.size < flows.length) all.add(0)
  const [same = null] = all
  return all.size === 1 ? same : null
}

/** Where the share is not known, all doors count the same, and all of their sinks. */
const weightAmong =
  (doors: number) =>
  ({ share, losses }: Removal): number =>
    share ?? losses.reduce((sum, { lost, of }) => sum + lost / of, 0) / doors
