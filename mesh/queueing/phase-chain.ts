import type { Finite } from './finite.ts'
import { constantBelow } from './fit.ts'
import { beside, columnsOf, type Matrix, plus, solved, steady, times, zeros } from './matrices.ts'
import { type Crew, crewOf, fastCrew, type Move, type Phases, phased, phasesOf } from './phases.ts'
import { levelsOf, oneLevel, raisedBy } from './stretch.ts'

/** A station and what comes to it, by two moments each. */
type Queue = {
  servers: number
  /** places to wait */
  waiting: number
  /** arrivals per second */
  rate: number
  arrivalScv: number
  mean: number
  serviceScv: number
}

/** States of a level; more than these take too long, for each server is a level. */
const mostStates = (servers: number): number => Math.max(4, Math.min(96, Math.cbrt(1e8 / servers)))

/**
 * GI/G/c/c+N with both times `fitted`: the chain of how many are there and in which phases. Solved level by level, and over
 * the like levels of those who wait by doubling, so that it takes no longer for many places than for few. Exact for the
 * fit where that has few enough phases. More constant times than these allow are found from three chains that
 * are nearer to exponential (`steadier`); where there are too many servers for that, they are taken as one (`fastCrew`).
 */
export function phaseChain(queue: Queue): Finite {
  const key = Object.values(queue).join(' ')
  const known = lately.get(key)
  if (known !== undefined) return known
  const found = solvedChain(queue)
  lately.set(key, found)
  for (const [oldest] of lately) if (lately.size > 100) lately.delete(oldest)
  return found
}

/** The rounds of a network ask the same of most of its stations, and a chain takes long. */
const lately = new Map<string, Finite>()

function solvedChain(queue: Queue): Finite {
  const { servers, waiting, rate, arrivalScv, mean } = queue
  if (arrivalScv < constantBelow && queue.serviceScv < constantBelow && rate * mean <= servers)
    return { loss: 0, number: rate * mean }
  const alike =
    statesOf(servers, Math.min(2, phasesOf(queue.serviceScv))) * Math.min(2, phasesOf(arrivalScv)) <=
    mostStates(servers)
  const serviceScv = alike
    ? queue.serviceScv
    : 1 + (queue.serviceScv - 1) * longWait(servers, waiting, queue.serviceScv)
  const at = (arriving: number, serving: number) => {
    const service = phased(alike ? mean : mean / servers, serving)
    const crew = alike ? crewOf(servers, service) : fastCrew(servers, mean, service)
    return chain({ crew, servers, waiting, arrival: phased(1 / rate, arriving), offered: rate * mean })
  }
  const [arrivals, services] = fewer(
    phasesOf(arrivalScv),
    phasesOf(serviceScv),
    alike ? servers : 1,
    Math.floor(mostStates(servers)),
  )
  const steps = [
    nearestOf(arrivalScv, arrivals) - arrivalScv,
    nearestOf(serviceScv, services) - serviceScv,
  ] as const
  if (steps[0] === 0 && steps[1] === 0) return at(arrivalScv, serviceScv)
  const found = [1, 2, 3].map((step) => at(arrivalScv + step * steps[0], serviceScv + step * steps[1]))
  // beyond what even the steadiest lose
  const least = Math.max(0, 1 - servers / (rate * mean))
  const scvs = [0, 1, 2, 3].map((step) => arrivalScv + serviceScv + step * (steps[0] + steps[1]))
  const logs = found.map((one) => Math.log(Math.max(one.loss - least, 1e-300)))
  const loss = Math.min(1, least + Math.exp(Math.min(logs[0] ?? 0, steadier(scvs, logs))))
  const busy = rate * (1 - loss) * mean
  // who is there is in service or waits, and there are so many places
  const number = onwards(...found.map((one) => one.number))
  return { loss, number: Math.min(servers + waiting, busy + waiting, Math.max(busy, number)) }
}

/**
 * How much of the services' variation a queue behind many servers shows: none with few places, where the services make no
 * difference (Erlang B), all with many, where the servers are as one. Between the two found by runs of 70 servers, sooner
 * where services are alike (station.unit.test.ts).
 */
const longWait = (servers: number, waiting: number, serviceScv: number): number =>
  waiting ** 2 / (waiting ** 2 + (serviceScv < 1 ? 0.5 : 12) * servers)

/**
 * The logarithm of a loss at the first of four variations, arrivals and services together, by those at the others:
 * a + b·log(s) + c/s, for at a full queue the loss goes as the variation s, and below as e to the power of -1/s (the
 * diffusion of Whitt 2004, Oper. Res. 52, section 3), so that the steadiest lose nothing.
 */
function steadier(scvs: readonly number[], logs: readonly number[]): number {
  const [at, near, middle, far] = scvs.map((scv) => scv + 0.005)
  if (at === undefined || near === undefined || middle === undefined || far === undefined) return 0
  const of = (one: number, two: number) => [Math.log(two / one), 1 / two - 1 / one] as const
  const [[b1, c1], [b2, c2], [b3, c3]] = [of(near, middle), of(near, far), of(near, at)]
  const [base = 0, second = 0, third = 0] = logs
  const determinant = b1 * c2 - b2 * c1
  const b = ((second - base) * c2 - (third - base) * c1) / determinant
  const c = (b1 * (third - base) - b2 * (second - base)) / determinant
  return base + b * b3 + c * c3
}

/** The next of three values in a row, by the parabola through them. */
const onwards = (first = 0, second = 0, third = 0): number => 3 * first - 3 * second + third

/** The variation nearest to `scv` that so many phases have. */
const nearestOf = (scv: number, phases: number): number => (phasesOf(scv) > phases ? 1 / phases : scv)

/** The ways to have that many servers in so many phases. */
function statesOf(servers: number, phases: number): number {
  let ways = 1
  for (let kind = 1; kind < phases; kind++) ways = (ways * (servers + kind)) / kind
  return ways
}

/** Fewer phases of both times, until the states of a level are few enough. */
function fewer(arrivals: number, services: number, servers: number, most: number): [number, number] {
  let [first, second] = [Math.min(arrivals, most), Math.min(services, most)]
  while (first * statesOf(servers, second) > most) {
    if (first > second || second <= 2) first--
    else second--
  }
  return [first, second]
}

type Chain = { crew: Crew; servers: number; waiting: number; arrival: Phases; offered: number }

/** The rates of a level: one less, the same, one more; what comes to a full one is lost. */
function ratesAt({ crew, arrival, servers }: Chain, number: number, full: boolean) {
  const busy = Math.min(number, servers)
  const kinds = arrival.rates.length
  const size = kinds * crew.states(busy)
  const within = zeros(size, size)
  const add = (matrix: Matrix, from: number, to: number, rate: number) => {
    const row = matrix[from]
    if (row !== undefined) row[to] = (row[to] ?? 0) + rate
  }
  const each = (matrix: Matrix, moves: readonly Move[], states: number) => {
    for (let kind = 0; kind < kinds; kind++)
      for (const { from, to, weight } of moves)
        add(matrix, kind * crew.states(busy) + from, kind * states + to, weight)
  }
  each(within, crew.within(busy), crew.states(busy))
  const waits = number >= servers
  const below = number === 0 ? 0 : waits && number > servers ? busy : busy - 1
  const down = zeros(size, number === 0 ? 0 : kinds * crew.states(below))
  if (number > 0) each(down, number > servers ? again(crew, busy) : crew.ends(busy), crew.states(below))
  const above = crew.states(waits ? busy : busy + 1)
  const up = zeros(size, kinds * above)
  const lost = new Float64Array(size)
  const begins = waits ? same(crew.states(busy)) : crew.begins(busy)
  arrival.rates.forEach((rate, kind) => {
    const next = arrival.next[kind] ?? -1
    for (let state = 0; state < crew.states(busy); state++) {
      const from = kind * crew.states(busy) + state
      if (next >= 0) add(within, from, next * crew.states(busy) + state, rate)
      else if (full) lost[from] = rate
    }
    if (next >= 0) return
    arrival.start.forEach((chance, first) => {
      for (const { from, to, weight } of full ? same(crew.states(busy)) : begins)
        add(
          full ? within : up,
          kind * crew.states(busy) + from,
          first * (full ? crew.states(busy) : above) + to,
          rate * chance * weight,
        )
    })
  })
  within.forEach((row, state) => {
    const out = [down[state], row, full ? undefined : up[state]]
    let sum = 0
    out.forEach((values) => {
      values?.forEach((value, to) => {
        if (values !== row || to !== state) sum += value
      })
    })
    row[state] = -sum
  })
  return { down, within, up, lost }
}

const same = (states: number): Move[] =>
  Array.from({ length: states }, (_, state) => ({ from: state, to: state, weight: 1 }))

/** A service ends and the next in line begins. */
const again = (crew: Crew, busy: number): Move[] =>
  crew.ends(busy).flatMap(({ from, to, weight }) =>
    crew
      .begins(busy - 1)
      .filter((begun) => begun.from === to)
      .map((begun) => ({ from, to: begun.to, weight: weight * begun.weight })),
  )

function chain(given: Chain): Finite {
  const { servers, waiting, offered, arrival } = given
  const places = servers + waiting
  // levels far below what is busy are hardly ever seen
  const usual = Math.min(servers, offered)
  const lowest = Math.max(0, Math.floor(usual - 40 * Math.sqrt(usual) - 100))
  let kept = ratesAt(given, lowest, lowest === places)
  let rewards = second(kept.within.length, lowest)
  const rate = 1 / meanOfPhases(arrival)
  for (let number = lowest; number < servers; number++) {
    const held = kept.within.map((row) => row.map((value) => -value))
    const size = kept.up[0]?.length ?? 0
    const passed = solved(held, beside(kept.up, rewards))
    const next = ratesAt(given, number + 1, number + 1 === places)
    rewards = plus(second(size, number + 1), times(next.down, columnsOf(passed, size)))
    kept = { ...next, within: plus(next.within, times(next.down, columnsOf(passed, 0, size))) }
    // hardly ever so many at once, and beyond this rounding alone
    if (!((rewards[0]?.[0] ?? 0) < 1e25)) return { loss: 0, number: offered }
  }
  const total = totals(given, kept, rewards)
  const loss = total.lost / total.seconds / rate
  return { loss: Math.min(1, Math.max(0, loss)), number: total.weighted / total.seconds }
}

const second = (size: number, number: number): Matrix =>
  Array.from({ length: size }, () => Float64Array.of(1, number))

function meanOfPhases({ start, rates, next }: Phases): number {
  const from = (phase: number): number =>
    1 / (rates[phase] ?? 1) + ((next[phase] ?? -1) < 0 ? 0 : from(next[phase] ?? -1))
  return start.reduce((sum, chance, phase) => sum + chance * from(phase), 0)
}

type Rates = ReturnType<typeof ratesAt>

/** Per visit of the two levels that are left, all servers busy with nobody waiting and all places taken. */
function totals(given: Chain, kept: Rates, rewards: Matrix) {
  const { servers, waiting } = given
  const size = kept.within.length
  if (waiting === 0) return summed(steady(kept.within), rewards, kept.lost)
  const top = ratesAt(given, servers + waiting, true)
  let [lowToLow, lowToTop, topToLow, topToTop] = [kept.within, kept.up, top.down, top.within]
  let [low, high] = [rewards, second(size, servers + waiting)]
  if (waiting > 1) {
    const level = ratesAt(given, servers + 1, false)
    const { fromBelow, fromAbove } = levelsOf(oneLevel(level.down, level.within, level.up), waiting - 1)
    low = plus(low, times(kept.up, raisedBy(fromBelow.rewards, servers + 1)))
    high = plus(high, times(top.down, raisedBy(fromAbove.rewards, servers + 1)))
    lowToLow = plus(lowToLow, times(kept.up, fromBelow.down))
    lowToTop = times(kept.up, fromBelow.up)
    topToLow = times(top.down, fromAbove.down)
    topToTop = plus(topToTop, times(top.down, fromAbove.up))
  }
  const lost = new Float64Array(2 * size)
  // taken out from the end that is hardly ever seen: nothing is then divided by what is nearly nothing
  const sum = (matrix: Matrix) =>
    matrix.reduce((all, row) => all + row.reduce((one, value) => one + value, 0), 0)
  const falls = sum(topToLow) >= sum(lowToTop)
  lost.set(top.lost, falls ? size : 0)
  const weights = falls
    ? steady([...beside(lowToLow, lowToTop), ...beside(topToLow, topToTop)])
    : steady([...beside(topToTop, topToLow), ...beside(lowToTop, lowToLow)])
  return summed(weights, falls ? [...low, ...high] : [...high, ...low], lost)
}

function summed(weights: Float64Array, rewards: Matrix, lost: Float64Array) {
  const total = { seconds: 0, weighted: 0, lost: 0 }
  weights.forEach((weight, state) => {
    total.seconds += weight * (rewards[state]?.[0] ?? 0)
    total.weighted += weight * (rewards[state]?.[1] ?? 0)
    total.lost += weight * (lost[state] ?? 0)
  })
  return total
}
