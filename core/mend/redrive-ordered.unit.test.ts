import { beforeEach, describe, expect, it } from 'vitest'
import { type LaneWorld, laneWorld, nameOf } from '../../test/lanes.ts'
import { type MendWorld, mending } from '../../test/mending.ts'
import { dies, nothing } from '../../test/sweeping.ts'
import { minutes } from '../../test/world.ts'
import type { HandlerAny } from '../event/handler.ts'
import { releaseJob } from '../job/release-job.ts'
import { releaseLane } from '../lane/lane.ts'
import { redriveEvent } from './redrive-one.ts'

/** Redrives of an ordered route: by lane, in sequence, with what waits behind. */

let l: LaneWorld
let m: MendWorld
let order: string[]

const notes: HandlerAny = async ({ data }) => {
  order.push(nameOf({ data }))
  return []
}

const paused = {
  mayRun: async () => ({ run: false, reason: 'paused' }) as const,
  report: async () => undefined,
}

beforeEach(() => {
  l = laneWorld()
  m = mending(l)
  order = []
})

const line = { subscriber: 'line', subscribers: ['line'] }

async function handleAll(handler = notes) {
  for (let n = 0; n < 50 && l.waiting().length > 0; n++) await l.receive(handler)
}

describe('a redrive of an ordered route', () => {
  it('sends what is dead and what waits behind it, in order', async () => {
    await l.declared('a1', 'b1', 'a2', 'a3', 'b2')
    await l.receive(dies)
    const { id, input } = await m.ask({}, line)
    await m.run(input, handleAll)
    expect(order.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2', 'a3'])
    expect(order.filter((name) => name.startsWith('b'))).toEqual(['b1', 'b2'])
    expect(await m.job(id)).toMatchObject({ state: 'done', counts: { matched: 2, sent: 5, done: 2 } })
    expect(await l.stores.lanes.lane(l.lane('a'))).toBeUndefined()
  })

  it('takes several that are dead in one lane at once', async () => {
    await l.declared('a1', 'a2', 'a3')
    const { project, subscriber } = l.lane()
    for (const name of ['a1', 'a2', 'a3']) {
      const sequence = Number(name.slice(1))
      const delivery = {
        ...{ state: 'dead' as const, attempts: 3, started: l.clock(), changed: l.clock(), emitted: [] },
        reason: 'its handling crashed',
      }
      await l.stores.lanes.wait(l.lane(), { key: l.key(name), delivery, sequence }, 'closing')
    }
    l.waiting().splice(0)
    expect([project, subscriber]).toEqual(['main', 'line'])
    const { id, input } = await m.ask({}, line)
    await m.run(input, handleAll)
    expect(order).toEqual(['a1', 'a2', 'a3'])
    expect((await m.job(id)).counts).toMatchObject({ matched: 3, done: 3 })
  })

  it('is blocked where what comes first is dead and not meant', async () => {
    await l.declared('a1', 'a2')
    for (const [name, reason] of [
      ['a1', 'first'],
      ['a2', 'second'],
    ] as const) {
      const times = { started: l.clock(), changed: l.clock() }
      const delivery = { state: 'dead' as const, attempts: 3, ...times, emitted: [], reason }
      await l.stores.lanes.wait(
        l.lane(),
        { key: l.key(name), delivery, sequence: Number(name.slice(1)) },
        'closing',
      )
    }
    l.waiting().splice(0)
    const { id, input } = await m.ask({ reason: 'second' }, line)
    await m.run(input, handleAll)
    expect([order, (await m.job(id)).counts]).toEqual([[], { matched: 1, blocked: 1 }])
  })

  it('stops when it dies of the same again, and leaves what waits behind it', async () => {
    await l.declared('a1', 'b1', 'c1', 'a2')
    await l.receive(dies)
    const { id, input } = await m.ask({}, { ...line, rate: 1, stopAfter: 2 })
    await m.run(input, () => handleAll(dies))
    expect(await m.job(id)).toMatchObject({ state: 'stopped' })
    expect(await l.mark('a2')).toMatchObject({ state: 'parked' })
  })

  it.each([
    [10, 10],
    [1, 3],
    [1000, 12],
  ])(
    'at %i a second, %i keys with 70 behind each: waits no longer than its function may run',
    async (rate, keys) => {
      for (const letter of [...'abcdefghijkl'].slice(0, keys)) {
        await l.declared(`${letter}1`)
        await l.receive(dies)
        await l.declared(...Array.from({ length: 70 }, (_, n) => `${letter}${n + 2}`))
        while (l.waiting().length > 0) await l.receive(nothing)
      }
      l.advance(1)
      const { id, input } = await m.ask({}, { ...line, rate })
      const asked = Date.parse(l.clock())
      let handed = 0
      l.instead('queues', 'send', (real) => async (queue, messages) => {
        if (queue === 'line') handed += messages.length
        return real(queue, messages)
      })
      for (let batches = 0; batches < 200; batches++) {
        const [began, before] = [Date.parse(l.clock()), handed]
        const { state, wait } = await m.batch(input)
        const seconds = (Date.parse(l.clock()) - began) / 1000
        expect(seconds).toBeLessThanOrEqual(6)
        expect(handed - before).toBeLessThanOrEqual(rate * Math.max(6, seconds + wait) + 171)
        if (state === 'ended') break
        await handleAll()
        l.advance(wait * 1000)
      }
      expect([order.length, handed]).toEqual([71 * keys, 71 * keys])
      expect(await m.job(id)).toMatchObject({
        state: 'done',
        counts: { matched: keys, sent: 71 * keys, done: keys },
      })
      expect((Date.parse(l.clock()) - asked) / 1000).toBeGreaterThanOrEqual((71 * keys) / rate)
    },
  )

  it('reaches what died without a lane', async () => {
    await l.declared('a1')
    l.waiting().splice(0)
    const times = { started: l.clock(), changed: l.clock() }
    const dead = { state: 'dead' as const, attempts: 3, ...times, emitted: [] }
    await l.stores.history.mark(l.key('a1'), dead)
    const { id, input } = await m.ask({}, line)
    await m.run(input, handleAll)
    expect([order, (await m.job(id)).counts]).toMatchObject([['a1'], { sent: 1, done: 1 }])
  })
})

describe('what died before its route kept order', () => {
  /** a2 closes the lane; a1 is dead too, and in no lane. */
  const outside = async () => {
    await l.declared('a2')
    await l.receive(dies)
    await l.declared('a1')
    l.waiting().splice(0)
    const times = { started: l.clock(), changed: l.clock() }
    const dead = { state: 'dead' as const, attempts: 3, ...times, emitted: [] }
    await l.stores.history.mark(l.key('a1'), dead)
  }

  it('is sent by itself, and takes its place in the lane', async () => {
    await outside()
    expect(await redriveEvent(l.key('a1'), {}, 'user:ann', l.deps)).toMatchObject([{ outcome: 'sent' }])
    expect(await l.mark('a1')).toMatchObject({ state: 'retrying' })
    await handleAll()
    expect(await l.mark('a1')).toMatchObject({ state: 'parked' })
    expect(await redriveEvent(l.key('a2'), {}, 'user:ann', l.deps)).toMatchObject([{ outcome: 'sent' }])
    await handleAll()
    expect(order).toEqual(['a1', 'a2'])
  })

  it('is sent by a job, though its lane is released', async () => {
    await outside()
    const { id, input } = await m.ask({}, line)
    await m.run(input, handleAll)
    expect((await m.job(id)).counts).toMatchObject({ matched: 2 })
    expect(order).toContain('a1')
    expect(await l.mark('a1')).toMatchObject({ state: 'done' })
  })
})

describe('a release of what was parked', () => {
  it('sends it in order, once its subscriber runs again', async () => {
    let paused = true
    l.control({
      mayRun: async () => (paused ? { run: false, reason: 'paused' } : { run: true }),
      report: async () => undefined,
    })
    await l.declared('a1', 'a2', 'b1')
    await l.receive(nothing)
    expect(await l.mark('a2')).toMatchObject({ state: 'parked' })
    paused = false
    const of = { project: 'main', subscriber: 'line' }
    const made = releaseJob(of, { id: 'j1', by: 'user:ann', at: l.clock(), rate: 50 })
    await l.stores.memory.commit({ writes: [made.write], outbox: made.outbox })
    await m.relayAll()
    const { source, id, type } = made.job.request
    const event = { project: 'main', source, id, type, correlationid: id, hops: 0, partitionkey: 'job/j1' }
    await m.run({ event, attempt: 1 }, handleAll)
    expect(order.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2'])
    expect(await m.job('j1')).toMatchObject({ state: 'done' })
    expect(l.deliveries().map(({ state }) => state)).toEqual(['done', 'done', 'done'])
  })

  it('sends of one lane, too, no more in a second than its rate, whatever it handles meanwhile', async () => {
    l.control(paused)
    const names = Array.from({ length: 12 }, (_, n) => `a${n + 1}`)
    await l.declared(...names)
    while (l.waiting().length > 0) await l.receive(nothing)
    l.control({ ...paused, mayRun: async () => ({ run: true }) })
    const job = { subscriber: 'line', by: 'user:ann', at: l.clock(), rate: 2 }
    const made = releaseJob({ project: 'main', subscriber: 'line' }, { id: 'j1', ...job })
    await l.stores.memory.commit({ writes: [made.write], outbox: made.outbox })
    await m.relayAll()
    const { source, id, type } = made.job.request
    const event = { project: 'main', source, id, type, correlationid: id, hops: 0, partitionkey: 'job/j1' }
    const began = Date.parse(l.clock())
    const most: number[] = []
    // what is sent in a second is handled within it, or not before the next
    const pause = async (milliseconds: number) => {
      if (most.length % 2 === 0) await handleAll()
      most.push(order.length - 2 * ((Date.parse(l.clock()) - began) / 1000))
      l.advance(milliseconds)
    }
    for (let n = 0; n < 100; n++) {
      const answer = await m.batch({ event, attempt: 1 }, { pause })
      if (answer.state === 'ended') break
      await handleAll()
      l.advance(answer.wait * 1000)
    }
    expect(order).toEqual(names)
    expect(Math.max(...most)).toBeLessThanOrEqual(2)
    expect(await m.job('j1')).toMatchObject({ state: 'done', counts: { sent: 12 } })
    expect(await l.stores.lanes.lane(l.lane())).toBeUndefined()
  })

  it('says of what somebody else had released, and lost, that it was sent already', async () => {
    l.control(paused)
    await l.declared('a1', 'a2', 'a3')
    await l.receive(nothing)
    l.control({ ...paused, mayRun: async () => ({ run: true }) })
    await releaseLane(l.lane(), { dead: [], pace: { upTo: 2, most: 2, asked: l.clock() } }, l.deps)
    l.waiting().splice(0)
    l.advance(2 * minutes)
    const of = { project: 'main', subscriber: 'line' }
    const made = releaseJob(of, { id: 'j1', by: 'user:ann', at: l.clock(), rate: 50 })
    await l.stores.memory.commit({ writes: [made.write], outbox: made.outbox })
    await m.relayAll()
    const { source, id, type } = made.job.request
    const event = { project: 'main', source, id, type, correlationid: id, hops: 0, partitionkey: 'job/j1' }
    await m.run({ event, attempt: 1 }, handleAll)
    expect(order).toEqual(['a1', 'a2', 'a3'])
    expect((await m.job('j1')).counts).toEqual({ matched: 3, sent: 1, already: 2, done: 3 })
  })

  it('leaves what came since it was asked for to whoever is done with the last of it', async () => {
    l.control(paused)
    await l.declared('a1', 'a2')
    await l.receive(nothing)
    l.control({ ...paused, mayRun: async () => ({ run: true }) })
    const made = releaseJob(
      { project: 'main', subscriber: 'line' },
      { id: 'j1', by: 'user:ann', at: l.clock(), rate: 1 },
    )
    await l.stores.memory.commit({ writes: [made.write], outbox: made.outbox })
    await m.relayAll()
    l.advance(1000)
    await l.declared('a3')
    await l.receive(nothing)
    expect(await l.mark('a3')).toMatchObject({ state: 'parked' })
    const { source, id, type } = made.job.request
    const event = { project: 'main', source, id, type, correlationid: id, hops: 0, partitionkey: 'job/j1' }
    await m.run({ event, attempt: 1 }, handleAll)
    expect(order).toEqual(['a1', 'a2', 'a3'])
    expect(await l.stores.lanes.lane(l.lane())).toBeUndefined()
  })
})
