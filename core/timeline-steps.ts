import type { History, Page } from './ports.ts'
import { hour } from './time.ts'

/** How far a walk has come in one shard, with the page that stands there; without one: the end of an hour. */
export type Step = { reached: string; page?: Page }

const pagesPerRead = 25

/**
 * Pages of one shard after one page id up to and with another, and the end of each hour. Ids begin with the time of
 * writing, so a time is a place between them: what was written at it or later comes after it.
 */
export async function* stepsBetween(
  after: string,
  end: string,
  at: { project: string; shard: number },
  history: Pick<History, 'pages'>,
): AsyncGenerator<Step> {
  const last = startOfHour(end)
  let cursor = after
  for (let start = startOfHour(after); start <= last; start += hour) {
    const name = new Date(start).toISOString().slice(0, 13)
    for (;;) {
      const pages = await history.pages({ ...at, hour: name, after: cursor, limit: pagesPerRead })
      for (const page of pages) {
        if (page.page > end) return
        yield { reached: page.page, page }
        cursor = page.page
      }
      if (pages.length < pagesPerRead) break
    }
    if (start < last) {
      cursor = new Date(start + hour).toISOString()
      yield { reached: cursor }
    }
  }
}

const startOfHour = (place: string): number => Date.parse(`${place.slice(0, 13)}:00:00.000Z`)
