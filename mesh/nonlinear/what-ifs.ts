import type { NonlinearReport } from './report.ts'
import { asItIs, differ, isOver, roomFor, steadyAt, type Variant } from './settle.ts'
import type { Site } from './site.ts'

/** What is tried: retries of at most a part of the messages, a breaker that opens when a part fails, times the capacity. */
const [budget, breaker, capacity] = [0.1, 0.5, 2]

type Groups = readonly (readonly number[])[]
type WhatIf = NonlinearReport['whatIfs'][number]

/**
 * Which mends would take away, at the load factor 1, the upper states, and the only states that are beyond a capacity. `open`:
 * those of the groups that have one of these.
 */
export function whatIfs(sites: readonly Site[], groups: Groups, open: Groups): WhatIf[] {
  const leading = leadingTo(sites, groups, open)
  const tries = open.flatMap((members) =>
    members.flatMap((site) => sites[site]?.inflows.map(({ attempts }) => attempts) ?? []),
  )
  const largest = Math.max(1, ...tries)
  const attempts = Array.from({ length: Math.min(10, Math.ceil(largest) - 1) }, (_, index) => index + 1)
  return [
    ...attempts.map((count) =>
      tried(sites, { open, leading }, `at most ${count} attempts at each layer`, { attempts: count }),
    ),
    tried(sites, { open, leading }, `a retry budget of ${100 * budget} %`, { budget }),
    tried(sites, { open, leading }, `a circuit breaker that opens at ${100 * breaker} % failures`, {
      breaker,
    }),
    {
      what: 'jitter alone',
      removes: open.length === 0 ? null : false,
      left: namesOf(sites, open),
      says: 'Jitter spreads attempts in time and changes none of the rates: every steady state stays as it is.',
    },
    tried(sites, { open, leading }, `${capacity} times the capacity`, { capacity }),
  ]
}

const namesOf = (sites: readonly Site[], groups: Groups): string[] =>
  groups.flatMap((members) => members.map((site) => sites[site]?.at ?? '')).toSorted()

function tried(
  sites: readonly Site[],
  { open, leading }: { open: Groups; leading: Groups },
  what: string,
  change: Partial<Variant>,
): WhatIf {
  if (open.length === 0)
    return { what, removes: null, left: [], says: 'There is no upper state at this load.' }
  const variant = { ...asItIs, ...change }
  const left: string[] = []
  const [low, high] = [roomFor(sites), roomFor(sites)]
  for (const members of leading) {
    steadyAt(sites, members, { factor: 1, from: 'idle', variant }, low)
    steadyAt(sites, members, { factor: 1, from: 'collapsed', variant }, high)
  }
  let folds = 0
  for (const site of open.flat()) {
    const two = differ(low, high, site)
    if (two) folds++
    if (two || isOver(sites, low, site, variant.capacity)) left.push(sites[site]?.at ?? '')
  }
  if (!low.settled || !high.settled)
    return {
      what,
      removes: null,
      left: left.toSorted(),
      says: 'It does not come to rest: more comes than can be done, and it opens and closes.',
    }
  return {
    what,
    removes: left.length === 0,
    left: left.toSorted(),
    says:
      left.length === 0
        ? 'There is one steady state left, of few attempts.'
        : folds > 0
          ? `${left.length} can still stay in a state of many attempts.`
          : `${left.length} ${left.length === 1 ? 'is' : 'are'} still asked for more than can be done.`,
  }
}

/** The open groups and whatever calls or shares into them, in the order of all: how often that comes is part of what comes. */
function leadingTo(sites: readonly Site[], groups: Groups, open: Groups): Groups {
  const needed = new Set(open.flat())
  return groups
    .toReversed()
    .filter((members) => {
      if (!members.some((site) => needed.has(site))) return false
      for (const site of members) {
        for (const { caller, sender } of sites[site]?.inflows ?? []) needed.add(caller ?? sender ?? site)
        for (const sharing of sites[site]?.members ?? []) needed.add(sharing)
      }
      return true
    })
    .toReversed()
}
