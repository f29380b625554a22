import * as z from 'zod'
import { changesBetween } from '../changes.ts'
import { type Shadowed, shadowedOf, shadowList, shadowRecord } from '../consume/shadow.ts'
import type { Counts } from '../counts.ts'
import { historyList } from '../domain/repository-history.ts'
import { Failure } from '../errors.ts'
import { boundedKey, canonicalJson } from '../identity.ts'
import type { Memory, MemoryRecord, RecordKey } from '../ports.ts'
import { stillPaused } from './rebuild-pause.ts'
import type { RebuildReport, RecordName } from './rebuild-state.ts'

/**
 * What a rebuild has to know of a subscriber beyond its events. `lists`: where all of its records stand, so that those
 * can be named which no event explains; beside these it looks through the lists that it came upon. `kept`: members of
 * its records that somebody else writes too: they stay as they are live. `others`: how often somebody else has written it.
 */
type Projection = {
  lists?: readonly string[]
  kept?: readonly string[]
  others?: (live: Record<string, unknown>) => number
}

const projections: ReadonlyMap<string, Projection> = new Map<string, Projection>([
  ['track-repository', { lists: [historyList] }],
  // what a run was started for is written by who starts it
  [
    'track-run',
    {
      lists: ['runs/open', 'runs/ended'],
      kept: ['event', 'attempt', 'replay'],
      others: (live) => ('event' in live ? 1 : 0),
    },
  ],
])

/** `whole`: the history has kept all that the subscriber has ever been sent. */
export type Rebuilt = { project: string; replay: string; subscriber: string; whole: boolean }

const together = 50
const mostNames = 100
/** Of so many records it is kept what differs, up to so many leaves. */
const mostExplained = 20
const mostChanges = 5
const mostLists = 200

const nameOf = ({ kind, name }: Pick<RecordKey, 'kind' | 'name'>): RecordName => ({ kind, name })

const textOf = ({ kind, name }: Pick<RecordKey, 'kind' | 'name'>): string => `${kind} ${name}`

/** The rebuilt record as it shall stand live. */
function asLive(shadow: Shadowed, live: MemoryRecord | undefined, subscriber: string): Shadowed {
  const kept = projections.get(subscriber)?.kept ?? []
  const [rebuilt, standing] = [membersOf(shadow.value), membersOf(live?.value)]
  if (rebuilt === undefined || standing === undefined || kept.length === 0) return shadow
  const own = Object.fromEntries(kept.flatMap((name) => (name in standing ? [[name, standing[name]]] : [])))
  return { ...shadow, value: { ...rebuilt, ...own } }
}

const membersOf = (value: unknown): Record<string, unknown> | undefined =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : undefined

/** Versions differ, and what tells when a record is forgotten follows from the others. */
const said = ({ value, place }: Pick<MemoryRecord, 'value' | 'place'>) => ({ value, place })

const isSame = (a: MemoryRecord, b: MemoryRecord): boolean =>
  canonicalJson(said(a)) === canonicalJson(said(b))

/** How many versions more than its copy a record had when it was last switched: these no event has made. */
const switched = z.object({ more: z.number().int() })

const switchedRecord = ({ project, kind, name }: RecordKey): RecordKey => ({
  project,
  kind: 'switched',
  name: boundedKey(`${kind}/${name}`),
})

/** By how many versions the live record is ahead of the copy, without what others wrote into it. */
function aheadBy(subscriber: string, rebuilt: MemoryRecord, live: MemoryRecord): number {
  const others = projections.get(subscriber)?.others?.(membersOf(live.value) ?? {}) ?? 0
  return live.version - others - rebuilt.version
}

/**
 * Whether the live record was made from more than the history keeps: each event that changes one makes a version of it,
 * so the copy would have as many. In its place the copy would take what it cannot know away.
 */
async function isOlder(
  { whole, subscriber }: Rebuilt,
  rebuilt: MemoryRecord,
  live: MemoryRecord,
  memory: Pick<Memory, 'get'>,
): Promise<boolean> {
  if (whole) return false
  const before = await memory.get(switchedRecord(live))
  const more = before === undefined ? 0 : switched.parse(before.value).more
  return aheadBy(subscriber, rebuilt, live) > more
}

export type Compared = {
  report: RebuildReport
  counts: Counts
  /** those to be replaced */
  differ: readonly RecordName[]
  lists: readonly string[]
  next: string | undefined
}

/** Lays some rebuilt records beside the live ones. */
export async function compareRebuilt(
  of: Rebuilt,
  { cursor, report, lists }: { cursor: string | undefined; report: RebuildReport; lists: readonly string[] },
  now: string,
  memory: Pick<Memory, 'get' | 'list'>,
): Promise<Compared> {
  const { project, replay, subscriber } = of
  const listing = await memory.list({
    project,
    list: shadowList(replay),
    oldestFirst: true,
    cursor,
    limit: together,
  })
  // live, these are forgotten
  const shadows = listing.items.map(shadowedOf).filter(({ expires = now }) => expires >= now)
  const live = await Promise.all(shadows.map((shadow) => memory.get({ project, ...nameOf(shadow) })))
  const pairs = shadows.map((shadow, index) => ({
    rebuilt: asLive(shadow, live[index], subscriber),
    live: live[index],
  }))
  const missing = pairs.filter((pair) => pair.live === undefined)
  const different = pairs.filter((pair) => pair.live !== undefined && !isSame(pair.rebuilt, pair.live))
  const isThatOlder = await Promise.all(
    different.map((pair) => pair.live && isOlder(of, pair.rebuilt, pair.live, memory)),
  )
  const older = different.filter((_, index) => isThatOlder[index])
  const own = projections.get(subscriber)?.lists ?? []
  const seen = shadows.flatMap(({ place }) => place?.list ?? [])
  return {
    report: {
      ...report,
      different: [
        ...report.different,
        ...different.map(({ rebuilt, live: standing }, index) => ({
          ...nameOf(rebuilt),
          changes:
            report.different.length + index < mostExplained
              ? changesBetween(standing && said(standing), said(rebuilt)).slice(0, mostChanges)
              : [],
        })),
      ].slice(0, mostNames),
      onlyRebuilt: [...report.onlyRebuilt, ...missing.map(({ rebuilt }) => nameOf(rebuilt))].slice(
        0,
        mostNames,
      ),
      older: [...report.older, ...older.map(({ rebuilt }) => nameOf(rebuilt))].slice(0, mostNames),
    },
    counts: {
      equal: pairs.length - missing.length - different.length,
      different: different.length,
      onlyRebuilt: missing.length,
      ...(older.length === 0 ? {} : { older: older.length }),
    },
    differ: [...different.filter((pair) => !older.includes(pair)), ...missing].map(({ rebuilt }) =>
      nameOf(rebuilt),
    ),
    lists: [...new Set([...own, ...lists, ...seen])].slice(0, mostLists),
    next: listing.next,
  }
}

/**
 * Looks through one live list for records that no event explains; those are left alone. The rebuilt ones are listed by
 * an index: one that did not show there yet is come upon here, by its key.
 */
export async function compareLive(
  of: Rebuilt,
  list: string,
  cursor: string | undefined,
  report: RebuildReport,
  memory: Pick<Memory, 'get' | 'list'>,
): Promise<{
  report: RebuildReport
  counts: Counts
  differ: readonly RecordName[]
  next: string | undefined
}> {
  const { project, replay, subscriber } = of
  const { items, next } = await memory.list({ project, list, oldestFirst: true, cursor, limit: together })
  const shadows = await Promise.all(items.map((item) => memory.get(shadowRecord(replay, item))))
  const alone = items.filter((_, index) => shadows[index] === undefined)
  const onlyLive = [...report.onlyLive, ...alone.map(nameOf)].slice(0, mostNames)
  const named = new Set(report.different.map(textOf))
  const unseen = (
    await Promise.all(
      items.map(async (item, index) => {
        const shadow = shadows[index]
        if (shadow === undefined || named.has(textOf(item)) || report.different.length >= mostNames) return []
        const rebuilt = asLive(shadowedOf(shadow), item, subscriber)
        if (isSame(rebuilt, item)) return []
        const changes = changesBetween(said(item), said(rebuilt)).slice(0, mostChanges)
        return [{ ...nameOf(item), changes, isOlder: await isOlder(of, rebuilt, item, memory) }]
      }),
    )
  ).flat()
  const shown = unseen.map(({ isOlder: _, ...one }) => one)
  const [older, differ] = [true, false].map((is) => unseen.filter((one) => one.isOlder === is).map(nameOf))
  const found = {
    ...report,
    onlyLive,
    different: [...report.different, ...shown].slice(0, mostNames),
    older: [...report.older, ...(older ?? [])].slice(0, mostNames),
  }
  const counts = {
    onlyLive: alone.length,
    different: unseen.length,
    ...(older?.length ? { older: older.length } : {}),
  }
  return { report: found, counts, differ: differ ?? [], next }
}

const tries = 5

/**
 * Puts rebuilt records in the place of live ones, each on the condition that it still is what is replaced, and that the
 * subscriber is paused: the control record is written anew with it, so that a resume in between refuses it. It is noted
 * how far that brings the versions of the record ahead of its events.
 * @throws Failure Conflict when the subscriber was resumed, Busy
 */
export async function switchSome(
  rebuilt: Rebuilt,
  names: readonly RecordName[],
  quiet: { at: string },
  memory: Pick<Memory, 'get' | 'commit'>,
): Promise<void> {
  for (const name of names) await switchOne(rebuilt, name, quiet, memory)
}

async function switchOne(
  { project, replay, subscriber }: Rebuilt,
  name: RecordName,
  quiet: { at: string },
  memory: Pick<Memory, 'get' | 'commit'>,
): Promise<void> {
  const key = { project, ...name }
  for (let attempt = 0; attempt < tries; attempt++) {
    const shadow = await memory.get(shadowRecord(replay, key))
    if (shadow === undefined) throw new Failure('Conflict', `the rebuilt ${name.kind} ${name.name} is gone`)
    const live = await memory.get(key)
    const control = await stillPaused(project, { subscriber, id: replay }, quiet, memory)
    if (control === undefined)
      throw new Failure('Conflict', `${subscriber} was resumed before all was switched`)
    const copy = asLive(shadowedOf(shadow), live, subscriber)
    const { value, place, expires } = copy
    const write = { ...key, version: (live?.version ?? 0) + 1, value, place, expires }
    if (live !== undefined && isSame(write, live)) return
    const guard = { ...control, version: control.version + 1 }
    const before = await memory.get(switchedRecord(key))
    const note = {
      ...switchedRecord(key),
      version: (before?.version ?? 0) + 1,
      value: { more: aheadBy(subscriber, copy, write) },
      expires,
    }
    if ((await memory.commit({ writes: [write, note, guard], outbox: [] })) === 'committed') return
  }
  throw new Failure('Busy', `others changed ${name.kind} ${name.name} ${tries} times meanwhile: try again`)
}
