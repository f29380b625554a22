import { describe, expect, test } from 'vitest'
import type { History, Memory, MemoryWrite, OutboxItem } from '../../core/ports.ts'
import { allPages, delivery, freshProject, keyOf, minute, noise, sample } from './samples.ts'

export type MemoryFixture = {
  memory: Memory
  /** the history that the memory writes its marks to */
  history: History
  /** sets the clock that the memory was given */
  setTime(now: string): void
}

const record = (project: string, name: string, more: Partial<MemoryWrite> = {}): MemoryWrite => ({
  project,
  kind: 'build',
  name,
  version: 1,
  value: { name },
  ...more,
})

const waiting = (
  project: string,
  sequence: number,
  index: number,
  partitionkey = 'octo/hello',
): OutboxItem => ({
  project,
  partitionkey,
  sequence,
  index,
  frame: { type: 'build.status-changed', sequence, index, text: 'ü' },
})

const nothing = { writes: [], outbox: [] }

/** What every Memory promises. */
export function memoryContract(make: () => MemoryFixture): void {
  describe('records', () => {
    test('come back as JSON, whatever they hold', async () => {
      const { memory } = make()
      const project = freshProject()
      const value = {
        text: '日本語 🦊 "q"',
        empty: '',
        numbers: [0, -1.5, 1e21, 1e-7, 9_007_199_254_740_991],
        nested: [[], {}, [null, true, false, { a: [{}] }]],
        'odd name.#:': { S: 'not an attribute', N: '1' },
      }
      const write = record(project, 'ünï#cødé/main', {
        value,
        place: { list: 'builds/a#b', order: minute(1) },
      })
      expect(await memory.commit({ ...nothing, writes: [write] })).toBe('committed')
      expect(await memory.get(write)).toEqual(write)
      expect(await memory.get({ ...write, name: 'other' })).toBeUndefined()
      expect(await memory.get({ ...write, kind: 'run' })).toBeUndefined()
      expect(await memory.get({ ...write, project: freshProject() })).toBeUndefined()
    })

    test.each([[null], ['text'], [7], [true], [[1, 'a']]])('a value may be %j', async (value) => {
      const { memory } = make()
      const write = record(freshProject(), 'x', { value })
      await memory.commit({ ...nothing, writes: [write] })
      expect((await memory.get(write))?.value).toEqual(value)
    })

    test('what the caller changes afterwards does not reach the store', async () => {
      const { memory } = make()
      const value = { list: ['a'] }
      const write = record(freshProject(), 'x', { value })
      await memory.commit({ ...nothing, writes: [write] })
      value.list.push('b')
      expect((await memory.get(write))?.value).toEqual({ list: ['a'] })
    })

    test('large ones are kept, larger ones refused before anything is written', async () => {
      const { memory } = make()
      const project = freshProject()
      const large = record(project, 'large', { value: noise(300_000) })
      expect(await memory.commit({ ...nothing, writes: [large] })).toBe('committed')
      expect(await memory.get(large)).toEqual(large)
      const change = {
        ...nothing,
        writes: [record(project, 'a'), record(project, 'b', { value: noise(400_000) })],
      }
      await expect(memory.commit(change)).rejects.toMatchObject({ name: 'TooLarge' })
      expect(await memory.get(record(project, 'a'))).toBeUndefined()
    })
  })

  describe('commits', () => {
    test('a version follows the one before, and no other', async () => {
      const { memory } = make()
      const project = freshProject()
      const commit = (version: number) =>
        memory.commit({ ...nothing, writes: [record(project, 'x', { version, value: { version } })] })
      expect(await commit(2)).toBe('version conflict')
      expect(await commit(1)).toBe('committed')
      expect(await commit(1)).toBe('version conflict')
      expect(await commit(3)).toBe('version conflict')
      expect(await commit(2)).toBe('committed')
      expect(await commit(2)).toBe('version conflict')
      expect(await memory.get(record(project, 'x'))).toMatchObject({ version: 2, value: { version: 2 } })
    })

    test('all or nothing: one conflict keeps the mark, the other records and the outbox from being written', async () => {
      const { memory, history } = make()
      const project = freshProject()
      const { event } = sample({ project })
      await memory.commit({ ...nothing, writes: [record(project, 'old')] })
      const change = {
        writes: [record(project, 'new'), record(project, 'old', { value: 'again' })],
        outbox: [waiting(project, 1, 0)],
        mark: { ...keyOf(event), ...delivery() },
      }
      expect(await memory.commit(change)).toBe('version conflict')
      expect(await memory.get(record(project, 'new'))).toBeUndefined()
      expect(await memory.get(record(project, 'old'))).toMatchObject({ value: { name: 'old' } })
      expect(await memory.outbox(project, 'octo/hello')).toEqual([])
      expect(await history.getDeliveries([keyOf(event)])).toEqual([undefined])
    })

    test('with its mark a change happens once', async () => {
      const { memory, history } = make()
      const project = freshProject()
      const { event } = sample({ project })
      const mark = { ...keyOf(event), ...delivery({ emitted: ['e1'] }) }
      const change = (version: number) => ({
        writes: [record(project, 'x', { version })],
        outbox: [waiting(project, version, 0)],
        mark,
      })
      expect(await memory.commit(change(1))).toBe('committed')
      expect(await history.getDeliveries([keyOf(event)])).toEqual([delivery({ emitted: ['e1'] })])
      expect(await memory.commit(change(2))).toBe('done already')
      expect(await memory.get(record(project, 'x'))).toMatchObject({ version: 1 })
      expect(await memory.outbox(project, 'octo/hello')).toHaveLength(1)
    })

    test('done already outweighs a version conflict', async () => {
      const { memory } = make()
      const project = freshProject()
      const { event } = sample({ project })
      const change = { writes: [record(project, 'x')], outbox: [], mark: { ...keyOf(event), ...delivery() } }
      expect(await memory.commit(change)).toBe('committed')
      expect(await memory.commit(change)).toBe('done already')
    })

    test.each(['retrying', 'parked', 'dead'] as const)('a mark replaces one that is %s', async (state) => {
      const { memory, history } = make()
      const project = freshProject()
      const { event } = sample({ project })
      await history.mark(keyOf(event), delivery({ state, reason: 'trouble' }))
      const mark = { ...keyOf(event), ...delivery({ attempts: 2 }) }
      expect(await memory.commit({ ...nothing, writes: [record(project, 'x')], mark })).toBe('committed')
      expect(await history.getDeliveries([keyOf(event)])).toEqual([delivery({ attempts: 2 })])
      expect(
        (await history.openDeliveries({ project, subscriber: 'analyze-push', state, limit: 5 })).items,
      ).toEqual([])
    })

    test('a mark alone, and nothing at all, are changes too', async () => {
      const { memory, history } = make()
      const { event } = sample({ project: freshProject() })
      expect(await memory.commit({ ...nothing, mark: { ...keyOf(event), ...delivery() } })).toBe('committed')
      expect(await history.getDeliveries([keyOf(event)])).toEqual([delivery()])
      expect(await memory.commit(nothing)).toBe('committed')
    })

    test('of ten at once exactly one wins', async () => {
      const { memory } = make()
      const project = freshProject()
      const verdicts = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          memory.commit({ writes: [record(project, 'x', { value: n })], outbox: [waiting(project, 1, n)] }),
        ),
      )
      expect(verdicts.filter((verdict) => verdict === 'committed')).toHaveLength(1)
      expect(verdicts.filter((verdict) => verdict === 'version conflict')).toHaveLength(9)
      const winner = verdicts.indexOf('committed')
      expect((await memory.get(record(project, 'x')))?.value).toBe(winner)
      expect((await memory.outbox(project, 'octo/hello')).map(({ index }) => index)).toEqual([winner])
    })

    test('of ten with one mark at once exactly one wins, whatever each writes', async () => {
      const { memory, history } = make()
      const project = freshProject()
      const { event } = sample({ project })
      await history.mark(keyOf(event), delivery({ state: 'retrying' }))
      const verdicts = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          memory.commit({
            ...nothing,
            writes: [record(project, `x${n}`)],
            mark: { ...keyOf(event), ...delivery() },
          }),
        ),
      )
      expect(verdicts.filter((verdict) => verdict === 'committed')).toHaveLength(1)
      const written = await Promise.all(verdicts.map((_, n) => memory.get(record(project, `x${n}`))))
      expect(written.map((found) => found !== undefined)).toEqual(
        verdicts.map((verdict) => verdict === 'committed'),
      )
    })

    test('a hundred items are one change; more, and one thing twice, are refused', async () => {
      const { memory } = make()
      const project = freshProject()
      const { event } = sample({ project })
      const writes = (count: number) => Array.from({ length: count }, (_, n) => record(project, `n${n}`))
      const outbox = Array.from({ length: 90 }, (_, n) => waiting(project, 1, n))
      const mark = { ...keyOf(event), ...delivery() }
      await expect(memory.commit({ writes: writes(10), outbox, mark })).rejects.toMatchObject({
        name: 'TooLarge',
      })
      expect(await memory.get(record(project, 'n0'))).toBeUndefined()
      expect(await memory.commit({ writes: writes(9), outbox, mark })).toBe('committed')
      expect(await memory.outbox(project, 'octo/hello')).toHaveLength(90)
      const twice = [record(project, 'y'), record(project, 'y')]
      await expect(memory.commit({ ...nothing, writes: twice })).rejects.toThrow('twice')
      const dated = record(project, 'z', { value: { at: new Date(0) } })
      await expect(memory.commit({ ...nothing, writes: [dated] })).rejects.toThrow('JSON')
    })
  })

  describe('lists', () => {
    test('go by order, newest first unless said, page by page', async () => {
      const { memory } = make()
      const project = freshProject()
      const list = 'builds/octo/hello'
      const all = Array.from({ length: 11 }, (_, n) =>
        record(project, `b${n}`, { place: { list, order: minute(Math.floor(n / 2)) } }),
      )
      await memory.commit({
        ...nothing,
        writes: [
          ...all,
          record(project, 'out'),
          record(project, 'elsewhere', { place: { list: 'builds/octo/hell', order: 'a' } }),
        ],
      })
      const oldest = await allPages((cursor) =>
        memory.list({ project, list, oldestFirst: true, cursor, limit: 4 }),
      )
      expect(oldest.map((page) => page.length)).toEqual([4, 4, 3])
      expect(oldest.flat().map(({ name }) => name)).toEqual(
        all.map(({ name }) => name).toSorted(byOrderAndName(all)),
      )
      const newest = await allPages((cursor) => memory.list({ project, list, cursor, limit: 3 }))
      expect(newest.flat()).toEqual(oldest.flat().toReversed())
      expect(oldest.flat()).toContainEqual(all[4])
      expect(await memory.list({ project, list, limit: 11 })).toMatchObject({ next: undefined })
      expect(await memory.list({ project: freshProject(), list, limit: 1 })).toEqual({
        items: [],
        next: undefined,
      })
    })

    test('lose a record that moves to another or to none', async () => {
      const { memory } = make()
      const project = freshProject()
      const names = async (list: string) =>
        (await memory.list({ project, list, limit: 9 })).items.map(
          ({ name, version }) => `${name} ${version}`,
        )
      const place = { list: 'runs/open', order: 'a' }
      await memory.commit({
        ...nothing,
        writes: [record(project, 'x', { place }), record(project, 'y', { place })],
      })
      expect(await names('runs/open')).toEqual(['y 1', 'x 1'])
      await memory.commit({
        ...nothing,
        writes: [record(project, 'x', { version: 2, place: { list: 'runs/ended', order: 'a' } })],
      })
      expect([await names('runs/open'), await names('runs/ended')]).toEqual([['y 1'], ['x 2']])
      await memory.commit({ ...nothing, writes: [record(project, 'x', { version: 3 })] })
      expect([await names('runs/open'), await names('runs/ended')]).toEqual([['y 1'], []])
      expect(await memory.get(record(project, 'x'))).not.toHaveProperty('place.list')
    })

    test.each(['', 'x', 'e30', Buffer.from('{"after":""}').toString('base64url')])(
      'refuse the cursor "%s"',
      async (cursor) => {
        const { memory } = make()
        await expect(
          memory.list({ project: freshProject(), list: 'l', cursor, limit: 1 }),
        ).rejects.toMatchObject({
          name: 'Malformed',
        })
      },
    )
  })

  describe('outbox', () => {
    test('keeps what waits for a key in sequence, until it is removed', async () => {
      const { memory } = make()
      const project = freshProject()
      const order = [
        [10, 0],
        [2, 1],
        [2, 0],
        [9, 0],
        [2, 10],
        [2, 2],
      ] as const
      for (const [sequence, index] of order)
        await memory.commit({ ...nothing, outbox: [waiting(project, sequence, index)] })
      await memory.commit({ ...nothing, outbox: [waiting(project, 1, 0, 'octo/hello#2')] })
      const found = await memory.outbox(project, 'octo/hello')
      expect(found.map(({ sequence, index }) => [sequence, index])).toEqual([
        [2, 0],
        [2, 1],
        [2, 2],
        [2, 10],
        [9, 0],
        [10, 0],
      ])
      expect(found[0]).toEqual(waiting(project, 2, 0))
      await memory.removeFromOutbox(found.slice(0, 5))
      await memory.removeFromOutbox(found.slice(0, 5))
      expect(await memory.outbox(project, 'octo/hello')).toEqual([waiting(project, 10, 0)])
      expect(await memory.outbox(project, 'octo/hello#2')).toHaveLength(1)
      await memory.removeFromOutbox([])
    })

    test('names the keys that have waited for too long, longest first, each once', async () => {
      const { memory, setTime } = make()
      const project = freshProject()
      for (const [n, key] of ['c', 'a', 'b', 'd'].entries()) {
        setTime(minute(n))
        await memory.commit({
          ...nothing,
          outbox: [waiting(project, 1, 0, key), waiting(project, 1, 1, key)],
        })
      }
      expect(await memory.staleOutbox(project, minute(3), 10)).toEqual(['c', 'a', 'b'])
      expect(await memory.staleOutbox(project, minute(3), 2)).toEqual(['c', 'a'])
      expect(await memory.staleOutbox(project, minute(0), 10)).toEqual([])
      expect(await memory.staleOutbox(freshProject(), minute(9), 10)).toEqual([])
      await memory.removeFromOutbox(await memory.outbox(project, 'c'))
      expect(await memory.staleOutbox(project, minute(3), 10)).toEqual(['a', 'b'])
    })

    test('removes a hundred at once', async () => {
      const { memory } = make()
      const project = freshProject()
      const outbox = Array.from({ length: 60 }, (_, n) => waiting(project, 1, n))
      await memory.commit({ ...nothing, outbox })
      await memory.removeFromOutbox([...outbox, ...outbox])
      expect(await memory.outbox(project, 'octo/hello')).toEqual([])
    })
  })
}

const byOrderAndName = (all: readonly MemoryWrite[]) => {
  const key = new Map(all.map(({ name, place }) => [name, `${place?.order} ${name}`]))
  return (a: string, b: string) => ((key.get(a) ?? '') < (key.get(b) ?? '') ? -1 : 1)
}
