import { describe, expect, it } from 'vitest'
import { laneWorld } from '../../test/lanes.ts'
import { unreadable } from '../../test/unreadable.ts'
import { deliveryFrame } from '../frame.ts'
import type { Delivery } from '../ports.ts'
import { releaseLane } from './lane.ts'

/** A lane in which these wait, `dead` or `parked`; what the gate sent is off the queue. */
async function waitingIn(states: Readonly<Record<string, Delivery['state']>>) {
  const w = laneWorld()
  for (const [name, state] of Object.entries(states)) {
    await w.declared(name)
    const delivery = {
      state,
      attempts: 3,
      started: w.clock(),
      changed: w.clock(),
      emitted: [],
      reason: 'why',
    }
    const sequence = Number(name.slice(1))
    await w.stores.lanes.wait(w.lane(), { key: w.key(name), delivery, sequence }, 'closing')
  }
  w.waiting().splice(0)
  w.calls.length = 0
  const frames = () => w.waiting().map(({ body }) => deliveryFrame.parse(JSON.parse(body)))
  return {
    ...w,
    frames,
    sent: () => frames().map(({ event }) => event.sequence),
    release: (...dead: string[]) => releaseLane(w.lane(), { dead: dead.map((name) => w.key(name)) }, w.deps),
    now: () => w.stores.lanes.lane(w.lane()),
  }
}

describe('releasing a lane', () => {
  it('sends what waits in sequence, however it came to wait, under one new name', async () => {
    const w = await waitingIn({ a10: 'parked', a2: 'parked', a9: 'parked' })
    expect(await w.release()).toEqual({ sent: 3 })
    expect(w.sent()).toEqual([2, 9, 10])
    const lane = await w.now()
    expect(lane).toMatchObject({ last: 10, release: expect.any(String) })
    expect(w.frames().map((frame) => [frame.release, frame.resent, frame.replay])).toEqual(
      Array.from({ length: 3 }, () => [lane?.release, true, '']),
    )
  })

  it('gives each release a name of its own: a copy of the one before does not pass', async () => {
    const w = await waitingIn({ a1: 'parked' })
    await w.release()
    await w.release()
    const names = w.frames().map(({ release }) => release)
    expect(new Set(names).size).toBe(2)
    expect((await w.now())?.release).toBe(names[1])
  })

  it('is blocked by the first when that is dead, and says which', async () => {
    const w = await waitingIn({ a1: 'dead', a2: 'parked' })
    expect(await w.release()).toEqual({ blocked: w.key('a1') })
    expect(await w.release('a2')).toEqual({ blocked: w.key('a1') })
    expect([w.sent(), (await w.now())?.release]).toEqual([[], undefined])
  })

  it('goes up to the first that is dead and not allowed, and no further', async () => {
    const w = await waitingIn({ a1: 'dead', a2: 'parked', a3: 'dead', a4: 'parked' })
    expect(await w.release('a1')).toEqual({ sent: 2 })
    expect(w.sent()).toEqual([1, 2])
    expect((await w.now())?.last).toBe(2)
    expect(await w.release('a1', 'a3')).toEqual({ sent: 4 })
  })

  it('takes off the list what is settled, and opens a lane in which nothing else waits', async () => {
    const w = await waitingIn({ a1: 'parked', a2: 'parked' })
    const done = { attempts: 1, started: 't', changed: 't', emitted: [] }
    await w.stores.history.mark(w.key('a1'), { ...done, state: 'dropped' })
    expect(await w.release()).toEqual({ sent: 1 })
    await w.stores.history.mark(w.key('a2'), { ...done, state: 'done' })
    expect(await w.release()).toEqual({ empty: true })
    expect(await w.now()).toBeUndefined()
    expect(await w.stores.lanes.waiting(w.lane(), 10)).toEqual([])
    expect(await w.release()).toEqual({ empty: true })
  })

  it('sends a hundred at once, and finds those behind many that are settled', async () => {
    const names = Array.from({ length: 205 }, (_, n) => `a${n + 1}`)
    const w = await waitingIn(Object.fromEntries(names.map((name) => [name, 'parked' as const])))
    const done = { state: 'done', attempts: 1, started: 't', changed: 't', emitted: [] } as const
    for (const name of names.slice(0, 100)) await w.stores.history.mark(w.key(name), done)
    expect(await w.release()).toEqual({ sent: 100 })
    expect(w.sent()).toEqual(Array.from({ length: 100 }, (_, n) => n + 101))
    expect((await w.now())?.last).toBe(200)
  })

  it('is blocked by one whose event is gone: nothing is left out in silence', async () => {
    const w = await waitingIn({ a1: 'parked', a2: 'parked', a3: 'parked' })
    w.instead('history', 'getEvents', (real) => async (identities) => {
      const found = await real(identities)
      return found.map((stored) => (stored?.event.sequence === 2 ? undefined : stored))
    })
    expect(await w.release()).toEqual({ sent: 1 })
    w.instead('history', 'getEvents', () => async (identities) => identities.map(() => undefined))
    expect(await w.release()).toEqual({ blocked: w.key('a1') })
  })

  it('goes up to one that newer code wrote, and no further', async () => {
    const w = await waitingIn({ a1: 'parked', a2: 'parked', a3: 'parked' })
    w.instead('history', 'getEvents', unreadable(w.key('a2').id))
    expect(await w.release()).toEqual({ sent: 1 })
  })

  it('says again how a replay is to be handled', async () => {
    const w = await waitingIn({ a1: 'parked' })
    const lane = w.lane('a', 'r1')
    for (const [name, replayed] of [
      ['a1', 'emit'],
      ['a2', 'rebuild'],
      ['a3', undefined],
    ] as const) {
      if (name !== 'a1') await w.declared(name)
      const key = { ...w.key(name), replay: 'r1' }
      const times = { started: w.clock(), changed: w.clock() }
      const delivery: Delivery = { state: 'parked', attempts: 0, emitted: [], replayed, ...times }
      await w.stores.lanes.wait(lane, { key, delivery, sequence: Number(name.slice(1)) }, 'closing')
    }
    w.waiting().splice(0)
    await releaseLane(lane, { dead: [] }, w.deps)
    expect(w.frames().map(({ replay, emit, rebuild }) => [replay, emit, rebuild])).toEqual([
      ['r1', true, undefined],
      ['r1', undefined, true],
      ['r1', undefined, undefined],
    ])
  })
})

describe('when something else happens meanwhile', () => {
  it('says what could not be sent; nothing passes behind it, and the next time all are sent', async () => {
    const w = await waitingIn({ a1: 'parked', a2: 'parked', a3: 'parked' })
    w.instead('queues', 'send', (real) => async (queue, messages) => {
      await real(queue, messages.slice(0, 1))
      return [1, 2].map((index) => ({ index, error: new Error('throttled') }))
    })
    await expect(w.release()).rejects.toMatchObject({
      code: 'Unavailable',
      message: '2 of 3 in the lane line repository/octo/a could not be sent: Error: throttled',
    })
    w.mend()
    expect(w.sent()).toEqual([1])
    expect(await w.release()).toEqual({ sent: 3 })
    expect(w.sent()).toEqual([1, 1, 2, 3])
  })

  it.each([1, 2, 3, 4, 5, 6])(
    'a crash at its call %i leaves a lane that the next release sends',
    async (at) => {
      for (const withEffect of [false, true]) {
        const w = await waitingIn({ a1: 'parked', a2: 'parked' })
        w.crashAt(at, withEffect)
        await expect(w.release()).rejects.toThrow()
        w.mend()
        w.waiting().splice(0)
        expect(await w.release()).toEqual({ sent: 2 })
        const lane = await w.now()
        expect(w.frames().map(({ event, release }) => [event.sequence, release])).toEqual([
          [1, lane?.release],
          [2, lane?.release],
        ])
      }
    },
  )

  it('one that comes to wait is no hindrance: it is sent with the next release', async () => {
    const w = await waitingIn({ a1: 'parked' })
    await w.declared('a2')
    w.waiting().splice(0)
    w.instead('history', 'getEvents', (real) => async (identities) => {
      const times = { started: w.clock(), changed: w.clock() }
      const delivery: Delivery = { state: 'parked', attempts: 0, emitted: [], ...times }
      await w.stores.lanes.wait(w.lane(), { key: w.key('a2'), delivery, sequence: 2 }, 'behind')
      return real(identities)
    })
    expect(await w.release()).toEqual({ sent: 1 })
    expect((await w.now())?.last).toBe(1)
  })

  it('one that dies is seen: it is not sent unasked', async () => {
    const w = await waitingIn({ a1: 'parked' })
    await w.release()
    w.waiting().splice(0)
    w.instead('history', 'getEvents', (real) => async (identities) => {
      w.mend()
      const times = { started: w.clock(), changed: w.clock() }
      const delivery: Delivery = { state: 'dead', attempts: 1, reason: 'why', emitted: [], ...times }
      const [seen] = await w.stores.history.getDeliveries([w.key('a1')])
      await w.stores.lanes.wait(w.lane(), { key: w.key('a1'), delivery, sequence: 1, seen }, 'closing')
      return real(identities)
    })
    expect(await w.release()).toEqual({ blocked: w.key('a1') })
    expect(w.sent()).toEqual([])
  })

  it('does not open a lane to which somebody came', async () => {
    const w = await waitingIn({ a1: 'parked' })
    await w.declared('a2')
    const done = { state: 'done', attempts: 1, started: 't', changed: 't', emitted: [] } as const
    await w.stores.history.mark(w.key('a1'), done)
    w.instead('lanes', 'open', (real) => async (lane, seen) => {
      w.mend()
      const delivery: Delivery = { ...done, state: 'parked' }
      await w.stores.lanes.wait(w.lane(), { key: w.key('a2'), delivery, sequence: 2 }, 'behind')
      return real(lane, seen)
    })
    expect(await w.release()).toEqual({ sent: 1 })
  })

  it('two at once send all twice at most, and what passes is of one of them', async () => {
    const w = await waitingIn({ a1: 'parked', a2: 'parked' })
    const both = await Promise.all([w.release(), w.release()])
    expect(both).toEqual([{ sent: 2 }, { sent: 2 }])
    const lane = await w.now()
    expect(w.frames().filter(({ release }) => release === lane?.release)).toHaveLength(2)
  })

  it('gives up when the lane changes at each try', async () => {
    const w = await waitingIn({ a1: 'parked' })
    w.instead('lanes', 'release', () => async () => false)
    await expect(w.release()).rejects.toMatchObject({ code: 'Busy' })
    expect(w.sent()).toEqual([])
  })
})
