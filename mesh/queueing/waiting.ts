import { erlangB, erlangC } from './erlang.ts'

type Wait = { mean: number; variance: number }

/** A queue whose servers take all that waits, but `most` at once: what comes a second, and what a server takes for n. */
export type Bulk = {
  servers: number
  rate: number
  most: number
  /** seconds: fixed + each · n */
  fixed: number
  each: number
  /** squared coefficient of variation of these */
  scv: number
}

/** How it is served. `batch`: mean of those taken at once; null: the queue grows without end, and batches are full. */
export type Served = { batch: number; wait: Wait | null }

/**
 * Who waits in G/G/c, waits exponentially, `scale` seconds in the mean; `waits` is the probability to wait at all. Exact for
 * M/M/c, scaled by (ca² + cs²)/2 for others (Lee and Longton 1959 for Poisson arrivals, Allen and Cunneen 1990), of steady
 * arrivals by Krämer and Langenbach-Belz (1976; Whitt 1983, eq. 45); null when the queue grows without end.
 */
export function delayed(
  servers: number,
  rate: number,
  { mean, scv }: { mean: number; scv: number },
  arrivalScv = 1,
): { waits: number; scale: number } | null {
  const offered = rate * mean
  if (offered >= servers) return null
  const variation = arrivalScv + scv
  if (offered === 0 || variation === 0) return { waits: 0, scale: 0 }
  const idle = 1 - offered / servers
  const steadier =
    arrivalScv < 1 ? Math.exp((-2 * idle * (1 - arrivalScv) ** 2) / (3 * (1 - idle) * variation)) : 1
  return {
    waits: erlangC(servers, offered),
    scale: (variation / 2) * (mean / (servers - offered)) * steadier,
  }
}

/** Mean and variance of the wait in M/G/c, seconds; null when the queue grows without end. */
export function waiting(servers: number, rate: number, service: { mean: number; scv: number }): Wait | null {
  const wait = delayed(servers, rate, service)
  return wait && waitOf(wait.waits, wait.scale)
}

/**
 * Bulk service (Neuts 1967, with a least batch of one): whoever comes when a server is free is taken at once and alone,
 * and a server that gets free takes all that wait, at most `most`. What a server takes follows from the mean batch and the
 * mean batch from that, so that the two are brought to agree.
 *
 * Exact for exponential services that take as long with however many. For others: where batches are seldom full, who
 * waits waits for the next of `servers` ends, and their variation counts at one server alone; where they are always full,
 * full ones are served, and it counts as in a queue of groups, of which 1/b is the variation of arrivals (Kingman 1961).
 * Between the two by the square of the probability that a queue of full batches is longer than one of them, which was
 * found by runs of the queue: mean waits within 15 % of them (waiting.unit.test.ts).
 */
export function bulkService(queue: Bulk): Served {
  const { servers, most, fixed, each, scv } = queue
  const seconds = (batch: number) => fixed + each * batch
  const full = takenAt(queue, seconds(most))
  if (full === null) return { batch: most, wait: null }
  let [low, high] = [1, full.batch]
  // batches are smaller than those with the longest service; where these are hardly any, no others are looked for
  for (let step = 0; step < 40 && high - low > 1e-6 * high; step++) {
    const middle = (low + high) / 2
    if ((takenAt(queue, seconds(middle))?.batch ?? most) > middle) low = middle
    else high = middle
  }
  const own = takenAt(queue, seconds(high)) ?? full
  const [seldom, always] = [1 + (scv - 1) / (2 * servers), (1 / most + scv) / (1 / most + 1)]
  const weight = most === 1 ? 1 : full.longer ** 2
  const scale = (1 - weight) * own.scale * seldom + weight * full.scale * always
  return { batch: own.batch, wait: waitOf(own.waits, scale) }
}

const waitOf = (waits: number, scale: number): Wait => ({
  mean: waits * scale,
  variance: waits * (2 - waits) * scale ** 2,
})

/**
 * Exponential services of `mean` seconds whatever the batch, M/M(1,b)/c: the mean batch, the probability to wait, the mean
 * wait of those that do, and the probability that more than a batch wait when somebody does. With q behind c busy
 * servers the cut between q and q + 1 says λ·P(q) = (c/mean)·ΣP(q + i), i = 1 … b, so that P(q) falls as r^q with
 * c(r + … + r^b) = λ·mean; below c busy it is M/M/c. Who waits, waits for a geometric number of ends of services:
 * exponentially, mean/(c(1 - r^b)). b = 1 is Erlang C. null: the queue grows without end.
 */
function takenAt({ servers, rate, most }: Pick<Bulk, 'servers' | 'rate' | 'most'>, mean: number) {
  const offered = rate * mean
  if (offered >= servers * most) return null
  if (offered === 0) return { batch: 1, waits: 0, scale: 0, longer: 0 }
  const fall = fallOf(offered / servers, most)
  const blocked = erlangB(servers, offered)
  const all = 1 + (blocked * fall) / (1 - fall)
  const busy = (offered * (1 - blocked) + (servers * blocked * fall) / (1 - fall)) / all
  const longer = fall ** most
  return {
    batch: Math.min(most, Math.max(1, offered / busy)),
    waits: blocked / (1 - fall) / all,
    scale: mean / (servers * (1 - longer)),
    longer,
  }
}

/** r of r + … + r^b = load, by bisection: the sum grows with r. b need not be whole: r(1 - r^b)/(1 - r). */
function fallOf(load: number, most: number): number {
  if (most === 1) return load
  let [low, high] = [0, 1]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if ((middle * (1 - middle ** most)) / (1 - middle) < load) low = middle
    else high = middle
  }
  return (low + high) / 2
}
