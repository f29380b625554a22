import { erlangB } from '../queueing/erlang.ts'
import { delayed } from '../queueing/waiting.ts'
import { expectedAttempts } from '../static/tries.ts'

/** What a node can do, for attempts at one time: `c` servers that wait or refuse, and rates of tokens. */
export type Capacity = {
  /** servers; Infinity: there is no limit, or none that is known */
  servers: number
  over: 'wait' | 'refuse'
  /** of an attempt, seconds; null: nobody has said */
  mean: number | null
  scv: number
  /** attempts a second that are taken; beyond, refused or delayed */
  tokens: number
  tokensOver: 'refuse' | 'delay'
}

/** Attempts a second that it can do at most. */
export const most = ({ servers, mean, tokens }: Capacity): number =>
  Math.min(tokens, mean === null || mean === 0 ? Number.POSITIVE_INFINITY : servers / mean)

/**
 * The probability that an attempt is refused when x a second come: the part beyond the rate for tokens, and of what these
 * let in Erlang B for servers that let nobody wait.
 */
export function refused({ servers, over, mean, tokens, tokensOver }: Capacity, x: number): number {
  const byTokens = tokensOver === 'refuse' && x > tokens ? 1 - tokens / x : 0
  if (over !== 'refuse' || mean === null || !Number.isFinite(servers)) return byTokens
  return 1 - (1 - byTokens) * (1 - erlangB(servers, x * (1 - byTokens) * mean))
}

/**
 * The probability that wait and service exceed `patience` seconds: who waits in M/G/c waits exponentially (as in
 * queueing/waiting.ts), and the service is a constant and an exponential below scv 1, two exponentials with balanced means
 * above: both have the two moments, and closed forms. 1 from the capacity on.
 */
export function late(capacity: Capacity, x: number, patience: number): number {
  const { servers, over, mean, scv, tokens, tokensOver } = capacity
  if (!Number.isFinite(patience)) return 0
  if (tokensOver === 'delay' && x >= tokens) return 1
  if (mean === null) return 0
  if (over === 'refuse' || !Number.isFinite(servers)) return lateAfter(0, 1, mean, scv, patience)
  const wait = delayed(servers, x, { mean, scv })
  if (wait === null) return 1
  return lateAfter(wait.waits, wait.scale > 0 ? 1 / wait.scale : 1, mean, scv, patience)
}

/** With probability `waits` an exponential wait of this rate, and then a service. */
function lateAfter(waits: number, rate: number, mean: number, scv: number, patience: number): number {
  const after = (of: number, left: number) => {
    if (left <= 0) return 1
    if (of === 0) return waits * Math.exp(-rate * left)
    return (1 - waits) * Math.exp(-left / of) + waits * both(rate, 1 / of, left)
  }
  if (scv <= 1) {
    const chance = mean * Math.sqrt(scv)
    return after(chance, patience - (mean - chance))
  }
  const part = (1 + Math.sqrt((scv - 1) / (scv + 1))) / 2
  return part * after(mean / (2 * part), patience) + (1 - part) * after(mean / (2 * (1 - part)), patience)
}

/** P(A + B > t) of two independent exponentials with these rates. */
function both(a: number, b: number, t: number): number {
  if (Math.abs(a - b) < 1e-6 * Math.max(a, b)) return (1 + a * t) * Math.exp(-a * t)
  return (a * Math.exp(-b * t) - b * Math.exp(-a * t)) / (a - b)
}

/** What a caller does when an attempt fails. */
export type Policy = {
  attempts: number
  /** of all attempts, at most so many more than messages; Infinity: no budget */
  budget: number
  /** at so much failing it sends nothing on until it gets better; above 1: never */
  breaker: number
}

/** Attempts for each message when each fails with probability q by itself. */
export function attemptsOf({ attempts, budget, breaker }: Policy, q: number): number {
  if (q >= breaker) return 0
  return Math.min(expectedAttempts(q, attempts), 1 + budget)
}
