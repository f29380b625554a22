import { figure } from '../figure.ts'
import type { FractureReport } from '../fracture/report.ts'
import { listed } from '../listed.ts'
import type { Targets } from '../loads.ts'
import type { NonlinearReport } from '../nonlinear/report.ts'
import type { StaticReport } from '../static/report.ts'
import { endless, type Term, termOf } from './score.ts'

/** Conventions, no laws: the part of limits that leaves waits short, what teams ask of deliveries (99.9 %), and that of
 * a hundred events all but one go straight through.
 */
const usual: Targets = { utilisation: 0.7, latency: 30, loss: 0.001, stopped: 0.01, recovery: 600 }

type Reports = { steady: StaticReport; broken: FractureReport; unstable: NonlinearReport }

const largest = <Item>(items: readonly Item[], of: (item: Item) => number | null): Item | undefined =>
  items
    .filter((item) => of(item) !== null)
    .toSorted((a, b) => (of(b) ?? 0) - (of(a) ?? 0))
    .at(0)

const between = (nodes: readonly string[], nameOf: (id: string) => string): string =>
  `from ${nameOf(nodes[0] ?? '')} to ${nameOf(nodes.at(-1) ?? '')}`

/** null: of none. */
function openOf(what: string, names: Iterable<string>): string | null {
  const all = [...new Set(names)]
  return all.length === 0 ? null : `not known whole: ${what} ${listed(all, 3)}`
}

/** Each limit state with the place that asks most of it; of what is not known, why. */
export function termsOf(
  { steady, broken, unstable }: Reports,
  nameOf: (id: string) => string,
  targets: Partial<Targets> = {},
): Term[] {
  const limits = { ...usual, ...targets }
  return [
    utilisation(steady, limits.utilisation),
    latency(steady, limits.latency, nameOf),
    loss(steady, broken, limits.loss, nameOf),
    vulnerability(unstable),
    flow(broken, limits.stopped),
    recovery(broken, limits.recovery),
  ]
}

function utilisation({ stresses, unavailable }: StaticReport, limit: number): Term {
  const worst = largest(stresses, ({ demand, utilisation: used }) => (demand > 0 ? used : null))
  const says = worst === undefined ? 'no demand on any limit is known' : `${worst.unit} of ${worst.name}`
  const open = [...stresses.filter(({ complete }) => !complete), ...unavailable].map(({ name }) => name)
  const atLeast = openOf('what is asked of', open)
  return termOf('utilisation', worst?.utilisation ?? null, limit, 'of the limit', says, atLeast)
}

type Way = StaticReport['paths'][number]

/** By the nodes of a way: what comes to one of them, or how long it takes, is not known whole. */
function openNodesOf({ rates }: StaticReport): (way: Way) => string[] {
  const open = new Set(rates.flatMap(({ node, complete }) => (complete ? [] : [node])))
  return ({ nodes, untimed }) => [...untimed, ...nodes.filter((id) => open.has(id))]
}

function latency(steady: StaticReport, limit: number, nameOf: (id: string) => string): Term {
  const paths = steady.paths.filter(({ job, delay }) => job === undefined || delay === null)
  if (paths.length === 0 && steady.paths.length > 0)
    return termOf('latency', 0, limit, 's', 'all that comes is started by schedules: nobody waits for it')
  const worst = largest(paths, ({ delay }) => (delay === null ? endless : delay.p99))
  const p99 = worst && (worst.delay?.p99 ?? endless)
  // of a way without its times the least says nothing, but where that is too much already
  if (worst === undefined || p99 === undefined) return termOf('latency', null, limit, 's', 'no way is known')
  if (p99 <= limit && paths.every(({ untimed }) => untimed.length > 0))
    return termOf('latency', null, limit, 's', 'on every way some time is not known')
  const says = `99 of a hundred ${worst.type}, ${between(worst.nodes, nameOf)}`
  const openOn = openNodesOf(steady)
  const open = paths.flatMap((way) => [...openOn(way), ...(way.throttling ?? [])])
  const atLeast = openOf('the ways over', open.map(nameOf))
  return termOf('latency', p99, limit, 's', says, atLeast)
}

/**
 * What never arrives: refused at its door under this load, given up after all attempts or expired before one, and kept
 * nowhere, or given up so in an outage. That a door does not answer meanwhile is its availability and no loss: who calls is told.
 */
function loss(
  steady: StaticReport,
  { flows, outage }: FractureReport,
  limit: number,
  nameOf: (id: string) => string,
): Term {
  // of a way that nobody knows the use of, what its door refuses counts
  const ways = steady.paths.map((way) => ({ ...way, lost: way.rate === null ? way.atDoor : way.lost }))
  const known = largest(ways, ({ rate, lost }) => (rate === null && lost === 0 ? null : lost))
  const sinks = flows.flatMap(({ type, sinks: ends }) => ends.map((end) => ({ type, ...end })))
  const broken = largest(sinks, ({ dropped }) => dropped)
  const parts = [
    ...(known === undefined
      ? []
      : [
          {
            part: known.lost,
            says:
              known.lost === 0
                ? 'under this load nothing is lost'
                : `${known.type} on the way ${between(known.nodes, nameOf)}: refused, given up or expired, and kept nowhere`,
          },
        ]),
    ...(broken?.dropped == null
      ? []
      : [
          {
            part: broken.dropped,
            says:
              broken.dropped === 0
                ? `what an outage of ${outage} s stops is tried again or kept`
                : `${broken.type} to ${broken.nodes.map(nameOf).join(' or ')}: an outage of ${outage} s outlasts its attempts, and nothing keeps it`,
          },
        ]),
  ]
  const worst = largest(parts, ({ part }) => part)
  const open = [
    ...steady.paths.flatMap(openNodesOf(steady)),
    ...sinks.flatMap(({ dropped, nodes }) => (dropped === null ? nodes : [])),
  ]
  return termOf(
    'loss',
    worst?.part ?? null,
    limit,
    'of what comes in',
    worst?.says ?? 'no way is known whole',
    openOf('the ways over', open.map(nameOf)),
  )
}

function vulnerability({ sites }: NonlinearReport): Term {
  const worst = largest(sites, ({ amplification, demand }) => (demand > 0 ? amplification : null))
  // what piles up nowhere comes as it does anyway, however often it may be tried
  const { amplification, capacity, demand = 0, attempts = 1 } = worst ?? {}
  const piles = (amplification ?? 0) * (capacity ?? 0) > 0.999 * demand * attempts && attempts > 1
  const tried = piles ? ` when all fail, up to ${figure(attempts)} attempts of each,` : ''
  const says =
    worst === undefined
      ? 'no site has both a known demand and a known capacity'
      : `what may come at once to ${worst.name}${tried} / its capacity`
  // a site without any limit has no note of one that could not be had
  const open = sites.filter(
    ({ amplification, complete, notes }) => (amplification === null && notes.length > 0) || !complete,
  )
  const atLeast = openOf(
    'demand or capacity of',
    open.map(({ name }) => name),
  )
  return termOf('vulnerability', worst?.amplification ?? null, 1, 'of the capacity', says, atLeast)
}

/**
 * What single points stop at first: of each the part of what comes in that needs it, for the part of the time in which it
 * may not work. What waits meanwhile goes on later. Doors are left out: who calls is told.
 */
function flow({ removals, flows }: FractureReport, limit: number): Term {
  const doors = new Set(flows.map(({ door }) => door))
  const points = removals.filter(({ is, at, losses }) => is === 'node' && losses.length > 0 && !doors.has(at))
  // where something that comes in has no rate, of what has one
  const rateOf = new Map(flows.map(({ door, type, rate }) => [`${door}\n${type}`, rate ?? 0]))
  const known = [...rateOf.values()].reduce((sum, rate) => sum + rate, 0)
  const ofKnown = (losses: (typeof points)[number]['losses']): number | null =>
    known === 0
      ? null
      : losses.reduce(
          (sum, { door, type, share }) => sum + (rateOf.get(`${door}\n${type}`) ?? 0) * (share ?? 0),
          0,
        ) / known
  const stops = ({ share, works, losses }: (typeof points)[number]) => {
    const part = share ?? ofKnown(losses)
    return part === null ? null : part * (1 - works)
  }
  const worst = largest(points, stops)
  const sum = points.reduce((all, point) => all + (stops(point) ?? 0), 0)
  // without any single point nothing is stopped by one, unless nothing is known to come in
  const none = removals.length > 0 && points.length === 0
  const demand = worst === undefined ? (none ? 0 : null) : Math.min(1, sum)
  const says =
    worst === undefined
      ? none
        ? 'no node is passed by all of anything'
        : 'no rates are known'
      : `${points.length} single points, most of it by ${worst.name}`
  const open = points.filter(({ share }) => share === null).map(({ name }) => name)
  const atLeast = openOf('what passes', open)
  return termOf('flow through single points of failure', demand, limit, 'of what comes in', says, atLeast)
}

function recovery({ removals, outage }: FractureReport, limit: number): Term {
  const after = ({ recovery: made }: (typeof removals)[number]) => (made.endless ? endless : made.seconds)
  const worst = largest(removals, after)
  const says =
    worst === undefined ? 'no spare capacity is known' : `${worst.name} after an outage of ${outage} s`
  // where nothing waits there is nothing to make up for
  const open = removals.filter((one) => one.holdsFor !== null && after(one) === null).map(({ name }) => name)
  const atLeast = openOf('the spare capacity behind', open)
  return termOf('recovery', worst === undefined ? null : after(worst), limit, 's', says, atLeast)
}
