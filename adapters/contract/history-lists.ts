import { describe, expect, test } from 'vitest'
import { openDeliveries } from '../../core/open-deliveries.ts'
import type { History, OpenState, PageEntry } from '../../core/ports.ts'
import { allPages, delivery, freshProject, keyOf, minute, quarantined, sample } from './samples.ts'

const badCursors = ['', 'x', '%%%', 'e30', Buffer.from('{"after":1}').toString('base64url')]

/** What every History lists: pages, open deliveries, stories, quarantine. */
export function historyListsContract(make: () => { history: History }): void {
  describe('pages', () => {
    const entry = (n: number): PageEntry => ({
      source: 'https://github.com/octo/hello',
      id: `e${n}`,
      type: 'github.push',
      received: minute(n),
      partitionkey: `ü${n}`,
      correlationid: `e${n}`,
    })

    test('come back whole, oldest first, after the one that was read last', async () => {
      const { history } = make()
      const project = freshProject()
      const at = { project, hour: '2026-01-01T12', shard: 1 }
      const written = [3, 1, 2, 5, 4].map((n) => ({ ...at, page: `${minute(n)}~p`, entries: [entry(n)] }))
      for (const page of written) await history.putPage(page)
      const inOrder = written.toSorted((a, b) => (a.page < b.page ? -1 : 1))
      expect(await history.pages({ ...at, limit: 10 })).toEqual(inOrder)
      expect(await history.pages({ ...at, limit: 2 })).toEqual(inOrder.slice(0, 2))
      expect(await history.pages({ ...at, after: inOrder[1]?.page, limit: 2 })).toEqual(inOrder.slice(2, 4))
      expect(await history.pages({ ...at, after: inOrder[4]?.page, limit: 2 })).toEqual([])
    })

    test('are told apart by project, hour and shard, and from an event of such an id', async () => {
      const { history } = make()
      const project = freshProject()
      const at = { project, hour: '2026-01-01T12', shard: 1 }
      const page = { ...at, page: 'a', entries: Array.from({ length: 100 }, (_, n) => entry(n)) }
      await history.putPage(page)
      const confusing = sample({ project, id: 'timeline#2026-01-01T12#1' })
      await history.insertEvents([confusing])
      expect(await history.pages({ ...at, limit: 10 })).toEqual([page])
      expect(await history.pages({ ...at, shard: 2, limit: 10 })).toEqual([])
      expect(await history.pages({ ...at, hour: '2026-01-01T13', limit: 10 })).toEqual([])
      expect(await history.pages({ ...at, project: freshProject(), limit: 10 })).toEqual([])
      expect(await history.fate(confusing.event)).toEqual({ stored: confusing, deliveries: [] })
    })
  })

  describe('open deliveries', () => {
    test('are listed by state, oldest change first, page by page, none twice and none left out', async () => {
      const { history } = make()
      const project = freshProject()
      const events = Array.from({ length: 23 }, (_, n) => sample({ project, id: `e${n}` }).event)
      // five changes in each minute: ties are part of it
      for (const [n, event] of events.entries())
        await history.mark(
          keyOf(event),
          delivery({ state: 'dead', reason: `r${n}`, changed: minute(50 - Math.floor(n / 5)) }),
        )
      const pages = await allPages((cursor) =>
        openDeliveries({ project, subscriber: 'analyze-push', state: 'dead', cursor, limit: 4 }, history),
      )
      expect(pages.map((page) => page.length)).toEqual([4, 4, 4, 4, 4, 3])
      const found = pages.flat()
      expect(new Set(found.map(({ id }) => id))).toEqual(new Set(events.map(({ id }) => id)))
      expect(found.map(({ changed }) => changed)).toEqual(found.map(({ changed }) => changed).toSorted())
      expect(found.find(({ id }) => id === 'e7')).toEqual({
        ...keyOf({ ...sample({ project }).event, id: 'e7' }),
        ...delivery({ state: 'dead', reason: 'r7', changed: minute(49) }),
      })
    })

    test('leave their list when their state changes', async () => {
      const { history } = make()
      const project = freshProject()
      const { event } = sample({ project })
      const open = async (state: 'retrying' | 'parked' | 'dead', subscriber = 'analyze-push') =>
        (await openDeliveries({ project, subscriber, state, limit: 10 }, history)).items.length
      await history.mark(keyOf(event), delivery({ state: 'retrying' }))
      expect([await open('retrying'), await open('dead'), await open('parked')]).toEqual([1, 0, 0])
      await history.mark(keyOf(event), delivery({ state: 'dead' }))
      expect([await open('retrying'), await open('dead')]).toEqual([0, 1])
      await history.mark(keyOf(event), delivery({ state: 'done' }))
      expect([await open('retrying'), await open('dead'), await open('parked')]).toEqual([0, 0, 0])
      await history.insertDeliveries([{ ...keyOf(event, 'publish'), ...delivery() }])
      expect(await open('dead', 'publish')).toBe(0)
    })

    test('their marks are read by the index alone, by state, since a time', async () => {
      const { history } = make()
      const project = freshProject()
      const put = async (n: number, state: 'retrying' | 'parked' | 'dead') => {
        const key = keyOf(sample({ project, id: `e${n}`, source: 'urn:a#b' }).event)
        await history.mark(key, delivery({ state, changed: minute(n) }))
        return { ...key, state, changed: minute(n) }
      }
      const [a, b, c, d] = [
        await put(3, 'retrying'),
        await put(2, 'dead'),
        await put(1, 'dead'),
        await put(4, 'parked'),
      ]
      const query = { project, subscriber: 'analyze-push', limit: 10 }
      const found = async (more: object) => (await history.openMarks({ ...query, ...more })).items
      expect(await found({})).toEqual([c, b, d, a])
      expect(await found({ state: 'dead' })).toEqual([c, b])
      expect(await found({ state: 'dead', since: minute(2) })).toEqual([b])
      expect(await found({ subscriber: 'publish' })).toEqual([])
    })

    test('their marks come page by page, none twice and none left out', async () => {
      const { history } = make()
      const project = freshProject()
      const events = Array.from({ length: 23 }, (_, n) => sample({ project, id: `e${n}` }).event)
      for (const [n, event] of events.entries())
        await history.mark(keyOf(event), delivery({ state: 'dead', changed: minute(50 - Math.floor(n / 5)) }))
      const query = {
        project,
        subscriber: 'analyze-push',
        state: 'dead',
        since: minute(47),
        limit: 4,
      } as const
      const pages = await allPages((cursor) => history.openMarks({ ...query, cursor }))
      expect(pages.map((page) => page.length)).toEqual([4, 4, 4, 4, 4])
      const found = pages.flat()
      expect(new Set(found.map(({ id }) => id)).size).toBe(20)
      expect(found.map(({ changed }) => changed)).toEqual(found.map(({ changed }) => changed).toSorted())
    })

    test('a cursor of one state leads to no mark of another', async () => {
      const { history } = make()
      const project = freshProject()
      for (const state of ['dead', 'parked', 'retrying'] as const)
        for (const n of [1, 2]) {
          const { event } = sample({ project, id: `${state}${n}` })
          await history.mark(keyOf(event), delivery({ state, changed: minute(n) }))
        }
      const query = { project, subscriber: 'analyze-push', limit: 1 }
      const ids = async (state: OpenState, cursor: string | undefined) =>
        (await history.openMarks({ ...query, limit: 10, state, cursor })).items.map(({ id }) => id)
      const { next: dead } = await history.openMarks({ ...query, state: 'dead' })
      const { next: retrying } = await history.openMarks({ ...query, state: 'retrying' })
      expect(await ids('dead', dead)).toEqual(['dead2'])
      expect(await ids('parked', dead)).toEqual(['parked1', 'parked2'])
      expect(await ids('parked', retrying)).toEqual([])
    })

    test('the marks of what waits for somebody say the type of its event, if it is recorded', async () => {
      const { history } = make()
      const project = freshProject()
      const types = { a: 'event.dead-lettered', b: 'acme#odd type', c: 'github.push' }
      const stored = Object.entries(types).map(([id, type]) => sample({ project, id, type }))
      await history.insertEvents(stored)
      const states = { a: 'dead', b: 'parked', c: 'retrying', d: 'dead' } as const
      for (const [id, state] of Object.entries(states))
        await history.mark({ ...keyOf(sample({ project }).event), id }, delivery({ state }))
      const { items } = await history.openMarks({ project, subscriber: 'analyze-push', limit: 10 })
      const told = Object.fromEntries(items.map(({ id, type }) => [id, type]))
      expect(told).toEqual({ a: types.a, b: types.b, c: undefined, d: undefined })
    })

    test.each(badCursors)('refuse the cursor "%s"', async (cursor) => {
      const { history } = make()
      const project = freshProject()
      const malformed = { name: 'Malformed' }
      await expect(history.openMarks({ project, subscriber: 's', cursor, limit: 1 })).rejects.toMatchObject(
        malformed,
      )
      await expect(history.story({ project, correlationid: 'c', cursor, limit: 1 })).rejects.toMatchObject(
        malformed,
      )
      await expect(history.quarantined({ project, cursor, limit: 1 })).rejects.toMatchObject(malformed)
    })
  })

  describe('stories', () => {
    test('name all events but the first, oldest first, page by page', async () => {
      const { history } = make()
      const project = freshProject()
      const first = sample({ project, id: 'story' })
      const later = Array.from({ length: 11 }, (_, n) =>
        sample({ project, id: `l${n}`, correlationid: 'story', received: minute(40 - n) }),
      )
      const other = sample({ project, correlationid: 'another' })
      await history.insertEvents([first, other, ...later])
      const pages = await allPages((cursor) =>
        history.story({ project, correlationid: 'story', cursor, limit: 3 }),
      )
      expect(pages.map((page) => page.length)).toEqual([3, 3, 3, 2])
      expect(pages.flat()).toEqual(
        later.toReversed().map(({ event: { source, id } }) => ({ project, source, id })),
      )
      expect(await history.story({ project, correlationid: 'nothing', limit: 3 })).toEqual({
        items: [],
        next: undefined,
      })
    })
  })

  describe('quarantine', () => {
    test('keeps something once and gives it back as it came', async () => {
      const { history } = make()
      const project = freshProject()
      const entry = quarantined(project, 1, {
        type: 'github.push',
        source: 'urn:x',
        id: 'i',
        rawref: 'held/x',
      })
      expect(await history.quarantine(entry)).toBe(true)
      expect(await history.quarantine({ ...entry, received: minute(9) })).toBe(false)
      expect(await history.getQuarantined(project, entry.digest)).toEqual(entry)
      expect(await history.getQuarantined(project, 'f'.repeat(64))).toBeUndefined()
      expect(await history.getQuarantined(freshProject(), entry.digest)).toBeUndefined()
    })

    test('does not take an identity', async () => {
      const { history } = make()
      const stored = sample({ project: freshProject() })
      const { project, source, id } = stored.event
      await history.quarantine(quarantined(project, 1, { source, id }))
      expect(await history.insertEvents([stored])).toEqual([{ verdict: 'inserted' }])
    })

    test('is listed newest first, page by page', async () => {
      const { history } = make()
      const project = freshProject()
      const entries = Array.from({ length: 9 }, (_, n) => quarantined(project, n))
      for (const entry of entries) await history.quarantine(entry)
      const pages = await allPages((cursor) => history.quarantined({ project, cursor, limit: 4 }))
      expect(pages.map((page) => page.length)).toEqual([4, 4, 1])
      expect(pages.flat()).toEqual(entries.toReversed())
    })
  })
}
