import { append } from '../append.ts'

/** An edge that holds with this probability, by itself; one that is not directed is the same edge both ways. */
export type Link = { from: number; to: number; reliability: number }

/** As many vertices at once as bits of a number hold. */
const widest = 30

/** What becomes of a link or a vertex, in this order: `slot` is where a vertex stands while it is looked at. */
type Step = Try | Close
type Try = { link: Link; from: number; to: number }
type Close = { close: number; rootDone: boolean; sinkDone: boolean }

/**
 * Who is reached, as far as those need it that still have links ahead: from the root, by bits of slots; who leads to the
 * sink; and of all others whom each leads to.
 */
type State = { key: string; chance: number; reached: number; leading: number; leads: readonly number[] }

const [rootSlot, sinkSlot] = [-1, -2]

/**
 * The probability that `sink` is reached, link by link: states that tell the vertices of the frontier apart in the same way
 * are merged (Hardy, Lucet and Limnios 2007; for links one way with reachability in the place of components). What
 * counts is the frontier, not the size: a ladder has two vertices there at most. undefined: more than `most` states at once.
 */
export function byFrontier(
  links: readonly Link[],
  root: number,
  sink: number,
  { directed, most }: { directed: boolean; most: number },
): number | undefined {
  const steps = ordered(useful(links, root, sink, directed), root, sink)
  if (steps === undefined || most < 1) return undefined
  let states: State[] = [
    { key: '', chance: 1, reached: 0, leading: 0, leads: Array.from({ length: widest }, () => 0) },
  ]
  let [value, left] = [0, 20 * most]
  for (const step of steps) {
    const next = new Map<string, State>()
    const keep = (state: State) => {
      const known = next.get(state.key)
      if (known === undefined) next.set(state.key, state)
      else known.chance += state.chance
    }
    for (const state of states)
      value += 'close' in step ? closed(state, step, keep) : tried(state, step, directed, keep)
    states = [...next.values()]
    left -= states.length
    if (states.length > most / 2 || left < 0) return undefined
  }
  return value
}

/** Nobody looks at a vertex any more; what nothing can come of is let go. */
function closed(state: State, step: Close, keep: (state: State) => void): number {
  const rest = without(state, step.close)
  if ((rest.reached !== 0 || !step.rootDone) && (rest.leading !== 0 || !step.sinkDone)) keep(rest)
  return 0
}

/** A link holds or fails; answers the chance that the sink is reached by it. */
function tried(
  state: State,
  { link, from, to }: Try,
  directed: boolean,
  keep: (state: State) => void,
): number {
  const { reliability } = link
  if (reliability < 1) keep({ ...state, chance: state.chance * (1 - reliability) })
  const there = joined(state, from, to)
  const held = there === 'reached' || directed ? there : joined(there, to, from)
  if (held === 'reached') return state.chance * reliability
  keep({ ...held, chance: state.chance * reliability })
  return 0
}

/** The links on some way from the root to the sink, as far as their ends tell. */
function useful(links: readonly Link[], root: number, sink: number, directed: boolean): Link[] {
  const possible = links.filter(
    ({ from, to, reliability }) =>
      from !== to && reliability > 0 && !(directed && (to === root || from === sink)),
  )
  const ahead = reachable(possible, root, directed, false)
  const behind = reachable(possible, sink, directed, true)
  const lies = (vertex: number) => ahead.has(vertex) && behind.has(vertex)
  return possible.filter(({ from, to }) => lies(from) && lies(to))
}

function reachable(links: readonly Link[], start: number, directed: boolean, backward: boolean): Set<number> {
  const next = new Map<number, number[]>()
  for (const { from, to } of links) {
    if (!backward || !directed) append(next, from, to)
    if (backward || !directed) append(next, to, from)
  }
  const seen = new Set([start])
  for (const vertex of seen) for (const to of next.get(vertex) ?? []) seen.add(to)
  return seen
}

/**
 * All links of a vertex at a time, then it is closed: that vertex next which leaves the fewest open, of those the one that
 * is open the longest. undefined: more are open at once than there are slots.
 */
function ordered(links: readonly Link[], root: number, sink: number): Step[] | undefined {
  const isEnd = (vertex: number) => vertex === root || vertex === sink
  const around = linksAround(links)
  const left = (vertex: number) => around.get(vertex) ?? new Set<Link>()
  const grows = (vertex: number): number =>
    new Set(
      [...left(vertex)]
        .map(({ from, to }) => (from === vertex ? to : from))
        .filter((other) => !isEnd(other) && !open.has(other)),
    ).size
  const open = new Map<number, number>()
  const free = Array.from({ length: widest }, (_, slot) => slot)
  const steps: Step[] = []
  const slotOf = (vertex: number): number | undefined => {
    if (isEnd(vertex)) return vertex === root ? rootSlot : sinkSlot
    const slot = open.get(vertex) ?? free.pop()
    if (slot !== undefined) open.set(vertex, slot)
    return slot
  }
  const takeLinks = (vertex: number): boolean => {
    for (const link of left(vertex)) {
      const [from, to] = [slotOf(link.from), slotOf(link.to)]
      if (from === undefined || to === undefined) return false
      steps.push({ link, from, to })
      left(link.from).delete(link)
      left(link.to).delete(link)
    }
    return true
  }
  // those that are not open yet, the one with the fewest neighbours last
  const waiting = [...around.keys()]
    .filter((vertex) => !isEnd(vertex))
    .map((vertex) => ({ vertex, degree: grows(vertex) }))
    .toSorted((a, b) => b.degree - a.degree)
    .map(({ vertex }) => vertex)
  const done = new Set<number>()
  const nextOf = (): number | undefined => {
    while (done.has(waiting.at(-1) ?? -1) || open.has(waiting.at(-1) ?? -1)) waiting.pop()
    let best: { vertex?: number; opened: number } = { opened: Number.POSITIVE_INFINITY }
    const compare = (vertex: number, opened: number) => {
      if (opened < best.opened) best = { vertex, opened }
    }
    for (const vertex of open.keys()) compare(vertex, grows(vertex) - 1)
    const fresh = waiting.at(-1)
    if (fresh !== undefined) compare(fresh, grows(fresh))
    return best.vertex
  }
  for (let vertex = nextOf(); vertex !== undefined; vertex = nextOf()) {
    if (!takeLinks(vertex)) return undefined
    done.add(vertex)
    const slot = open.get(vertex)
    if (slot === undefined) continue
    open.delete(vertex)
    free.push(slot)
    steps.push({ close: slot, rootDone: left(root).size === 0, sinkDone: left(sink).size === 0 })
  }
  return takeLinks(root) ? steps : undefined
}

function linksAround(links: readonly Link[]): Map<number, Set<Link>> {
  const around = new Map<number, Set<Link>>()
  for (const link of links)
    for (const vertex of [link.from, link.to]) around.set(vertex, (around.get(vertex) ?? new Set()).add(link))
  return around
}

/** A state when who is at one slot leads to another. */
function joined(state: State, from: number, to: number): State | 'reached' {
  const { reached, leading, leads } = state
  const isIn = (bits: number, slot: number) => slot >= 0 && ((bits >> slot) & 1) === 1
  const fromRoot = from === rootSlot || isIn(reached, from)
  const toSink = to === sinkSlot || isIn(leading, to)
  if (fromRoot && toSink) return 'reached'
  if (to === rootSlot || from === sinkSlot || isIn(reached, to) || isIn(leading, from)) return state
  if (fromRoot) return named(state, reached | (1 << to) | (leads[to] ?? 0), leading, leads)
  const before = (bits: number, slot: number) => slot === from || isIn(bits, from)
  if (toSink) {
    let all = leading
    leads.forEach((bits, slot) => {
      if (before(bits, slot)) all |= 1 << slot
    })
    return named(state, reached, all, leads)
  }
  const beyond = (1 << to) | (leads[to] ?? 0)
  return named(
    state,
    reached,
    leading,
    leads.map((bits, slot) => (before(bits, slot) ? (bits | beyond) & ~(1 << slot) : bits)),
  )
}

/** Whoever is reached, or leads to the sink, leads to nobody else that counts; so that like states have one name. */
function named(state: State, reached: number, leading: number, leads: readonly number[]): State {
  const known = reached | leading
  const rest = leads.map((bits, slot) => (((known >> slot) & 1) === 1 ? 0 : bits & ~known))
  return { ...state, key: `${reached}|${leading}|${rest.join()}`, reached, leading, leads: rest }
}

const without = (state: State, slot: number): State =>
  named(
    state,
    state.reached & ~(1 << slot),
    state.leading & ~(1 << slot),
    state.leads.map((bits, other) => (other === slot ? 0 : bits & ~(1 << slot))),
  )
