import { components } from '../linear/components.ts'
import { refused } from './failing.ts'
import { failingAt } from './settle.ts'
import type { Site } from './site.ts'

/** Edges to the callers: sinks come first, which are those that nobody calls. */
const callersOf = (sites: readonly Site[]): number[][] =>
  sites.map(({ inflows }) => inflows.flatMap(({ caller }) => (caller === null ? [] : [caller])))

/** And to those who send there what may be refused. */
const leadingTo = (sites: readonly Site[]): number[][] =>
  sites.map(({ inflows }) => inflows.flatMap(({ caller, sender }) => caller ?? sender ?? []))

/**
 * Attempts for each message at each site when everything fails: retries of all callers on the way that wait, times those
 * of the last. Round a loop of callers each is counted once.
 */
export function worstAttempts(sites: readonly Site[]): number[] {
  const worst = sites.map(() => 1)
  for (const members of components(callersOf(sites)))
    for (const member of members) {
      const { inflows = [] } = sites[member] ?? {}
      let [messages, attempts] = [0, 0]
      for (const { rate, attempts: tries, caller } of inflows) {
        messages += rate
        attempts += rate * tries * (caller === null || members.includes(caller) ? 1 : (worst[caller] ?? 1))
      }
      worst[member] = messages === 0 ? 1 : attempts / messages
    }
  return worst
}

/**
 * How much can come to each site at most at a load factor, attempts a second (of what is shared: work). What a poll has no
 * server for does not come, and is not handed on either.
 */
export function worstRates(sites: readonly Site[], worst: readonly number[], factor: number): number[] {
  const rates = sites.map(() => 0)
  const fanned = sites.map(() => 1)
  for (const members of components(callersOf(sites)))
    for (const member of members) {
      let [messages, attempts] = [0, 0]
      for (const { rate, attempts: tries, caller, cap } of sites[member]?.inflows ?? []) {
        const again = (caller === null ? 1 : (members.includes(caller) ? worst : fanned)[caller]) ?? 1
        messages += factor * rate
        attempts += Math.min(factor * rate * tries * again, cap)
      }
      rates[member] = attempts
      fanned[member] = messages === 0 ? 1 : attempts / messages
    }
  sites.forEach(({ pools }, member) => {
    for (const { pool, work } of pools) rates[pool] = (rates[pool] ?? 0) + (rates[member] ?? 0) * work
  })
  return rates
}

/** A limit that is never used more than this does nothing worth the name. */
const calm = 0.3

/** What never fails more of its attempts than this does not count as failing. */
const slight = 1e-6

/**
 * Sites that have to be solved together: who waits for whom, where the one may fail, and who shares what may run out. Each
 * group after those whose callers are in it or who share it, and in a group callers first. `rates`: the most that can
 * come, at a load factor.
 */
export function groupsOf(
  sites: readonly Site[],
  rates: readonly number[],
  factor: number,
): { groups: number[][]; active: boolean[] } {
  const active = sites.map(
    ({ can, inflows }, site) =>
      (rates[site] ?? 0) > calm * can ||
      inflows.some(({ rate, attempts, cap }) => factor * rate * attempts > calm * cap),
  )
  const counts = countingOf(sites, rates, active)
  const next = leadingTo(sites)
  sites.forEach(({ asks, pools }, site) => {
    for (const { site: asked } of asks) if (counts[asked]) next[site]?.push(asked)
    for (const { pool } of pools) {
      next[pool]?.push(site)
      if (counts[pool]) next[site]?.push(pool)
    }
  })
  const rank = new Map(
    components(leadingTo(sites))
      .flat()
      .map((site, place) => [site, sites[site]?.members.length === 0 ? place : place + sites.length]),
  )
  const byRank = (one: number, other: number) => (rank.get(one) ?? 0) - (rank.get(other) ?? 0)
  return { groups: components(next).map((members) => members.toSorted(byRank)), active }
}

/** Which sites those who wait for them or share them have to look at: near a limit, or failing, or asking who does. */
function countingOf(sites: readonly Site[], rates: readonly number[], active: readonly boolean[]): boolean[] {
  const counts = sites.map(
    (site, place) =>
      active[place] === true ||
      site.inflows.some((inflow) => failingAt(site, inflow, rates[place] ?? 0) > slight) ||
      refused(site.capacity, rates[place] ?? 0) > slight,
  )
  const open = counts.flatMap((one, site) => (one ? [site] : []))
  const callers = leadingTo(sites)
  for (let site = open.pop(); site !== undefined; site = open.pop())
    for (const leading of [...(callers[site] ?? []), ...(sites[site]?.members ?? [])])
      if (!counts[leading]) {
        counts[leading] = true
        open.push(leading)
      }
  return counts
}
