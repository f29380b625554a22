import { beforeEach, describe, expect, it } from 'vitest'
import { type LaneWorld, laneWorld, nameOf, states } from '../../test/lanes.ts'
import { type MendWorld, mending } from '../../test/mending.ts'
import { nothing } from '../../test/sweeping.ts'
import { hours, minutes, seconds } from '../../test/world.ts'
import type { HandlerAny } from '../event/handler.ts'
import { stop } from '../job/job.ts'
import type { BatchInput } from '../job/job-batch.ts'
import { releaseJob } from '../job/release-job.ts'
import { countOpen } from '../sweep/sweep-open.ts'
import { sweepStuck } from '../sweep/sweep-stuck.ts'

/** Jobs that send what is parked in lanes, beside a consumer that takes its time. */

let l: LaneWorld
let m: MendWorld
let order: string[]
let sent: number
let isPaused: boolean
/** messages a second */
let speed: number
let taken: { until: number; part: number }

const notes: HandlerAny = async ({ data }) => {
  order.push(nameOf({ data }))
  return []
}

function begin(): void {
  l = laneWorld()
  m = mending(l)
  order = []
  sent = 0
  isPaused = true
  speed = 1000
  l.control({
    mayRun: async () => (isPaused ? { run: false, reason: 'paused' } : { run: true }),
    report: async () => undefined,
  })
}

beforeEach(begin)

const numbered = (key: string, many: number) => Array.from({ length: many }, (_, n) => `${key}${n + 1}`)

/** These are parked, and from now on it is counted what is sent. */
async function parked(...names: string[]): Promise<void> {
  await l.declared(...names)
  while (l.waiting().length > 0) {
    await l.receive(nothing, 1)
    l.advance(1)
  }
  l.advance(seconds)
  isPaused = false
  taken = { until: now(), part: 0 }
  l.instead('queues', 'send', (real) => async (queue, messages) => {
    if (queue === 'line') sent += messages.length
    return real(queue, messages)
  })
}

const now = () => Date.parse(l.clock())

async function asked(id: string, rate: number): Promise<BatchInput> {
  const made = releaseJob(
    { project: 'main', subscriber: 'line' },
    { id, by: 'user:ann', at: l.clock(), rate },
  )
  await l.stores.memory.commit({ writes: [made.write], outbox: made.outbox })
  await m.relayAll()
  const { source, id: event, type } = made.job.request
  const about = { project: 'main', correlationid: event, hops: 0, partitionkey: `job/${id}` }
  return { event: { ...about, source, id: event, type }, attempt: 1 }
}

/** Time goes on, and the consumer with it. */
async function passes(milliseconds: number): Promise<void> {
  l.advance(milliseconds)
  taken.part += ((now() - taken.until) / 1000) * speed
  taken.until = now()
  for (; taken.part >= 1; taken.part--) if (l.waiting().length > 0) await l.receive(notes, 1)
}

/** Until the run ends or so long has passed; answers how many batches that took. */
async function runs(input: BatchInput, longest = hours): Promise<{ ended: boolean; batches: number }> {
  const end = now() + longest
  let batches = 0
  while (now() < end) {
    batches++
    const { state, wait } = await m.batch(input, { pause: passes })
    if (state === 'ended') return { ended: true, batches }
    await passes(wait * 1000)
  }
  return { ended: false, batches }
}

describe('a release of one key at a rate', () => {
  it.each([
    [160, 50, 100],
    [160, 50, 25],
    [400, 50, 40],
    [400, 1000, 40],
    [400, 1000, 5000],
    [250, 7, 3],
  ])('%i at %i a second to who handles %i a second: each is sent once', async (many, rate, perSecond) => {
    speed = perSecond
    await parked(...numbered('a', many))
    const input = await asked('j1', rate)
    const began = now()
    expect(await runs(input)).toMatchObject({ ended: true })
    expect(order).toEqual(numbered('a', many))
    expect(sent).toBe(many)
    const { state, counts } = await m.job('j1')
    expect([state, counts.matched, counts.sent]).toEqual(['done', many, many])
    expect(await l.stores.lanes.lane(l.lane())).toBeUndefined()
    expect((now() - began) / 1000).toBeLessThan(10 + 3 * Math.max(many / rate, many / perSecond))
  })

  it('waits while nobody handles it, and looks ever less often', async () => {
    await parked(...numbered('a', 400))
    speed = 0
    const input = await asked('j1', 1000)
    const { ended, batches } = await runs(input)
    expect([ended, sent <= 500, batches < 200]).toEqual([false, true, true])
    speed = 20
    expect(await runs(input)).toMatchObject({ ended: true })
    expect(order).toEqual(numbered('a', 400))
    expect((await m.job('j1')).counts).toMatchObject({ matched: 400, sent: 400 })
  })

  it('ends where its subscriber is paused again amid it; whoever ends that has all of the rest sent', async () => {
    await parked(...numbered('a', 300))
    speed = 30
    const input = await asked('j1', 100)
    await runs(input, 4 * seconds)
    isPaused = true
    expect(await runs(input)).toMatchObject({ ended: true })
    const { counts } = await m.job('j1')
    expect(counts).toMatchObject({ matched: 300, sent: expect.any(Number), parked: expect.any(Number) })
    expect(sent).toBeLessThan(600)
    isPaused = false
    expect(await runs(await asked('j2', 100))).toMatchObject({ ended: true })
    expect(order).toEqual(numbered('a', 300))
  })

  it('ends where its subscriber has left the routes amid it', async () => {
    await parked(...numbered('a', 300))
    speed = 30
    const input = await asked('j1', 100)
    await runs(input, 2 * seconds)
    m.deps.routes = []
    l.failing('queues', 'send', new Error('there is no such queue'))
    expect(await runs(input)).toMatchObject({ ended: true })
    const { state, counts } = await m.job('j1')
    expect([state, (counts.sent ?? 0) + (counts.skipped ?? 0)]).toEqual(['done', counts.matched])
    expect(counts.skipped).toBeGreaterThan(0)
  })

  it('is done by two jobs as by one', async () => {
    await parked(...numbered('a', 250))
    speed = 40
    const both = [await asked('j1', 50), await asked('j2', 1000)]
    const running = new Set(both)
    for (let n = 0; n < 1000 && running.size > 0; n++)
      for (const input of running) {
        const { state, wait } = await m.batch(input, { pause: passes })
        if (state === 'ended') running.delete(input)
        await passes(wait * 1000)
      }
    expect(order).toEqual(numbered('a', 250))
    expect(sent).toBeLessThanOrEqual(500)
    for (const id of ['j1', 'j2']) {
      const { state, counts } = await m.job(id)
      const { matched = 0, sent: own = 0, already = 0 } = counts
      expect([state, own + already]).toEqual(['done', matched])
    }
  })

  it('holds up no other keys, however long one of it takes', async () => {
    await parked(...numbered('a', 120), ...numbered('b', 30), ...numbered('c', 30))
    speed = 0
    const input = await asked('j1', 50)
    await runs(input, minutes)
    const others: string[] = []
    while (l.waiting().length > 0) {
      const [message] = l.waiting()
      const name = nameOf(JSON.parse(message?.body ?? '').event)
      if (name.startsWith('a')) l.waiting().shift()
      else {
        others.push(name)
        await l.receive(notes, 1)
      }
    }
    expect(new Set(others.map((name) => name.slice(0, 1)))).toEqual(new Set(['b', 'c']))
  })

  it('tries at once again what could not be sent', async () => {
    await parked(...numbered('a', 100), 'b1')
    speed = 10
    const input = await asked('j1', 20)
    l.failing('queues', 'send', new Error('throttled'))
    for (let n = 0; n < 5; n++) await expect(m.batch(input, { pause: passes })).rejects.toThrow('throttled')
    l.mend()
    const began = now()
    expect(await runs(input)).toMatchObject({ ended: true })
    expect(order.filter((name) => name.startsWith('a'))).toEqual(numbered('a', 100))
    expect(now() - began).toBeLessThan(30 * seconds)
    // nobody else has sent any of it
    expect((await m.job('j1')).counts).toEqual({ matched: 101, sent: 101, done: 101 })
  })

  it('that is stopped leaves the rest parked, and the sweep sends that in order', async () => {
    await parked(...numbered('a', 150))
    speed = 20
    const input = await asked('j1', 10)
    await runs(input, 4 * seconds)
    await m.changeJob('j1', (job) => stop(job, 'stopped by user:ann', l.clock))
    const { counts } = await m.job('j1')
    expect(counts.sent).toBeLessThan(100)
    await passes(30 * seconds)
    expect(await runs(input)).toMatchObject({ ended: true, batches: 1 })
    const rest = numbered('a', 150).slice(order.length)
    expect(rest.length).toBeGreaterThan(50)
    expect(new Set(await states(l, ...rest))).toEqual(new Set(['parked']))
    const sweep = async () => sweepStuck('main', await countOpen('main', ['line'], l.deps), m.deps)
    expect((await sweep()).lanes).toBe(1)
    while (l.waiting().length > 0) await passes(minutes)
    expect(order).toEqual(numbered('a', 150))
    expect(await l.stores.lanes.lane(l.lane())).toBeUndefined()
  })

  it('loses and doubles nothing wherever a batch crashes', async () => {
    for (let at = 1; at <= 60; at += 3)
      for (const withEffect of [false, true]) {
        begin()
        await parked(...numbered('a', 25), 'b1', 'a26')
        speed = 4
        const input = await asked('j1', 10)
        l.crashAt(at, withEffect)
        await m.batch(input, { pause: async (of) => l.advance(of) }).catch(() => undefined)
        l.mend()
        expect([at, await runs(input)]).toMatchObject([at, { ended: true }])
        expect(order.filter((name) => name !== 'b1')).toEqual(numbered('a', 26))
        const { counts } = await m.job('j1')
        expect((counts.sent ?? 0) + (counts.already ?? 0)).toBe(counts.matched)
      }
  })
})
