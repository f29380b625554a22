import { describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { byHttp, push } from '../../test/arrivals.ts'
import { analyzed, noting, pushed, replayWorld } from '../../test/replaying.ts'
import { hours, minutes, routeOf, testRoutes } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import { checkReplay, countReplay, judgeReplay, newReplay } from './replay.ts'
import { replayProgress } from './replay-job.ts'

describe('a replay', () => {
  it('hands each event of the selection to the one subscriber again, and to no other', async () => {
    const w = replayWorld()
    const ids = await pushed(w, 7)
    const id = await w.replay('analyze', { type: 'github.push' })
    const again = noting()
    const job = await w.run(id, () => w.handle('analyze', again.handler))
    expect(again.ids().toSorted()).toEqual(ids)
    expect(new Set(again.seen.map(({ replay }) => replay))).toEqual(new Set([id]))
    expect(job).toMatchObject({ state: 'done', counts: { matched: 7, sent: 7, done: 7 } })
    expect(await w.stores.queues.depth('validate')).toBe(0)
    const replayed = w.deliveries().filter(({ replay }) => replay === id)
    expect(replayed.map(({ subscriber, state }) => `${subscriber} ${state}`)).toEqual(
      ids.map(() => 'analyze done'),
    )
    expect(w.told('replay.completed')).toEqual([
      {
        job: id,
        kind: 'replay',
        subscriber: 'analyze',
        state: 'done',
        counts: { matched: 7, sent: 7, done: 7, differs: 7 },
      },
    ])
  })

  it('takes what is named alone: time, type, key, story, event, and what was expected then', async () => {
    const w = replayWorld()
    const start = w.clock()
    await pushed(w, 3)
    const middle = w.clock()
    await w.record(
      byHttp(push('other', { partitionkey: 'mine', correlationid: 'push-2' }), { received: w.clock() }),
      byHttp(push('deleted', { data: { ...githubPush.example, deleted: true } }), { received: w.clock() }),
    )
    w.advance(minutes)
    await pushed(w, 2, 4)
    const chosen = async (selection: Parameters<typeof w.replay>[1]) => {
      const { job } = newReplay(
        { project: 'main', id: 'x', by: 'me', asked: w.clock(), rate: 1 },
        'analyze',
        selection,
        testRoutes,
      )
      const again = noting()
      await w.run(await w.replay('analyze', selection), () => w.handle('analyze', again.handler))
      expect(job.state).toBe('running')
      return again.ids().toSorted()
    }
    expect(await chosen({ since: middle })).toEqual(['deleted', 'other', 'push-4', 'push-5'])
    expect(await chosen({ until: middle })).toEqual(['deleted', 'other', 'push-1', 'push-2', 'push-3'])
    expect(await chosen({ since: start, until: start })).toEqual(['push-1'])
    expect(await chosen({ key: 'mine' })).toEqual(['other'])
    expect(await chosen({ story: 'push-2' })).toEqual(['other', 'push-2'])
    expect(await chosen({ story: 'push-2', since: middle })).toEqual(['other'])
    const source = 'https://github.com/octo/hello'
    expect(await chosen({ event: { source, id: 'push-3' } })).toEqual(['push-3'])
    expect(await chosen({ event: { source, id: 'nobody' } })).toEqual([])
  })

  it('goes by the route of now, and as recorded by what was expected then', async () => {
    const asked = { project: 'main', asked: '2026-01-01T13:00:00.000Z' }
    const w = replayWorld()
    await pushed(w, 2)
    const later = { ...routeOf('analyze'), subscriber: 'later' }
    const count = (asRecorded: boolean) =>
      countReplay(
        asked,
        { route: later, selection: { type: 'github.push', asRecorded }, judge: judgeReplay },
        {},
        w.deps,
        5,
      )
    expect(await count(false)).toEqual({
      types: { 'github.push': 2 },
      left: 0,
      unreadable: 0,
      next: undefined,
    })
    expect((await count(true)).types).toEqual({})
  })

  it('leaves out copies of webhooks, what was dropped, and what an edit made for somebody else', async () => {
    const w = replayWorld()
    await w.record(byHttp(push('push-1'), { received: w.clock() }))
    await w.handle('analyze', () => Promise.reject(new Failure('Invalid', 'no')))
    await pushed(w, 2, 2)
    const [first] = w.events()
    const [dead] = w.deliveries()
    if (!first || !dead) throw new Error('an event and its delivery')
    await w.stores.history.transition({ key: dead, seen: dead, next: { ...dead, state: 'dropped' } })
    await w.record(byHttp(push('copy'), { received: w.clock(), duplicateof: 'push-1' }))
    await w.stores.history.insertEvents([
      { ...first, event: { ...first.event, id: 'edited', door: 'edit' }, expects: ['validate'] },
    ])
    w.advance(minutes)
    const again = noting()
    const job = await w.run(await w.replay('analyze', { type: 'github.push' }), () =>
      w.handle('analyze', again.handler),
    )
    expect(again.ids()).toEqual(['push-2', 'push-3'])
    expect(job.counts).toMatchObject({ sent: 2, left: 1 })
  })

  it('walks hours and shards in the order of writing, and skips entries of other pages and without event', async () => {
    const w = replayWorld()
    for (let n = 1; n <= 40; n++) {
      await w.record(byHttp(push(`push-${n}`), { received: w.clock() }))
      w.advance(11 * minutes)
    }
    await w.handle('analyze', noting().handler)
    const [{ event } = { event: undefined }] = w.events()
    if (event === undefined) throw new Error('an event')
    const entry = { ...event, correlationid: event.id }
    await w.stores.history.putPage({
      ...{ project: 'main', hour: w.clock().slice(0, 13), shard: 0, page: `${w.clock()}~x` },
      entries: [entry, { ...entry, id: 'never written' }],
    })
    w.advance(hours)
    const again = noting()
    const job = await w.run(await w.replay('analyze', { type: 'github.push' }), () =>
      w.handle('analyze', again.handler),
    )
    expect(again.ids()).toEqual(Array.from({ length: 40 }, (_, n) => `push-${n + 1}`))
    expect(job.counts).toMatchObject({ matched: 40, done: 40 })
  })

  it('counts what cannot be read, and goes on', async () => {
    const w = replayWorld()
    await pushed(w, 3)
    w.instead('history', 'fate', (real) => async (identity, read) => {
      if (identity.id === 'push-2') throw new Failure('NewerVersion', 'cannot be read')
      return real(identity, read)
    })
    const again = noting()
    const job = await w.run(await w.replay('analyze', { type: 'github.push' }), () =>
      w.handle('analyze', again.handler),
    )
    expect(again.ids()).toEqual(['push-1', 'push-3'])
    expect(job.counts).toMatchObject({ unreadable: 1, done: 2 })
  })

  it('sends no more than its rate allows, whatever its batches cost', async () => {
    const w = replayWorld()
    await pushed(w, 60)
    const id = await w.replay('analyze', { type: 'github.push' }, 2)
    const sends: number[] = []
    const began = Date.parse(w.clock())
    for (let batches = 0; (await w.job(id)).counts.sent !== 60; batches++) {
      const before = (await w.job(id)).counts.sent ?? 0
      const { wait } = await w.batch(id)
      sends.push(((await w.job(id)).counts.sent ?? 0) - before)
      await w.handle('analyze', noting().handler)
      w.advance(wait * 1000)
      expect(batches).toBeLessThan(20)
    }
    expect(Math.max(...sends)).toBe(10)
    const seconds = (Date.parse(w.clock()) - began) / 1000
    expect(60 / seconds).toBeLessThanOrEqual(2)
  })

  it('says what its handling would have emitted otherwise, and counts the dead and the parked', async () => {
    const w = replayWorld()
    await pushed(w, 4)
    const id = await w.replay('analyze', { type: 'github.push' })
    const job = await w.run(id, () =>
      w.handle('analyze', async ({ event }) => {
        if (event.id === 'push-1') throw new Failure('Invalid', 'no')
        return event.id === 'push-2' ? [analyzed, analyzed] : []
      }),
    )
    expect(job).toMatchObject({ state: 'done', counts: { sent: 4, done: 3, dead: 1, differs: 1 } })
    const { differing } = replayProgress.parse(job.progress)
    expect(differing.map(({ id }) => id)).toEqual(['push-2'])
    expect(differing[0]?.notes[0]).toMatch(/^would emit repository\.analyzed /)
    expect(w.stores.queues.take('record')).toEqual([])
  })

  it('with emit sends what is emitted, under ids of its own', async () => {
    const w = replayWorld()
    await pushed(w, 1)
    const id = await w.replay('analyze', { type: 'github.push', emit: true })
    await w.run(id, () => w.handle('analyze', noting().handler))
    const [frame] = w.stores.queues.take('record')
    expect(JSON.parse(frame ?? '')).toMatchObject({ door: 'emit', again: id })
  })
})

describe('what is asked for', () => {
  const asked = { project: 'main', id: 'x', by: 'me', asked: '2026-01-01T12:00:00.000Z', rate: 1 }
  const refusal = (subscriber: string, selection: Parameters<typeof newReplay>[2]) => {
    try {
      newReplay(asked, subscriber, selection, testRoutes)
    } catch (error) {
      return error
    }
    return undefined
  }

  it.each([
    ['nobody', { type: 'github.push' }, 'NotFound', /no subscriber nobody/],
    ['count', { type: 'test.completed' }, 'Conflict', /loadpath rebuild count/],
    ['analyze', {}, 'Invalid', /selection/],
    ['analyze', { asRecorded: true }, 'Invalid', /selection/],
    ['analyze', { type: 'test.completed' }, 'Invalid', /selection/],
    [
      'analyze',
      { since: '2026-01-02T00:00:00.000Z', until: '2026-01-01T00:00:00.000Z' },
      'Invalid',
      /selection/,
    ],
    ['validate', { type: 'github.push', emit: true }, 'Conflict', /emits under ids of its own/],
  ])('of %s by %j is refused', (subscriber, selection, code, words) => {
    const error = refusal(subscriber, selection)
    expect(error).toMatchObject({ code })
    expect(String(error)).toMatch(words)
  })

  it('of what mends others is refused', () => {
    const route = { ...routeOf('validate'), unpausable: 'it mends' }
    expect(() => checkReplay(route, { type: 'github.push' })).toThrow(/never replayed/)
  })

  it('is counted without being sent, in looks that go on where the last one ended', async () => {
    const w = replayWorld()
    const since = w.clock()
    await pushed(w, 5)
    const looks: unknown[] = []
    let next: Parameters<typeof countReplay>[2] | undefined = {}
    let total = 0
    // a clock that runs on while it looks
    const clock = () => {
      w.advance(4000)
      return w.clock()
    }
    const hurried = { ...w.deps, clock }
    while (next !== undefined) {
      const counted: Awaited<ReturnType<typeof countReplay>> = await countReplay(
        { project: 'main', asked: '2026-01-01T14:00:00.000Z' },
        { route: routeOf('analyze'), selection: { since }, judge: judgeReplay },
        next,
        hurried,
        5,
      )
      looks.push(counted)
      total += counted.types['github.push'] ?? 0
      next = counted.next
    }
    expect(total).toBe(5)
    expect(looks.length).toBeGreaterThan(2)
    expect(await w.stores.queues.depth('analyze')).toBe(0)
  })
})
