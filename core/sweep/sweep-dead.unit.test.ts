import { beforeEach, describe, expect, it } from 'vitest'
import { eventDeadLettered } from '../../events/event.dead-lettered.ts'
import { byHttp, push, queued, told } from '../../test/arrivals.ts'
import { dies, nothing, relayAll, wholePass } from '../../test/sweeping.ts'
import { unreadable } from '../../test/unreadable.ts'
import { hours, minutes, noon, routeOf, type World, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import { rememberFormer, subscriberNames } from '../gate/subscribers.ts'
import { sweep } from './sweep.ts'

let w: World
beforeEach(() => {
  w = world()
})

const pass = () => wholePass(w)
const eventsOf = (type: string) => w.events().flatMap(({ event }) => (event.type === type ? [event] : []))

describe('event.dead-lettered', () => {
  /** Deliveries of these events to a subscriber die, now. */
  async function dead(subscriber: string, ...ids: string[]): Promise<void> {
    await w.record(...ids.map((id) => byHttp(push(id))))
    await w.handle(subscriber, dies)
    for (const name of ['analyze', 'validate']) await w.handle(name, nothing)
  }
  const letters = () =>
    eventsOf('event.dead-lettered').map(({ data }) => eventDeadLettered.schema.parse(data))
  const tell = async () => {
    const { told: count } = await pass()
    await relayAll(w)
    return count
  }
  beforeEach(tell)

  it('is one per subscriber and minute, with how many and why', async () => {
    w.advance(minutes)
    await dead('analyze', 'a', 'b', 'c')
    w.advance(30_000)
    await dead('validate', 'd')
    await dead('analyze', 'e', 'f', 'g')
    w.advance(2 * minutes)
    expect(await tell()).toBe(2)
    expect(letters().sort((a, b) => (a.subscriber < b.subscriber ? -1 : 1))).toMatchObject([
      { subscriber: 'analyze', minute: '2026-01-01T12:01:00.000Z', count: 6, sample: { length: 5 } },
      { subscriber: 'validate', count: 1, sample: [{ id: 'd', reason: 'no good' }] },
    ])
  })

  it('is told where newer code wrote one of them', async () => {
    w.advance(minutes)
    await dead('analyze', 'a', 'b')
    await dead('validate', 'd')
    w.advance(2 * minutes)
    w.instead('history', 'getDeliveries', unreadable('a'))
    expect(await tell()).toBe(2)
    expect(letters().flatMap(({ sample }) => sample)).toEqual(
      expect.arrayContaining([
        { source: expect.anything(), id: 'a', reason: 'newer code wrote it' },
        { source: expect.anything(), id: 'b', reason: 'no good' },
        { source: expect.anything(), id: 'd', reason: 'no good' },
      ]),
    )
  })

  it('says why without the values of the event: it goes to more people than may see them', async () => {
    const faults = [{ path: 'data.ref', expected: 'a full ref', got: '"secret"' }]
    await w.one(byHttp(push('a')))
    await w.handle('analyze', async () => {
      throw new Failure('Invalid', 'it does not fit', { faults })
    })
    await w.handle('validate', nothing)
    w.advance(2 * minutes)
    await tell()
    expect(letters()).toMatchObject([
      { sample: [{ reason: 'it does not fit; data.ref: expected a full ref …' }] },
    ])
  })

  it('is told once, whatever the passes', async () => {
    await dead('analyze', 'a')
    for (let passes = 0; passes < 5; passes++) {
      w.advance(30_000)
      await tell()
    }
    expect(letters()).toHaveLength(1)
  })

  it('waits until the minute is over and shows in the index', async () => {
    await dead('analyze', 'a')
    w.advance(minutes)
    expect(await tell()).toBe(0)
    w.advance(minutes)
    expect(await tell()).toBe(1)
  })

  it('is told of every minute, however long nobody swept: what does not fit waits for the next pass', async () => {
    for (let minute = 0; minute < 130; minute++) {
      await dead('analyze', `p${minute}`)
      w.advance(minutes)
    }
    w.advance(minutes)
    const counts = [await tell(), await tell(), await tell()]
    expect(counts).toEqual([90, 40, 0])
    expect(new Set(letters().map(({ minute }) => minute)).size).toBe(130)
  })

  it('is told of all that have it in one minute, however many those are', async () => {
    const names = Array.from({ length: 200 }, (_, n) => `s${n}`)
    w.deps.routes = names.map((subscriber) => ({ ...routeOf('analyze'), subscriber }))
    const die = async () => {
      for (const subscriber of names)
        await w.stores.history.mark(
          { project: 'main', source: 's', id: w.clock(), subscriber, replay: '' },
          { state: 'dead', attempts: 1, started: noon, changed: w.clock(), reason: 'x', emitted: [] },
        )
      w.advance(minutes)
    }
    await die()
    await die()
    const counts: number[] = []
    for (let passes = 0; passes < 7; passes++) {
      w.advance(30_000)
      counts.push(await tell())
    }
    expect(counts).toEqual([90, 90, 90, 90, 40, 0, 0])
    const told = letters().map(({ subscriber, minute }) => `${subscriber} ${minute}`)
    expect([told.length, new Set(told).size]).toEqual([400, 400])
  })

  it('is not made of what died while a platform event was handled: that would feed itself', async () => {
    const data = eventDeadLettered.example
    await w.one(queued(told({ type: 'event.dead-lettered', data }, { partitionkey: 'subscriber/x' })))
    for (const type of ['event.x', 'circuit.x', 'subscriber.x'])
      await w.one(byHttp({ ...push(type), type, data: {} }))
    await w.handle('tell', dies)
    const marks = w.events().map(({ event: { project, source, id } }) => ({ project, source, id }))
    for (const mark of marks)
      await w.stores.history.mark(
        { ...mark, subscriber: 'tell', replay: '' },
        { state: 'dead', attempts: 1, started: noon, changed: noon, reason: 'x', emitted: [] },
      )
    w.advance(3 * minutes)
    expect(await tell()).toBe(0)
    expect((await pass()).open.tell).toMatchObject({ dead: 4 })
  })

  it('is not lost when it could not be committed', async () => {
    await dead('analyze', 'a')
    w.advance(3 * minutes)
    w.failing('memory', 'commit')
    await sweep('main', w.deps, 40)
    w.mend()
    expect(await tell()).toBe(1)
  })

  it('is told of a minute as a whole: not before it is over, and not again for what died later in it', async () => {
    const counts: number[] = []
    w.advance(minutes)
    for (const id of ['a', 'b', 'c']) {
      await dead('analyze', id)
      counts.push(await tell())
      w.advance(20_000)
    }
    for (let passes = 0; passes < 4; passes++) {
      counts.push(await tell())
      w.advance(20_000)
    }
    expect(counts).toEqual([0, 0, 0, 0, 0, 0, 1])
    expect(letters()).toMatchObject([{ minute: '2026-01-01T12:01:00.000Z', count: 3 }])
  })

  describe('of a subscriber that only another version of the code has in its routes', () => {
    const die = async (subscriber: string) => {
      await w.stores.history.mark(
        { project: 'main', source: 's', id: w.clock(), subscriber, replay: '' },
        { state: 'dead', attempts: 1, started: noon, changed: w.clock(), reason: 'x', emitted: [] },
      )
      w.advance(3 * minutes)
    }
    const versions = () => {
      const older = w.deps.routes
      return { older, newer: [...older, { ...routeOf('analyze'), subscriber: 'coming' }] }
    }
    const tellAs = async (routes: World['deps']['routes']) => {
      w.deps.routes = routes
      return tell()
    }

    it('is told by who knows it, though another sweep has gone on meanwhile', async () => {
      const { older, newer } = versions()
      await die('coming')
      await die('analyze')
      expect(await tellAs(older)).toBe(1)
      expect(await tellAs(newer)).toBe(1)
      w.advance(minutes)
      expect([await tellAs(older), await tellAs(newer)]).toEqual([0, 0])
      expect(letters().map(({ subscriber }) => subscriber)).toEqual(['analyze', 'coming'])
    })

    it('is told where that one has been taken back, once it is known that it was there', async () => {
      const { older } = versions()
      await die('coming')
      expect(await tellAs(older)).toBe(0)
      await rememberFormer('main', 'coming', w.deps)
      expect(await tell()).toBe(1)
      await die('coming')
      expect(await tell()).toBe(1)
    })

    it('is kept in mind for some days and not for ever', async () => {
      const { older, newer } = versions()
      await tellAs(newer)
      const known = async () => {
        w.advance(2 * minutes)
        await tellAs(older)
        const key = { project: 'main', kind: 'cursor', name: 'told-of-the-dead' }
        return JSON.stringify((await w.stores.memory.get(key))?.value).includes('coming')
      }
      expect(await known()).toBe(true)
      // for five days it is on the list of names, and for five more it is not told anew should it come back
      w.advance(4 * 24 * hours)
      expect(await known()).toBe(true)
      w.advance(2 * 24 * hours)
      expect(await known()).toBe(true)
      expect(await subscriberNames('main', w.deps)).not.toContain('coming')
      w.advance(4 * 24 * hours)
      expect(await known()).toBe(false)
    })
  })

  it('goes on where a sweep was that had one time for all of them', async () => {
    const key = { project: 'main', kind: 'cursor', name: 'told-of-the-dead' }
    const version = ((await w.stores.memory.get(key))?.version ?? 0) + 1
    await dead('analyze', 'a')
    w.advance(minutes)
    await dead('analyze', 'b')
    const value = { until: '2026-01-01T12:01:00.000Z', of: 'validate' }
    await w.stores.memory.commit({ writes: [{ ...key, version, value }], outbox: [] })
    w.advance(2 * minutes)
    expect(await tell()).toBe(1)
    expect(letters()).toMatchObject([{ subscriber: 'analyze', minute: value.until, count: 1 }])
  })

  it('counts all of a flood, in passes that end with a minute, and reads no event for it', async () => {
    const flood = async (subscriber: string, count: number) => {
      for (let n = 0; n < count; n++)
        await w.stores.history.mark(
          { project: 'main', source: 's', id: `${w.clock()} ${n}`, subscriber, replay: '' },
          { state: 'dead', attempts: 1, started: noon, changed: w.clock(), reason: 'x', emitted: [] },
        )
      w.advance(minutes)
    }
    await flood('analyze', 100)
    await flood('analyze', 6000)
    await flood('validate', 1)
    await flood('analyze', 100)
    w.advance(minutes)
    const before = w.calls.length
    const counts = [await pass(), await pass(), await pass()].map(({ told: count }) => count)
    expect(w.calls.slice(before)).not.toContain('history.getEvents')
    await relayAll(w)
    expect(counts).toEqual([3, 1, 0])
    expect(
      letters().map(({ subscriber, minute, count }) => [subscriber, minute.slice(11, 16), count]),
    ).toEqual(
      expect.arrayContaining([
        ['analyze', '12:00', 100],
        ['analyze', '12:01', 6000],
        ['validate', '12:02', 1],
        ['analyze', '12:03', 100],
      ]),
    )
    expect(letters()).toHaveLength(4)
  })
})
