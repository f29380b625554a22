import { describe, expect, test } from 'vitest'
import type { MemoryWrite } from '../../core/ports.ts'
import type { MemoryFixture } from './memory.ts'
import { allPages, freshProject, minute, nothing, record, waiting } from './samples.ts'

/** What every Memory promises of lists and of what waits to be sent. */
export function memoryListsContract(make: () => Pick<MemoryFixture, 'memory' | 'setTime'>): void {
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
