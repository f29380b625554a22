import { Failure } from '../errors.ts'
import { identityOf } from '../event/admit.ts'
import { identityText } from '../identity.ts'
import type { Fate, StoredEvent } from '../ports.ts'
import {
  compare,
  type EventSummary,
  emittedIds,
  emitterOf,
  type FatePorts,
  isCause,
  type ShownDelivery,
  severalSources,
  shownDeliveries,
  summary,
  unique,
} from './fate.ts'

export type TraceNode = {
  event: EventSummary
  deliveries: (ShownDelivery & {
    emitted: TraceNode[]
    /** ids it says it emitted that are not in this answer: not recorded yet, expired, or on another page */
    unseen: string[]
  })[]
  /** caused by this event past any of its deliveries: a command's events, and what outsiders claim */
  caused: TraceNode[]
}

export type Trace = {
  story: string
  /** events in this answer */
  events: number
  roots: TraceNode[]
  /** where the story goes on; later pages hold events whose causes are on earlier ones, as roots */
  next: string | undefined
}

export type TraceQuery = {
  project: string
  /** the id of any event of the story, or the story's own (correlation) id */
  key: string
  source?: string | undefined
  cursor?: string | undefined
  limit: number
}

/** @throws Failure NotFound; Conflict when the id stands for events of several stories and no source is named */
export async function trace({ history, memory }: FatePorts, query: TraceQuery): Promise<Trace> {
  const { project, cursor, limit } = query
  const story = await storyOf(history, query)
  const page = await history.story({ project, correlationid: story, cursor, limit })
  const firsts =
    cursor === undefined
      ? (await history.sourcesOf(project, story)).map((source) => ({ project, source, id: story }))
      : []
  const fates = await inTurns(unique([...firsts, ...page.items]), 20, (identity) => history.fate(identity))
  const known: Known[] = []
  for (const { stored, deliveries } of fates)
    if (stored?.event.correlationid === story)
      known.push({ stored, deliveries, shown: await shownDeliveries({ memory }, stored, deliveries) })
  if (known.length === 0 && cursor === undefined)
    throw new Failure('NotFound', `no event and no story ${query.key} in project ${project}`)
  return { story, events: known.length, roots: treeOf(known), next: page.next }
}

async function storyOf(history: FatePorts['history'], { project, key, source }: TraceQuery): Promise<string> {
  const sources = source === undefined ? await history.sourcesOf(project, key) : [source]
  const events = await history.getEvents(sources.map((from) => ({ project, source: from, id: key })))
  const stories = new Set(events.flatMap((stored) => (stored ? [stored.event.correlationid] : [])))
  if (stories.size > 1) throw severalSources(key, sources)
  const [story] = stories
  if (story === undefined && source !== undefined)
    throw new Failure('NotFound', `no event ${key} from ${source} in project ${project}`)
  return story ?? key
}

type Known = { stored: StoredEvent; deliveries: Fate['deliveries']; shown: readonly ShownDelivery[] }

/**
 * Each event once, below what caused it. What we record ourselves cannot go in circles, but an outsider may claim that
 * two events caused each other: the older of them is then a root.
 */
function treeOf(known: readonly Known[]): TraceNode[] {
  const byAge = known.toSorted((a, b) => compare(a.stored.event.received, b.stored.event.received))
  const parents = parentsOf(byAge)
  const children = Map.groupBy(byAge, (item) => parents.get(item))
  const placed = new Set<Known>()
  const build = (item: Known): TraceNode => {
    placed.add(item)
    const below = (children.get(item) ?? []).filter((child) => !placed.has(child))
    const { event } = item.stored
    const caused = below.filter(({ stored }) => isCause(event, stored.event))
    const deliveries = item.shown.map((delivery) => ({
      ...delivery,
      emitted: caused
        .filter(({ stored }) => emitterOf(stored.event, item.shown, item.deliveries) === delivery)
        .map(build),
      unseen: unseen(delivery, item, caused),
    }))
    return {
      event: summary(event),
      deliveries,
      // what no delivery has taken
      caused: below.filter((child) => !placed.has(child)).map(build),
    }
  }
  const roots = (children.get(undefined) ?? []).map(build)
  for (const item of byAge) if (!placed.has(item)) roots.push(build(item))
  return roots
}

function parentsOf(known: readonly Known[]): Map<Known, Known> {
  const byIdentity = new Map(known.map((item) => [identityText(identityOf(item.stored.event)), item]))
  const byId = Map.groupBy(known, ({ stored }) => stored.event.id)
  const parents = new Map<Known, Known>()
  for (const item of known) {
    const { cause, causationid, project } = item.stored.event
    const claimed = causationid === undefined ? [] : (byId.get(causationid) ?? [])
    const parent =
      cause === undefined
        ? // a claim names an id alone, so it counts only where that is one event
          claimed.length === 1
          ? claimed[0]
          : undefined
        : byIdentity.get(identityText({ project, source: cause.source, id: cause.id }))
    if (parent !== undefined && parent !== item) parents.set(item, parent)
  }
  return parents
}

function unseen(delivery: ShownDelivery, { deliveries }: Known, caused: readonly Known[]): string[] {
  const seen = new Set(
    caused
      .filter(({ stored }) => stored.event.cause?.by === delivery.subscriber)
      .map(({ stored }) => stored.event.id),
  )
  return emittedIds(delivery, deliveries).filter((id) => !seen.has(id))
}

/** Asks for each item, at most `width` at once; answers in order. */
async function inTurns<T, R>(items: readonly T[], width: number, ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = []
  for (let from = 0; from < items.length; from += width)
    answers.push(...(await Promise.all(items.slice(from, from + width).map(ask))))
  return answers
}
