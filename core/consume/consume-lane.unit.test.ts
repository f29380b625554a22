import { describe, expect, it } from 'vitest'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { closed, handling, hopeless, laneWorld, outcomes, redrive, states } from '../../test/lanes.ts'
import type { HandlerAny } from '../event/handler.ts'

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
