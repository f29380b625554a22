import * as z from 'zod'
import { identityText } from '../core/identity.ts'
import type { History, Page, PageEntry } from '../core/ports.ts'
import { retentionDays } from '../events/event-type.ts'

export type TimelineQuery = {
  project: string
  type?: string | undefined
  partitionkey?: string | undefined
  /** both inclusive, by the time of receipt; ISO 8601 */
  since?: string | undefined
  until?: string | undefined
  limit: number
}

/** The last entry that was looked at. An empty page id means that nothing of the hour is left. */
export const position = z.object({
  hour: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d$/)
    .refine((hour) => !Number.isNaN(Date.parse(`${hour}:00Z`))),
  page: z.string().regex(/^$|^\d{4}-\d\d-\d\dT\d\d:\d\d/),
  shard: z.number().int(),
  index: z.number().int(),
})
export type TimelinePosition = z.infer<typeof position>

const shards = [0, 1, 2, 3]
/** hours that one call looks through before it answers with what it has, so that an empty past costs no minute */
const hoursPerCall = 24
/** pages that one call looks through, for a filter that matches little */
const pagesPerCall = 1000
/** pages of one hour and shard that are read together; an hour with more is read minute by minute */
const pagesPerRead = 100

type Seen = { entry: PageEntry; page: Page; at: TimelinePosition }

/**
 * Events by the timeline, newest written first: pages of four shards, merged by page id, hour by hour into the past.
 * Entries whose event does not exist, or names another page, are skipped. Positions are stable, because pages never
 * change: going on from one neither skips nor repeats. Answers early, with few items or none, after 24 hours or 1,000
 * pages; `next` is undefined only when the past is over.
 */
export async function timeline(
  history: Pick<History, 'pages' | 'getEvents'>,
  query: TimelineQuery,
  from: TimelinePosition | undefined,
  now: string,
): Promise<{ items: PageEntry[]; next: TimelinePosition | undefined }> {
  const oldest = oldestHour(query.since, now)
  const items: PageEntry[] = []
  let at = from
  let pages = 0
  let hour = firstHour(query, from, now)
  for (let hours = 0; hour >= oldest; hours++, hour = hourBefore(hour)) {
    if (at !== undefined && (hours >= hoursPerCall || pages >= pagesPerCall)) return { items, next: at }
    for await (const chunk of chunks(history, query.project, hour, at)) {
      const wanted = query.limit - items.length
      const taken = await take(history, { ...query, limit: wanted }, chunk, at)
      items.push(...taken.items)
      pages += chunk.length
      at = taken.at
      if (at !== undefined && (items.length >= query.limit || pages >= pagesPerCall))
        return { items, next: at }
    }
    at = { hour, page: '', shard: 0, index: 0 }
  }
  return { items, next: undefined }
}

/** Up to `limit` entries of pages in order, and the last one that was looked at. */
async function take(
  history: Pick<History, 'getEvents'>,
  query: TimelineQuery,
  pages: readonly Page[],
  from: TimelinePosition | undefined,
): Promise<{ items: PageEntry[]; at: TimelinePosition | undefined }> {
  const items: PageEntry[] = []
  const seen = pages.flatMap((page) => entriesOf(page, query, from))
  while (seen.length > 0) {
    const batch = seen.splice(0, query.limit - items.length)
    items.push(...(await existing(history, query.project, batch)))
    if (items.length >= query.limit) return { items, at: batch.at(-1)?.at }
  }
  const last = pages.at(-1)
  return {
    items,
    at: last === undefined ? from : { hour: last.hour, shard: last.shard, page: last.page, index: 0 },
  }
}

const hourOf = (time: string): string => new Date(time).toISOString().slice(0, 13)

const milliseconds = { hour: 3_600_000, day: 86_400_000 }

const hourBefore = (hour: string): string =>
  hourOf(new Date(Date.parse(`${hour}:00:00.000Z`) - milliseconds.hour).toISOString())

/** Nothing older than the longest retention is there. */
function oldestHour(since: string | undefined, now: string): string {
  const kept = Date.parse(now) - retentionDays.audit * milliseconds.day
  return hourOf(new Date(Math.max(kept, since === undefined ? kept : Date.parse(since))).toISOString())
}

const firstHour = ({ until }: TimelineQuery, from: TimelinePosition | undefined, now: string): string => {
  if (from === undefined) return newestHour(until, now)
  return from.page === '' ? hourBefore(from.hour) : from.hour
}

/** What was received within an hour may be written in the next one; what waited longer is found without `until`. */
function newestHour(until: string | undefined, now: string): string {
  const current = Date.parse(now)
  const latest = until === undefined ? current : Date.parse(until) + milliseconds.hour
  return hourOf(new Date(Math.min(latest, current)).toISOString())
}

/**
 * The pages of one hour, newest first, in pieces that are each in order. Page ids begin with the time of writing
 * (`2026-01-01T12:34:56.789Z~…`), so that a busy hour can be read one minute at a time from its end.
 */
async function* chunks(
  history: Pick<History, 'pages'>,
  project: string,
  hour: string,
  from: TimelinePosition | undefined,
): AsyncGenerator<Page[]> {
  const whole = await Promise.all(
    shards.map((shard) => history.pages({ project, hour, shard, limit: pagesPerRead })),
  )
  if (whole.every((pages) => pages.length < pagesPerRead)) {
    yield newestFirst(whole.flat(), from)
    return
  }
  const start = from?.hour === hour ? Number(from.page.slice(14, 16)) : 59
  for (let minute = start; minute >= 0; minute--) {
    const prefix = `${hour}:${String(minute).padStart(2, '0')}`
    const pages = await Promise.all(
      shards.map((shard) => pagesOfMinute(history, { project, hour, shard }, prefix)),
    )
    yield newestFirst(pages.flat(), from)
  }
}

async function pagesOfMinute(
  history: Pick<History, 'pages'>,
  at: { project: string; hour: string; shard: number },
  prefix: string,
): Promise<Page[]> {
  const found: Page[] = []
  let after = prefix
  for (;;) {
    const pages = await history.pages({ ...at, after, limit: pagesPerRead })
    const own = pages.filter(({ page }) => page.startsWith(prefix))
    found.push(...own)
    const last = own.at(-1)
    if (last === undefined || own.length < pagesPerRead) return found
    after = last.page
  }
}

const byPage = (a: { page: string; shard: number }, b: { page: string; shard: number }): number =>
  a.page < b.page ? 1 : a.page > b.page ? -1 : b.shard - a.shard

/** Without the pages that are newer than the position. */
const newestFirst = (pages: readonly Page[], from: TimelinePosition | undefined): Page[] =>
  pages.filter((page) => from?.hour !== page.hour || byPage(page, from) >= 0).sort(byPage)

/** What of a page is asked for and not looked at yet, the last entry first. */
function entriesOf(page: Page, query: TimelineQuery, from: TimelinePosition | undefined): Seen[] {
  const { hour, shard } = page
  const isFrom = from?.hour === hour && from.page === page.page && from.shard === shard
  return page.entries
    .map((entry, index) => ({ entry, page, at: { hour, shard, page: page.page, index } }))
    .filter(({ entry, at }) => (!isFrom || at.index < from.index) && matches(entry, query))
    .reverse()
}

const matches = (entry: PageEntry, { type, partitionkey, since, until }: TimelineQuery): boolean =>
  (type === undefined || entry.type === type) &&
  (partitionkey === undefined || entry.partitionkey === partitionkey) &&
  (since === undefined || Date.parse(entry.received) >= Date.parse(since)) &&
  (until === undefined || Date.parse(entry.received) <= Date.parse(until))

/** The entries whose event is there and was written with this page. */
async function existing(
  history: Pick<History, 'getEvents'>,
  project: string,
  seen: readonly Seen[],
): Promise<PageEntry[]> {
  const identities = seen.map(({ entry }) => ({ project, source: entry.source, id: entry.id }))
  const stored = new Map(
    (await history.getEvents(identities)).flatMap((found) =>
      found ? [[identityText(found.event), found.page] as const] : [],
    ),
  )
  return seen.flatMap(({ entry, page }) => {
    const own = stored.get(identityText({ project, source: entry.source, id: entry.id }))
    return own?.page === page.page && own.shard === page.shard && own.hour === page.hour ? [entry] : []
  })
}
