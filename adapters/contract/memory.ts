import { describe, expect, test } from 'vitest'
import type { History, Memory } from '../../core/ports.ts'
import { delivery, freshProject, keyOf, minute, noise, nothing, record, sample, waiting } from './samples.ts'

export type MemoryFixture = {
  memory: Memory
  /** the history that the memory writes its marks to */
  history: History
  /** sets the clock that the memory was given */
  setTime(now: string): void
}

/** What every Memory promises of records and their changes. */
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

    test('one that expires says when, until it is written without', async () => {
      const { memory } = make()
      const write = record(freshProject(), 'x', { expires: '2031-01-01T00:00:00.000Z' })
      await memory.commit({ ...nothing, writes: [write] })
      expect((await memory.get(write))?.expires).toBe('2031-01-01T00:00:00.000Z')
      await memory.commit({ ...nothing, writes: [{ ...write, version: 2, expires: undefined }] })
      expect((await memory.get(write))?.expires).toBeUndefined()
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

    test('so is what is told of a change: by what it takes there, and that is less where it can be packed', async () => {
      const { memory } = make()
      const project = freshProject()
      const telling = (frame: string) => ({
        writes: [record(project, 'a')],
        outbox: [{ ...waiting(project, 1, 0), frame }],
      })
      await expect(memory.commit(telling(noise(600_000)))).rejects.toMatchObject({ name: 'TooLarge' })
      expect(await memory.get(record(project, 'a'))).toBeUndefined()
      expect(await memory.commit(telling('x'.repeat(600_000)))).toBe('committed')
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
        (await history.openMarks({ project, subscriber: 'analyze-push', state, limit: 5 })).items,
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
}
