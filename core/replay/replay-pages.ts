import type { History, Page } from '../ports.ts'
import { hour } from '../time.ts'

const shards = [0, 1, 2, 3]
const pagesPerRead = 25

/** A page, or without one the end of an hour; both have a place in the order of time. */
export type PageStep = { page: string; shard: number; whole?: Page }

/**
 * The pages of a project's timeline after one page id up to and with another, of all shards by their ids, which begin
 * with the time of writing; and the end of each hour, so that an empty past is gone through step by step. `from`: begins
 * with that very page instead.
 */
export async function* pagesBetween(
  { project, after, to }: { project: string; after: string; to: string },
  from: { page: string; shard: number } | undefined,
  history: Pick<History, 'pages'>,
): AsyncGenerator<PageStep> {
  // a page comes behind what its id begins with
  let cursor = from === undefined ? after : from.page.slice(0, -1)
  const last = startOfHour(to)
  for (let start = startOfHour(from?.page ?? after); start <= last; start += hour) {
    const name = new Date(start).toISOString().slice(0, 13)
    for await (const whole of merged({ project, hour: name, after: cursor }, history)) {
      const { page, shard } = whole
      if (page > to) return
      if (page > after && (from === undefined || comparePlaces(whole, from) >= 0))
        yield { page, shard, whole }
    }
    cursor = new Date(start + hour).toISOString()
    if (start < last) yield { page: cursor, shard: 0 }
  }
}

/** The pages of one hour, those of all shards in one row. */
async function* merged(
  { after, ...at }: { project: string; hour: string; after: string },
  history: Pick<History, 'pages'>,
): AsyncGenerator<Page> {
  const read = async (shard: number, behind: string) => {
    const pages = await history.pages({ ...at, shard, after: behind, limit: pagesPerRead })
    return { pages, full: pages.length === pagesPerRead }
  }
  const heads = await Promise.all(shards.map((shard) => read(shard, after)))
  for (;;) {
    const next = heads.flatMap(({ pages }) => pages[0] ?? []).sort(comparePlaces)[0]
    const head = next && heads[next.shard]
    if (next === undefined || head === undefined) return
    yield next
    const left = { ...head, pages: head.pages.slice(1) }
    heads[next.shard] = left.pages.length === 0 && left.full ? await read(next.shard, next.page) : left
  }
}

const startOfHour = (place: string): number => Date.parse(`${place.slice(0, 13)}:00:00.000Z`)

/** The order in which pages are walked through. */
export const comparePlaces = (
  a: { page: string; shard: number },
  b: { page: string; shard: number },
): number => (a.page === b.page ? a.shard - b.shard : a.page < b.page ? -1 : 1)
