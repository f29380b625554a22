import type { FractureReport } from '../fracture/report.ts'
import type { Targets } from '../loads.ts'
import type { NonlinearReport } from '../nonlinear/report.ts'
import type { StaticReport } from '../static/report.ts'
import { type Term, termOf } from './score.ts'

/** Conventions, no laws: the part of limits that leaves waits short, and what teams ask of deliveries (99.9 %). */
const usual: Targets = { utilisation: 0.7, latency: 30, loss: 0.001, recovery: 600 }

/** A year: what never ends counts as that. */
const endless = 31_536_000

type Reports = { steady: StaticReport; broken: FractureReport; unstable: NonlinearReport }

const largest = <Item>(items: readonly Item[], of: (item: Item) => number | null): Item | undefined =>
  items
    .filter((item) => of(item) !== null)
    .toSorted((a, b) => (of(b) ?? 0) - (of(a) ?? 0))
    .at(0)

const between = (nodes: readonly string[], nameOf: (id: string) => string): string =>
  `from ${nameOf(nodes[0] ?? '')} to ${nameOf(nodes.at(-1) ?? '')}`

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
    flow(broken),
    recovery(broken, limits.recovery),
  ]
}

function utilisation({ stresses }: StaticReport, limit: number): Term {
  const worst = largest(stresses, ({ demand, utilisation: used }) => (demand > 0 ? used : null))
  const says = worst === undefined ? 'no demand on any limit is known' : `${worst.unit} of ${worst.name}`
  return termOf('utilisation', worst?.utilisation ?? null, limit, 'of the limit', says)
}

function latency({ paths }: StaticReport, limit: number, nameOf: (id: string) => string): Term {
  const known = paths.filter(({ untimed }) => untimed.length === 0)
  const worst = largest(known, ({ delay }) => (delay === null ? endless : delay.p99))
  if (worst === undefined) return termOf('latency', null, limit, 's', 'on every way some time is not known')
  const says = `99 of a hundred ${worst.type}, ${between(worst.nodes, nameOf)}`
  return termOf('latency', worst.delay?.p99 ?? endless, limit, 's', says)
}

/**
 * What never arrives: refused at its door under this load, given up after all attempts and kept nowhere, or given up so in
 * an outage. That a door does not answer meanwhile is its availability and no loss: who calls is told.
 */
function loss(
  { paths }: StaticReport,
  { flows, outage }: FractureReport,
  limit: number,
  nameOf: (id: string) => string,
): Term {
  const known = largest(paths, ({ rate, lost }) => (rate === null ? null : lost))
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
                ? 'under this load nothing is refused or dropped'
                : `${known.type} on the way ${between(known.nodes, nameOf)}: refused, or given up and kept nowhere`,
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
  return termOf(
    'loss',
    worst?.part ?? null,
    limit,
    'of what comes in',
    worst?.says ?? 'no way is known whole',
  )
}

function vulnerability({ sites }: NonlinearReport): Term {
  const worst = largest(sites, ({ amplification, demand }) => (demand > 0 ? amplification : null))
  const says =
    worst === undefined
      ? 'no site has both a known demand and a known capacity'
      : `what may come at once to ${worst.name} when all fail, up to ${worst.attempts} attempts of each, / its capacity`
  return termOf('vulnerability', worst?.amplification ?? null, 1, 'of the capacity', says)
}

/** What has a copy of itself in every zone by its service fails as the service does; what is ours fails by itself. */
function flow({ removals, flows }: FractureReport): Term {
  const doors = new Set(flows.map(({ door }) => door))
  const inner = removals.filter(({ is, at }) => is === 'node' && !doors.has(at))
  const worst = largest(inner, ({ share }) => share)
  const says = worst === undefined ? 'no rates are known' : `without ${worst.name}`
  return termOf('flow through single points of failure', worst?.share ?? null, 1, 'of what comes in', says)
}

function recovery({ removals, outage }: FractureReport, limit: number): Term {
  const worst = largest(removals, ({ recovery: after }) => after.seconds)
  const says =
    worst === undefined ? 'no spare capacity is known' : `${worst.name} after an outage of ${outage} s`
  return termOf('recovery', worst?.recovery.seconds ?? null, limit, 's', says)
}
