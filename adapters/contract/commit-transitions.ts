import { describe, expect, test } from 'vitest'
import type { Commit } from '../../core/ports.ts'
import type { MemoryFixture } from './memory.ts'
import { delivery, freshProject, keyOf, minute, nothing, record, sample, waiting } from './samples.ts'

/** What every Memory promises of a change that settles a delivery. */
export function commitTransitionsContract(make: () => MemoryFixture): void {
  describe('a change that settles a delivery', () => {
    const dead = delivery({ state: 'dead', reason: 'no', changed: minute(3) })
    const dropped = delivery({ state: 'dropped', reason: 'superseded by x', changed: minute(9) })

    async function settling() {
      const { memory, history } = make()
      const project = freshProject()
      const key = keyOf(sample({ project }).event)
      await history.mark(key, dead)
      const change = (n: number): Commit => ({
        writes: [record(project, `x${n}`)],
        outbox: [waiting(project, n, 0)],
        transition: { key, seen: dead, next: { ...dropped, changed: minute(10 + n) } },
      })
      const written = async (n: number) => (await memory.get(record(project, `x${n}`))) !== undefined
      return { memory, history, project, key, change, written }
    }

    test('is committed with it, once', async () => {
      const { memory, history, project, key, change, written } = await settling()
      expect(await memory.commit(change(1))).toBe('committed')
      expect(await history.getDeliveries([key])).toEqual([{ ...dropped, changed: minute(11) }])
      const query = { project, subscriber: key.subscriber, limit: 5 }
      expect((await history.openMarks(query)).items).toEqual([])
      expect(await memory.commit(change(2))).toBe('done already')
      expect(await written(2)).toBe(false)
      expect(await memory.outbox(project, 'octo/hello')).toEqual([waiting(project, 1, 0)])
    })

    test('is refused where the delivery stands otherwise, or not at all, or is final', async () => {
      const { memory, history, project, key, change, written } = await settling()
      const seen = { state: 'dead', changed: minute(4) } as const
      const refused = [
        { key, seen, next: dropped },
        { key, seen: { ...dead, state: 'parked' as const }, next: dropped },
        { key: { ...key, subscriber: 'publish' }, seen: dead, next: dropped },
      ]
      for (const transition of refused)
        expect(await memory.commit({ ...change(1), transition })).toBe('done already')
      const done = delivery({ changed: minute(5) })
      await history.mark(key, done)
      const transition = { key, seen: done, next: dead }
      expect(await memory.commit({ ...change(1), transition })).toBe('done already')
      expect(await history.getDeliveries([key])).toEqual([done])
      expect([await written(1), await memory.outbox(project, 'octo/hello')]).toEqual([false, []])
    })

    test('a version conflict leaves the delivery as it was; done already outweighs one', async () => {
      const { memory, history, project, key, change } = await settling()
      await memory.commit({ ...nothing, writes: [record(project, 'x1')] })
      expect(await memory.commit(change(1))).toBe('version conflict')
      expect(await history.getDeliveries([key])).toEqual([dead])
      await history.mark(key, delivery())
      expect(await memory.commit(change(1))).toBe('done already')
    })

    test('of ten at once one is committed, and all of it', async () => {
      const { memory, history, key, change, written } = await settling()
      const verdicts = await Promise.all(Array.from({ length: 10 }, (_, n) => memory.commit(change(n))))
      expect(verdicts.filter((verdict) => verdict === 'committed')).toHaveLength(1)
      const winner = verdicts.indexOf('committed')
      expect((await history.getDeliveries([key]))[0]?.changed).toBe(minute(10 + winner))
      expect(await Promise.all(verdicts.map((_, n) => written(n)))).toEqual(
        verdicts.map((verdict) => verdict === 'committed'),
      )
    })

    test('may be the handling of another delivery too; each is refused for its own', async () => {
      const { memory, history, key, change, written } = await settling()
      const mark = { ...key, subscriber: 'publish', ...delivery() }
      const { transition, ...handling } = { ...change(1), mark }
      if (transition === undefined) return expect.fail('a change with a transition')
      await history.mark(mark, delivery({ state: 'retrying' }))
      expect(await memory.commit({ ...handling, transition })).toBe('committed')
      const marks = await history.getDeliveries([key, mark])
      expect(marks.map((found) => found?.state)).toEqual(['dropped', 'done'])
      // handled already: the other one is not settled for it
      const other = { ...key, subscriber: 'notify' }
      await history.mark(other, dead)
      const again = { ...change(2), mark, transition: { ...transition, key: other } }
      expect(await memory.commit(again)).toBe('done already')
      expect(await history.getDeliveries([other])).toEqual([dead])
      expect(await written(2)).toBe(false)
    })

    test('counts among a hundred items, and names no delivery twice', async () => {
      const { memory, history, project, key, change } = await settling()
      const { transition } = change(1)
      const outbox = Array.from({ length: 100 }, (_, n) => waiting(project, 1, n))
      const full = { writes: [], outbox, transition }
      await expect(memory.commit(full)).rejects.toMatchObject({ name: 'TooLarge' })
      const twice = { ...nothing, transition, mark: { ...key, ...delivery() } }
      await expect(memory.commit(twice)).rejects.toThrow('twice')
      expect(await history.getDeliveries([key])).toEqual([dead])
      expect(await memory.commit({ ...full, outbox: outbox.slice(1) })).toBe('committed')
    })
  })
}
