import { describe, expect, it } from 'vitest'
import { closed, handling, hopeless, laneWorld, nameOf, outcomes, redrive } from '../../test/lanes.ts'
import { minutes } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import type { Controls } from '../hold/control.ts'

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
