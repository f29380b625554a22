import { beforeEach, describe, expect, it } from 'vitest'
import { type LaneWorld, laneWorld, nameOf } from '../../test/lanes.ts'
import { type MendWorld, mendWorld } from '../../test/mending.ts'
import { nothing } from '../../test/sweeping.ts'
import { noon, seconds } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import { dropDelivery, dropOpen, droppableOf } from './drop.ts'
import { deliveriesToDrop } from './open-delivery.ts'
import { redriveEvent } from './redrive-one.ts'
import type { Place, Selection } from './selection.ts'

let w: MendWorld
beforeEach(async () => {
  w = mendWorld()
  await w.died(['p'])
})

const drop = async (id = 'p', reason?: string) =>
  dropDelivery(await w.find(id), { by: 'user:ann', reason }, w.deps)

describe('a delivery that is dropped', () => {
  it('is settled for good, with who did it and why', async () => {
    expect(await drop('p', 'a test')).toEqual({
      subscriber: 'analyze',
      replay: '',
      outcome: 'dropped',
      state: 'dropped',
    })
    expect(await w.mark('p')).toMatchObject({ state: 'dropped', reason: 'dropped by user:ann: a test' })
    expect(await w.told('delivery.dropped')).toMatchObject([
      {
        actor: 'user:ann',
        data: { subscriber: 'analyze', state: 'dead', reason: 'a test', event: { id: 'p' } },
      },
    ])
    expect(await redriveEvent(w.keyOf('p'), {}, 'user:bob', w.deps)).toMatchObject([
      { outcome: 'already', state: 'dropped' },
    ])
  })

  it('is dropped once', async () => {
    const found = await w.find('p')
    const both = await Promise.all(['user:ann', 'user:bob'].map((by) => dropDelivery(found, { by }, w.deps)))
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['already', 'dropped'])
    expect(await drop()).toMatchObject({ outcome: 'already', state: 'dropped' })
    expect(await w.told('delivery.dropped')).toHaveLength(1)
  })

  it.each([
    [true, { outcome: 'dropped', state: 'dropped' }],
    [false, { outcome: 'already', state: 'retrying' }],
  ])('was sent again in this moment, and what is tried is meant too: %s', async (tried, expected) => {
    const found = await w.find('p')
    await redriveEvent(w.keyOf('p'), {}, 'user:bob', w.deps)
    expect(await dropDelivery(found, { by: 'user:ann', tried }, w.deps)).toMatchObject(expected)
    expect(await w.mark('p')).toMatchObject({ state: expected.state })
  })

  it('may still be tried: who runs it just then finds that nothing is left to settle', async () => {
    await redriveEvent(w.keyOf('p'), {}, 'user:bob', w.deps)
    const running: HandlerAny = async () => {
      expect(await drop()).toMatchObject({ outcome: 'dropped' })
      throw new Error('not now')
    }
    expect(await w.handle('analyze', running)).toMatchObject([{ outcome: 'retrying' }])
    expect(await w.told('delivery.dropped')).toMatchObject([{ data: { state: 'retrying' } }])
    expect(await w.mark('p')).toMatchObject({ state: 'dropped' })
  })

  it('is one that is still tried only by the name of its subscriber', async () => {
    await redriveEvent(w.keyOf('p'), {}, 'user:bob', w.deps)
    const retrying = await w.find('p')
    expect(() => droppableOf([retrying], false)).toThrow('name the subscriber that is to give it up')
    expect(droppableOf([retrying], true)).toEqual([retrying])
    const mark = { state: 'dead' as const, attempts: 1, started: noon, changed: noon, emitted: [] }
    await w.stores.history.mark(w.keyOf('p', 'validate'), mark)
    const dead = await w.find('p', 'validate')
    expect(droppableOf([retrying, dead], false)).toEqual([dead])
  })

  it('may be one whose event newer code wrote, by the name of its subscriber', async () => {
    w.failing('history', 'fate', new Failure('NewerVersion', 'cannot be read'))
    const find = (subscriber?: string) => deliveriesToDrop(w.keyOf('p'), { subscriber }, w.deps.history)
    await expect(find()).rejects.toThrow('cannot be read')
    await expect(find('validate')).rejects.toThrow('cannot be read')
    const [found] = await find('analyze')
    if (found === undefined) return expect.fail('a delivery')
    expect(await dropDelivery(found, { by: 'user:ann' }, w.deps)).toMatchObject({ outcome: 'dropped' })
    expect(await w.mark('p')).toMatchObject({ state: 'dropped' })
  })

  it('is not one that is settled', async () => {
    await redriveEvent(w.keyOf('p'), {}, 'user:bob', w.deps)
    await w.handle('analyze', nothing)
    expect(await drop()).toMatchObject({ outcome: 'already', state: 'done' })
  })

  it('may be parked, and of a subscriber that is gone, and without its event', async () => {
    const mark = { state: 'parked' as const, attempts: 0, started: noon, changed: noon, emitted: [] }
    await w.stores.history.mark(w.keyOf('p', 'gone'), mark)
    await w.stores.history.mark(w.keyOf('never'), { ...mark, state: 'dead' })
    const found = [await w.find('p', 'gone'), await w.find('never')]
    for (const one of found)
      expect(await dropDelivery(one, { by: 'user:ann' }, w.deps)).toMatchObject({ outcome: 'dropped' })
    expect(await w.told('delivery.dropped')).toMatchObject([
      { data: { state: 'parked', subscriber: 'gone' } },
      { data: { state: 'dead', event: { id: 'never', type: 'unknown' } } },
    ])
  })

  it('is tried again where another transaction was in the way, and refused as busy where one always is', async () => {
    const [real, found] = [w.stores.memory.commit, await w.find('p')]
    let refusals = 9
    w.instead(
      'memory',
      'commit',
      () => async (change) => (refusals-- > 0 ? 'version conflict' : real(change)),
    )
    await expect(dropDelivery(found, { by: 'user:ann' }, w.deps)).rejects.toMatchObject({ code: 'Busy' })
    expect(await dropDelivery(found, { by: 'user:ann' }, w.deps)).toMatchObject({ outcome: 'dropped' })
    expect(await w.told('delivery.dropped')).toHaveLength(1)
  })

  it('changes nothing when what tells of it cannot be kept', async () => {
    w.failing('memory', 'commit')
    await expect(drop()).rejects.toThrow('down')
    expect(await w.mark('p')).toMatchObject({ state: 'dead' })
  })
})

describe('what is dropped in bulk', () => {
  const all = async (selection: Selection, before = w.clock()) => {
    let from: Place | undefined
    const total = { dropped: 0, already: 0, calls: 0 }
    do {
      const query = { project: 'main', subscribers: ['analyze', 'validate'], state: 'dead' as const }
      const { next, dropped, already } = await dropOpen(
        { ...query, selection, before, from },
        { by: 'user:ann' },
        w.deps,
      )
      from = next
      total.dropped += dropped
      total.already += already
      total.calls++
    } while (from !== undefined)
    return total
  }

  it('is what the filters say, some at a time', async () => {
    const ids = Array.from({ length: 120 }, (_, n) => `q${n}`)
    await w.died(ids, (id) => (id.endsWith('7') ? 'fetch failed' : 'other'))
    expect(await all({ reason: 'fetch failed' })).toMatchObject({ dropped: 12, already: 0 })
    const { dropped, calls } = await all({})
    expect([dropped, calls > 2]).toEqual([109, true])
    expect(new Set(w.deliveries().map(({ state }) => state))).toEqual(new Set(['dropped']))
  })

  it('is not what died after it was asked for', async () => {
    const before = w.clock()
    w.advance(seconds)
    await w.died(['later'])
    expect(await all({}, before)).toMatchObject({ dropped: 1 })
    expect(await w.mark('later')).toMatchObject({ state: 'dead' })
  })
})

describe('what is dropped in bulk of one key', () => {
  let l: LaneWorld
  let ran: string[]
  let isPaused: boolean
  const notes: HandlerAny = async ({ data }) => {
    ran.push(nameOf({ data }))
    return []
  }
  const park = async (...names: string[]) => {
    isPaused = true
    await l.declared(...names)
    while (l.waiting().length > 0) await l.receive(nothing)
    l.advance(seconds)
    isPaused = false
  }
  const numbered = (many: number) => Array.from({ length: many }, (_, n) => `a${n + 1}`)

  beforeEach(() => {
    l = laneWorld()
    ran = []
    l.control({
      mayRun: async () => (isPaused ? { run: false, reason: 'paused' } : { run: true }),
      report: async () => undefined,
    })
    // what is on the queue is taken off it at once, as Lambda does
    l.instead('queues', 'send', (real) => async (queue, messages) => {
      const failures = await real(queue, messages)
      await l.receive(notes)
      return failures
    })
  })

  const query = { project: 'main', subscribers: ['line'], state: 'parked' as const, selection: {} }
  const some = (before: string, from?: Place) =>
    dropOpen({ ...query, before, from }, { by: 'user:ann' }, l.deps)

  it('does not run, though its subscriber does; what came since is sent when all of it is dropped', async () => {
    await park(...numbered(120))
    const before = l.clock()
    l.advance(1)
    await park('a121')
    let from: Place | undefined
    let dropped = 0
    do {
      const answer = await some(before, from)
      dropped += answer.dropped
      from = answer.next
      l.advance(seconds)
      await l.receive(notes)
    } while (from !== undefined)
    expect([dropped, ran]).toEqual([120, ['a121']])
    expect(await l.stores.lanes.lane(l.lane())).toBeUndefined()
  })

  it('is dropped while the subscriber is paused', async () => {
    await park(...numbered(5))
    isPaused = true
    expect(await some(l.clock())).toMatchObject({ dropped: 5, already: 0, next: undefined })
    expect(await l.stores.lanes.lane(l.lane())).toBeUndefined()
  })

  it('is released once', async () => {
    await park(...numbered(40))
    const before = l.calls.length
    await some(l.clock())
    expect(l.calls.slice(before).filter((call) => call === 'lanes.waiting').length).toBeLessThan(3)
  })

  it('is answered in time however long each takes, and goes on from there', async () => {
    await park(...numbered(30), 'b1', 'c1', 'd1')
    const before = l.clock()
    l.instead('memory', 'commit', (real) => async (change) => {
      l.advance(seconds)
      return real(change)
    })
    l.instead('lanes', 'waiting', (real) => async (lane, limit) => {
      l.advance(seconds)
      return real(lane, limit)
    })
    let from: Place | undefined
    const dropped: number[] = []
    do {
      const began = Date.parse(l.clock())
      const answer = await some(before, from)
      expect(Date.parse(l.clock()) - began).toBeLessThan(20 * seconds)
      dropped.push(answer.dropped)
      from = answer.next
    } while (from !== undefined)
    expect([dropped.reduce((sum, one) => sum + one), dropped.length, ran]).toEqual([33, 4, []])
  })
})
