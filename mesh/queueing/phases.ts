import { fitted } from './fit.ts'

/** A time that goes through phases, each exponential: where it begins, how often each ends, and which comes next (-1: none). */
export type Phases = { start: readonly number[]; rates: readonly number[]; next: readonly number[] }

/** How many phases a time of this squared coefficient of variation takes; a constant takes as many as there are. */
export function phasesOf(scv: number): number {
  const fit = fitted(scv)
  if (fit.kind === 'constant') return Number.POSITIVE_INFINITY
  return fit.kind === 'hyperexponential' ? 2 : fit.phases
}

/** The phases of a time that is `fitted`; of a constant there are none. */
export function phased(mean: number, scv: number): Phases {
  const fit = fitted(scv)
  if (fit.kind === 'constant') throw new RangeError('a constant has no phases')
  if (fit.kind === 'hyperexponential') {
    const { part, rest } = fit
    return {
      start: [part, rest],
      rates: [(2 * part) / mean, (2 * rest) / mean],
      next: [-1, -1],
    }
  }
  const { phases, part, phase } = fit
  const each = Array.from({ length: phases }, (_, place) => place)
  return {
    start: each.map((place) => (place === 0 ? 1 - part : place === 1 ? part : 0)),
    rates: each.map(() => 1 / (mean * phase)),
    next: each.map((place) => (place + 1 < phases ? place + 1 : -1)),
  }
}

/** From one state of those who serve to another, per second or by chance. */
export type Move = { from: number; to: number; weight: number }

/** Those who serve, by how many are in the system; from `servers` on it is always the same. */
export type Crew = {
  states: (busy: number) => number
  /** phases that end while nobody leaves, per second */
  within: (busy: number) => readonly Move[]
  /** services that end, per second, to the states with one less busy */
  ends: (busy: number) => readonly Move[]
  /** a service that begins, by chance, to the states with one more busy */
  begins: (busy: number) => readonly Move[]
}

/** `servers` alike, each in a phase of its own: a state is how many are in each phase. */
export function crewOf(servers: number, service: Phases): Crew {
  const kinds = service.rates.length
  const levels = Array.from({ length: servers + 1 }, (_, busy) => splits(busy, kinds))
  const places = levels.map((states) => new Map(states.map((state, place) => [state.join(), place])))
  const moves = (
    busy: number,
    to: number,
    changed: (state: readonly number[]) => { state: readonly number[]; weight: number }[],
  ): Move[] =>
    (levels[busy] ?? []).flatMap((state, from) =>
      changed(state)
        .filter(({ weight }) => weight > 0)
        .map((change) => ({ from, to: places[to]?.get(change.state.join()) ?? -1, weight: change.weight })),
    )
  const shifted = (state: readonly number[], less: number, more: number) =>
    state.map((count, kind) => count - (kind === less ? 1 : 0) + (kind === more ? 1 : 0))
  const leaving = (ended: boolean) => (state: readonly number[]) =>
    service.rates.flatMap((rate, kind) => {
      const next = service.next[kind] ?? -1
      return (next === -1) === ended
        ? [{ state: shifted(state, kind, next), weight: rate * (state[kind] ?? 0) }]
        : []
    })
  return {
    states: (busy) => levels[busy]?.length ?? 0,
    within: (busy) => moves(busy, busy, leaving(false)),
    ends: (busy) => moves(busy, busy - 1, leaving(true)),
    begins: (busy) =>
      moves(busy, busy + 1, (state) =>
        service.start.map((weight, kind) => ({ state: shifted(state, -1, kind), weight })),
      ),
  }
}

/** All ways to have `total` in so many kinds. */
function splits(total: number, kinds: number): number[][] {
  if (kinds === 1) return [[total]]
  return Array.from({ length: total + 1 }, (_, first) => first).flatMap((first) =>
    splits(total - first, kinds - 1).map((rest) => [first, ...rest]),
  )
}

/**
 * Many servers as one that is so many times as fast once all are busy, and exponential while some are free (Tijms, van Hoorn
 * and Federgruen 1981): as many states as a service has phases.
 */
export function fastCrew(servers: number, mean: number, service: Phases): Crew {
  const kinds = service.rates.length
  const each = Array.from({ length: kinds }, (_, kind) => kind)
  const leaving = (ended: boolean): Move[] =>
    each.flatMap((from) => {
      const to = service.next[from] ?? -1
      return (to === -1) === ended ? [{ from, to: Math.max(0, to), weight: service.rates[from] ?? 0 }] : []
    })
  return {
    states: (busy) => (busy === servers ? kinds : 1),
    within: (busy) => (busy === servers ? leaving(false) : []),
    ends: (busy) => (busy === servers ? leaving(true) : [{ from: 0, to: 0, weight: busy / mean }]),
    begins: (busy) =>
      busy + 1 === servers
        ? each.map((to) => ({ from: 0, to, weight: service.start[to] ?? 0 }))
        : [{ from: 0, to: 0, weight: 1 }],
  }
}
