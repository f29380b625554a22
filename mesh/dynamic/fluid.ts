import { solveFlow } from '../linear/flow.ts'
import { advance } from './advance.ts'
import type { Flow, Limits } from './limits.ts'
import { type Line, nought, times } from './lines.ts'
import { untilChange } from './next-event.ts'
import { change, settle } from './settle.ts'
import { emptyStation, type Share, type Station } from './station.ts'
import { sweepOver } from './sweep.ts'

/** What comes from outside over time: for each flow the factor on it, from each time on. */
type Doors = (flow: Flow) => readonly { from: number; line: Line }[]

export type Fluid = {
  stations: Station[]
  /** up to when it was followed, seconds */
  until: number
}

type Options = {
  horizon: number
  doors: Doors
  /** for how long the parts of a mixture are kept while it changes, seconds */
  fine: number
  /** rates through limits to be computed, after which it goes no further */
  mostWork: number
}

/**
 * All limits of a mesh in time, exact from event to event: between two events every rate is linear in time and every
 * backlog quadratic, and the next event is the first root of any of them. Services take no time, only places. Rates go
 * round loops until they stand (their gain is below 1).
 */
export function flowThrough(found: Limits, states: number, options: Options): Fluid {
  const { limits, flows } = found
  const starts = startsOf(found, states)
  const stations = limits.map((limit, index) => emptyStation(limit, starts[index] ?? limit.most))
  // of each flow: its rate as it begins, and what takes it: a share of each station on its way, and a state
  const shares = flows.map(({ passes }) =>
    passes.map(({ limit, work, waits, retrial, refused }): Share => {
      const of = stations[limit]?.shares ?? []
      const share = { place: of.length, in: nought, out: nought, work, waits, retrial, refused }
      of.push(share)
      return share
    }),
  )
  const entry = flows.reduce((sum, { from, gain }) => sum + (from === null ? gain : 0), 0)
  const alike = alikeFrom(1e-15 * entry, Math.max(1, options.horizon))
  const atStation = limits.map((): { flow: number; step: number }[] => [])
  flows.forEach(({ passes }, flow) => {
    passes.forEach(({ limit }, step) => {
      atStation[limit]?.push({ flow, step })
    })
  })
  const leaving = Array.from({ length: states }, (): number[] => [])
  const entering = Array.from({ length: states }, (): number[] => [])
  flows.forEach(({ from, to }, flow) => {
    if (from !== null) leaving[from]?.push(flow)
    entering[to]?.push(flow)
  })
  const arrived = flows.map(() => nought)
  const rates = Array.from({ length: states }, () => nought)
  const { touch, next: renewed } = sweepOver(edgesOf(flows, states, limits.length))
  /** A flow goes on after `step` limits of its way. */
  const give = (flow: number, step: number, line: Line) => {
    const share = shares[flow]?.[step]
    const { passes, to = 0 } = flows[flow] ?? {}
    if (share === undefined) {
      if (alike(arrived[flow] ?? nought, line)) return
      arrived[flow] = line
      touch(to)
      return
    }
    const limit = passes?.[step]?.limit ?? 0
    const station = stations[limit]
    if (station === undefined || alike(share.in, line)) return
    // what held up to now is added up before it changes
    advance(station, now)
    change(station, share, line)
    touch(states + limit)
  }
  let now = 0
  let work = 0
  const due = new Float64Array(stations.length).fill(Number.POSITIVE_INFINITY)
  const renewState = (state: number) => {
    let [at, slope] = [0, 0]
    for (const flow of entering[state] ?? []) {
      at += arrived[flow]?.at ?? 0
      slope += arrived[flow]?.slope ?? 0
    }
    const rate = { at, slope }
    if (alike(rates[state] ?? nought, rate)) return
    rates[state] = rate
    for (const flow of leaving[state] ?? []) give(flow, 0, times(rate, flows[flow]?.gain ?? 0))
  }
  const renewStation = (station: Station, place: number) => {
    advance(station, now)
    const settled = settle(station, now, options.fine)
    due[place] = now + untilChange(station, options.fine)
    const ways = atStation[place] ?? []
    for (const share of settled === 'all' ? ways.keys() : settled) {
      const way = ways[share]
      if (way !== undefined) give(way.flow, way.step + 1, station.shares[share]?.out ?? nought)
    }
    work += settled === 'all' ? ways.length : settled.length
  }
  const spread = () => {
    for (let vertex = renewed(); vertex !== undefined; vertex = renewed()) {
      const station = stations[vertex - states]
      if (station === undefined) renewState(vertex)
      else renewStation(station, vertex - states)
    }
  }

  const doors = flows.flatMap((flow, index) =>
    flow.from === null
      ? options.doors(flow).map(({ from, line }) => ({ index, from, line: times(line, flow.gain) }))
      : [],
  )
  const openings = doors.toSorted((a, b) => a.from - b.from)
  let opening = 0
  stations.forEach((_, station) => {
    touch(states + station)
  })
  for (;;) {
    for (let door = openings[opening]; door !== undefined && door.from <= now; door = openings[opening]) {
      give(door.index, 0, door.line)
      opening++
    }
    due.forEach((at, station) => {
      if (at <= now + 1e-9) touch(states + station)
    })
    spread()
    let next = openings[opening]?.from ?? Number.POSITIVE_INFINITY
    for (const at of due) if (at < next) next = at
    if (next >= options.horizon || work >= options.mostWork) break
    now = Math.max(next, now + 1e-9)
  }
  const until = work >= options.mostWork ? now : options.horizon
  for (const station of stations) advance(station, until)
  return { stations, until }
}

const near = (one: number, other: number, least: number): boolean =>
  Math.abs(one - other) <= Math.max(1e-13 * Math.max(Math.abs(one), Math.abs(other)), least)

/** `least`: messages a second that are nothing beside what comes in, and so what a loop leaves of them far round it. */
const alikeFrom =
  (least: number, horizon: number) =>
  (one: Line, other: Line): boolean =>
    near(one.at, other.at, least) && near(one.slope, other.slope, least / horizon)

/** From each state, and behind them each limit, where the flows lead. */
function edgesOf(flows: readonly Flow[], states: number, limits: number): number[][] {
  const next = Array.from({ length: states + limits }, (): number[] => [])
  for (const { from, to, passes } of flows) {
    let before = from
    for (const { limit } of passes) {
      if (before !== null) next[before]?.push(states + limit)
      before = states + limit
    }
    if (before !== null) next[before]?.push(to)
  }
  return next
}

/** What each limit can take at first: of what scales, whole servers for the load before, and those that come at once. */
function startsOf({ limits, flows }: Limits, states: number): number[] {
  const external = Array.from({ length: states }, () => 0)
  for (const { from, to, gain } of flows) if (from === null) external[to] = (external[to] ?? 0) + gain
  const inside = flows.flatMap(({ from, to, gain }) => (from === null ? [] : [{ from, to, gain }]))
  const { rates } = solveFlow(states, inside, external)
  const needs = limits.map(() => 0)
  for (const { from, gain, passes } of flows) {
    const rate = from === null ? gain : gain * (rates[from] ?? 0)
    for (const { limit, work } of passes) needs[limit] = (needs[limit] ?? 0) + rate * work
  }
  return limits.map(({ scaling, most }, limit) =>
    scaling === null
      ? most
      : Math.max(scaling.initial, Math.min(most, Math.ceil(needs[limit] ?? 0) + scaling.ahead)),
  )
}
