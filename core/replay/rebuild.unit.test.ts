import { describe, expect, it } from 'vitest'
import type { Route } from '../../events/route.ts'
import { routes } from '../../events/routes.ts'
import { queued, status } from '../../test/arrivals.ts'
import {
  handleAll,
  handlers,
  history,
  isPaused,
  live,
  rebuildWorld,
  reportOf,
  something,
} from '../../test/rebuilding.ts'
import type { ReplayWorld } from '../../test/replaying.ts'
import { minutes, seeded } from '../../test/world.ts'
import { runRecord } from '../domain/run.ts'
import type { HandlerAny } from '../event/handler.ts'
import { checkRebuild } from './rebuild.ts'

describe('a rebuild', () => {
  it.each([1, 2, 3, 4, 5, 6])('of a random history (%i) is equal to what is live', async (seed) => {
    const w = rebuildWorld()
    await history(w, seeded(seed), 60)
    for (const subscriber of ['track-build', 'track-run']) {
      const before = live(w, subscriber === 'track-build' ? 'build' : 'run')
      const job = await w.run(await w.rebuild(subscriber), () => handleAll(w))
      expect(job).toMatchObject({ state: 'done' })
      expect(job.counts).toMatchObject({ equal: Object.keys(before).length, different: 0 })
      expect(job.counts.onlyLive ?? 0).toBe(0)
      expect(job.counts.onlyRebuilt ?? 0).toBe(0)
      expect(live(w, subscriber === 'track-build' ? 'build' : 'run')).toEqual(before)
      expect(await isPaused(w, subscriber)).toBe(false)
    }
  })

  it('tells nobody anything, and its copies are forgotten after 30 days', async () => {
    const w = rebuildWorld()
    await history(w, seeded(7), 20)
    const before = w.stores.memory.all().outbox.length
    const id = await w.rebuild('track-build')
    await w.run(id, () => handleAll(w))
    const added = w.stores.memory.all().outbox.slice(before)
    const types = added.map(({ frame }) => (frame as { event: { type: string } }).event.type)
    expect(new Set(types)).toEqual(new Set(['replay.completed', 'subscriber.paused', 'subscriber.resumed']))
    const copies = w.stores.memory.all().records.filter(({ kind }) => kind === 'shadow')
    expect(copies.length).toBeGreaterThan(0)
    for (const { expires = '' } of copies)
      expect((Date.parse(expires) - Date.parse(w.clock())) / 86_400_000).toBeCloseTo(30, 0)
  })

  it('finds what somebody has spoilt by hand, and replaces it when told to', async () => {
    const w = rebuildWorld()
    await history(w, seeded(8), 40)
    const right = live(w, 'build')
    const [name = ''] = Object.keys(right)
    const key = { project: 'main', kind: 'build', name }
    const spoil = async () => {
      const record = await w.stores.memory.get(key)
      if (record === undefined) throw new Error('a record')
      const value = { ...(record.value as object), commits: [] }
      await w.stores.memory.commit({
        writes: [{ ...record, version: record.version + 1, value }],
        outbox: [],
      })
    }
    await spoil()
    const shown = await w.run(await w.rebuild('track-build'), () => handleAll(w))
    expect(shown.counts).toMatchObject({ different: 1 })
    expect(shown.counts.switched ?? 0).toBe(0)
    expect(reportOf(shown).different).toMatchObject([{ kind: 'build', name }])
    expect(reportOf(shown).different[0]?.changes.length).toBeGreaterThan(0)
    expect(live(w, 'build')).not.toEqual(right)
    const switched = await w.run(await w.rebuild('track-build', { switch: true }), () => handleAll(w))
    expect(switched.counts).toMatchObject({ different: 1, switched: 1 })
    expect(live(w, 'build')).toEqual(right)
    expect(w.told('replay.completed').at(-1)).toMatchObject({ kind: 'rebuild', state: 'done' })
  })

  it('finds and replaces what does not show in the list of its copies yet, once', async () => {
    const w = rebuildWorld()
    await history(w, seeded(8), 40)
    const right = live(w, 'build')
    const places = Object.entries(right).map(([of, { place }]) => ({ of, list: place?.list }))
    // its list is looked through for another one in it
    const name = places.find((one) => places.some((b) => b.of !== one.of && b.list === one.list))?.of ?? ''
    expect(name).not.toBe('')
    const key = { project: 'main', kind: 'build', name }
    const record = await w.stores.memory.get(key)
    const value = { ...Object(record?.value), commits: [] }
    const writes = [{ ...key, place: record?.place, version: (record?.version ?? 0) + 1, value }]
    await w.stores.memory.commit({ writes, outbox: [] })
    const shown = await w.run(await w.rebuild('track-build'), () => handleAll(w))
    expect(shown.counts).toMatchObject({ different: 1 })
    w.instead('memory', 'list', (real) => async (query) => {
      const { items, next } = await real(query)
      const isCopy = query.list.startsWith('shadow/')
      return { items: isCopy ? items.filter((one) => !one.name.endsWith(`/${name}`)) : items, next }
    })
    const switched = await w.run(await w.rebuild('track-build', { switch: true }), () => handleAll(w))
    expect(switched.counts).toMatchObject({ different: 1, switched: 1 })
    expect(reportOf(switched).different).toMatchObject([{ kind: 'build', name }])
    expect(live(w, 'build')).toEqual(right)
  })

  it('gives the list of its copies time to show the last before it goes by it', async () => {
    const w = rebuildWorld()
    await history(w, seeded(8), 10)
    // come so late that it is handled anew when the subscriber is quiet
    await something(w, () => 0.1)
    await handleAll(w)
    let written = ''
    let waited: number | undefined
    w.instead('memory', 'list', (real) => async (query) => {
      if (query.list.startsWith('shadow/')) waited ??= Date.parse(w.clock()) - Date.parse(written)
      return real(query)
    })
    const copies = () => JSON.stringify(w.stores.memory.all().records.filter(({ kind }) => kind === 'shadow'))
    await w.run(await w.rebuild('track-build'), async () => {
      const before = copies()
      await handleAll(w)
      if (copies() !== before) written = w.clock()
    })
    expect(waited).toBeGreaterThanOrEqual(5000)
  })

  it.each([11, 12, 13, 14])(
    'with a switch amid live traffic (%i) mends, loses and doubles nothing',
    async (seed) => {
      const w = rebuildWorld()
      const random = seeded(seed)
      await history(w, random, 40)
      const spoilt = w.stores.memory.all().records.filter(({ kind }) => kind === 'build')
      for (const record of spoilt)
        await w.stores.memory.commit({
          writes: [
            {
              ...record,
              version: record.version + 1,
              value: {
                ...(record.value as object),
                commits: (record.value as { commits: [] }).commits.slice(1),
              },
            },
          ],
          outbox: [],
        })
      // some of it is still in the queue when the rebuild begins
      for (let n = 0; n < 6; n++) await something(w, random)
      const job = await w.run(await w.rebuild('track-build', { switch: true }, 20), async () => {
        if (random() < 0.6) await something(w, random)
        if (random() < 0.7) await handleAll(w)
      })
      expect(job).toMatchObject({ state: 'done' })
      expect(job.counts.different).toBeGreaterThan(0)
      expect(await isPaused(w, 'track-build')).toBe(false)
      await w.release()
      await handleAll(w)
      expect(w.deliveries().filter(({ state, replay }) => state !== 'done' && replay === '')).toEqual([])
      const after = live(w, 'build')
      // all of it, from nothing
      const again = await w.run(await w.rebuild('track-build'), () => handleAll(w))
      expect(again.counts).toMatchObject({ equal: Object.keys(after).length, different: 0 })
    },
  )

  it('names what no event explains, and what is missing', async () => {
    const w = rebuildWorld()
    await history(w, seeded(9), 40)
    const [one, other] = Object.values(live(w, 'build'))
    if (one === undefined || other === undefined) throw new Error('two builds')
    const extra = { project: 'main', kind: 'build', name: 'octo/old', version: 1 }
    await w.stores.memory.commit({
      writes: [{ ...extra, value: one.value, place: one.place }],
      outbox: [],
    })
    const job = await w.run(await w.rebuild('track-build', { switch: true }), () => handleAll(w))
    expect(job.counts).toMatchObject({ onlyLive: 1, different: 0 })
    expect(reportOf(job).onlyLive).toEqual([{ kind: 'build', name: 'octo/old' }])
    expect(live(w, 'build')['octo/old']).toBeDefined()
  })

  const spoilRun = async (w: ReplayWorld) => {
    const key = runRecord('main', 'validate', 'run-1')
    const record = await w.stores.memory.get(key)
    if (record === undefined) throw new Error('a run')
    const value = { ...(record.value as object), cause: 'spoilt' }
    await w.stores.memory.commit({ writes: [{ ...record, version: record.version + 1, value }], outbox: [] })
    return w.stores.memory.get(key)
  }
  const ran = async (w: ReplayWorld, ...states: ('RUNNING' | 'SUCCEEDED')[]) => {
    for (const state of states) {
      await w.record(queued(status({ name: 'run-1', status: state })))
      await handleAll(w)
      w.advance(minutes)
    }
  }

  it.each([
    ['is older than what is kept', true],
    ['has begun at a time that nobody knows', false],
  ])(
    'leaves a record as it is that more events made than it has, where the project %s',
    async (_, isRegistered) => {
      const w = rebuildWorld({ isRegistered })
      await ran(w, 'RUNNING')
      if (isRegistered) w.advance(31 * 24 * 60 * minutes)
      await ran(w, 'SUCCEEDED')
      const before = await spoilRun(w)
      const job = await w.run(await w.rebuild('track-run', { switch: true }), () => handleAll(w))
      expect(job.counts).toMatchObject({ different: 1, older: 1 })
      expect(job.counts.switched ?? 0).toBe(0)
      expect(reportOf(job)).toMatchObject({
        different: [{ kind: 'run' }],
        older: [{ kind: 'run', name: 'validate/run-1' }],
      })
      expect(await w.stores.memory.get(runRecord('main', 'validate', 'run-1'))).toEqual(before)
    },
  )

  it('of a project that is older replaces what all is known of: written as often, by others too', async () => {
    const w = rebuildWorld()
    w.advance(31 * 24 * 60 * minutes)
    await ran(w, 'RUNNING', 'SUCCEEDED')
    const key = runRecord('main', 'validate', 'run-1')
    const record = await w.stores.memory.get(key)
    if (record === undefined) throw new Error('a run')
    const value = { ...(record.value as object), cause: 'spoilt', event: { source: 's', id: 'i', type: 't' } }
    await w.stores.memory.commit({ writes: [{ ...record, version: 3, value }], outbox: [] })
    const job = await w.run(await w.rebuild('track-run', { switch: true }), () => handleAll(w))
    expect(job.counts).toMatchObject({ different: 1, switched: 1 })
    expect((await w.stores.memory.get(key))?.value).not.toMatchObject({ cause: 'spoilt' })
  })

  it('of a project that is older replaces again what it has replaced before', async () => {
    const w = rebuildWorld()
    w.advance(31 * 24 * 60 * minutes)
    await ran(w, 'RUNNING', 'SUCCEEDED')
    const decides =
      (cause: string): HandlerAny =>
      async (handled, memory) => {
        const change = await handlers['track-run']?.(handled, memory)
        if (change === undefined || !('writes' in change)) return change
        const writes = change.writes.map((write) => ({
          ...write,
          value: { ...(write.value as object), cause },
        }))
        return { ...change, writes }
      }
    const rebuiltBy = async (cause: string) =>
      w.run(await w.rebuild('track-run', { switch: true }), () => w.handle('track-run', decides(cause)))
    for (const cause of ['newer code', 'yet newer code', 'the newest code']) {
      expect((await rebuiltBy(cause)).counts).toMatchObject({ different: 1, switched: 1 })
      const { value } = (await w.stores.memory.get(runRecord('main', 'validate', 'run-1'))) ?? {}
      expect(value).toMatchObject({ cause })
    }
    // and one that somebody changed by hand since is left alone, as before
    await spoilRun(w)
    expect((await rebuiltBy('other code')).counts).toMatchObject({ different: 1, older: 1 })
  })

  it('leaves what others write into the same records as it is', async () => {
    const w = rebuildWorld()
    await w.record(queued(status({ name: 'run-1', status: 'SUCCEEDED' })))
    await handleAll(w)
    const key = runRecord('main', 'validate', 'run-1')
    const record = await w.stores.memory.get(key)
    if (record === undefined) throw new Error('a run')
    const value = { ...(record.value as object), attempt: 3, event: { source: 's', id: 'i', type: 't' } }
    await w.stores.memory.commit({ writes: [{ ...record, version: 2, value }], outbox: [] })
    const job = await w.run(await w.rebuild('track-run', { switch: true }), () => handleAll(w))
    expect(job.counts).toMatchObject({ equal: 1, different: 0 })
    expect((await w.stores.memory.get(key))?.value).toMatchObject({ attempt: 3, event: { id: 'i' } })
  })
})

describe('what is asked for', () => {
  it('from a part of the history may be compared, and replaces nothing', async () => {
    const w = rebuildWorld()
    await expect(w.rebuild('track-build', { since: w.clock(), switch: true })).rejects.toMatchObject({
      code: 'Invalid',
      faults: [{ path: 'since' }],
    })
    await expect(w.rebuild('track-build', { since: w.clock() })).resolves.toBeTruthy()
  })

  it('of a subscriber without state is refused', () => {
    const route: Route | undefined = routes.find(({ subscriber }) => subscriber === 'notify')
    expect(() => checkRebuild(route ?? expect.fail('no notify'))).toThrow(/loadpath replay notify/)
  })
})
