import { describe, expect, it } from 'vitest'
import { repositoryUpdated } from '../events/repository.updated.ts'
import { type LaneWorld, laneWorld, nameOf } from '../test/lanes.ts'
import { minutes } from '../test/world.ts'
import type { Controls } from './control.ts'
import { Failure } from './errors.ts'
import type { HandlerAny } from './handler.ts'
import { releaseLane } from './lane.ts'

/** Handles, writes down in which order, and fails on those that are named, as long as they are. */
function handling(...failing: string[]) {
  const ran: string[] = []
  const fails = new Map<string, Error>(failing.map((name) => [name, new Error('not now')]))
  const handler: HandlerAny = async (handled) => {
    const name = nameOf(handled)
    ran.push(name)
    const error = fails.get(name)
    if (error !== undefined) throw error
    return []
  }
  return { handler, ran, fails }
}

const hopeless = new Failure('NotFound', 'no such thing')
const outcomes = (consumed: readonly { outcome: string }[]) => consumed.map(({ outcome }) => outcome)
const states = async (w: LaneWorld, ...names: string[]) =>
  Promise.all(names.map(async (name) => (await w.mark(name))?.state))
const redrive = (w: LaneWorld, ...dead: string[]) =>
  releaseLane(w.lane(), { dead: dead.map((name) => w.key(name)) }, w.deps)

/** A world whose lane is closed by a1, which is dead; a2 and a3 wait behind it. */
async function closed() {
  const w = laneWorld()
  await w.declared('a1', 'a2', 'a3')
  const h = handling()
  h.fails.set('a1', hopeless)
  await w.receive(h.handler)
  h.fails.clear()
  h.ran.length = 0
  w.calls.length = 0
  return { w, ...h }
}

describe('an open lane', () => {
  it('is read once for a batch, and its deliveries cost no read the first time', async () => {
    const w = laneWorld()
    await w.declared('a1', 'a2')
    w.waiting()
    w.calls.length = 0
    const { handler, ran } = handling()
    expect(outcomes(await w.receive(handler))).toEqual(['done', 'done'])
    expect(ran).toEqual(['a1', 'a2'])
    expect(w.calls).toEqual(['lanes.lane', 'history.insertDeliveries', 'history.insertDeliveries'])
  })

  it('hands over the next when the one before is done, its mark included', async () => {
    const w = laneWorld({ emits: [repositoryUpdated] })
    await w.declared('a1', 'a2', 'a3')
    const marked: unknown[] = []
    await w.receive(async () => {
      marked.push(await states(w, 'a1', 'a2', 'a3'))
      return [{ type: repositoryUpdated, data: repositoryUpdated.example }]
    })
    expect(marked).toEqual([
      [undefined, undefined, undefined],
      ['done', undefined, undefined],
      ['done', 'done', undefined],
    ])
  })

  it('is of one key: another is handled beside it', async () => {
    const w = laneWorld()
    await w.declared('a1', 'b1', 'a2', 'b2')
    const { handler, ran } = handling('a1')
    expect(outcomes(await w.receive(handler))).toEqual(['retrying', 'done', 'held', 'done'])
    expect(ran.filter((name) => name.startsWith('b'))).toEqual(['b1', 'b2'])
  })

  it('holds what comes after one that is tried again, for just as long, and runs none of it', async () => {
    const w = laneWorld()
    await w.declared('a1', 'a2', 'a3', 'a4')
    const { handler, ran, fails } = handling('a2')
    const consumed = await w.receive(handler)
    expect(outcomes(consumed)).toEqual(['done', 'retrying', 'held', 'held'])
    expect(new Set(consumed.slice(1).map(({ again }) => again)).size).toBe(1)
    fails.clear()
    expect(outcomes(await w.receive(handler))).toEqual(['done', 'done', 'done'])
    expect(ran).toEqual(['a1', 'a2', 'a2', 'a3', 'a4'])
  })

  it('is not found without lanes: the deployment is wrong, not the event', async () => {
    const w = laneWorld()
    await w.declared('a1')
    w.deps.lanes = undefined as never
    expect(await w.receive(handling().handler)).toMatchObject([
      { outcome: 'retrying', reason: expect.stringContaining('without lanes') },
    ])
  })
})

describe('attempts in a lane', () => {
  it('are counted by the mark: what was held has all of its own', async () => {
    const w = laneWorld()
    await w.declared('a1', 'a2')
    const { handler, ran, fails } = handling('a1')
    await w.receive(handler)
    await w.receive(handler)
    expect(await w.mark('a1')).toMatchObject({ state: 'retrying', attempts: 2, reason: 'Error: not now' })
    expect(await w.mark('a2')).toBeUndefined()
    fails.clear()
    fails.set('a2', new Error('nor this'))
    expect(outcomes(await w.receive(handler))).toEqual(['done', 'retrying'])
    expect(outcomes(await w.receive(handler))).toEqual(['retrying'])
    expect(await w.receive(handler)).toMatchObject([{ outcome: 'dead', reason: 'Error: nor this' }])
    expect(ran).toEqual(['a1', 'a1', 'a1', 'a2', 'a2', 'a2'])
    expect(await w.mark('a2')).toMatchObject({ attempts: 3, reason: 'Error: nor this (attempt 3 of 3)' })
  })

  it('that crash count from the second receive on: one that always does is dead', async () => {
    const w = laneWorld()
    await w.declared('a1', 'a2')
    let ran = 0
    const dies: HandlerAny = async () => {
      ran++
      w.crashAt(1, false)
      throw new Error('gone')
    }
    for (let receive = 1; receive <= 4; receive++) {
      await w.receiveAndCrash(dies)
      w.mend()
    }
    expect(ran).toBe(4)
    expect(await w.mark('a1')).toMatchObject({ state: 'retrying', attempts: 3 })
    expect(outcomes(await w.receive(dies))).toEqual(['dead', 'parked'])
    expect(ran).toBe(4)
    expect(await w.mark('a1')).toMatchObject({
      state: 'dead',
      attempts: 3,
      reason: 'given up after 3 attempts: attempt 1 was begun, and did not end',
    })
  })

  it('are not spent on waiting for newer code, which holds the others as long', async () => {
    const w = laneWorld()
    await w.declared('a1', 'a2')
    const { handler, fails } = handling()
    fails.set('a1', new Failure('NewerVersion', 'written by newer code'))
    for (let receive = 1; receive <= 6; receive++)
      expect(await w.receive(handler)).toMatchObject([
        { outcome: 'retrying', again: 900 },
        { outcome: 'held', again: 900 },
      ])
    fails.clear()
    expect(outcomes(await w.receive(handler))).toEqual(['done', 'done'])
  })
})

describe('a lane that something dead has closed', () => {
  it('has all that comes later wait behind it, in this batch and the next, and says what closed it', async () => {
    const { w, handler, ran } = await closed()
    await w.declared('a4')
    expect(outcomes(await w.receive(handler))).toEqual(['parked'])
    expect(ran).toEqual([])
    expect(await states(w, 'a1', 'a2', 'a3', 'a4')).toEqual(['dead', 'parked', 'parked', 'parked'])
    expect(await w.mark('a4')).toMatchObject({
      attempts: 0,
      reason: expect.stringMatching(/^waits behind an earlier event, since .*: no such thing$/),
    })
    const waiting = await w.stores.lanes.waiting(w.lane(), 10)
    expect(waiting.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
  })

  it('lets nobody pass who was not sent with its release, nor a copy of what waits', async () => {
    const { w, handler, ran } = await closed()
    await redrive(w, 'a1')
    const sent = w.waiting().splice(0)
    await redrive(w, 'a1')
    w.waiting().unshift(...sent)
    await w.declared('a4')
    expect(outcomes(await w.receive(handler, 3))).toEqual(['already', 'already', 'already'])
    expect(ran).toEqual([])
    await w.receive(handler)
    expect(ran).toEqual(['a1', 'a2', 'a3', 'a4'])
  })

  it('does not begin the attempts anew for a copy of what is being tried under its release', async () => {
    const { w } = await closed()
    await redrive(w, 'a1')
    const before = w.waiting().splice(0)
    await redrive(w, 'a1')
    w.waiting().unshift(...before)
    let ran = 0
    const dies: HandlerAny = async () => {
      ran++
      w.crashAt(1, false)
      throw new Error('gone')
    }
    for (let receive = 1; receive <= 6; receive++) {
      await w.receiveAndCrash(dies)
      w.mend()
    }
    expect(ran).toBe(3)
    expect(await w.mark('a1')).toMatchObject({ state: 'dead', attempts: 3 })
  })

  it('is opened when the last that was released is done', async () => {
    const { w, handler, ran } = await closed()
    expect(await redrive(w, 'a1')).toEqual({ sent: 3 })
    expect(outcomes(await w.receive(handler))).toEqual(['done', 'done', 'done'])
    expect(ran).toEqual(['a1', 'a2', 'a3'])
    expect(await w.stores.lanes.lane(w.lane())).toBeUndefined()
    expect(await w.stores.lanes.waiting(w.lane(), 10)).toEqual([])
    await w.declared('a4')
    expect(outcomes(await w.receive(handler))).toEqual(['done'])
  })

  it('sends what came since when the last is done, and what comes meanwhile goes behind that', async () => {
    const { w, handler, ran } = await closed()
    await w.declared('a4')
    w.waiting()
    await redrive(w, 'a1')
    expect(outcomes(await w.receive(handler, 3))).toEqual(['parked', 'done', 'done'])
    await w.declared('a5')
    expect(outcomes(await w.receive(handler))).toEqual(['done', 'parked'])
    expect(ran).toEqual(['a1', 'a2', 'a3'])
    expect(outcomes(await w.receive(handler))).toEqual(['done'])
    expect(outcomes(await w.receive(handler))).toEqual(['done'])
    expect(ran).toEqual(['a1', 'a2', 'a3', 'a4', 'a5'])
    expect(await w.stores.lanes.lane(w.lane())).toBeUndefined()
  })

  it('begins the attempts of what is released anew, and counts how often that was', async () => {
    const { w, handler, fails } = await closed()
    await redrive(w, 'a1')
    fails.set('a1', new Error('not now'))
    expect(outcomes(await w.receive(handler))).toEqual(['retrying', 'held', 'held'])
    expect(await w.mark('a1')).toMatchObject({ state: 'retrying', attempts: 1, resumed: 1 })
    await w.receive(handler)
    expect(outcomes(await w.receive(handler))).toEqual(['dead', 'already', 'already'])
    expect(await w.mark('a1')).toMatchObject({ state: 'dead', attempts: 3, resumed: 1 })
    expect(await redrive(w)).toEqual({ blocked: w.key('a1') })
    fails.clear()
    await redrive(w, 'a1')
    expect(outcomes(await w.receive(handler))).toEqual(['done', 'done', 'done'])
    expect(await w.mark('a1')).toMatchObject({ state: 'done', resumed: 2 })
  })

  it('stays closed when another of it dies, and goes on from there', async () => {
    const { w, handler, ran, fails } = await closed()
    await redrive(w, 'a1')
    fails.set('a2', hopeless)
    expect(outcomes(await w.receive(handler))).toEqual(['done', 'dead', 'already'])
    expect(ran).toEqual(['a1', 'a2'])
    fails.clear()
    expect(await redrive(w, 'a2')).toEqual({ sent: 2 })
    await w.receive(handler)
    expect(ran).toEqual(['a1', 'a2', 'a2', 'a3'])
    expect(await w.stores.lanes.lane(w.lane())).toBeUndefined()
  })

  it.each(['leave', 'lane', 'open', 'waiting'] as const)(
    'is opened by the next receive when lanes.%s failed after the handling',
    async (method) => {
      const { w, handler, ran } = await closed()
      await redrive(w, 'a1')
      await w.receive(handler, 2)
      let calls = 0
      w.instead('lanes', method, ((real: (...args: never[]) => unknown) =>
        (...args: never[]) => {
          // the lane is read before the handling as well
          if (method === 'lane' && calls++ === 0) return real(...args)
          throw new Error('down')
        }) as never)
      expect(await w.receive(handler)).toMatchObject([
        { outcome: 'retrying', reason: expect.stringContaining('its lane could not go on: Error: down') },
      ])
      expect(await states(w, 'a3')).toEqual(['done'])
      w.mend()
      expect(outcomes(await w.receive(handler))).toEqual(['already'])
      expect(ran).toEqual(['a1', 'a2', 'a3'])
      expect(await w.stores.lanes.lane(w.lane())).toBeUndefined()
    },
  )

  it('sends what came since, again, when that could not be sent at first', async () => {
    const { w, handler, ran } = await closed()
    await w.declared('a4')
    w.waiting()
    await redrive(w, 'a1')
    // a4 comes to wait behind the release
    expect(outcomes(await w.receive(handler, 3))).toEqual(['parked', 'done', 'done'])
    w.failing('queues', 'send', new Error('throttled'))
    expect(await w.receive(handler)).toMatchObject([{ outcome: 'retrying' }])
    w.mend()
    expect(outcomes(await w.receive(handler))).toEqual(['already'])
    await w.receive(handler)
    expect(ran).toEqual(['a1', 'a2', 'a3', 'a4'])
    expect(await w.stores.lanes.lane(w.lane())).toBeUndefined()
  })

  it('that opened between the read and the wait is no reason to wait', async () => {
    const { w, handler, ran } = await closed()
    await redrive(w, 'a1')
    await w.receive(handler, 2)
    await w.declared('a4')
    const [last, fresh] = w.waiting().splice(0)
    w.waiting().push(...(fresh ? [fresh] : []))
    w.instead('lanes', 'lane', (real) => async (key) => {
      const seen = await real(key)
      w.mend()
      w.waiting().unshift(...(last ? [last] : []))
      await w.receive(handler, 1)
      return seen
    })
    expect(outcomes(await w.receive(handler, 1))).toEqual(['done'])
    expect(ran).toEqual(['a1', 'a2', 'a3', 'a4'])
  })

  it('keeps a message whose wait could not be written', async () => {
    const { w, handler } = await closed()
    await w.declared('a4')
    w.failing('lanes', 'wait')
    expect(await w.receive(handler)).toMatchObject([{ outcome: 'retrying', again: expect.any(Number) }])
    w.mend()
    expect(outcomes(await w.receive(handler))).toEqual(['parked'])
  })

  it('is of the live deliveries or of one replay: none holds up another', async () => {
    const { w, handler } = await closed()
    const [event] = w.events().filter((stored) => stored.event.sequence === 2)
    const frame = { event: event?.event, replay: 'r1' }
    w.waiting().push({ body: JSON.stringify(frame), receiveCount: 0 })
    expect(outcomes(await w.receive(handler))).toEqual(['done'])
  })
})

describe('an event without a sequence', () => {
  it('has no place in a lane: dead, with what is missing, and it closes none', async () => {
    const w = laneWorld()
    await w.declared('a1', 'a2')
    const first = JSON.parse(w.waiting()[0]?.body ?? '')
    w.waiting().splice(0, 1, {
      body: JSON.stringify({ ...first, event: { ...first.event, sequence: undefined } }),
      receiveCount: 0,
    })
    const { handler, ran } = handling()
    expect(outcomes(await w.receive(handler))).toEqual(['dead', 'done'])
    expect(ran).toEqual(['a2'])
    expect((await w.mark('a1'))?.reason).toContain('sequence: expected the number that events of ours have')
  })
})

describe('a lane whose subscriber is paused', () => {
  const paused: Controls = {
    mayRun: async () => ({ run: false, reason: 'paused by user:k1' }),
    report: async () => undefined,
  }
  const running: Controls = { mayRun: async () => ({ run: true }), report: async () => undefined }

  it('parks all, and runs it in order when it is released', async () => {
    const w = laneWorld()
    await w.declared('a1', 'a2')
    w.control(paused)
    const { handler, ran } = handling()
    expect(outcomes(await w.receive(handler))).toEqual(['parked', 'parked'])
    expect(await w.mark('a1')).toMatchObject({ state: 'parked', attempts: 0, reason: 'paused by user:k1' })
    w.control(running)
    await w.declared('a3')
    expect(outcomes(await w.receive(handler))).toEqual(['parked'])
    expect(await redrive(w)).toEqual({ sent: 3 })
    await w.receive(handler)
    expect(ran).toEqual(['a1', 'a2', 'a3'])
  })

  it('does not let a released one overtake another that was parked after it was released', async () => {
    const { w, handler, ran } = await closed()
    await redrive(w, 'a1')
    let asked = 0
    w.control({ ...running, mayRun: async () => (asked++ === 0 ? paused.mayRun('', '') : { run: true }) })
    expect(outcomes(await w.receive(handler))).toEqual(['parked', 'already', 'already'])
    expect(ran).toEqual([])
    await redrive(w)
    await w.receive(handler)
    expect(ran).toEqual(['a1', 'a2', 'a3'])
  })
})

describe('effect state in a lane', () => {
  const state: HandlerAny = async (handled, memory) => {
    const key = { project: 'main', kind: 'log', name: 'a' }
    const record = await memory?.get(key)
    const version = (record?.version ?? 0) + 1
    const value = `${record?.value ?? ''} ${nameOf(handled)}`.trim()
    return { writes: [{ ...key, version, value }], emits: [], sequence: version }
  }

  it('is committed once for each, in order, through a death and its redrive', async () => {
    const w = laneWorld({ effect: 'state' })
    await w.declared('a1', 'a2', 'a3')
    let fails = true
    const once: HandlerAny = async (handled, memory) => {
      if (fails && nameOf(handled) === 'a2') throw hopeless
      return state(handled, memory)
    }
    expect(outcomes(await w.receive(once))).toEqual(['done', 'dead', 'parked'])
    fails = false
    w.advance(10 * minutes)
    await redrive(w, 'a2')
    await w.receiveAndCrash(once)
    expect(outcomes(await w.receive(once))).toEqual(['already', 'already'])
    expect(w.stores.memory.all().records).toMatchObject([{ value: 'a1 a2 a3', version: 3 }])
    expect(await w.stores.lanes.lane(w.lane())).toBeUndefined()
  })

  it('has two messages of one delivery take turns: the second finds the first done', async () => {
    const w = laneWorld({ effect: 'state' })
    await w.declared('a1', 'a2')
    const [first] = w.waiting()
    w.waiting().push(...(first ? [{ ...first }] : []))
    expect(outcomes(await w.receive(state))).toEqual(['done', 'done', 'already'])
  })
})
