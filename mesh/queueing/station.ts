import { type Finite, manyServers, oneServer } from './finite.ts'
import { fitted } from './fit.ts'
import { phaseChain } from './phase-chain.ts'
import { delayed } from './waiting.ts'

/** In which order a station serves; `delay` has a server for everybody, `loss` takes nobody to wait. */
type Discipline = 'fifo' | 'ps' | 'delay' | 'loss'

export type Station = {
  /** servers alike; not asked of `delay` */
  servers: number
  discipline: Discipline
  /** places to wait, servers not counted; null: as many as come */
  buffer: number | null
}

/** What comes of one class. */
export type Demand = {
  /** arrivals per second; at few places as if none were turned away */
  rate: number
  /** of these, those that have just been served here and come back at once */
  returning?: number
  /** of one service, seconds, on a server by itself */
  mean: number
  /** squared coefficient of variation of the service: 0 constant, 1 exponential */
  scv: number
}

/** Of one class at one station. */
export type Measure = {
  arrivalRate: number
  /** served, per second */
  throughput: number
  /** servers busy with it, of all servers; of a delay, how many are busy */
  utilisation: number
  /** waiting and in service; null when it grows without end */
  number: number | null
  /** from arrival to the end of service of those that are served, seconds; null when it grows without end */
  time: number | null
  /** the part that is turned away */
  loss: number
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

/** The services of a station's classes together, and the part of them after which somebody comes back at once. */
type Mixed = { rate: number; mean: number; scv: number; again: number }

/** Mean and squared coefficient of variation of the service of whoever comes next. */
export function mixed(demands: readonly Demand[]): Mixed {
  const rate = sumOf(demands.map((demand) => demand.rate))
  if (rate === 0) return { rate, mean: 0, scv: 1, again: 0 }
  const mean = sumOf(demands.map((demand) => demand.rate * demand.mean)) / rate
  const second = sumOf(demands.map((demand) => demand.rate * demand.mean ** 2 * (1 + demand.scv))) / rate
  const again = sumOf(demands.map(({ returning = 0 }) => returning)) / rate
  return { rate, mean, scv: mean === 0 ? 1 : Math.max(0, second / mean ** 2 - 1), again }
}

/** All services of one after the other, of whoever comes from elsewhere. */
export const merged = ({ rate, mean, scv, again }: Mixed): Mixed => ({
  rate: rate * (1 - again),
  mean: mean / (1 - again),
  scv: again + (1 - again) * scv,
  again: 0,
})

/** As a part of what it is compared with, rounding of sums. */
const rounding = 1e-12
/** Streams whose variation differs by less are Poisson. */
export const isOne = (scv: number): boolean => Math.abs(scv - 1) < 1e-9

/**
 * Every class at one station in steady state. `arrivalScv`: squared coefficient of variation of the time between two
 * arrivals of all classes together, 1 for Poisson.
 *
 * - fifo: Pollaczek-Khinchine for one server over the mixture of classes, Allen-Cunneen Wq(M/M/c)(ca² + cs²)/2 for more,
 *   of steady arrivals by Krämer and Langenbach-Belz; exact for M/M/c and M/G/1.
 * - ps: at most one server for each job; exact for Poisson arrivals, for which it is insensitive, as M/M/c. For others what
 *   is lost by sharing is (ca² + cs²)/(1 + cs²) of that (heavy traffic, Gromoll 2004), less where arrivals are steady as in fifo.
 * - delay: M/G/∞. - loss: Erlang B; exact for both with Poisson arrivals.
 * - a finite buffer: M/G/1/K and M/M/c/K exact; for others the chain of two moments (`phaseChain`).
 *
 * Whoever comes back at once is taken as staying (Whitt 1983, section III.A): a sum of as many services as visits, of all
 * classes alike. Exact for one class in M/G/1 (Takács 1963), where all are exponential and alike (BCMP), and where the
 * service makes no difference; at few places, whoever comes back finds the place that it has left.
 *
 * A station that cannot keep up serves at capacity; its number and time are null. In fifo each class gets of it in
 * proportion to what comes; under processor sharing all that have piled up share it, so that the short ones get more.
 */
export function measure(station: Station, demands: readonly Demand[], arrivalScv = 1): Measure[] {
  const { discipline, servers } = station
  if (discipline === 'delay')
    return demands.map(({ rate, mean }) =>
      measured({ rate, mean }, { servers: 1, throughput: rate, time: mean }),
    )
  const all = mixed(demands)
  const offered = all.rate * all.mean
  const buffer = discipline === 'loss' ? 0 : station.buffer
  if (buffer !== null) {
    const { loss, number } = finite(discipline, servers, demands, buffer, arrivalScv)
    // of what comes a billion times too often, 1 - loss is rounding
    const kept = Math.min(1 - loss, servers / offered)
    const entered = all.rate * kept
    // Little's law for those that enter
    const stay = entered === 0 ? all.mean : number / entered
    return demands.map(({ rate, returning = 0, mean }) => {
      const arrivalRate = rate - loss * returning
      return measured(
        { rate: arrivalRate, mean },
        {
          servers,
          throughput: rate * kept,
          time: stayOf(discipline, stay, all.mean, mean),
          loss: arrivalRate === 0 ? 0 : (loss * (rate - returning)) / arrivalRate,
        },
      )
    })
  }
  if (offered >= servers * (1 - rounding)) return saturated(discipline, demands, servers, offered)
  const sharing = discipline === 'ps'
  const one = sharing ? all : merged(all)
  const { waits, scale } = delayed(servers, one.rate, one, arrivalScv) ?? { waits: 1, scale: 0 }
  // before the service begins; under processor sharing what is lost by sharing
  const wait = waits * scale * (sharing ? 2 / (1 + all.scv) : 1 - all.again)
  return demands.map(({ rate, mean }) =>
    measured(
      { rate, mean },
      { servers, throughput: rate, time: stayOf(discipline, all.mean + wait, all.mean, mean) },
    ),
  )
}

/** In fifo all wait alike and each is served as long as it needs; under processor sharing all are slowed down alike. */
function stayOf(discipline: Discipline, stay: number, meanOfAll: number, mean: number): number {
  // rounding of long services beside short ones must not make who waits gain time
  if (discipline !== 'ps') return Math.max(0, stay - meanOfAll) + mean
  return meanOfAll === 0 ? mean : (stay / meanOfAll) * mean
}

function measured(
  { rate, mean }: { rate: number; mean: number },
  {
    servers,
    throughput,
    time,
    loss = 0,
  }: { servers: number; throughput: number; time: number; loss?: number },
): Measure {
  return {
    arrivalRate: rate,
    throughput,
    utilisation: (throughput * mean) / servers,
    number: throughput * time,
    time,
    loss,
  }
}

function saturated(
  discipline: Discipline,
  demands: readonly Demand[],
  servers: number,
  offered: number,
): Measure[] {
  const growth = discipline === 'ps' ? growthOf(demands, servers) : 0
  return demands.map((demand) => ({
    arrivalRate: demand.rate,
    throughput:
      discipline === 'ps'
        ? demand.rate * (1 - growth * pilingUp(demand, growth, servers))
        : (demand.rate * servers) / offered,
    // what is asked of it, not what it gives: by how much it is over
    utilisation: (demand.rate * demand.mean) / servers,
    // of what does not come there is none
    number: demand.rate === 0 ? 0 : null,
    time: null,
    loss: 0,
  }))
}

/**
 * By how many a second, g, those grow who share c servers that cannot keep up. Of g·t there who shares since u gets
 * c·ln(t/u)/g of service, so that of what comes E[e^(-gS/c)] is served, and g = Σλ(1 - E[e^(-gS/c)]) (Jean-Marie and
 * Robert 1994; Puha, Stolyar and Williams 2006). Divided by g the sum falls with g.
 */
function growthOf(demands: readonly Demand[], servers: number): number {
  let [low, high] = [0, sumOf(demands.map(({ rate }) => rate))]
  for (let step = 0; step < 200 && high > low; step++) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) break
    if (sumOf(demands.map((demand) => demand.rate * pilingUp(demand, middle, servers))) > 1) low = middle
    else high = middle
  }
  return low
}

/** (1 - E[e^(-gS/c)])/g of the fitted service S. */
function pilingUp({ mean, scv }: Demand, growth: number, servers: number): number {
  const fit = fitted(scv)
  const least = Math.max(growth, Number.MIN_VALUE)
  // of an exponential of this mean
  const exponential = (of: number) => of / (servers + growth * of)
  if (fit.kind === 'constant') return -Math.expm1((-least * mean) / servers) / least
  if (fit.kind === 'hyperexponential')
    return fit.part * exponential(mean / (2 * fit.part)) + fit.rest * exponential(mean / (2 * fit.rest))
  const phase = fit.phase * mean
  const erlang = (phases: number) => -Math.expm1(-phases * Math.log1p((least * phase) / servers)) / least
  return fit.phases === 1
    ? exponential(mean)
    : fit.part * erlang(fit.phases - 1) + (1 - fit.part) * erlang(fit.phases)
}

function finite(
  discipline: Discipline,
  servers: number,
  demands: readonly Demand[],
  buffer: number,
  arrivalScv: number,
): Finite {
  const all = mixed(demands)
  const { rate, mean, scv } = merged(all)
  const offered = all.rate * all.mean
  const poisson = isOne(arrivalScv)
  const insensitive = discipline === 'ps' || isOne(scv)
  // with nowhere to wait the service makes no difference either (Erlang B)
  if (poisson && (insensitive || buffer === 0)) return manyServers(servers, offered, buffer)
  if (poisson && servers === 1)
    return oneServer(
      rate,
      all.again > 0
        ? [{ part: 1, mean, scv }]
        : demands.map((demand) => ({ ...demand, part: demand.rate / (all.rate || 1) })),
      buffer,
    )
  if (offered === 0) return { loss: 0, number: 0 }
  return phaseChain({
    servers,
    waiting: buffer,
    rate,
    arrivalScv,
    mean,
    serviceScv: insensitive ? 1 : scv,
  })
}
