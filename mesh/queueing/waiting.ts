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

/** How it is served. `batch`: mean of those taken at once; a wait of null: the queue grows without end, and batches are full. */
export type Served = { batch: number } & Met

/** What its messages meet: the wait, and n and n² of the batch that each finds itself in, E[n²]/E[n] and E[n³]/E[n]. */
export type Met = { wait: Wait | null; seen: { batch: number; square: number } }

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
 * Exact for exponential services that take as long with however many. For others: who waits, waits for the next of `servers`
 * ends, of which the variation counts at one server alone; and while more than a batch wait, for full ones to be served,
 * where it counts as in a queue of groups, of which 1/b is the variation of arrivals (Kingman 1961). The more of a service
 * is of messages, the less full they are then, and batches are the more alike the steadier services are: both by runs of
 * the queue; waiting.unit.test.ts says how near, and `runs` where it is not.
 */
export function bulkService(queue: Bulk): Served {
  const { servers, most, fixed, each, scv } = queue
  const seconds = (batch: number) => fixed + each * batch
  const full = takenAt(queue, seconds(most))
  if (full === null) return { batch: most, wait: null, seen: { batch: most, square: most ** 2 } }
  let [low, high] = [1, full.batch]
  // batches are smaller than those with the longest service; where these are hardly any, no others are looked for
  for (let step = 0; step < 40 && high - low > 1e-6 * high; step++) {
    const middle = (low + high) / 2
    if ((takenAt(queue, seconds(middle))?.batch ?? most) > middle) low = middle
    else high = middle
  }
  const own = takenAt(queue, seconds(high)) ?? full
  const [seldom, always] = [1 + (scv - 1) / (2 * servers), (1 / most + scv) / (1 / most + 1)]
  const filling = (own.batch / full.batch) ** (shareOf(queue) ** 8)
  const behind = most === 1 ? seldom : always * filling
  const more = (full.longer / (1 - full.longer)) * seconds(most) * behind
  return {
    batch: own.batch,
    wait: waitOf(own.waits, (seconds(own.batch) * seldom + more) / servers),
    seen: seenIn(own, queue),
  }
}

/** The part of a full service that is of its messages. */
const shareOf = ({ most, fixed, each }: Bulk): number => (each * most) / (fixed + each * most || 1)

/**
 * Whether what is said of it may be further off than a run of it (`bulkRun`), which near the limit is too short: constant
 * services that keep several servers in step, and services that are for the larger part of messages.
 */
export function runs(queue: Bulk, { batch }: Served): boolean {
  const { servers, rate, most, fixed, each, scv } = queue
  if (most === 1 || batch <= 1.01) return false
  const used = (rate * (fixed + each * most)) / (servers * most)
  return (scv < 0.05 && servers > 1) || (shareOf(queue) > 0.5 && used < 0.8)
}

/**
 * The batch that a message finds itself in: of what comes when a server is free one, and of the ends of services, c/mean a
 * second, each takes what waits, q with r^q. Σn²(r^n - r^(n + 1)) = Σ(2n - 1)r^n, and of n³ Σ(3n² - 3n + 1)r^n.
 */
function seenIn(
  { batch, waits, fall, mean }: Taken,
  { servers, rate, most, scv }: Bulk,
): { batch: number; square: number } {
  let [second, third, power, left] = [0, 0, 1, most]
  for (let n = 1; left > 0 && power > 1e-12; n++, left--) {
    power *= fall
    second += Math.min(1, left) * (2 * n - 1) * power
    third += Math.min(1, left) * (3 * n ** 2 - 3 * n + 1) * power
  }
  const ends = rate === 0 ? 0 : (servers * waits) / (mean * rate)
  const [found, square] = [1 - waits + ends * second, 1 - waits + ends * third]
  const steadier = Math.min(1.5, (1 + scv) / 2)
  const seen = Math.min(most, Math.max(batch, batch + steadier * (found - batch)))
  return {
    batch: seen,
    square: Math.min(most ** 2, Math.max(seen ** 2, batch ** 2 + steadier * (square - batch ** 2))),
  }
}

const waitOf = (waits: number, scale: number): Wait => ({
  mean: waits * scale,
  variance: waits * (2 - waits) * scale ** 2,
})

type Taken = NonNullable<ReturnType<typeof takenAt>>

/**
 * Exponential services of `mean` seconds whatever the batch, M/M(1,b)/c: the mean batch, the probability to wait, r of
 * below, and the probability that more than a batch wait when somebody does. With q behind c busy
 * servers the cut between q and q + 1 says λ·P(q) = (c/mean)·ΣP(q + i), i = 1 … b, so that P(q) falls as r^q with
 * c(r + … + r^b) = λ·mean; below c busy it is M/M/c. Who waits, waits for a geometric number of ends of services:
 * exponentially, mean/(c(1 - r^b)), which is one end and r^b/(1 - r^b) more. b = 1 is Erlang C. null: the queue grows without end.
 */
function takenAt({ servers, rate, most }: Pick<Bulk, 'servers' | 'rate' | 'most'>, mean: number) {
  const offered = rate * mean
  if (offered >= servers * most) return null
  if (offered === 0) return { batch: 1, waits: 0, fall: 0, longer: 0, mean }
  const fall = fallOf(offered / servers, most)
  const blocked = erlangB(servers, offered)
  const all = 1 + (blocked * fall) / (1 - fall)
  const busy = (offered * (1 - blocked) + (servers * blocked * fall) / (1 - fall)) / all
  const longer = fall ** most
  return {
    batch: Math.min(most, Math.max(1, offered / busy)),
    waits: blocked / (1 - fall) / all,
    fall,
    longer,
    mean,
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
