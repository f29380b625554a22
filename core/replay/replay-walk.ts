import * as z from 'zod'
import type { Identity } from '../../events/envelope.ts'
import type { ReplaySelection } from '../../events/replay.ts'
import type { Route } from '../../events/route.ts'
import { Failure } from '../errors.ts'
import { identityOf } from '../event/admit.ts'
import { identityText } from '../identity.ts'
import type { Delivery, DeliveryKey, Fate, History, Listing, Page, PageEntry, StoredEvent } from '../ports.ts'
import { comparePlaces, pagesBetween } from './replay-pages.ts'

/** Of a list: what began at the cursor, and how much of that has been looked at. */
const listed = z.object({ cursor: z.string().optional(), next: z.number().int().min(0) })
type Listed = z.infer<typeof listed>

/**
 * How far a walk through the history has come: behind what it names. `place`: in the timeline, `next` is the first entry
 * of that page which was not looked at. `list`: in a story, a key or a single event. `lane`: amid the events of one key.
 */
export const position = z.object({
  place: z.object({ page: z.string(), shard: z.number().int(), next: z.number().int().min(0) }).optional(),
  list: listed.optional(),
  lane: listed.extend({ key: z.string() }).optional(),
})
export type Position = z.infer<typeof position>

/**
 * What is walked through. `after` and `to` bound the ids of timeline pages, which begin with their time of writing.
 * `among`: these alone. `upTo`: in the timeline no further than another walk has come.
 */
export type Scope = {
  project: string
  selection: Omit<ReplaySelection, 'asRecorded'>
  after: string
  to: string
  among?: readonly { source: string; id: string }[] | undefined
  upTo?: NonNullable<Position['place']> | undefined
}

export type Found = { stored: StoredEvent; deliveries: readonly (DeliveryKey & Delivery)[] }

/** One step of a walk: where it stands then, and the event that it came upon, if any. */
export type Step = { at: Position; found?: Found; unreadable?: true }

export type WalkDeps = {
  history: Pick<History, 'pages' | 'story' | 'byKey' | 'sourcesOf' | 'fate'>
  route: Route
  /** whether fates are read consistently: the other costs half, and may be seconds old */
  consistent: boolean
}

/** Events whose fate is read at once. */
const together = 25

/**
 * The events of a selection, each once, in the order in which they were written down; for an ordered route those of one
 * partition key together, by their sequence. Goes on behind a position that an earlier walk has reached.
 */
export async function* walk(scope: Scope, from: Position, deps: WalkDeps): AsyncGenerator<Step> {
  const { key, event } = scope.selection
  const isOne = key !== undefined || event !== undefined || scope.among !== undefined
  if (deps.route.ordered && !isOne) yield* byLanes(scope, from, deps)
  else yield* plain(scope, from, deps)
}

async function* plain(scope: Scope, from: Position, deps: WalkDeps): AsyncGenerator<Step> {
  const list = listOf(scope, deps)
  if (list === undefined) yield* timeline(scope, from, deps)
  else
    for await (const { step, at } of through(list, from.list, deps))
      if (step.found === undefined || isWanted(step.found.stored, scope)) yield { ...step, at: { list: at } }
      else yield { at: { list: at } }
}

// ---- the timeline

async function* timeline(scope: Scope, { place }: Position, deps: WalkDeps): AsyncGenerator<Step> {
  const { upTo } = scope
  for await (const one of pagesBetween(scope, place, deps.history)) {
    const { page, shard, whole } = one
    const beyond = upTo === undefined ? -1 : comparePlaces(one, upTo)
    if (beyond > 0) return
    const start = place !== undefined && comparePlaces(one, place) === 0 ? place.next : 0
    const end = beyond === 0 ? upTo?.next : undefined
    if (whole !== undefined) yield* entriesOf(whole, { start, end }, scope, deps)
    const next = end ?? Math.max(1, whole?.entries.length ?? 0)
    const unreadable = whole?.unreadable && start === 0
    yield { at: { place: { page, shard, next } }, ...(unreadable ? { unreadable } : {}) }
  }
}

/** The events of a page that are wanted, by their time of receipt; those that it alone lists. */
async function* entriesOf(
  { page, shard, entries }: Page,
  { start, end }: { start: number; end: number | undefined },
  scope: Scope,
  { history, consistent }: WalkDeps,
): AsyncGenerator<Step> {
  const wanted = entries
    .toSorted((a, b) => compare(a.received, b.received))
    .map((entry, index) => ({ entry, index }))
    .slice(start, end)
    .filter(({ entry }) => fits(entry, scope.selection))
  for (let first = 0; first < wanted.length; first += together) {
    const chunk = wanted.slice(first, first + together)
    const fates = await Promise.all(
      chunk.map(({ entry: { source, id } }) =>
        fateOf(history, { project: scope.project, source, id }, consistent),
      ),
    )
    for (const [position, { index }] of chunk.entries()) {
      const step = fates[position]
      const own = step?.found?.stored.page
      if (step?.unreadable || (own?.page === page && own.shard === shard))
        yield { ...step, at: { place: { page, shard, next: index + 1 } } }
    }
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Entries without an event are left out: their page was written and they were not, or they have expired. */
async function fateOf(
  history: Pick<History, 'fate'>,
  identity: Identity,
  consistent: boolean,
): Promise<Omit<Step, 'at'>> {
  try {
    const { stored, deliveries }: Fate = await history.fate(identity, { consistent })
    return stored === undefined ? {} : { found: { stored, deliveries } }
  } catch (error) {
    // what newer code wrote must not hold up all that came after it: it is counted
    if (!(error instanceof Failure && error.code === 'NewerVersion')) throw error
    return { unreadable: true }
  }
}

/** All that is named has to fit. */
function fits(entry: Omit<PageEntry, 'source' | 'id'>, selection: Scope['selection']): boolean {
  const { since, until, type, key, story } = selection
  return (
    (type === undefined || entry.type === type) &&
    (key === undefined || entry.partitionkey === key) &&
    (story === undefined || entry.correlationid === story) &&
    (since === undefined || entry.received >= new Date(since).toISOString()) &&
    (until === undefined || entry.received <= new Date(until).toISOString())
  )
}

const isWanted = ({ event, page: { page } }: StoredEvent, scope: Scope): boolean =>
  page > scope.after && page <= scope.to && fits(event, scope.selection)

// ---- lists: a story, the events of a key, a single event

type List = (cursor: string | undefined) => Promise<Listing<Identity>>

/** The list that holds all of the selection; undefined where only the timeline does. */
function listOf({ project, selection, among }: Scope, { history, route }: WalkDeps): List | undefined {
  const { event, story, key } = selection
  if (among !== undefined) return givenList(project, among)
  if (event !== undefined) return async () => ({ items: [{ project, ...event }], next: undefined })
  if (story !== undefined) return storyList(project, story, history)
  const isIndexed = route.types.every((type) => typeof type !== 'string' && type.ordered)
  return key !== undefined && isIndexed ? keyList(project, key, history) : undefined
}

const givenList =
  (project: string, given: readonly { source: string; id: string }[]): List =>
  async (cursor = '0') => {
    const end = Number(cursor) + together
    const items = given.slice(Number(cursor), end).map((one) => ({ project, ...one }))
    return { items, next: end < given.length ? String(end) : undefined }
  }

const keyList =
  (project: string, partitionkey: string, history: Pick<History, 'byKey'>): List =>
  (cursor) =>
    history.byKey({ project, partitionkey, cursor, limit: together })

/** A story's first event is found by its id; the index has the others. */
const storyList =
  (project: string, correlationid: string, history: Pick<History, 'story' | 'sourcesOf'>): List =>
  async (cursor) => {
    if (cursor === undefined) {
      const sources = await history.sourcesOf(project, correlationid)
      return { items: sources.map((source) => ({ project, source, id: correlationid })), next: 'others' }
    }
    const inner = cursor === 'others' ? undefined : cursor.slice('others '.length)
    const { items, next } = await history.story({ project, correlationid, cursor: inner, limit: together })
    return { items, next: next === undefined ? undefined : `others ${next}` }
  }

async function* through(
  list: List,
  from: Listed | undefined,
  { history, consistent }: WalkDeps,
): AsyncGenerator<{ step: Omit<Step, 'at'>; at: Listed }> {
  let cursor = from?.cursor
  let start = from?.next ?? 0
  for (;;) {
    const { items, next } = await list(cursor)
    const rest = items.slice(start)
    const fates = await Promise.all(rest.map((identity) => fateOf(history, identity, consistent)))
    for (const [index, step] of fates.entries())
      yield { step, at: { ...(cursor === undefined ? {} : { cursor }), next: start + index + 1 } }
    if (next === undefined) return
    cursor = next
    start = 0
  }
}

// ---- ordered routes

/**
 * The timeline is in the order of writing, which need not be that of a key's sequence. So all that is wanted of a key is
 * walked through by its sequence at the place of its first, and passed over everywhere else: that needs no memory of
 * which keys have been, and is the same again after a crash.
 */
async function* byLanes(scope: Scope, from: Position, deps: WalkDeps): AsyncGenerator<Step> {
  const { lane, ...base } = from
  if (lane !== undefined) yield* oneLane(scope, base, lane, deps)
  const firsts = new Map<string, Promise<string | undefined>>()
  for await (const step of plain(scope, base, deps)) {
    const event = step.found?.stored.event
    if (event === undefined || event.sequence === undefined) {
      yield step
      continue
    }
    const first = firsts.get(event.partitionkey) ?? firstOf(scope, event.partitionkey, deps)
    if (firsts.size >= keysRemembered) firsts.clear()
    firsts.set(event.partitionkey, first)
    if ((await first) === identityText(identityOf(event)))
      yield* oneLane(scope, step.at, { key: event.partitionkey, next: 0 }, deps)
    yield { at: step.at }
  }
}

const keysRemembered = 5000

async function* oneLane(
  scope: Scope,
  base: Position,
  { key, ...from }: Listed & { key: string },
  deps: WalkDeps,
): AsyncGenerator<Step> {
  for await (const { step, at } of through(keyList(scope.project, key, deps.history), from, deps)) {
    const stands = { ...base, lane: { ...at, key } }
    if (step.found === undefined || isWanted(step.found.stored, scope)) yield { ...step, at: stands }
    else yield { at: stands }
  }
}

async function firstOf(
  scope: Scope,
  key: string,
  { history, consistent }: WalkDeps,
): Promise<string | undefined> {
  let cursor: string | undefined
  do {
    const { items, next } = await keyList(scope.project, key, history)(cursor)
    const fates = await Promise.all(items.map((identity) => fateOf(history, identity, consistent)))
    const first = fates.find(({ found }) => found !== undefined && isWanted(found.stored, scope))?.found
    if (first !== undefined) return identityText(identityOf(first.stored.event))
    cursor = next
  } while (cursor !== undefined)
  return undefined
}
