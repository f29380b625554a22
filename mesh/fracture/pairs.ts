import type { Loaded } from '../load.ts'
import { seeded } from '../random.ts'
import type { Branch, Flow } from './flows.ts'
import type { FractureReport } from './report.ts'
import { lossOf, type Survey } from './survey.ts'

type Pairs = FractureReport['pairs']

/**
 * Pairs of nodes and elements that are no single points and cut something together: all pairs where they are few, else a
 * sample of those that lie before the same goal, where alone they can.
 */
export function pairsOf(
  loaded: Loaded,
  { flows, units }: Survey,
  cutting: ReadonlySet<string>,
  { pairs, seed }: { pairs: number; seed: number },
): Pairs {
  const candidates = [...units.keys()].filter((unit) => !cutting.has(unit)).toSorted()
  const all = (candidates.length * (candidates.length - 1)) / 2 <= pairs
  const chosen = all ? everyPair(candidates) : sampled(loaded, flows, cutting, pairs, seeded(seed))
  const cuts = chosen.flatMap(([one, other]) => {
    const others = new Map((units.get(other) ?? []).map(({ surveyed, vertices }) => [surveyed, vertices]))
    const losses = (units.get(one) ?? []).flatMap(({ surveyed, vertices }) => {
      const more = others.get(surveyed)
      if (more === undefined) return []
      const { loss } = lossOf(loaded, { surveyed, vertices: [...new Set([...vertices, ...more])] })
      return loss.lost === 0 ? [] : [loss]
    })
    const at: [string, string] = [one, other]
    return losses.length === 0 ? [] : [{ at, losses }]
  })
  return { tried: chosen.length, all, cuts }
}

function everyPair(candidates: readonly string[]): [string, string][] {
  return candidates.flatMap((one, position) =>
    candidates.slice(position + 1).map((other): [string, string] => [one, other]),
  )
}

type Some = <Item>(items: readonly Item[]) => Item | undefined

function sampled(
  loaded: Loaded,
  flows: Survey['flows'],
  cutting: ReadonlySet<string>,
  pairs: number,
  random: () => number,
): [string, string][] {
  const some: Some = (items) => items[Math.floor(random() * items.length)]
  // goals with more than one way: something that leads there may fail without them
  const redundant = flows.flatMap(({ flow }) =>
    flow.arriving.some((branches) => branches.length > 1) ||
    flow.goals.some(({ states }) => states.length > 1)
      ? flow.goals.map(({ states }) => ({ flow, states }))
      : [],
  )
  const chosen = new Map<string, [string, string]>()
  for (let attempt = 0; attempt < 4 * pairs && chosen.size < pairs; attempt++) {
    const goal = some(redundant)
    if (goal === undefined) break
    // two ways back from the goal meet two of its ways more often than any two nodes
    const [one, other] = [0, 1].map(() => {
      const end = some(goal.states)
      return some(
        end === undefined ? [] : wayBack(loaded, goal.flow, end, some).filter((at) => !cutting.has(at)),
      )
    })
    if (one === undefined || other === undefined || one === other) continue
    const pair: [string, string] = one < other ? [one, other] : [other, one]
    chosen.set(pair.join('\n'), pair)
  }
  return [...chosen.values()].toSorted((a, b) => (a.join() < b.join() ? -1 : 1))
}

/** Nodes and elements of one way that leads to a state, as chance has it. */
function wayBack({ states, streams }: Loaded, flow: Flow, end: number, some: Some): string[] {
  const way: string[] = []
  const seen = new Set<number>()
  for (let state: number | undefined = end; state !== undefined && !seen.has(state); ) {
    seen.add(state)
    const branch: Branch | undefined = flow.branches[some(flow.arriving[state] ?? []) ?? -1]
    const ids = [states[flow.states[state] ?? -1]?.node.id, streams[branch?.stream ?? -1]?.element.id]
    way.push(...ids.flatMap((id) => id ?? []))
    state = branch?.from
  }
  return way
}
