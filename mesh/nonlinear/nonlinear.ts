import { lawsAssumed } from '../laws/assumed.ts'
import type { Loaded } from '../load.ts'
import { type Rates, ratesOf } from '../static/rates.ts'
import { expectedAttempts } from '../static/tries.ts'
import { aloneOf, criticalOf } from './critical.ts'
import type { Point } from './curve.ts'
import { groupsOf, worstAttempts, worstRates } from './groups.ts'
import type { NonlinearReport } from './report.ts'
import { differ, isOver, roomFor, type Steady, steadyAt } from './settle.ts'
import type { Inflow, Site } from './site.ts'
import { sitesOf } from './sites.ts'
import { whatIfs } from './what-ifs.ts'

/** Load factors that are looked at. */
const range = { from: 0.1, to: 3 }

/**
 * Where attempts feed on themselves: what fails is tried again, and what is tried again makes more fail. Per site the whole
 * curve of steady states over the load factor, folds and all; of sites that depend on each other the least and the largest
 * steady state; the load factor at which the first leaves its state of few attempts; and what would take the other away.
 */
export function nonlinear(loaded: Loaded): NonlinearReport {
  const rates = ratesOf(loaded)
  const head = { range, assumptions: [...assumptions, ...lawsAssumed(loaded)] }
  const sites = sitesOf(loaded, rates)
  const worst = worstAttempts(sites)
  const most = worstRates(sites, worst, range.to)
  const storms = stormsOf(sites, worstRates(sites, worst, 1))
  const { groups, active } = groupsOf(sites, most, range.to)
  const alone = sites.map((site, place) =>
    aloneOf(site, active[place] === true ? (most[place] ?? 0) : 0, range),
  )
  const rooms = { idle: roomFor(sites), collapsed: roomFor(sites) }
  const solved = groups.map((members) => criticalOf(sites, members, { alone, active, range, rooms }))
  const [low, high] = [allAt(sites, groups, 'idle'), allAt(sites, groups, 'collapsed')]
  const open = groups.filter((members) => members.some((site) => differ(low, high, site)))
  const beyond = groups.filter((members) =>
    members.some((site) => differ(low, high, site) || isOver(sites, low, site)),
  )
  const first = solved
    .filter(({ critical }) => critical !== null)
    .toSorted((a, b) => (a.critical?.factor ?? 0) - (b.critical?.factor ?? 0))[0]
  const idOf = (site: number) => sites[site]?.at ?? ''
  const told = sites.map((site, place): NonlinearReport['sites'][number] => {
    const { fold, critical, curve } = alone[place] ?? { fold: undefined, critical: null, curve: [] }
    const together = solved.find((group) => group.critical?.site === place)?.critical ?? null
    const branch = ({ rates: all, failing }: Steady) => ({
      rate: all[place] ?? 0,
      failing: Math.min(1, Math.max(0, failing[place] ?? 0)),
    })
    const demand = demandOf(sites, place)
    const attempts = site.members.length > 0 ? sharedAttempts(sites, worst, place) : (worst[place] ?? 1)
    const isFull = (low.brought[place] ?? 0) >= 1
    const limit = Number.isFinite(site.can) ? site.can : null
    const amplification = limit === null ? null : (storms[place] ?? 0) / limit
    return {
      at: site.at,
      name: site.name,
      demand,
      capacity: limit,
      attempts,
      amplification,
      state: stateOf(site, Math.max(demand, low.rates[place] ?? 0), amplification, isFull),
      critical: critical ?? (together && { factor: together.factor, by: together.by }),
      hysteresis: fold === undefined ? null : { from: fold.bottom.factor, to: fold.top.factor },
      low: branch(low),
      high: branch(high),
      curve: fold === undefined ? [] : thinned(curve),
      complete: site.complete,
      notes: notesOf(site, isFull),
    }
  })
  return {
    ...head,
    mesh: {
      critical: first?.critical ? { factor: first.critical.factor, by: first.critical.by } : null,
      limiting: first?.critical ? idOf(first.critical.site) : null,
      hysteresis: first?.hysteresis ?? null,
      twoStates: open
        .flatMap((members) => members.filter((site) => differ(low, high, site)).map(idOf))
        .toSorted(),
      coupled: groups
        .filter((members) => members.length > 1)
        .map((members) => members.map(idOf).toSorted())
        .toSorted((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1)),
    },
    sites: told
      .filter(({ demand }) => demand > 0)
      .toSorted(
        (a, b) =>
          (a.critical?.factor ?? Number.POSITIVE_INFINITY) -
            (b.critical?.factor ?? Number.POSITIVE_INFINITY) ||
          (b.amplification ?? 0) - (a.amplification ?? 0) ||
          (a.at < b.at ? -1 : 1),
      ),
    whatIfs: whatIfs(sites, groups, beyond),
    unavailable: [
      ...endlessIn(loaded, rates.loops),
      ...sites
        .filter(({ notes }) => notes.length > 0)
        .map(({ at, name, notes }) => ({ at, name, why: notes.join('; ') })),
    ].toSorted((a, b) => (a.at < b.at ? -1 : 1)),
  }
}

/** Of each loop that never fades a place in it. */
const endlessIn = ({ states }: Loaded, loops: Rates['loops']) =>
  loops.flatMap(({ members }) => {
    const node = states[members[0] ?? -1]?.node
    const why = 'what goes round this loop never fades: there are no rates in it, nor behind it'
    return node === undefined ? [] : [{ at: node.id, name: node.name, why }]
  })

/** `least`: attempts a second in the state of the fewest, and not less than what is asked; `isFull`: one of its polls is. */
function stateOf(
  { can }: Site,
  least: number,
  amplification: number | null,
  isFull: boolean,
): NonlinearReport['sites'][number]['state'] {
  if (isFull) return 'overloaded'
  if (amplification === null) return 'unknown'
  if (least >= can) return 'overloaded'
  return amplification <= 1 ? 'stable' : 'vulnerable'
}

/**
 * What comes to each site when all fails, attempts a second (of what is shared: work). Whoever is pulled from holds back what
 * it could not do, and what tokens refuse of a service that pushes has used none of them: there it is what comes anyway,
 * and nothing can stick.
 */
function stormsOf(sites: readonly Site[], worst: readonly number[]): number[] {
  const storm = (place: number, isRefused = false): number => {
    const site = sites[place]
    if (site === undefined) return 0
    if (site.members.length > 0)
      return site.members.reduce(
        (sum, member) => sum + storm(member, refusesOnly(site)) * workOf(sites, member, place),
        0,
      )
    const anyway = ({ rate, attempts }: Inflow) => rate * expectedAttempts(site.fails, attempts)
    if (site.held) return site.inflows.reduce((sum, inflow) => sum + anyway(inflow), 0)
    const isUnspent = isRefused || refusesOnly(site)
    const pushed = site.inflows.filter(({ element }) => isUnspent && element.kind === 'delivery')
    return pushed.reduce(
      (sum, inflow) => sum - inflow.rate * inflow.attempts + anyway(inflow),
      worst[place] ?? 0,
    )
  }
  return sites.map((_, place) => storm(place))
}

/** Whether all that limits it are tokens, and nothing waits for them. */
const refusesOnly = ({ capacity: { servers, tokens, tokensOver } }: Site): boolean =>
  !Number.isFinite(servers) && Number.isFinite(tokens) && tokensOver === 'refuse'

const pulled =
  'its polls take no more than it has servers for, or are refused: what is beyond waits in the queue'
const full = 'one of its polls has fewer servers than comes to it: that queue grows'
const notesOf = ({ notes, held }: Site, isFull: boolean): string[] => [
  ...notes,
  ...(held ? [pulled] : []),
  ...(isFull ? [full] : []),
]

const demandOf = (sites: readonly Site[], place: number): number => {
  const { members = [], inflows = [] } = sites[place] ?? {}
  const own = inflows.reduce((sum, { rate }) => sum + rate, 0)
  return members.reduce((sum, member) => sum + demandOf(sites, member) * workOf(sites, member, place), own)
}

const workOf = (sites: readonly Site[], member: number, pool: number): number =>
  sites[member]?.pools.reduce((sum, share) => sum + (share.pool === pool ? share.work : 0), 0) ?? 0

function sharedAttempts(sites: readonly Site[], worst: readonly number[], place: number): number {
  const demand = demandOf(sites, place)
  const all = (sites[place]?.members ?? []).reduce(
    (sum, member) => sum + demandOf(sites, member) * workOf(sites, member, place) * (worst[member] ?? 1),
    0,
  )
  return demand === 0 ? 1 : all / demand
}

const thinned = (curve: readonly Point[]): Point[] => {
  const each = Math.ceil(curve.length / 48)
  return curve.filter((_, place) => place % each === 0 || place === curve.length - 1)
}

/** All sites at the load factor 1, each group from the same side. */
function allAt(sites: readonly Site[], groups: readonly number[][], from: 'idle' | 'collapsed'): Steady {
  const into = roomFor(sites)
  for (const members of groups) steadyAt(sites, members, { factor: 1, from }, into)
  return into
}

const assumptions = [
  'Attempts fail independently of each other; in an outage they do not, which is what the collapsed side stands for.',
  'A caller that waits and fails makes its calls again; what is sent on is sent once, when it went well.',
  'Who writes to what refuses it by its own tokens has failed, and writes again when it is tried again; a rate that all of a region share fails nobody who sends.',
  'Who comes from outside does not try again: nobody has said so.',
  'Work that is too late is done all the same.',
  'A queue holds back what its poll has no server for, or is refused; from there on it grows, and nothing is late.',
  'A message that always fails comes again each time its visibility ends, until it is dead-lettered or expires; a record of a stream in its turn.',
]
