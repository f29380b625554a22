import { describe, expect, it } from 'vitest'
import {
  closed,
  handling,
  hopeless,
  type LaneWorld,
  laneWorld,
  outcomes,
  redrive,
  states,
} from '../../test/lanes.ts'
import type { Delivery } from '../ports.ts'

describe('when in a lane something cannot be read', () => {
  it('what was only held so far is neither dead nor has it spent an attempt, however often it came', async () => {
    const w = laneWorld()
    await w.declared('a1', 'a2')
    const { handler, ran, fails } = handling('a1')
    await w.receive(handler)
    await w.receive(handler)
    fails.clear()
    await w.receive(handler, 1)
    w.failing('history', 'getDeliveries', new Error('throttled'))
    expect(await w.receive(handler)).toMatchObject([
      { outcome: 'retrying', again: expect.any(Number), reason: 'Error: throttled' },
    ])
    w.mend()
    expect([await w.mark('a2'), await w.stores.lanes.lane(w.lane())]).toEqual([undefined, undefined])
    expect(outcomes(await w.receive(handler))).toEqual(['done'])
    expect(await w.mark('a2')).toMatchObject({ attempts: 1 })
    expect(ran).toEqual(['a1', 'a1', 'a1', 'a2'])
  })

  it.each([
    ['its mark', (w: LaneWorld) => w.failing('history', 'getDeliveries')],
    ['its lane', (w: LaneWorld) => w.failing('lanes', 'lane')],
    ['what was begun, for it could not be written,', (w: LaneWorld) => w.failing('history', 'transition')],
  ])('%s: nothing is run, and no attempt is spent', async (_, fail) => {
    const w = laneWorld()
    await w.declared('a1')
    const { handler, ran } = handling()
    await w.receiveAndCrash(async () => {
      w.crashAt(1, false)
      throw new Error('gone')
    })
    w.mend()
    fail(w)
    for (let receive = 2; receive <= 6; receive++)
      expect(outcomes(await w.receive(handler))).toEqual(['retrying'])
    w.mend()
    expect([ran, await w.mark('a1')]).toEqual([[], undefined])
    expect(outcomes(await w.receive(handler))).toEqual(['done'])
  })

  it('what is dead stays so, and is not run by a release that did not ask for it', async () => {
    const w = laneWorld()
    await w.declared('a1', 'a2')
    const { handler, ran, fails } = handling()
    fails.set('a1', hopeless)
    await w.receiveAndCrash(handler)
    w.failing('history', 'getDeliveries', new Error('throttled'))
    expect(outcomes(await w.receive(handler))).toEqual(['retrying', 'held'])
    w.mend()
    fails.clear()
    expect(await states(w, 'a1', 'a2')).toEqual(['dead', 'parked'])
    expect(outcomes(await w.receive(handler))).toEqual(['already', 'already'])
    expect(await redrive(w)).toEqual({ blocked: w.key('a1') })
    expect(ran).toEqual(['a1'])
  })
})

describe('what others change of a delivery between its reading and its writing', () => {
  /** a1, sent by a release; `change` is done to it right after its mark was read. */
  async function changedMeanwhile(change: Delivery) {
    const { w, handler, ran } = await closed()
    await redrive(w, 'a1')
    let reads = 0
    w.instead('history', 'getDeliveries', (real) => async (keys) => {
      const read = await real(keys)
      if (reads++ === 0) await w.stores.history.mark(w.key('a1'), change)
      return read
    })
    return { w, ran, consumed: await w.receive(handler) }
  }
  const other = { attempts: 3, started: '2026-01-01T00:00:00.000Z', emitted: [] }
  const later = '2026-01-01T12:00:01.000Z'

  it('stands when they have dropped it: it is not run', async () => {
    const { w, ran, consumed } = await changedMeanwhile({ ...other, state: 'dropped', changed: later })
    expect(outcomes(consumed)).toEqual(['already', 'done', 'done'])
    expect([ran, await states(w, 'a1')]).toEqual([['a2', 'a3'], ['dropped']])
  })

  it('stands when they have marked it dead anew: it comes again', async () => {
    const { w, ran, consumed } = await changedMeanwhile({ ...other, state: 'dead', changed: later })
    expect(outcomes(consumed)).toEqual(['retrying', 'held', 'held'])
    expect([ran, await w.mark('a1')]).toMatchObject([[], { state: 'dead', changed: later, attempts: 3 }])
  })

  it('stands when they have had it sent again while it failed for good', async () => {
    const w = laneWorld()
    await w.declared('a1')
    const again: Delivery = {
      ...other,
      state: 'retrying',
      changed: later,
      reason: 'sent again',
      resumed: 1,
    }
    const consumed = await w.receive(async () => {
      await w.stores.history.mark(w.key('a1'), again)
      throw hopeless
    })
    expect(outcomes(consumed)).toEqual(['retrying'])
    expect([await w.mark('a1'), await w.stores.lanes.lane(w.lane())]).toMatchObject([again, undefined])
  })

  it('gives way when it is no more than a try of another receive, for what failed for good is not run again', async () => {
    const w = laneWorld()
    await w.declared('a1')
    const tried: Delivery = { ...other, state: 'retrying', changed: later, reason: 'not now' }
    const consumed = await w.receive(async () => {
      await w.stores.history.mark(w.key('a1'), tried)
      throw hopeless
    })
    expect(outcomes(consumed)).toEqual(['dead'])
    expect(await w.mark('a1')).toMatchObject({
      state: 'dead',
      reason: expect.stringContaining(hopeless.message),
    })
    expect(await w.stores.lanes.lane(w.lane())).toBeDefined()
  })

  it('stands when they have marked it dead while it failed', async () => {
    const w = laneWorld()
    await w.declared('a1')
    const consumed = await w.receive(async () => {
      await w.stores.history.mark(w.key('a1'), { ...other, state: 'dead', changed: later, reason: 'theirs' })
      throw new Error('not now')
    })
    expect(outcomes(consumed)).toEqual(['retrying'])
    expect(await w.mark('a1')).toMatchObject({ state: 'dead', reason: 'theirs' })
    expect(outcomes(await w.receive(handling().handler))).toEqual(['already'])
  })

  it('is nothing when it was itself, and only the answer got lost', async () => {
    const { w, handler } = await closed()
    await redrive(w, 'a1')
    w.instead('history', 'transition', (real) => async (change) => {
      await real(change)
      return false
    })
    expect(outcomes(await w.receive(handler))).toEqual(['done', 'done', 'done'])
  })
})
