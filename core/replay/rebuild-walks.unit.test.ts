// Longer than 300 lines: what each walk takes and leaves, for a subscriber with order and one without.
import { describe, expect, it } from 'vitest'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { testCompleted } from '../../events/test.completed.ts'
import { byHttp, emit, queued, told } from '../../test/arrivals.ts'
import { handleAll, isPaused, live, rebuildWorld } from '../../test/rebuilding.ts'
import type { ReplayWorld } from '../../test/replaying.ts'
import { dies } from '../../test/sweeping.ts'
import { minutes } from '../../test/world.ts'
import { historyOf, historyRecord } from '../domain/repository-history.ts'
import { Failure } from '../errors.ts'
import { record } from '../gate/record.ts'
import { redriveEvent } from '../mend/redrive-one.ts'
import { rebuildProgress } from './rebuild-state.ts'
import { shortfallOf } from './shortfall.ts'

describe('an ordered subscriber', () => {
  const declare = async (w: ReplayWorld, repository: string, version: number, branch = `b${version}`) => {
    const data = { ...repositoryUpdated.example, repository, version, deployBranch: branch }
    await w.record(
      queued(
        told(
          { type: 'repository.updated', data },
          { partitionkey: `repository/${repository}`, sequence: version },
        ),
      ),
    )
    w.advance(1000)
  }

  it('is rebuilt by the sequence of each key, though the timeline has another order', async () => {
    const w = rebuildWorld()
    // one after the other, but written down as they came
    for (const version of [1, 2, 3]) for (const name of ['octo/a', 'octo/b']) await declare(w, name, version)
    await handleAll(w)
    const right = live(w, 'repository-history')
    const pages = w.stores.history.all().pages
    // the pages are laid into the reverse of their order
    const reversed = pages.map(({ page }) => page).toReversed()
    w.instead('history', 'pages', (real) => async (at) => {
      const found = await real({ ...at, after: '', limit: 1000 })
      return found
        .map((page) => ({
          ...page,
          page: reversed[pages.findIndex((one) => one.page === page.page)] ?? page.page,
        }))
        .filter(({ page }) => page > (at.after ?? ''))
        .sort((a, b) => (a.page < b.page ? -1 : 1))
        .slice(0, at.limit)
    })
    w.instead('history', 'fate', (real) => async (identity, read) => {
      const { stored, deliveries } = await real(identity, read)
      const page = stored && reversed[pages.findIndex((one) => one.page === stored.page.page)]
      return {
        stored: stored && { ...stored, page: { ...stored.page, page: page ?? stored.page.page } },
        deliveries,
      }
    })
    const job = await w.run(await w.rebuild('track-repository'), () => handleAll(w))
    expect(job).toMatchObject({
      state: 'done',
      counts: { matched: 6, sent: 6, done: 6, equal: 2, different: 0 },
    })
    expect(live(w, 'repository-history')).toEqual(right)
    expect(historyOf(await w.stores.memory.get(historyRecord('main', 'octo/a')))?.version).toBe(3)
  })

  it('what is on its way holds up what is behind it, however little it is seen', async () => {
    const w = rebuildWorld()
    for (const version of [1, 2, 3, 4]) await declare(w, 'octo/a', version)
    await handleAll(w)
    const second = w.events().find(({ event }) => event.sequence === 2)?.event.id
    w.instead('history', 'fate', (real) => async (identity, read) => {
      const found = await real(identity, read)
      // at the first look its mark has not come yet
      const hides = identity.id === second && !(await isPaused(w, 'track-repository'))
      return hides ? { ...found, deliveries: [] } : found
    })
    const job = await w.run(await w.rebuild('track-repository'), () => handleAll(w))
    expect(job).toMatchObject({ state: 'done', counts: { sent: 4, done: 4, equal: 1, different: 0 } })
    expect(job.counts.failed ?? 0).toBe(0)
  })

  it('what is dead and what waits behind it are left out, that is told, and the copy is as the live one', async () => {
    const w = rebuildWorld()
    for (const version of [1, 2]) for (const name of ['octo/a', 'octo/b']) await declare(w, name, version)
    await handleAll(w)
    await declare(w, 'octo/a', 3)
    await w.handle('track-repository', () => Promise.reject(new Failure('Invalid', 'no')))
    for (const name of ['octo/a', 'octo/b']) await declare(w, name, name === 'octo/a' ? 4 : 3)
    await handleAll(w)
    const job = await w.run(await w.rebuild('track-repository', { switch: true }), () => handleAll(w))
    expect(job).toMatchObject({
      state: 'done',
      counts: { done: 5, equal: 2, different: 0, left: 2, keysHeld: 1 },
    })
    expect(shortfallOf(job)).toContain('1 keys stop at what is dead')
  })

  it('goes on behind what was dropped, and behind what was lost on its way', async () => {
    const w = rebuildWorld()
    const names = ['octo/a', 'octo/b']
    for (const name of names) await declare(w, name, 1)
    await handleAll(w)
    for (const name of names) await declare(w, name, 2)
    w.stores.queues.take('track-repository')
    const second = w.events().find(({ event }) => event.sequence === 2)?.event
    if (second === undefined) return expect.fail('a second version')
    const { source, id } = second
    await w.stores.history.mark(
      { project: 'main', source, id, subscriber: 'track-repository', replay: '' },
      { state: 'dropped', attempts: 1, started: w.clock(), changed: w.clock(), emitted: [] },
    )
    for (const name of names) await declare(w, name, 3)
    await handleAll(w)
    const before = live(w, 'repository-history')
    const job = await w.run(await w.rebuild('track-repository', { switch: true }), () => handleAll(w))
    expect(job).toMatchObject({ state: 'done', counts: { sent: 4, done: 4, equal: 2, left: 2 } })
    expect(shortfallOf(job)).toBeUndefined()
    expect(live(w, 'repository-history')).toEqual(before)
    const history = historyOf(await w.stores.memory.get(historyRecord('main', 'octo/b')))
    expect(history?.steps).toMatchObject([{ version: 3, after: 1 }, { version: 1 }])
  })
})

describe('an event without a sequence', () => {
  const data = (name: string, version: number) => ({
    ...repositoryUpdated.example,
    repository: `octo/${name}`,
    version,
  })

  it.each([true, false])(
    'is left out, and what is behind it is not (expected then: %s)',
    async (isExpected) => {
      const w = rebuildWorld()
      const declare = async (name: string, version: number) => {
        const about = { partitionkey: `repository/octo/${name}`, sequence: version }
        await w.record(queued(told({ type: 'repository.updated', data: data(name, version) }, about)))
        await handleAll(w)
        w.advance(10_000)
      }
      await declare('a', 1)
      const emitted = emit({ source: '/x', id: 'cause' }, { type: 'repository.updated', data: data('b', 1) })
      await record([queued(emitted)], { ...w.deps, routes: isExpected ? w.deps.routes : [] })
      await handleAll(w)
      expect(w.deliveries().filter(({ state }) => state === 'dead')).toHaveLength(isExpected ? 1 : 0)
      for (const version of [1, 2, 3]) await declare('b', version)
      await declare('c', 1)
      w.advance(20 * minutes)
      const job = await w.run(await w.rebuild('track-repository', { switch: true }), () => handleAll(w))
      expect(job).toMatchObject({ state: 'done', counts: { sent: 5, equal: 3, left: 1, different: 0 } })
      expect(job.counts.onlyLive ?? 0).toBe(0)
    },
  )
})

describe('a page', () => {
  it('that comes behind the walk through its time is in the copy too', async () => {
    const w = rebuildWorld()
    const data = (version: number) => ({ ...repositoryUpdated.example, repository: 'octo/a', version })
    const declare = (version: number, clock = w.clock) => {
      const about = { partitionkey: 'repository/octo/a', sequence: version }
      return record([queued(told({ type: 'repository.updated', data: data(version) }, about))], {
        ...w.deps,
        clock,
      })
    }
    for (const version of [1, 2, 3]) await declare(version)
    await handleAll(w)
    w.advance(minutes)
    const id = await w.rebuild('track-repository', { switch: true })
    const before = new Date(Date.parse(w.clock()) - 500).toISOString()
    let isLate = false
    w.instead('memory', 'commit', (real) => async (change) => {
      const verdict = await real(change)
      const progress = rebuildProgress.safeParse((await w.job(id)).progress).data
      if (isLate || progress?.stage !== 'quiet') return verdict
      isLate = true
      await declare(4, () => before)
      await handleAll(w)
      return verdict
    })
    const job = await w.run(id, () => handleAll(w))
    expect(isLate).toBe(true)
    expect(job).toMatchObject({ state: 'done', counts: { done: 4, equal: 1, different: 0 } })
    expect(historyOf(await w.stores.memory.get(historyRecord('main', 'octo/a')))?.version).toBe(4)
  })
})

describe('what is dead', () => {
  const tested = async (w: ReplayWorld, id: string, suite: string) => {
    const data = { ...testCompleted.example, commit: `c${suite}`, suite }
    const event = { specversion: '1.0', id, source: '/ci', type: testCompleted.type, data }
    await w.record(byHttp(event, { received: w.clock() }))
    w.advance(1000)
  }
  /** 120 dead, then 240 that are done. */
  const half = async () => {
    const w = rebuildWorld()
    for (let n = 0; n < 120; n++) await tested(w, `d${n}`, `d${n % 5}`)
    await w.handle('track-build', dies)
    for (let n = 0; n < 240; n++) await tested(w, `g${n}`, `g${n % 7}`)
    await handleAll(w)
    w.advance(30 * minutes)
    return w
  }
  const of = (subscriber: string) => ({ project: 'main', subscriber, replay: '' })
  const settling = async (w: ReplayWorld, id: string) =>
    rebuildProgress.safeParse((await w.job(id)).progress).data?.doing === 'settle'
  const untilPaused = async (
    w: ReplayWorld,
    subscriber: string,
    between: (id: string) => Promise<void> = async () => {},
  ) => {
    const id = await w.rebuild(subscriber, { switch: true })
    while (!(await isPaused(w, subscriber))) {
      await w.batch(id)
      await between(id)
      await handleAll(w)
      w.advance(1000)
    }
    return id
  }

  it('keeps nothing that is done for the pause, however much is dead', async () => {
    const w = await half()
    const id = await untilPaused(w, 'track-build')
    expect((await w.job(id)).counts).toMatchObject({ matched: 240, sent: 240, done: 240 })
    const job = await w.run(id, () => handleAll(w))
    expect(job).toMatchObject({ state: 'done', counts: { matched: 240, done: 240, left: 120, different: 0 } })
  })

  it('and is redriven before the pause is in the copy, kept in mind or not', async () => {
    const w = await half()
    const id = await untilPaused(w, 'track-build', async (now) => {
      if ((await settling(w, now)) && w.told('event.redriven').length === 0)
        for (const id of ['d5', 'd110', 'd119'])
          await redriveEvent({ ...of('track-build'), source: '/ci', id }, {}, 'user:ann', w.deps)
    })
    expect((await w.job(id)).counts).toMatchObject({ sent: 240 })
    const job = await w.run(id, () => handleAll(w))
    expect(job).toMatchObject({
      state: 'done',
      counts: { matched: 243, sent: 243, done: 243, left: 117, different: 0 },
    })
  })

  it.each([0, 2])('of many keys keeps no other key for the pause (%i redriven before)', async (redriven) => {
    const w = rebuildWorld()
    const declare = async (name: string, version: number) => {
      const data = { ...repositoryUpdated.example, repository: `octo/${name}`, version }
      const about = { partitionkey: `repository/octo/${name}`, sequence: version }
      await w.record(queued(told({ type: 'repository.updated', data }, about)))
      w.advance(1000)
    }
    const keys = Array.from({ length: 130 }, (_, n) => `k${n}`)
    for (const key of keys) await declare(key, 1)
    await handleAll(w)
    for (const key of keys) await declare(key, 2)
    await w.handle('track-repository', dies)
    for (const key of keys) await declare(key, 3)
    await declare('other', 1)
    await handleAll(w)
    w.advance(30 * minutes)
    const again = w
      .events()
      .filter(({ event }) => event.sequence === 2 && /k(5|129)$/.test(event.partitionkey))
      .slice(0, redriven)
    const id = await untilPaused(w, 'track-repository', async (now) => {
      if ((await settling(w, now)) && w.told('event.redriven').length === 0)
        for (const { event } of again)
          await redriveEvent({ ...event, ...of('track-repository') }, {}, 'user:ann', w.deps)
    })
    expect((await w.job(id)).counts).toMatchObject({ matched: 131, sent: 131, done: 131 })
    const job = await w.run(id, () => handleAll(w))
    expect(job).toMatchObject({
      state: 'done',
      counts: {
        ...{ matched: 131 + 2 * redriven, done: 131 + 2 * redriven },
        ...{ equal: 131, different: 0, keysHeld: 130 - redriven },
      },
    })
  })
})

describe('a backlog', () => {
  it('of more than is kept in mind is handled with the subscriber paused, each of it once', async () => {
    const w = rebuildWorld()
    for (let n = 0; n < 450; n++) {
      const data = { ...testCompleted.example, commit: `c${n % 7}`, suite: `s${n}` }
      const event = { specversion: '1.0', id: `t${n}`, source: '/ci', type: testCompleted.type, data }
      await w.record(byHttp(event, { received: w.clock() }))
      w.advance(100)
      if (n === 100) await handleAll(w)
    }
    w.advance(6 * minutes)
    const id = await w.rebuild('track-build')
    let handled = false
    const job = await w.run(id, async () => {
      const later = rebuildProgress.safeParse((await w.job(id)).progress).data?.later
      if (later?.reach !== undefined) handled = true
      await handleAll(w)
    })
    expect(handled).toBe(true)
    expect(job).toMatchObject({
      state: 'done',
      counts: { matched: 450, sent: 450, done: 450, different: 0, equal: 1 },
    })
  })
})
