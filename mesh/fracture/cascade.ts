import { isShared } from '../laws/limits.ts'
import { isAsked, type Loaded } from '../load.ts'
import type { Stream } from '../passing.ts'
import { type Demands, demandsIn } from '../static/demand.ts'
import { type Stress, stressesIn } from '../static/stress.ts'
import { doorsOf, type Flow, flowFrom, type Onward } from './flows.ts'
import { consumersOf, gainsWithout, removedFrom } from './gains.ts'
import type { Needs } from './needs.ts'
import type { Removal } from './report.ts'
import { unitsOf } from './units.ts'
import { visits } from './visits.ts'

type Cascade = NonNullable<Removal['cascade']>

const mostRounds = 20

/**
 * Follows what goes over its limit when a node or an element fails. In each round the flow is solved without all that has
 * failed; what needs something that failed fails at each of its attempts, and uses all of them. What refuses beyond its
 * limit, and is waited for, fails as a whole in the next round (Motter and Lai 2002); what waits falls behind and stays.
 */
export function cascades(
  loaded: Loaded,
  onward: Onward,
  needs: Needs,
  base: { stresses: readonly Stress[]; complete: readonly boolean[] },
): (at: string) => Cascade {
  const doors = doorsOf(loaded)
  const flow = flowFrom(loaded, onward, doors)
  const units = unitsOf(loaded, flow, needs)
  // a gain that nobody has said counts as nothing, as in the rates
  const without = gainsWithout(loaded, flow, consumersOf(loaded), 0)
  const place = new Map(flow.states.map((state, position) => [state, position]))
  const entering = new Map(
    doors.flatMap((door) => [[place.get(door) ?? -1, loaded.external[door] ?? 0]] as const),
  )
  const before = new Set(base.stresses.filter(({ utilisation }) => utilisation > 1).map(keyOf))
  const called = new Set(
    loaded.mesh.elements.flatMap(({ kind, to }) => (kind === 'invoke' || kind === 'call' ? [to] : [])),
  )
  const sharing = Map.groupBy(
    loaded.mesh.nodes.flatMap((node) =>
      node.laws.filter(isShared).map(({ shared }) => ({ shared, id: node.id })),
    ),
    ({ shared }) => shared,
  )
  /** What fails of a limit that is gone beyond: those that somebody waits for. */
  const failing = ({ at, over }: Stress): string[] =>
    over === 'refuse' ? (sharing.get(at)?.map(({ id }) => id) ?? [at]).filter((id) => called.has(id)) : []
  const [demandsAt, stressesAt] = [demandsIn(loaded), stressesIn(loaded)]
  return (at) => {
    // no limit can be compared with what is asked of it
    if (base.stresses.length === 0) return { rounds: [], settled: true }
    const failed = new Set([at])
    const told = new Set(before)
    const rounds: Cascade['rounds'] = []
    for (let round = 0; round < mostRounds; round++) {
      const rates = ratesWithout(flow, units, without, entering, failed)
      if (rates === null) return { rounds, settled: false }
      const over = stressesAt(demandsWithout(loaded, flow, units, rates, demandsAt, base.complete, failed))
        .stresses.filter((stress) => stress.utilisation > 1 && !told.has(keyOf(stress)))
        .toSorted((a, b) => b.utilisation - a.utilisation || (a.at < b.at ? -1 : 1))
      if (over.length === 0) return { rounds, settled: true }
      rounds.push(
        over.map((stress) => ({
          ...{ at: stress.at, name: stress.name, unit: stress.unit, utilisation: stress.utilisation },
          effect: failing(stress).length > 0 ? 'fails' : 'falls behind',
        })),
      )
      for (const stress of over) {
        told.add(keyOf(stress))
        for (const id of failing(stress)) failed.add(id)
      }
    }
    return { rounds, settled: false }
  }
}

const keyOf = ({ at, unit }: Stress): string => `${at} ${unit}`

type Solved = { visited: Float64Array; gains: Float64Array }

function ratesWithout(
  flow: Flow,
  units: ReadonlyMap<string, readonly number[]>,
  without: ReturnType<typeof gainsWithout>,
  entering: ReadonlyMap<number, number>,
  failed: ReadonlySet<string>,
): Solved | null {
  const vertices = [...failed].flatMap((unit) => units.get(unit) ?? [])
  const gains = without(removedFrom(flow, vertices))
  const visited = visits(flow, entering, gains)
  return visited === null ? null : { visited, gains }
}

/** The demand at what is left. What has failed itself does nothing; what needs it does all of its attempts in vain. */
function demandsWithout(
  loaded: Loaded,
  flow: Flow,
  units: ReadonlyMap<string, readonly number[]>,
  { visited, gains }: Solved,
  demandsAt: ReturnType<typeof demandsIn>,
  complete: readonly boolean[],
  failed: ReadonlySet<string>,
): Demands {
  const { states } = loaded
  const nodeAt = (vertex: number): string => states[flow.states[vertex] ?? -1]?.node.id ?? ''
  const rates = states.map(() => 0)
  flow.states.forEach((state, position) => {
    rates[state] = failed.has(nodeAt(position)) ? 0 : (visited[position] ?? 0)
  })
  // what is only used is asked by those that still work
  for (const { from, to, gain, element } of loaded.streams)
    if (isAsked(element) && !failed.has(element.to))
      rates[to] = (rates[to] ?? 0) + (gain ?? 0) * (rates[from] ?? 0)
  const failures = new Map(loaded.failures)
  for (const vertex of [...failed].flatMap((unit) => units.get(unit) ?? []))
    if (vertex < flow.states.length && !failed.has(nodeAt(vertex))) failures.set(nodeAt(vertex), 1)
  const streams = streamsWith(loaded.streams, flow, gains)
  return demandsAt({ rates, complete, unexplained: new Map(), loops: [] }, { streams, failures })
}

function streamsWith(streams: readonly Stream[], flow: Flow, gains: Float64Array): Stream[] {
  const changed = streams.slice()
  flow.branches.forEach(({ stream, gain }, branch) => {
    const known = streams[stream]
    const now = gains[branch] ?? 0
    if (known !== undefined && known.gain !== null && now !== gain) changed[stream] = { ...known, gain: now }
  })
  return changed
}
