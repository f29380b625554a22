import { erlangB } from './erlang.ts'
import { type Finite, manyServers, oneServer } from './finite.ts'
import { delayed } from './waiting.ts'

/** In which order a station serves; `delay` has a server for everybody, `loss` takes nobody to wait. */
export type Discipline = 'fifo' | 'ps' | 'delay' | 'loss'

export type Station = {
  /** servers alike; not asked of `delay` */
  servers: number
  discipline: Discipline
  /** places to wait, servers not counted; null: as many as come */
  buffer: number | null
}

/** What comes of one class. */
export type Demand = {
  /** arrivals per second */
  rate: number
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

/** Mean and squared coefficient of variation of the service of whoever comes next. */
export function mixed(demands: readonly Demand[]): { rate: number; mean: number; scv: number } {
  const rate = sumOf(demands.map((demand) => demand.rate))
  if (rate === 0) return { rate, mean: 0, scv: 1 }
  const mean = sumOf(demands.map((demand) => demand.rate * demand.mean)) / rate
  const second = sumOf(demands.map((demand) => demand.rate * demand.mean ** 2 * (1 + demand.scv))) / rate
  return { rate, mean, scv: mean === 0 ? 1 : Math.max(0, second / mean ** 2 - 1) }
}

/**
 * Every class at one station in steady state. `arrivalScv`: squared coefficient of variation of the time between two
 * arrivals of all classes together, 1 for Poisson.
 *
 * - fifo: Pollaczek-Khinchine for one server over the mixture of classes, Allen-Cunneen Wq(M/M/c)(ca² + cs²)/2 for more;
 *   exact for M/M/c and M/G/1.
 * - ps: at most one server for each job; insensitive, as M/M/c; exact for Poisson arrivals.
 * - delay: M/G/∞. - loss: Erlang B; exact for both with Poisson arrivals.
 * - a finite buffer: M/G/1/K exact, M/M/c/K exact; for other services at several servers the places to wait are
 *   counted in units of the queue's own decay, 2/(ca² + cs²) (heavy traffic; Whitt 1993).
 *
 * A station that cannot keep up serves at capacity, in proportion to what comes; its number and time are null.
 */
export function measure(station: Station, demands: readonly Demand[], arrivalScv = 1): Measure[] {
  const { discipline } = station
  if (discipline === 'delay')
    return demands.map(({ rate, mean }) => measured({ rate, mean }, { servers: 1, loss: 0, time: mean }))
  const { servers } = station
  const buffer = discipline === 'loss' ? (station.buffer ?? 0) : station.buffer
  const all = mixed(demands)
  const offered = all.rate * all.mean
  if (buffer !== null) {
    const { loss, number } = finite(discipline, servers, demands, buffer, arrivalScv)
    const entered = all.rate * (1 - loss)
    // Little's law for those that enter
    const stay = entered === 0 ? all.mean : number / entered
    return demands.map(({ rate, mean }) =>
      measured({ rate, mean }, { servers, loss, time: stayOf(discipline, stay, all.mean, mean) }),
    )
  }
  // processor sharing does not ask how services or arrivals vary
  const asked = discipline === 'ps' ? { mean: all.mean, scv: 1 } : all
  const wait = delayed(servers, all.rate, asked, discipline === 'ps' ? 1 : arrivalScv)
  if (wait === null) return demands.map((demand) => saturated(demand, servers, offered))
  const { waits, scale } = wait
  const stay = all.mean + waits * scale
  return demands.map(({ rate, mean }) =>
    measured({ rate, mean }, { servers, loss: 0, time: stayOf(discipline, stay, all.mean, mean) }),
  )
}

/** In fifo all wait alike and each is served as long as it needs; under processor sharing all are slowed down alike. */
function stayOf(discipline: Discipline, stay: number, meanOfAll: number, mean: number): number {
  if (discipline !== 'ps') return stay - meanOfAll + mean
  return meanOfAll === 0 ? 0 : (stay / meanOfAll) * mean
}

function measured(
  { rate, mean }: { rate: number; mean: number },
  { servers, loss, time }: { servers: number; loss: number; time: number },
): Measure {
  const throughput = rate * (1 - loss)
  return {
    arrivalRate: rate,
    throughput,
    utilisation: (throughput * mean) / servers,
    number: throughput * time,
    time,
    loss,
  }
}

function saturated({ rate, mean }: Demand, servers: number, offered: number): Measure {
  const served = servers / offered
  return {
    arrivalRate: rate,
    throughput: rate * served,
    // what is asked of it, not what it gives: by how much it is over
    utilisation: (rate * mean) / servers,
    number: null,
    time: null,
    loss: 0,
  }
}

function finite(
  discipline: Discipline,
  servers: number,
  demands: readonly Demand[],
  buffer: number,
  arrivalScv: number,
): Finite {
  const all = mixed(demands)
  const offered = all.rate * all.mean
  if (discipline === 'loss' && buffer === 0) {
    const loss = erlangB(servers, offered)
    return { loss, number: offered * (1 - loss) }
  }
  if (discipline === 'ps') return manyServers(servers, offered, buffer)
  if (servers === 1 && arrivalScv === 1) {
    const classes = demands.map(({ rate, mean, scv }) => ({ part: rate / (all.rate || 1), mean, scv }))
    return oneServer(all.rate, classes, buffer)
  }
  const variation = (arrivalScv + all.scv) / 2
  if (buffer === 0 || variation === 1) return manyServers(servers, offered, buffer)
  return manyServers(servers, offered, buffer / Math.max(variation, 1e-3))
}
