import { describe, expect, it } from 'vitest'
import type { Page, StoredEvent } from '../core/ports.ts'
import type { RecordedEvent } from '../events/envelope.ts'
import { type TimelinePosition, timeline } from './timeline.ts'

const now = '2026-01-10T12:30:00.000Z'

const entryOf = (id: string, received: string) => ({
  source: 's',
  id,
  type: id.startsWith('push') ? 'github.push' : 'a.b',
  received,
  partitionkey: `key-${id.at(-1)}`,
  correlationid: id,
})

const pageAt = (time: string, shard: number, ...ids: string[]): Page => ({
  project: 'main',
  hour: time.slice(0, 13),
  shard,
  page: `${time}~x${shard}`,
  entries: ids.map((id) => entryOf(id, time)),
})

/** A history of these pages; `asked` counts the calls. An event exists unless it is named `gone…`. */
function historyOf(pages: readonly Page[], elsewhere: Record<string, string> = {}) {
  const asked = { pages: 0 }
  return {
    asked,
    pages: async ({ project, hour, shard, after = '', limit }: Parameters<Hist['pages']>[0]) => {
      asked.pages += 1
      return pages
        .filter((p) => p.project === project && p.hour === hour && p.shard === shard && p.page > after)
        .sort((a, b) => (a.page < b.page ? -1 : 1))
        .slice(0, limit)
    },
    getEvents: async (identities: Parameters<Hist['getEvents']>[0]) =>
      identities.map(({ id }): StoredEvent | undefined => {
        const page =
          pages.find((p) => p.page === elsewhere[id]) ?? pages.find((p) => p.entries.some((e) => e.id === id))
        if (id.startsWith('gone') || page === undefined) return undefined
        const event = { project: 'main', source: 's', id } as RecordedEvent
        return {
          event,
          content: '',
          expects: [],
          page: { hour: page.hour, shard: page.shard, page: page.page },
        }
      }),
  }
}
type Hist = import('../core/ports.ts').History

async function all(history: ReturnType<typeof historyOf>, query: object = {}, limit = 3) {
  const pages: string[][] = []
  let from: TimelinePosition | undefined
  do {
    const found = await timeline(history, { project: 'main', limit, ...query }, from, now)
    pages.push(found.items.map(({ id }) => id))
    // as a cursor carries it
    from = found.next && JSON.parse(JSON.stringify(found.next))
  } while (from !== undefined && pages.length < 500)
  return { pages, ids: pages.flat() }
}

const some = [
  pageAt('2026-01-10T12:01:00.000Z', 0, 'a1', 'a2', 'gone1'),
  pageAt('2026-01-10T12:02:00.000Z', 3, 'b1'),
  pageAt('2026-01-10T12:02:00.000Z', 1, 'push1', 'b3'),
  pageAt('2026-01-10T11:59:59.000Z', 2, 'c1', 'c2', 'c3', 'c4', 'c5'),
  pageAt('2026-01-09T03:00:00.000Z', 2, 'push2', 'd2'),
]
const inOrder = ['b1', 'b3', 'push1', 'a2', 'a1', 'c5', 'c4', 'c3', 'c2', 'c1', 'd2', 'push2']
const since = '2026-01-08T00:00:00.000Z'

describe('timeline', () => {
  it.each([1, 2, 3, 4, 5, 100])(
    'merges shards newest first, and %i at a time neither skips nor repeats',
    async (limit) => {
      const { ids, pages } = await all(historyOf(some), { since }, limit)
      expect(ids).toEqual(inOrder)
      expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(limit)
    },
  )

  it('filters by type, key and time of receipt', async () => {
    expect((await all(historyOf(some), { since, type: 'github.push' })).ids).toEqual(['push1', 'push2'])
    expect((await all(historyOf(some), { since, partitionkey: 'key-3' })).ids).toEqual(['b3', 'c3'])
    const between = { since: '2026-01-10T11:59:59.000Z', until: '2026-01-10T12:01:00.000Z' }
    expect((await all(historyOf(some), between)).ids).toEqual(['a2', 'a1', 'c5', 'c4', 'c3', 'c2', 'c1'])
  })

  it('skips what another page has recorded', async () => {
    const twice = [...some, pageAt('2026-01-10T12:20:00.000Z', 0, 'a1')]
    const { ids } = await all(historyOf(twice, { a1: '2026-01-10T12:20:00.000Z~x0' }), { since })
    expect(ids.filter((id) => id === 'a1')).toHaveLength(1)
    expect(ids[0]).toBe('a1')
  })

  it('answers early on an empty past, and ends with the longest retention', async () => {
    const empty = historyOf([])
    const first = await timeline(empty, { project: 'main', limit: 10 }, undefined, now)
    expect(first).toMatchObject({ items: [], next: { hour: '2026-01-09T13' } })
    expect(empty.asked.pages).toBe(24 * 4)
    expect((await all(historyOf([]))).pages).toHaveLength(401)
  })

  it('reads an hour of many pages from its end', async () => {
    const busy = Array.from({ length: 2600 }, (_, n) =>
      pageAt(new Date(Date.parse('2026-01-10T11:00:00.000Z') + n * 1000).toISOString(), n % 4, `e${n}`),
    )
    const newest = await timeline(historyOf(busy), { project: 'main', limit: 3, since }, undefined, now)
    expect(newest.items.map(({ id }) => id)).toEqual(['e2599', 'e2598', 'e2597'])
    const { ids } = await all(historyOf(busy), { since: '2026-01-10T11:00:00.000Z' }, 97)
    expect(ids).toEqual(Array.from({ length: 2600 }, (_, n) => `e${2599 - n}`))
  })

  it('answers early when a filter matches little', async () => {
    const busy = Array.from({ length: 2600 }, (_, n) =>
      pageAt(new Date(Date.parse('2026-01-10T11:00:00.000Z') + n * 1000).toISOString(), n % 4, `e${n}`),
    )
    const history = historyOf(busy)
    const query = { project: 'main', limit: 3, since, type: 'nothing' }
    const found = await timeline(history, query, undefined, now)
    expect(found.items).toEqual([])
    expect(found.next?.hour).toBe('2026-01-10T11')
  })

  it('sees what is written meanwhile only where it is older than the cursor', async () => {
    const history = historyOf(some)
    const first = await timeline(history, { project: 'main', limit: 2, since }, undefined, now)
    const grown = historyOf([...some, pageAt('2026-01-10T12:29:00.000Z', 0, 'new')])
    const second = await timeline(grown, { project: 'main', limit: 100, since }, first.next, now)
    expect(second.items.map(({ id }) => id)).toEqual(inOrder.slice(2, 10))
  })
})
