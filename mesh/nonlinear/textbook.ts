import { serviceTimes } from '../queueing/sample.ts'
import { seeded } from '../random.ts'
import { curveOf, type Fold, foldOf, type Source, settledAt } from './curve.ts'
import { attemptsOf } from './failing.ts'

/** A server behind callers that try again when it does not answer in time. Rates per second, times in seconds. */
export type RetrySystem = { capacity: number; load: number; attempts: number }

export type RetryAnswer = {
  /** up to so much load no trigger can stick: capacity / attempts */
  stableUpTo: number
  state: 'stable' | 'vulnerable' | 'overloaded'
  /** attempts a second from the idle side and from the collapsed side */
  low: number
  high: number
  fold: Fold | undefined
}

/**
 * Metastable failure (Bronson et al., HotOS 2021, section 2): below its capacity the server answers all in time, above it
 * none, as every queue before it grows. The load factor of the fold is relative to `load`.
 */
export function retrySystem({ capacity, load, attempts }: RetrySystem): RetryAnswer {
  const policy = { attempts, budget: Number.POSITIVE_INFINITY, breaker: 2 }
  const sources: Source[] = [
    { rate: load, attempts: (x) => attemptsOf(policy, x > capacity ? 1 : 0), cap: Number.POSITIVE_INFINITY },
  ]
  return {
    stableUpTo: capacity / attempts,
    state: load <= capacity / attempts ? 'stable' : load <= capacity ? 'vulnerable' : 'overloaded',
    low: settledAt(sources, 1, 'idle'),
    high: settledAt(sources, 1, 'collapsed'),
    fold: foldOf(sources, curveOf(sources, capacity, 3 * attempts * Math.max(load, capacity))),
  }
}

/**
 * The same in a seeded run: Poisson arrivals, one first come first served server that does not know who has given up, each
 * caller tries again when an attempt has no answer after `timeout`. During the outage nothing is served. Answers the
 * attempts and the answers in time a second over the last `window` seconds.
 */
export function retryRun(
  { capacity, load, attempts }: RetrySystem,
  run: { timeout: number; outage: { from: number; to: number }; until: number; window: number; seed: number },
): { attempts: number; inTime: number } {
  const random = seeded(run.seed)
  const service = serviceTimes(1 / capacity, 1, random)
  const between = serviceTimes(1 / load, 1, random)
  // every attempt that fails comes again after the same time: who tries again does so in the order of the attempts
  const again: { at: number; left: number }[] = []
  let [next, first, free, tried, answered] = [between(), 0, 0, 0, 0]
  for (;;) {
    const retry = again[first]
    const fresh = retry === undefined || next <= retry.at
    const at = fresh ? next : retry.at
    const left = fresh ? attempts - 1 : retry.left
    if (at >= run.until) break
    if (fresh) next += between()
    else first++
    const begins = Math.max(at, free)
    const starts = begins >= run.outage.from && begins < run.outage.to ? run.outage.to : begins
    free = starts + service()
    const counts = at >= run.until - run.window
    if (counts) tried++
    if (free > at + run.timeout) {
      if (left > 0) again.push({ at: at + run.timeout, left: left - 1 })
    } else if (counts) answered++
  }
  return { attempts: tried / run.window, inTime: answered / run.window }
}

/**
 * The fibre bundle with equal load sharing and uniform thresholds: of the fibres U those stay whose threshold is above the
 * load that each bears, U(t+1) = 1 - σ/U(t) (Pradhan, Hansen, Chakrabarti, Rev. Mod. Phys. 2010, section III). From the
 * intact side; above σ = 1/4 all break. The same fold as of retries: what stays bears what fails.
 */
export function fibreBundle(load: number): number {
  let whole = 1
  for (let round = 0; round < 1_000_000; round++) {
    const next = 1 - load / whole
    if (next <= 0) return 0
    if (Math.abs(next - whole) < 1e-14) return next
    whole = next
  }
  return whole
}
