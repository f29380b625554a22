import type { Identity } from '../../events/envelope.ts'
import { identityText } from '../identity.ts'
import type { History, Listing } from '../ports.ts'
import {
  fateOf,
  isWanted,
  type Listed,
  type Scope,
  type Step,
  together,
  type WalkDeps,
} from './replay-step.ts'

// ---- lists: a story, the events of a key, a single event

type List = (cursor: string | undefined) => Promise<Listing<Identity>>

type ListStep = { step: Omit<Step, 'at'>; at: Listed }

/** What the list says that holds all of the selection; undefined where only the timeline does. */
export function listedSteps(
  scope: Scope,
  from: Listed | undefined,
  deps: WalkDeps,
): AsyncGenerator<ListStep> | undefined {
  const { project, selection, among } = scope
  const { event, story, key } = selection
  if (among !== undefined) return through(givenList(project, among), from, deps)
  if (event !== undefined) return through(givenList(project, [event]), from, deps)
  if (story !== undefined) return through(storyList(project, story, deps.history), from, deps)
  const isIndexed = deps.route.types.every((type) => typeof type !== 'string' && type.ordered)
  return key !== undefined && isIndexed ? ofKey(scope, key, from, deps) : undefined
}

const givenList =
  (project: string, given: readonly { source: string; id: string }[]): List =>
  async (cursor = '0') => {
    const end = Number(cursor) + together
    const items = given.slice(Number(cursor), end).map((one) => ({ project, ...one }))
    return { items, next: end < given.length ? String(end) : undefined }
  }

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

/** `isOver`: whether a page says that nothing behind it is wanted. */
async function* through(
  list: List,
  from: Listed | undefined,
  { history, consistent }: WalkDeps,
  isOver: (page: readonly Omit<Step, 'at'>[]) => boolean = () => false,
): AsyncGenerator<ListStep> {
  let cursor = from?.cursor
  let start = from?.next ?? 0
  for (;;) {
    const { items, next } = await list(cursor)
    const rest = items.slice(start)
    const fates = await Promise.all(rest.map((identity) => fateOf(history, identity, consistent)))
    for (const [index, step] of fates.entries())
      yield { step, at: { ...(cursor === undefined ? {} : { cursor }), next: start + index + 1 } }
    if (next === undefined || isOver(fates)) return
    cursor = next
    start = 0
  }
}

// ---- a key

const areAll = (page: readonly Omit<Step, 'at'>[], stand: (page: string) => boolean): boolean =>
  page.length > 0 && page.every(({ found }) => found !== undefined && stand(found.stored.page.page))

/** From the first that is wanted of it up to a page of events that were written after all that is. */
export async function* ofKey(
  scope: Scope,
  key: string,
  from: Listed | undefined,
  deps: WalkDeps,
): AsyncGenerator<ListStep> {
  const since = from === undefined ? (await firstOf(scope, key, deps)).since : from.since
  if (from === undefined && since === undefined) return
  const about = { project: scope.project, partitionkey: key, from: since, limit: together }
  const list: List = (cursor) => deps.history.byKey({ ...about, cursor })
  const isOver = (page: readonly Omit<Step, 'at'>[]) => areAll(page, (written) => written > scope.to)
  for await (const { step, at } of through(list, from, deps, isOver))
    yield { step, at: since === undefined ? at : { ...at, since } }
}

/** Where what is wanted of a key begins. `since`: with what cannot be read right before it, which may be wanted. */
export type First = { first?: string | undefined; since?: number | undefined }

type Read = Omit<Step, 'at'> & { item: Identity & { sequence: number } }

const isMeant = ({ found }: Read, scope: Scope): boolean =>
  found !== undefined && isWanted(found.stored, scope)

/**
 * A key may be very much older than what is asked for, and go on very long behind it. Sequences are written down in their
 * order but for a few, so the time of writing leads to where it begins; from there it is read page by page.
 */
export async function firstOf(scope: Scope, key: string, deps: WalkDeps): Promise<First> {
  const head = await readKey({ scope, key, from: 0 }, deps)
  const isThere = head.next === undefined || head.page.some((one) => isMeant(one, scope))
  let read = isThere ? head : await beginning(scope, key, deps)
  let unread: number | undefined
  for (;;) {
    const { from, page, next } = read
    const reached = page.find((one) => isMeant(one, scope))
    unread = unreadBefore(reached, page, unread)
    if (reached !== undefined)
      return { first: identityText(reached.item), since: unread ?? reached.item.sequence }
    if (next === undefined || areAll(page, (written) => written > scope.to)) return { since: unread }
    read = await readKey({ scope, key, from, cursor: next }, deps)
  }
}

type OfKey = { scope: Scope; key: string; from: number; cursor?: string | undefined }
type KeyPage = { from: number; page: readonly Read[]; next: string | undefined }

const listKey = (
  { scope, key, from, cursor }: OfKey,
  { history }: WalkDeps,
): ReturnType<WalkDeps['history']['byKey']> =>
  history.byKey({ project: scope.project, partitionkey: key, from, cursor, limit: together })

async function readKey(of: OfKey, deps: WalkDeps): Promise<KeyPage> {
  const { items, next } = await listKey(of, deps)
  const page = await Promise.all(
    items.map(async (item): Promise<Read> => {
      const fate = await fateOf(deps.history, item, deps.consistent)
      return { ...fate, item }
    }),
  )
  return { from: of.from, page, next }
}

/**
 * The last page of a key, or one shortly before it, that was written before all that is wanted. What it comes upon depends
 * on no end of the key, both of which move: it is the same at each look.
 */
async function beginning(scope: Scope, key: string, deps: WalkDeps): Promise<KeyPage> {
  let [before, behind] = [0, 1]
  while (!(await isBehind({ scope, key, from: behind }, deps))) [before, behind] = [behind, 2 * behind]
  while (behind - before > together) {
    const middle = Math.floor((before + behind) / 2)
    if (await isBehind({ scope, key, from: middle }, deps)) behind = middle
    else before = middle
  }
  const { items } = await listKey({ scope, key, from: before }, deps)
  const span = (items.at(-1)?.sequence ?? before) - before
  for (let back = Math.max(together, span); ; back *= 2) {
    const read = await readKey({ scope, key, from: Math.max(0, before - back) }, deps)
    if (read.from === 0 || areAll(read.page, (written) => written <= scope.after)) return read
  }
}

/** Whether the first event from a sequence on was not written before what is wanted; of those that can be read. */
async function isBehind(of: OfKey, deps: WalkDeps): Promise<boolean> {
  const { items } = await listKey(of, deps)
  for (const item of items) {
    const { found } = await fateOf(deps.history, item, deps.consistent)
    if (found !== undefined) return found.stored.page.page > of.scope.after
  }
  return true
}

/** The first of those that cannot be read, behind the last that was read and is not wanted. */
function unreadBefore(
  reached: Read | undefined,
  page: readonly Read[],
  before: number | undefined,
): number | undefined {
  const passed = reached === undefined ? page : page.slice(0, page.indexOf(reached))
  const last = passed.findLastIndex(({ found }) => found !== undefined)
  const behind = passed.slice(last + 1).find(({ unreadable }) => unreadable)?.item.sequence
  return last === -1 ? (before ?? behind) : behind
}
