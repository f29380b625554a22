import { above0, checkGiven, whole } from '../faults.ts'
import { lawsAssumed } from '../laws/assumed.ts'
import type { Loaded } from '../load.ts'
import { nodesById } from '../model.ts'
import { demandsOf } from '../static/demand.ts'
import { ratesOf } from '../static/rates.ts'
import { stressesOf } from '../static/stress.ts'
import { availabilityWith, promisedAsOf } from './availability.ts'
import { cascades } from './cascade.ts'
import type { Flow } from './flows.ts'
import { pairsOf } from './pairs.ts'
import { acceptedAt, droppedAfter, lateIn, restOf, type Windows, type Works, windowsOf } from './reach.ts'
import { type Point, removalsOf } from './removals.ts'
import type { FractureReport } from './report.ts'
import { nodesOf, type Survey, type Surveyed, survey } from './survey.ts'

export type FractureOptions = {
  seed?: number | undefined
  /** how long an outage lasts, seconds (default 600) */
  outage?: number | undefined
  /** the part of the time that something works, by node id or kind, in the place of what is promised */
  availability?: Readonly<Record<string, number>>
}

const followed = 50
const pairs = 200

/** What breaks when a node or an element fails: who is cut off, how much is lost, where the load goes, what fails next. Throws a MeshError for options that fit nothing. */
export function fracture(
  loaded: Loaded,
  { seed = 1, outage = 600, availability = {} }: FractureOptions = {},
): FractureReport {
  checkGiven('fracture', [above0('outage', outage), whole('seed', seed, 0)])
  const { mesh } = loaded
  const known = survey(loaded)
  const rates = ratesOf(loaded)
  const demands = demandsOf(loaded, rates)
  const { stresses, asked } = stressesOf(loaded, demands)
  const [tried, untilDropped] = [windowsOf(loaded), windowsOf(loaded, droppedAfter(loaded))]
  const windows = new Map(known.flows.map((flow) => [flow, tried(flow.flow)]))
  const dropped = new Map(known.flows.map((flow) => [flow, untilDropped(flow.flow)]))
  const works = availabilityWith(availability, loaded.constants)
  const given = { windows, dropped, demands, stresses, asked, outage, works }
  const { removals, points } = removalsOf(loaded, known, given)
  const follow =
    rates.loops.length > 0
      ? undefined
      : cascades(loaded, known.onward, known.needs, { stresses, complete: rates.complete })
  for (const removal of removals.slice(0, followed)) removal.cascade = follow?.(removal.at) ?? null
  const cutting = new Set(removals.flatMap(({ at, losses }) => (losses.length > 0 ? [at] : [])))
  return {
    outage,
    flows: flowsOf(loaded, known, { windows, dropped, points, outage, works, seed }),
    removals,
    spare: mesh.nodes.length + mesh.elements.length - removals.length,
    pairs: pairsOf(loaded, known, cutting, { pairs, seed }),
    assumptions: assumptionsOf(loaded, known, outage),
  }
}

const mostPoints = 50
const noWindows: Windows = { itself: new Float64Array(), needs: new Float64Array() }
/** States of all flows together that may be looked at for ways beside each other. */
const mostAside = 5000

function flowsOf(
  loaded: Loaded,
  { flows, needs }: Survey,
  given: {
    windows: ReadonlyMap<Surveyed, Windows>
    dropped: ReadonlyMap<Surveyed, Windows>
    points: ReadonlyMap<Surveyed, readonly (readonly Point[])[]>
    outage: number
    works: Works
    seed: number
  },
): FractureReport['flows'] {
  const { outage, works, seed } = given
  const byId = nodesById(loaded.mesh)
  const parts = { byId, needs, works }
  const budget = { left: mostAside }
  return flows.map((surveyed) => {
    const { door, flow } = surveyed
    const windows = given.windows.get(surveyed) ?? noWindows
    const dropped = given.dropped.get(surveyed) ?? noWindows
    const rest = restOf(loaded, surveyed, { ...parts, windows, dropped, outage, budget, seed })
    return {
      type: loaded.states[door]?.type ?? '',
      door: loaded.states[door]?.node.id ?? '',
      rate: loaded.external[door] ?? null,
      accepted: acceptedAt(loaded, surveyed, parts),
      sinks: flow.goals.map(({ states }, goal) => {
        const before = given.points.get(surveyed)?.[goal] ?? []
        const inside = before.flatMap(({ at, window, dropped: until }) => {
          const node = byId.get(at)
          return node === undefined ? [] : [{ at, window, until, works: works(node) }]
        })
        const more = rest(goal, new Set(inside.map(({ at }) => at)))
        const now = inside.reduce((product, point) => product * point.works, 1)
        const later = inside.reduce(
          (product, point) => (point.window >= outage ? product : product * point.works),
          1,
        )
        const kept = inside.reduce(
          (product, point) => product * (1 - (1 - point.works) * lateIn(outage, point.until)),
          1,
        )
        return {
          nodes: nodesOf(loaded, flow, states),
          types: typesOf(loaded, flow, states),
          points: inside.slice(0, mostPoints).map(({ at }) => at),
          pointCount: inside.length,
          ways: before.flatMap(({ at }) => (byId.has(at) ? [] : [at])).slice(0, mostPoints),
          now: more && more.now * now,
          eventually: more && more.eventually * later,
          dropped: more && 1 - more.kept * kept,
          error: more?.error ?? 0,
        }
      }),
    }
  })
}

const typesOf = ({ states }: Loaded, flow: Flow, positions: readonly number[]): string[] =>
  [...new Set(positions.flatMap((position) => states[flow.states[position] ?? -1]?.type ?? []))].toSorted()

function assumptionsOf(loaded: Loaded, { flows }: Survey, outage: number): string[] {
  const { mesh, external } = loaded
  const unsaid = flows.filter(({ door }) => external[door] === null).length
  return [
    `An outage lasts ${outage} s, takes one node or element (in pairs two) and all of it, and what fails fails independently.`,
    'A handler needs every table, bucket and service that it calls or has permission to read or write, and everything it waits for; where a message goes on to is missed there only.',
    'What is given up and kept (in a dead letter queue, a destination, the history of a standard state machine) is not dropped: somebody sends it again before it expires there.',
    `Each availability is what AWS promises (as it was written down from ${promisedAsOf}) or what was given for it, not what was measured; nodes of one service fail independently of each other.`,
    ...lawsAssumed(loaded),
    'Where the caller waits, what fails is lost to the mesh: whether it comes again is the caller’s to decide.',
    'In a cascade, what refuses beyond its limit and is waited for fails as a whole; measured rates inside the mesh play no part in it.',
    ...(unsaid > 0
      ? [`${unsaid} doors have no rate: shares over all that comes in are not known where they matter.`]
      : []),
    ...(mesh.unresolved.length > 0
      ? [`${mesh.unresolved.length} references could not be followed: ways over them are missing.`]
      : []),
  ]
}
