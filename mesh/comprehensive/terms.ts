import type { FractureReport } from '../fracture/report.ts'
import type { NonlinearReport } from '../nonlinear/report.ts'
import type { StaticReport } from '../static/report.ts'
import { type Term, termOf } from './score.ts'

/** What the limit states are held against. */
export type Targets = {
  /** of any limit, so that waiting stays short */
  utilisation: number
  /** seconds from the door to the end of the last handling, 99 of a hundred */
  latency: number
  /** the part of what comes in that never gets there */
  loss: number
  /** seconds until all is done that an outage left behind */
  recovery: number
}

const usual: Targets = { utilisation: 0.7, latency: 30, loss: 0.001, recovery: 600 }

/** A year: what never ends counts as that. */
const endless = 31_536_000

type Reports = { steady: StaticReport; broken: FractureReport; unstable: NonlinearReport }

const largest = <Item>(items: readonly Item[], of: (item: Item) => number | null): Item | undefined =>
  items
    .filter((item) => of(item) !== null)
    .toSorted((a, b) => (of(b) ?? 0) - (of(a) ?? 0))
    .at(0)

/** Each limit state with the place that asks most of it; of what is not known, why. */
export function termsOf({ steady, broken, unstable }: Reports, targets: Partial<Targets> = {}): Term[] {
  const limits = { ...usual, ...targets }
  return [
    utilisation(steady, limits.utilisation),
    latency(steady, limits.latency),
    loss(steady, broken, limits.loss),
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

function latency({ paths }: StaticReport, limit: number): Term {
  const known = paths.filter(({ untimed }) => untimed.length === 0)
  const worst = largest(known, ({ delay }) => (delay === null ? endless : delay.p99))
  if (worst === undefined) return termOf('latency', null, limit, 's', 'on every way some time is not known')
  const says = `99 of a hundred ${worst.type}, from ${worst.nodes[0]} to ${worst.nodes.at(-1)}`
  return termOf('latency', worst.delay?.p99 ?? endless, limit, 's', says)
}

function loss({ paths }: StaticReport, { flows }: FractureReport, limit: number): Term {
  const refused = largest(paths, ({ rate, refused: part }) => (rate === null ? null : part))
  const sinks = flows.flatMap(({ type, sinks: ends }) => ends.map((end) => ({ type, ...end })))
  const undelivered = largest(sinks, ({ eventually }) => (eventually === null ? null : 1 - eventually))
  const parts = [
    ...(refused === undefined
      ? []
      : [{ part: refused.refused, says: `${refused.type} is refused at its limits` }]),
    ...(undelivered?.eventually == null
      ? []
      : [
          {
            part: 1 - undelivered.eventually,
            says: `${undelivered.type} does not get to ${undelivered.nodes.join(' or ')}`,
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
