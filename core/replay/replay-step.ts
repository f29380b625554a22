import * as z from 'zod'
import type { Identity } from '../../events/envelope.ts'
import type { ReplaySelection } from '../../events/replay.ts'
import type { Route } from '../../events/route.ts'
import { Failure } from '../errors.ts'
import type { Delivery, DeliveryKey, Fate, History, PageEntry, StoredEvent } from '../ports.ts'

/** What walks through the history go by: what is wanted, how far they are, and what they come upon. */

/**
 * Of a list: what began at the cursor, and how much of that has been looked at. Of a key's, `since`: the sequence that it
 * began with.
 */
const listed = z.object({
  cursor: z.string().optional(),
  next: z.number().int().min(0),
  since: z.number().optional(),
})
export type Listed = z.infer<typeof listed>

/**
 * How far a walk through the history has come: behind what it names. `place`: in the timeline, `next` is the first entry
 * of that page which was not looked at. `list`: in a story, a key or a single event. `lane`: amid the events of one key.
 */
export const position = z.object({
  place: z.object({ page: z.string(), shard: z.number().int(), next: z.number().int().min(0) }).optional(),
  list: listed.optional(),
  lane: listed.extend({ key: z.string() }).optional(),
})
export type WalkPosition = z.infer<typeof position>

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
  upTo?: NonNullable<WalkPosition['place']> | undefined
}

export type RecordedFate = { stored: StoredEvent; deliveries: readonly (DeliveryKey & Delivery)[] }

/** One step of a walk: where it stands then, and the event that it came upon, if any. */
export type Step = { at: WalkPosition; found?: RecordedFate; unreadable?: true }

export type WalkDeps = {
  history: Pick<History, 'pages' | 'story' | 'byKey' | 'sourcesOf' | 'fate'>
  route: Route
  /** whether fates are read consistently: the other costs half, and may be seconds old */
  consistent: boolean
}

/** Events whose fate is read at once. */
export const together = 25

/** Entries without an event are left out: their page was written and they were not, or they have expired. */
export async function fateOf(
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
export function fits(entry: Omit<PageEntry, 'source' | 'id'>, selection: Scope['selection']): boolean {
  const { since, until, type, key, story } = selection
  return (
    (type === undefined || entry.type === type) &&
    (key === undefined || entry.partitionkey === key) &&
    (story === undefined || entry.correlationid === story) &&
    (since === undefined || entry.received >= new Date(since).toISOString()) &&
    (until === undefined || entry.received <= new Date(until).toISOString())
  )
}

export const isWanted = ({ event, page: { page } }: StoredEvent, scope: Scope): boolean =>
  page > scope.after && page <= scope.to && fits(event, scope.selection)
