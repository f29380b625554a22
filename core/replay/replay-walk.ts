import { identityOf } from '../event/admit.ts'
import { identityText } from '../identity.ts'
import type { Page } from '../ports.ts'
import { type First, firstOf, listedSteps, ofKey } from './replay-lists.ts'
import { comparePlaces, pagesBetween } from './replay-pages.ts'
import {
  fateOf,
  fits,
  isWanted,
  type Listed,
  type Scope,
  type Step,
  together,
  type WalkDeps,
  type WalkPosition,
} from './replay-step.ts'

/**
 * The events of a selection, each once, in the order in which they were written down; for an ordered route those of one
 * partition key together, by their sequence. Goes on behind a position that an earlier walk has reached.
 */
export async function* walk(scope: Scope, from: WalkPosition, deps: WalkDeps): AsyncGenerator<Step> {
  const { key, event } = scope.selection
  const isOne = key !== undefined || event !== undefined || scope.among !== undefined
  if (deps.route.ordered && !isOne) yield* byLanes(scope, from, deps)
  else yield* plain(scope, from, deps)
}

async function* plain(scope: Scope, from: WalkPosition, deps: WalkDeps): AsyncGenerator<Step> {
  const steps = listedSteps(scope, from.list, deps)
  if (steps === undefined) yield* timeline(scope, from, deps)
  else
    for await (const { step, at } of steps)
      if (step.found === undefined || isWanted(step.found.stored, scope)) yield { ...step, at: { list: at } }
      else yield { at: { list: at } }
}

// ---- the timeline

async function* timeline(scope: Scope, { place }: WalkPosition, deps: WalkDeps): AsyncGenerator<Step> {
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

// ---- ordered routes

/**
 * The timeline is in the order of writing, which need not be that of a key's sequence. So all that is wanted of a key is
 * walked through by its sequence at the place of its first, and passed over everywhere else: that needs no memory of
 * which keys have been, and is the same again after a crash.
 */
async function* byLanes(scope: Scope, from: WalkPosition, deps: WalkDeps): AsyncGenerator<Step> {
  const { lane, ...base } = from
  if (lane !== undefined) yield* oneLane(scope, base, lane, deps)
  const firsts = new Map<string, Promise<First>>()
  for await (const step of plain(scope, base, deps)) {
    const event = step.found?.stored.event
    if (event === undefined || event.sequence === undefined) {
      yield step
      continue
    }
    const first = firsts.get(event.partitionkey) ?? firstOf(scope, event.partitionkey, deps)
    if (firsts.size >= keysRemembered) firsts.clear()
    firsts.set(event.partitionkey, first)
    const { first: begins, since } = await first
    if (begins === identityText(identityOf(event)))
      yield* oneLane(scope, step.at, { key: event.partitionkey, next: 0, since }, deps)
    yield { at: step.at }
  }
}

const keysRemembered = 5000

async function* oneLane(
  scope: Scope,
  base: WalkPosition,
  { key, ...from }: Listed & { key: string },
  deps: WalkDeps,
): AsyncGenerator<Step> {
  for await (const { step, at } of ofKey(scope, key, from, deps)) {
    const stands = { ...base, lane: { ...at, key } }
    if (step.found === undefined || isWanted(step.found.stored, scope)) yield { ...step, at: stands }
    else yield { at: stands }
  }
}
