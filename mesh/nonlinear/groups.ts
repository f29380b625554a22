import { components } from '../linear/components.ts'
import type { Site } from './sites.ts'

/** Edges to the callers: sinks come first, which are those that nobody calls. */
const callersOf = (sites: readonly Site[]): number[][] =>
  sites.map(({ inflows }) => inflows.flatMap(({ caller }) => (caller === null ? [] : [caller])))

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

/** Sites that have to be solved together: who waits for whom, and who shares what may run out. Callers first. */
export function groupsOf(
  sites: readonly Site[],
  rates: readonly number[],
): { groups: number[][]; active: boolean[] } {
  const active = sites.map(({ can }, site) => (rates[site] ?? 0) > calm * can)
  const next = sites.map((): number[] => [])
  const tie = (one: number, other: number) => {
    next[one]?.push(other)
    next[other]?.push(one)
  }
  sites.forEach(({ asks, pools }, site) => {
    for (const { site: asked } of asks)
      if (active[site] || active[asked] || (sites[asked]?.fails ?? 0) > 0) tie(site, asked)
    for (const { pool } of pools) if (active[pool]) tie(site, pool)
  })
  return { groups: components(next).map((members) => members.toSorted((a, b) => a - b)), active }
}
