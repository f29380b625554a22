import { heap } from '../heap.ts'
import { estimated, serviceTimes } from '../queueing/sample.ts'
import { seeded } from '../random.ts'
import type { Handling } from './limits.ts'
import { between, type Line, valueAt } from './lines.ts'
import type { Simulated } from './report.ts'
import { type Retrial, triesOf } from './retrial.ts'
import { retrialAt, type Station } from './station.ts'

/** One station to be simulated: arrivals by the piecewise linear rate, a server each, more of them while somebody waits. */
type Simulation = {
  /** arrivals per second, from each time on */
  arrivals: readonly { from: number; rate: Line }[]
  /** servers at the start, how many more a second while somebody waits, and in the end */
  servers: number
  growth: number
  grown: number
  /** a service takes what waits, at most `most`, and fixed + each · n seconds for n of them */
  fixed: number
  each: number
  most: number
  scv: number
  horizon: number
  retrial?: Retrial | undefined
}

type Message = { sent: number; attempt: number }

type Run = {
  peak: number
  oldest: number
  /** when nobody waited any more after the peak; Infinity: not within the horizon */
  drained: number
  arrivals: number
}

/** One run, event by event; first come first served. Arrivals by thinning (Lewis and Shedler 1979). */
export function simulate(given: Simulation, seed: number): Run {
  const random = seeded(seed)
  const service = serviceTimes(1, given.scv, random)
  const next = arrivalsOf(given, random)
  const ends = heap()
  const waiting: Message[] = []
  const again = comesAgain(given, random)
  let [head, servers, busy, grownTo] = [0, given.servers, 0, 0]
  let [peak, oldest, drained, count] = [0, 0, Number.POSITIVE_INFINITY, 0]
  let whole = Math.floor(servers + 1e-9)
  /** When the next whole server comes, as somebody waits for one. */
  const growing = (): number => {
    const lacking = whole + 1 - servers
    const may = head < waiting.length && given.growth > 0 && servers + lacking <= given.grown + 1e-9
    return may ? grownTo + lacking / given.growth : Number.POSITIVE_INFINITY
  }
  let arrival = next()
  for (;;) {
    const end = ends.least()
    const time = Math.min(arrival, end, again.least(), growing())
    if (time >= given.horizon) break
    if (head < waiting.length && given.growth > 0) {
      servers = Math.min(given.grown, servers + given.growth * (time - grownTo))
      whole = Math.floor(servers + 1e-9)
    }
    grownTo = time
    if (time === arrival) {
      count++
      waiting.push({ sent: time, attempt: 1 })
      arrival = next()
    } else if (time === end) {
      ends.take()
      busy--
    } else waiting.push(...again.at(time))
    // whoever is first in the row takes a server that is free
    while (head < waiting.length && busy < whole) {
      const taken = Math.min(given.most, waiting.length - head)
      oldest = Math.max(oldest, again.tried(waiting.slice(head, head + taken), time))
      head += taken
      busy++
      ends.put(time + service() * (given.fixed + given.each * taken))
    }
    const left = waiting.length - head
    if (left > peak) {
      peak = left
      drained = Number.POSITIVE_INFINITY
    } else if (left === 0 && time < drained) drained = time
  }
  return { peak, oldest, drained, arrivals: count }
}

/** What fails, until it waits again. */
function comesAgain({ retrial }: Simulation, random: () => number) {
  const times = heap()
  const failed = new Map<number, Message[]>()
  return {
    least: times.least,
    at: (time: number): readonly Message[] => {
      const back = failed.get(time)
      if (back === undefined) return []
      times.take()
      failed.delete(time)
      return back
    },
    /** An attempt of each begins; whether it fails is known already. Answers the age of the oldest. */
    tried: (messages: readonly Message[], time: number): number => {
      let oldest = 0
      for (const { sent, attempt } of messages) {
        oldest = Math.max(oldest, time - sent)
        if (retrial === undefined || attempt >= retrial.attempts || random() >= retrial.fails) continue
        const at = time + retrial.gap(attempt)
        const back = failed.get(at)
        if (back === undefined) times.put(at)
        failed.set(at, [...(back ?? []), { sent, attempt: attempt + 1 }])
      }
      return oldest
    },
  }
}

/** Times of arrivals, one after the other; Infinity when there are no more. */
function arrivalsOf({ arrivals, horizon }: Simulation, random: () => number): () => number {
  let [piece, time] = [0, 0]
  return () => {
    for (let now = arrivals[piece]; now !== undefined; now = arrivals[piece]) {
      const until = arrivals[piece + 1]?.from ?? horizon
      time = Math.max(time, now.from)
      const most = Math.max(valueAt(now.rate, now.from), valueAt(now.rate, until), 0)
      while (most > 0) {
        time -= Math.log(1 - random()) / most
        if (time >= until) break
        if (random() * most < valueAt(now.rate, time)) return time
      }
      time = until
      piece++
    }
    return Number.POSITIVE_INFINITY
  }
}

/** `oldest`: as the fluid has it, seconds. */
type Runs = { oldest: number; horizon: number; seed: number; runs: number; arrivals: number }

/**
 * The simulation of a limit under what the fluid says comes to it, or why there is none. `service`: of a request; null:
 * tokens, served one after the other at their rate.
 */
export function simulationOf(
  station: Station,
  service: Handling | null,
  { oldest, horizon, seed, runs, arrivals: most }: Runs,
): Simulated | string {
  const { limit, seen, shares } = station
  const works = [...new Set(shares.map(({ work }) => work))]
  const [all = 1] = works
  if (works.some((other) => Math.abs(other - all) > 1e-9 * all))
    return 'its messages need different amounts of work'
  if (Number.isFinite(limit.patience) && oldest >= limit.patience - 1e-6)
    return 'it gives up what waits too long'
  if (shares.some(({ waits }) => !waits)) return 'not all of what comes waits'
  const retrial = retrialAt(station)
  if (retrial === 'mixed') return 'not all that fails comes again alike'
  // of one attempt
  const work = all / triesOf(retrial)
  if (limit.burst > 0 && service === null && limit.burst > seen.peak.messages * work * 0.01)
    return 'its burst is not small against the backlog'
  const { fixed, each, most: filled, scv } = service ?? { fixed: 1 / limit.most, each: 0, most: 1, scv: 0 }
  // one comes for so many messages as make up its part of the work
  const messages = service === null ? 1 / work : (fixed / filled + each) / work
  // a while longer than the fluid: chance may drain it later
  const end = Math.min(horizon, 1.25 * (seen.drainedAt ?? horizon) + 60)
  const sent = seen.arrivals.reduce((sum, { from, rate }, place) => {
    const until = Math.min(seen.arrivals[place + 1]?.from ?? end, end)
    return sum + (from < until ? between(rate, from, until) : 0)
  }, 0)
  const by = Math.max(1, sent / messages / most)
  const first = service === null ? 1 : station.started
  // fewer servers with fewer arrivals: whole ones, so much slower
  const servers = first === 0 ? 0 : Math.max(1, Math.round(first / by))
  const slower = first === 0 ? 1 : (servers * by) / first
  const simulation: Simulation = {
    arrivals: seen.arrivals.map(({ from, rate }) => ({
      from,
      rate: { at: rate.at / messages / by, slope: rate.slope / messages / by },
    })),
    servers,
    growth: ((limit.scaling?.growth ?? 0) / by) * slower,
    grown: service === null ? 1 : Math.max(servers, (limit.most / by) * slower),
    fixed: fixed * slower,
    each: each * slower,
    most: filled,
    scv,
    horizon: end,
    retrial,
  }
  const results = Array.from({ length: Math.max(2, runs) }, (_, run) =>
    simulate(simulation, seed * 1000 + run),
  )
  return {
    runs: results.length,
    arrivals: results.reduce((sum, { arrivals }) => sum + arrivals, 0) / results.length,
    scaledDownBy: by,
    peakBacklog: estimated(results.map(({ peak }) => peak * messages * by)),
    oldestAge: estimated(results.map(({ oldest }) => oldest)),
    drainedAt: results.every(({ drained }) => Number.isFinite(drained))
      ? estimated(results.map(({ drained }) => drained))
      : null,
  }
}
