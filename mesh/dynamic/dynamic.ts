import { above0, faultsIn, MeshError, whole } from '../faults.ts'
import { lawsAssumed } from '../laws/assumed.ts'
import type { Loaded } from '../load.ts'
import { type Rates, ratesOf } from '../static/rates.ts'
import { type Fluid, flowThrough } from './fluid.ts'
import { type Flow, type Limits, limitsOf } from './limits.ts'
import { notesOf, type Told } from './notes.ts'
import { oldestOf } from './oldest-age.ts'
import type { DynamicReport } from './report.ts'
import { factorOver, type Shape } from './shape.ts'
import { simulationOf } from './simulate.ts'
import type { Station } from './station.ts'

export type DynamicOptions = Partial<Shape> & {
  shape: Shape['shape']
  /** event types that come more; absent: all */
  types?: readonly string[] | undefined
  /** node ids where more comes in; absent: all */
  doors?: readonly string[]
  /** seconds to look at; absent: six hours from the end of the change */
  horizon?: number
  seed?: number | undefined
  /** simulations of each of the worst limits */
  runs?: number
  /** arrivals of a run, at most about so many */
  arrivals?: number
}

const worst = 3
const mostWork = 5_000_000

/**
 * What a change of what comes from outside does to every limit: an exact fluid over the whole mesh, and for the three
 * largest backlogs a seeded simulation with error bars. Rates per second, times in seconds from the start; a burst is a
 * step of 30 s. What comes before the change is steady. Throws a MeshError for options that fit nothing.
 */
export function dynamic(given: Loaded, options: DynamicOptions): DynamicReport {
  const shape = shapeOf(options)
  checked(given, options, shape)
  const { after, rise, hold } = shape
  const { horizon = after + rise + hold + 6 * 3600, seed = 1, types, doors } = options
  const { loops } = ratesOf(given)
  const loaded = without(given, loops)
  const rates = ratesOf(loaded)
  const head = {
    shape: { ...shape, types: sorted(types), doors: sorted(doors) },
    horizon,
    seed,
    assumptions: [...assumptions, ...lawsAssumed(loaded)],
  }
  const found = limitsOf(loaded, rates)
  const [once, changed] = [[{ from: 0, line: { at: 1, slope: 0 } }], factorOver(shape)]
  const surges = ({ to }: Flow): boolean => {
    const state = loaded.states[to]
    return (
      state !== undefined &&
      (types === undefined || types.includes(state.type)) &&
      (doors === undefined || doors.includes(state.node.id))
    )
  }
  const flowing = (limits: Limits) =>
    flowThrough(limits, loaded.states.length, {
      horizon,
      doors: (flow) => (surges(flow) ? changed : once),
      fine: rise === 0 ? hold : rise / 16,
      mostWork,
    })
  const { stations, until } = flowing(found)
  const ranked = stations
    .map((station, index) => ({ station, index }))
    .filter(({ station }) => station.shares.length > 0)
    .toSorted((a, b) => order(a.station, b.station))
  const filled = filledOf(loaded, { rates, found, stations, flowing })
  const limits = ranked.map(({ station, index }, place) => {
    const oldest = oldestOf(station, until)
    const simulation =
      place < worst && station.seen.peak.messages > 0
        ? simulationOf(station, found.service[index] ?? null, {
            oldest: oldest.seconds,
            horizon: until,
            seed: seed + place,
            ...runsOf(options),
          })
        : null
    const told = tellOf(station, { until, horizon, oldest, simulation })
    const other = filled(index)
    return other === undefined ? told : { ...told, filled: other, notes: [...told.notes, otherEnd(other)] }
  })
  return {
    ...head,
    until,
    limits,
    unavailable: [...loops.map(({ members }) => endless(given, members)), ...unavailable(loaded, found)],
  }
}

/** Without what goes round loops that never fade: in them and behind them nothing is steady, and what comes there counts as nothing. */
function without(loaded: Loaded, loops: Rates['loops']): Loaded {
  if (loops.length === 0) return loaded
  const round = new Set(loops.flatMap(({ members }) => members))
  return {
    ...loaded,
    streams: loaded.streams.filter(({ to }) => !round.has(to)),
    external: loaded.external.map((rate, state) => (round.has(state) ? 0 : rate)),
  }
}

type Surge = { rates: Rates; found: Limits; stations: readonly Station[]; flowing: (limits: Limits) => Fluid }

/** What the surge does at the other end of what is not known of batches, by the limit's place; undefined: nothing waits there,
 * or it is known. */
function filledOf(loaded: Loaded, { rates, found, stations, flowing }: Surge) {
  const none = () => undefined
  if (stations.every(({ seen }) => seen.peak.messages === 0)) return none
  const least = limitsOf(loaded, rates, 'least')
  const open = new Set(
    found.flows.flatMap(({ passes }, flow) =>
      passes.flatMap(({ limit, work }, pass) =>
        (least.flows[flow]?.passes[pass]?.work ?? work) < work * (1 - 1e-9) ? [limit] : [],
      ),
    ),
  )
  if (![...open].some((limit) => (stations[limit]?.seen.peak.messages ?? 0) > 0)) return none
  const { stations: other, until } = flowing(least)
  return (limit: number) => {
    const station = other[limit]
    const waits = open.has(limit) && (stations[limit]?.seen.peak.messages ?? 0) > 0
    if (!waits || station === undefined) return undefined
    const { peak, drainedAt } = station.seen
    return {
      peakBacklog: peak,
      oldestAge: oldestOf(station, until),
      drainedAt: station.over ? null : drainedAt,
    }
  }
}

function otherEnd({
  peakBacklog,
  drainedAt,
}: NonNullable<DynamicReport['limits'][number]['filled']>): string {
  const { messages } = peakBacklog
  const drained = drainedAt === null ? 'not drained' : `drained after ${Math.round(drainedAt)} s`
  const becomes = messages === 0 ? 'nothing would wait' : `${Math.round(messages)} at most, ${drained}`
  return `if an invocation took as long with however many messages: ${becomes}`
}

function checked(
  { states, external }: Loaded,
  { types = [], doors = [], horizon, seed = 1, ...options }: DynamicOptions,
  shape: Shape,
): void {
  const { factor, after, rise, hold } = shape
  const entered = states.filter((_, state) => external[state] !== 0)
  const { runs, arrivals } = runsOf(options)
  const faults = [
    ...faultsIn([
      above0('factor', factor),
      whole('seed', seed, 0),
      whole('runs', runs, 1),
      above0('arrivals', arrivals),
    ]),
    ...([after, rise, hold, horizon ?? 0].every((time) => time >= 0 && Number.isFinite(time))
      ? []
      : ['after, rise, hold, horizon: expected seconds of 0 or more']),
    ...doors
      .filter((door) => !entered.some(({ node }) => node.id === door))
      .map(
        (door) =>
          `doors: nothing comes in at ${door}; give it a rate, or one of ${names(entered.map(({ node }) => node.id))}`,
      ),
    ...types
      .filter((type) => !entered.some((state) => state.type === type))
      .map((type) => `types: no ${type} comes in, only ${names(entered.map((state) => state.type))}`),
  ]
  if (faults.length > 0) throw new MeshError(`dynamic: ${faults.join('\n  ')}`)
}

const names = (all: readonly string[]): string =>
  [...new Set(all)].toSorted().slice(0, 10).join(', ') || 'none'

const runsOf = ({ runs = 20, arrivals = 20_000 }: Pick<DynamicOptions, 'runs' | 'arrivals'>) => ({
  runs,
  arrivals,
})

function shapeOf({ shape, factor = 10, after = 60, rise = 120, hold }: DynamicOptions): Shape {
  return {
    shape,
    factor,
    after,
    rise: shape === 'ramp' ? rise : 0,
    hold: hold ?? (shape === 'burst' ? 30 : 600),
  }
}

const sorted = (names: readonly string[] | undefined): string[] | null => names?.toSorted() ?? null

const order = (a: Station, b: Station): number =>
  b.seen.peak.messages - a.seen.peak.messages ||
  b.seen.lost - a.seen.lost ||
  b.seen.utilisation - a.seen.utilisation ||
  (`${a.limit.at} ${a.limit.law}` < `${b.limit.at} ${b.limit.law}` ? -1 : 1)

function tellOf(station: Station, told: Told): DynamicReport['limits'][number] {
  const { oldest, simulation } = told
  const { limit, seen, over, messages } = station
  const { at, name, law, unit, from, most } = limit
  const { overAt, metAt } = seen
  const behind = over
  return {
    at,
    name,
    law,
    unit,
    from,
    over: limit.over,
    limit: most,
    utilisation: seen.utilisation,
    state: overAt === null ? 'kept up' : behind ? 'behind' : 'recovered',
    peakBacklog: seen.peak,
    oldestAge: oldest,
    throttled: seen.refused,
    lost: seen.lost,
    overAt,
    capacityMetAt: metAt,
    lag: overAt === null || metAt === null ? null : metAt - overAt,
    drainedAt: behind ? null : seen.drainedAt,
    remaining: behind ? messages : 0,
    simulation: typeof simulation === 'string' ? null : simulation,
    notes: notesOf(station, told),
  }
}

function unavailable({ states, streams, external }: Loaded, found: Limits): DynamicReport['unavailable'] {
  const rates = external.flatMap((rate, state) => {
    const { node } = states[state] ?? {}
    const why = 'something comes in here and nobody has said how much'
    return rate === null && node !== undefined ? [{ at: node.id, name: node.name, law: 'rate', why }] : []
  })
  const gains = streams.flatMap(({ element, gain, from }) => {
    const why = `nobody has said how many go here for each ${states[from]?.type}`
    return gain === null ? [{ at: element.id, name: element.id, law: 'rate', why }] : []
  })
  return [...found.unavailable, ...rates, ...gains].toSorted((a, b) =>
    `${a.at} ${a.law} ${a.why}` < `${b.at} ${b.law} ${b.why}` ? -1 : 1,
  )
}

function endless({ states }: Loaded, members: readonly number[]): DynamicReport['unavailable'][number] {
  const names = members.map((state) => `${states[state]?.node.name} (${states[state]?.type})`)
  return {
    at: states[members[0] ?? 0]?.node.id ?? '',
    name: names.join(', '),
    law: 'rate',
    why: 'what goes round this loop never fades: there is no steady rate to start from',
  }
}

const assumptions = [
  'A fluid: what comes is a rate, without chance; steady queues below their limit are longer than it says (see the static analysis).',
  'Before the change everything is steady; what scales has what the load before needs, and does not shrink.',
  'Services take places, not time: what is handled goes on at once.',
  'What waits is served first come, first served. How much waits is told as if all attempts of a message were one; the oldest age is since it was sent, and what failed comes again behind what waits then.',
  'While messages wait batches are full: where it is known what each message takes of an invocation (each), so much more is done by it; where it is not, as much as at rest, and beside it what would be if one took as long with however many.',
  'A caller that waits for its answer and is refused tries again within seconds: it does not outlast the surge, and is counted as lost.',
  'A refused poll of a queue counts as a receive, a refused delivery as an attempt. What was refused goes on first come, first served, as soon as there is room: that it comes back in any order loses more of a queue, and backoff takes longer; the notes say where. Records of streams, and what Lambda itself invokes a function with, wait up to their age.',
  'Of a limit that 64 flows or more share, who gets which part of it is told anew only now and then; the sum is exact.',
  'Where those who wait and those who do not share a limit, each gets the part of it that it is of what comes.',
]
