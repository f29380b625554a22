import { attemptsOf, late, type Policy, refused } from './failing.ts'
import type { Inflow, Site } from './site.ts'

/** What is tried otherwise than it stands in the template. */
export type Variant = {
  /** at most so many attempts at each layer */
  attempts: number
  budget: number
  breaker: number
  /** times the servers and tokens that there are */
  capacity: number
}

export const asItIs: Variant = {
  attempts: Number.POSITIVE_INFINITY,
  budget: Number.POSITIVE_INFINITY,
  breaker: 2,
  capacity: 1,
}

/** By site: attempts a second (of a pool: work), and the part of them that fails for their caller. */
export type Steady = {
  rates: Float64Array
  failing: Float64Array
  /** attempts of each as a caller, for each message */
  fanned: Float64Array
  /** of these those that there would be if nothing failed but what it sends, refused */
  again: Float64Array
  /** of the poll that has most to bring: how much of what it has servers for; above 1 its queue grows */
  brought: Float64Array
  /** whether all that was solved into it came to rest */
  settled: boolean
}

/** Room for a steady state, that of one group after the other. */
export const roomFor = (sites: readonly Site[]): Steady => ({
  rates: new Float64Array(sites.length),
  failing: new Float64Array(sites.length),
  fanned: new Float64Array(sites.length),
  again: new Float64Array(sites.length),
  brought: new Float64Array(sites.length),
  settled: true,
})

/** Different enough to be another state. */
export const differ = (low: Steady, high: Steady, site: number): boolean =>
  (high.rates[site] ?? 0) > (low.rates[site] ?? 0) * (1 + 1e-3) + 1e-12

/** Whether also in the state of the fewest attempts more comes than can be done, with so many times the capacity. */
export const isOver = (sites: readonly Site[], low: Steady, site: number, capacity = 1): boolean =>
  (low.rates[site] ?? 0) >= (sites[site]?.can ?? Number.POSITIVE_INFINITY) * capacity ||
  (low.brought[site] ?? 0) >= 1

const policyOf = ({ attempts }: Inflow, variant: Variant): Policy => ({
  attempts: Math.min(attempts, variant.attempts),
  budget: variant.budget,
  breaker: variant.breaker,
})

/**
 * The part of the attempts of an inflow that fails at its site, when x come in all. `beyond`: what of them the tightest limit
 * that it shares refuses; what one limit refuses the others need not.
 */
export function failingAt(
  site: Site,
  { patience }: Inflow,
  x: number,
  { capacity }: Variant = asItIs,
  beyond = 0,
): number {
  const one = x / capacity
  const tooLate = Math.max(late(site.capacity, one, patience), site.ended)
  return 1 - (1 - site.fails) * (1 - Math.max(refused(site.capacity, one), beyond)) * (1 - tooLate)
}

/** Sources of the site's own curve: callers as they are at rest, what it asks and shares without fault. */
export const sourcesOf = (site: Site, variant: Variant = asItIs) =>
  site.inflows.map((inflow) => ({
    rate: inflow.rate,
    attempts: (x: number) => attemptsOf(policyOf(inflow, variant), failingAt(site, inflow, x, variant)),
    cap: inflow.cap,
  }))

/**
 * The steady state of sites that depend on each other at a load factor: the least (from idle) or the largest (from
 * collapsed) fixed point. `members`: callers first, so that the first round from collapsed brings to each the most that can
 * come; whoever of them is called from elsewhere is so by who was solved before into the same room. More attempts fail more, what fails comes again, who fails fails who asks: all monotone, so that
 * the iteration from either side encloses every steady state (Tarski).
 *
 * x = s Σ λ A(q) M, M the attempts of a caller that waits, for each message; q of an attempt from its own site, from what
 * it asks (qⁿ after n tries each, to the power of the calls) and from what it shares. `into`: takes the result.
 */
export function steadyAt(
  sites: readonly Site[],
  members: readonly number[],
  { factor, from, variant = asItIs }: { factor: number; from: 'idle' | 'collapsed'; variant?: Variant },
  into: Steady,
): void {
  const { rates, failing, fanned, again, brought } = into
  const collapsed = from === 'collapsed'
  for (const member of members) {
    rates[member] = collapsed ? Number.MAX_VALUE : 0
    failing[member] = collapsed ? 1 : 0
    fanned[member] = collapsed ? Math.min(variant.attempts, worstOf(sites[member])) : 1
    again[member] = fanned[member]
  }
  const renew = (member: number): number => {
    const site = sites[member]
    if (site === undefined) return 0
    const [before, failed] = [rates[member] ?? 0, failing[member] ?? 0]
    const next =
      site.members.length > 0
        ? pool(sites, member, rates, variant)
        : node(site, { ...into, sites, factor, start: before, variant })
    rates[member] = next.rate
    failing[member] = next.failing
    fanned[member] = next.fanned
    again[member] = next.again
    brought[member] = next.brought
    return Math.max(
      Math.abs(next.rate - before) / Math.max(next.rate, 1e-12),
      Math.abs(next.failing - failed),
    )
  }
  let change = 1
  for (let round = 0; round < rounds && change >= 1e-8; round++) {
    change = round === 0 ? 1 : 0
    for (const member of members) change = Math.max(change, renew(member))
  }
  into.settled &&= change < 1e-8
}

const rounds = 2000

const worstOf = (site: Site | undefined): number =>
  Math.max(1, ...(site?.inflows.map(({ attempts }) => attempts) ?? []))

type Next = { rate: number; failing: number; fanned: number; again: number; brought: number }

type Around = Steady & {
  sites: readonly Site[]
  factor: number
  start: number
  variant: Variant
}

function node(site: Site, around: Around): Next {
  const { sites, rates, factor, start, failing, fanned, again, variant } = around
  let [holds, taken] = [1, 1]
  for (const { site: asked, calls, attempts, sent } of site.asks) {
    const fails = sent ? turnedAway(sites[asked], rates[asked] ?? 0, variant) : (failing[asked] ?? 0)
    const holding = (1 - fails ** Math.min(attempts, variant.attempts)) ** calls
    holds *= holding
    if (sent) taken *= holding
  }
  const beyond = site.pools.reduce((most, { pool: shared }) => Math.max(most, failing[shared] ?? 0), 0)
  let [messages, arriving, rate, lost, brought, repeated] = [0, 0, 0, 0, 0, 0]
  for (const inflow of site.inflows) {
    const { caller, sender } = inflow
    const times = caller !== null ? fanned[caller] : sender !== null ? again[sender] : 1
    const comes = factor * inflow.rate * (times ?? 1)
    const q = 1 - (1 - failingAt(site, inflow, start, variant, beyond)) * holds
    const brings = comes * attemptsOf(policyOf(inflow, variant), q)
    messages += factor * inflow.rate
    const most = inflow.cap * variant.capacity
    repeated += Math.min(factor * inflow.rate * attemptsOf(policyOf(inflow, variant), 1 - taken), most)
    arriving += comes
    rate += Math.min(brings, most)
    brought = Math.max(brought, brings / most)
    lost += comes * q
  }
  return {
    rate,
    failing: arriving === 0 ? 0 : lost / arriving,
    fanned: messages === 0 ? 1 : rate / messages,
    again: messages === 0 ? 1 : repeated / messages,
    brought,
  }
}

/** The part that its tokens refuse: who only sends learns of nothing else. */
const turnedAway = (site: Site | undefined, x: number, { capacity }: Variant): number => {
  const tokens = (site?.capacity.tokens ?? Number.POSITIVE_INFINITY) * capacity
  return x > tokens ? 1 - tokens / x : 0
}

function pool(sites: readonly Site[], member: number, rates: Float64Array, variant: Variant): Next {
  let rate = 0
  for (const place of sites[member]?.members ?? [])
    for (const { pool: shared, work } of sites[place]?.pools ?? [])
      if (shared === member) rate += (rates[place] ?? 0) * work
  const capacity = sites[member]?.capacity
  return {
    rate,
    failing: capacity === undefined ? 0 : refused(capacity, rate / variant.capacity),
    fanned: 1,
    again: 1,
    brought: 0,
  }
}
