import { curveOf, type Fold, factorAt, foldOf, fullAt, type Point } from './curve.ts'
import type { NonlinearReport } from './report.ts'
import { differ, type Steady, sourcesOf, steadyAt } from './settle.ts'
import type { Site } from './site.ts'

/** What is known of one site by itself. */
type Alone = { fold: Fold | undefined; curve: Point[]; critical: Critical | null; top: number }
type Critical = NonlinearReport['mesh']['critical'] & object
type Group = {
  critical: (Critical & { site: number }) | null
  hysteresis: { from: number; to: number } | null
}

type Around = {
  alone: readonly Alone[]
  active: readonly boolean[]
  range: { from: number; to: number }
  rooms: { idle: Steady; collapsed: Steady }
}

const sides = ['idle', 'collapsed'] as const

/** `highest`: attempts a second that can come at all; 0: too few to look. */
export function aloneOf(site: Site, highest: number, { from, to }: { from: number; to: number }): Alone {
  const top = site.can
  if (highest === 0 || site.inflows.length === 0) return { fold: undefined, curve: [], critical: null, top }
  const sources = sourcesOf(site)
  const endOf = (end: number, by: Critical['by'], below: number): Critical | null => {
    const full = site.inflows.some(({ cap }) => Number.isFinite(cap)) ? fullAt(sources, below) : end
    if (Math.min(full, end) > to) return null
    return full < end ? { factor: full, by: 'capacity' } : { factor: end, by }
  }
  if (!Number.isFinite(site.can))
    return { fold: undefined, curve: [], critical: endOf(Number.POSITIVE_INFINITY, 'capacity', highest), top }
  const curve = curveOf(sources, site.can, Math.max(highest, 1.2 * site.can))
  const fold = foldOf(sources, curve)
  const almost = site.can * (1 - 1e-9)
  return {
    fold,
    curve: curve.filter(({ factor }) => factor >= from && factor <= to),
    critical:
      fold === undefined
        ? endOf(factorAt(sources, almost), 'capacity', almost)
        : endOf(fold.top.factor, 'fold', fold.top.rate),
    top: fold?.top.rate ?? site.can,
  }
}

/** The least load factor at which one of the group leaves its state of few attempts, by bisection of what is monotone. */
export function criticalOf(
  sites: readonly Site[],
  members: readonly number[],
  { alone, active, range: { from, to }, rooms }: Around,
): Group {
  const [only = 0] = members
  if (members.length === 1) {
    const { critical = null, fold } = alone[only] ?? {}
    return {
      critical: critical && { ...critical, site: only },
      hysteresis: fold === undefined ? null : { from: fold.bottom.factor, to: fold.top.factor },
    }
  }
  const watched = members.filter((site) => active[site])
  if (watched.length === 0) return { critical: null, hysteresis: null }
  const gone = (factor: number): number | undefined => {
    steadyAt(sites, members, { factor, from: 'idle' }, rooms.idle)
    const { rates, brought } = rooms.idle
    // a poll brings no more than it has servers for, however much there is to bring
    const over = (site: number) =>
      Math.max((rates[site] ?? 0) / (alone[site]?.top ?? Number.POSITIVE_INFINITY), brought[site] ?? 0)
    const worst = watched.toSorted((a, b) => over(b) - over(a))[0]
    return worst !== undefined && over(worst) > 1 ? worst : undefined
  }
  const site = gone(to)
  if (site === undefined) return { critical: null, hysteresis: null }
  const least = Math.min(from, ...watched.map((place) => alone[place]?.critical?.factor ?? to))
  let [low, high, limiting] = [gone(from) === undefined ? from : least / 100, to, site]
  for (let round = 0; round < 18; round++) {
    const middle = Math.sqrt(low * high)
    const found = gone(middle)
    if (found === undefined) low = middle
    else {
      high = middle
      limiting = found
    }
  }
  const end = Math.sqrt(low * high)
  const two = (factor: number): boolean => {
    for (const side of sides) steadyAt(sites, members, { factor, from: side }, rooms[side])
    return watched.some((place) => differ(rooms.idle, rooms.collapsed, place))
  }
  // as of one by itself, a fold of less than one in a thousand is rounding
  if (!two(low * (1 - 1e-3)))
    return { critical: { factor: end, by: 'capacity', site: limiting }, hysteresis: null }
  let [below, above] = [Math.min(from, low) / 1000, low]
  for (let round = 0; round < 16; round++) {
    const middle = Math.sqrt(below * above)
    if (two(middle)) above = middle
    else below = middle
  }
  return {
    critical: { factor: end, by: 'fold', site: limiting },
    hysteresis: { from: Math.sqrt(below * above), to: end },
  }
}
