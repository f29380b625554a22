import { describe, expect, it } from 'vitest'
import { world } from '../../test/world.ts'
import { shadowedOf, shadowList, shadowOf } from './shadow.ts'

const key = { project: 'main', kind: 'build', name: 'octo/hello/main' }
const place = { list: 'builds/octo/hello', order: '2026' }
const expires = '2026-03-01T00:00:00.000Z'

const live = async () => {
  const w = world()
  await w.stores.memory.commit({ writes: [{ ...key, version: 1, value: 'live', place }], outbox: [] })
  return { ...w, memory: w.deps.memory }
}

describe('a shadow', () => {
  it('has nothing of what is live, and changes nothing of it', async () => {
    const w = await live()
    const shadow = shadowOf(w.memory, 'r1', expires)
    expect(await shadow.get(key)).toBeUndefined()
    const write = { ...key, version: 1, value: { n: 1 }, place }
    expect(await shadow.commit({ writes: [write], outbox: [] })).toBe('committed')
    expect(await shadow.get(key)).toEqual(write)
    expect(await w.memory.get(key)).toMatchObject({ version: 1, value: 'live' })
    const { items } = await w.memory.list({ project: 'main', list: place.list, limit: 10 })
    expect(items.map(({ value }) => value)).toEqual(['live'])
  })

  it('is of one replay: another has its own', async () => {
    const w = await live()
    await shadowOf(w.memory, 'r1').commit({ writes: [{ ...key, version: 1, value: 1 }], outbox: [] })
    expect(await shadowOf(w.memory, 'r2').get(key)).toBeUndefined()
    expect(await shadowOf(w.memory, 'r1').get({ ...key, project: 'other' })).toBeUndefined()
  })

  it('holds writes against versions, and gives back when a record expires by itself', async () => {
    const w = await live()
    const shadow = shadowOf(w.memory, 'r1', expires)
    const write = { ...key, version: 1, value: 1, expires: '2026-02-02T00:00:00.000Z' }
    await shadow.commit({ writes: [write], outbox: [] })
    expect(await shadow.commit({ writes: [write], outbox: [] })).toBe('version conflict')
    expect(await shadow.get(key)).toEqual(write)
    expect(w.stores.memory.all().records.map((record) => record.expires)).toContain(expires)
  })

  it('tells nobody, and marks the delivery with the change', async () => {
    const w = await live()
    const mark = {
      project: 'main',
      source: 's',
      id: 'e',
      subscriber: 'count',
      replay: 'r1',
      state: 'done',
      attempts: 1,
      started: 't',
      changed: 't',
      emitted: [],
    } as const
    const outbox = [{ project: 'main', partitionkey: 'k', sequence: 1, index: 0, frame: {} }]
    const change = { writes: [{ ...key, version: 1, value: 1 }], outbox, mark }
    const shadow = shadowOf(w.memory, 'r1')
    expect(await shadow.commit(change)).toBe('committed')
    expect(await shadow.commit(change)).toBe('done already')
    expect(w.stores.memory.all().outbox).toEqual([])
    expect(w.deliveries()).toMatchObject([{ replay: 'r1', state: 'done' }])
  })

  it('is listed whole, whatever list it would stand in', async () => {
    const w = await live()
    const shadow = shadowOf(w.memory, 'r1')
    const names = ['c', 'a', 'b/with/slashes', 'd']
    for (const name of names)
      await shadow.commit({ writes: [{ ...key, name, version: 1, value: name, place }], outbox: [] })
    const { items } = await w.memory.list({
      project: 'main',
      list: shadowList('r1'),
      oldestFirst: true,
      limit: 10,
    })
    const found = items.map(shadowedOf).map((one) => [one.kind, one.name, one.value, one.place])
    expect(found).toEqual(names.toSorted().map((name) => ['build', name, name, place]))
  })

  it('has no lists and no outbox: what is live must not be taken for it', async () => {
    const shadow = shadowOf(world().deps.memory, 'r1')
    await expect(shadow.list({ project: 'main', list: place.list, limit: 1 })).rejects.toThrow('no lists')
    await expect(shadow.outbox('main', 'k')).rejects.toThrow('an outbox')
  })
})
