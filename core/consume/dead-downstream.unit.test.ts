import { beforeEach, describe, expect, it } from 'vitest'
import { byHttp } from '../../test/arrivals.ts'
import { relayAll } from '../../test/sweeping.ts'
import { routeOf, testRoutes, type World, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import type { Controls } from '../hold/control.ts'
import { subscriberControls } from '../hold/subscriber-controls.ts'
import { type Job, jobOf } from '../job/job.ts'
import { redriveBatch } from '../mend/redrive.ts'
import { sweep } from '../sweep/sweep.ts'
import { consume } from './consume.ts'

/**
 * A subscriber whose downstream is dead for a while, second by second: a queue that hides what is tried again, several
 * processes that take from it, the sweep each minute, and the jobs that circuits ask for.
 */

const route = routeOf('shop')

type Waiting = { body: string; receiveCount: number; visible: number }

let w: World
let processes: Controls[]
let waiting: Waiting[]
let runs: { id: string; at: number; ok: boolean }[]
let now: number
let answers: (id: string) => boolean
beforeEach(() => {
  w = world()
  let ids = 0
  const newId = () => `id${String(++ids).padStart(14, '0')}`
  processes = Array.from({ length: 4 }, () => subscriberControls({ ...w.deps, newId, subscriber: 'shop' }))
  waiting = []
  runs = []
  now = 0
  answers = () => true
})

const handler: HandlerAny = async ({ event: { id } }) => {
  const ok = answers(id)
  runs.push({ id, at: now, ok })
  if (id.startsWith('bad')) throw new Failure('Invalid', 'no good')
  if (!ok) throw new Error(`no answer to ${id} within 3000 ms`)
  return []
}

const order = (id: string) =>
  w.one(
    byHttp(
      { specversion: '1.0', source: 's', id, type: 'acme.ordered', data: { id } },
      { received: w.clock() },
    ),
  )

/** What lies on the queue is taken by the processes in turn, in batches of up to five. */
async function work(): Promise<void> {
  waiting.push(...w.stores.queues.take('shop').map((body) => ({ body, receiveCount: 0, visible: now })))
  const due = waiting.filter(({ visible }) => visible <= now)
  waiting = waiting.filter(({ visible }) => visible > now)
  const batches = Array.from({ length: Math.ceil(due.length / 5) }, (_, n) => due.slice(n * 5, n * 5 + 5))
  await Promise.all(
    batches.map(async (batch, n) => {
      const messages = batch.map(({ body, receiveCount }) => ({ body, receiveCount: receiveCount + 1 }))
      const controls = processes[(n + now) % processes.length]
      const consumed = await consume(route, handler, messages, { ...w.deps, controls })
      for (const [index, message] of messages.entries()) {
        const again = consumed[index]?.again
        if (again !== undefined) waiting.push({ ...message, visible: now + again })
      }
    }),
  )
}

const jobs = (): Job[] =>
  w.stores.memory
    .all()
    .records.flatMap((record) => (record.kind === 'job' ? [jobOf(record) ?? []].flat() : []))

/** A batch of each job that runs. */
async function workOnJobs(): Promise<void> {
  await relayAll(w)
  for (const { id, state, attempt } of jobs()) {
    const asking = w
      .events()
      .find(({ event }) => event.type === 'redrive.requested' && Object(event.data).job === id)
    if (state !== 'running' || asking === undefined) continue
    const { event } = asking
    await redriveBatch({ event, attempt }, { ...w.deps, pause: async () => undefined }, 1)
  }
}

async function second(): Promise<void> {
  await work()
  if (now % 5 === 0) await workOnJobs()
  if (now % 60 === 59) expect((await sweep('main', w.deps, 10)).failures).toEqual([])
  now++
  w.advance(1000)
}

const states = () =>
  Object.fromEntries(
    [
      ...Map.groupBy(
        w.deliveries().filter(({ subscriber }) => subscriber === 'shop'),
        ({ state }) => state,
      ),
    ].map(([state, all]) => [state, all.length]),
  )
const typesTold = () =>
  w.events().flatMap(({ event: { type } }) => (type.startsWith('circuit.') ? [type] : []))

describe('a downstream that is dead for ten minutes', () => {
  it('parks what comes meanwhile instead of filling the dead letters, and all of it is handled in the end', async () => {
    answers = () => now < 20 || now >= 620
    for (let n = 0; n < 400; n++) {
      await order(`o${n}`)
      if (n % 2 === 1) await second()
    }
    while (now < 620) await second()
    const during = runs.filter(({ at }) => at >= 40 && at < 620)
    expect(states().dead).toBeUndefined()
    expect(states().parked).toBeGreaterThan(250)
    // probes alone: 30 s, then ever more rarely
    expect(during.length).toBeLessThan(10)
    expect(typesTold()).toEqual(['circuit.opened'])

    while (now < 1500 && (states().done ?? 0) < 400) await second()
    expect(states()).toEqual({ done: 400 })
    expect(typesTold()).toEqual(['circuit.opened', 'circuit.closed'])
    const succeeded = runs.filter(({ ok }) => ok).map(({ id }) => id)
    expect(new Set(succeeded).size).toBe(400)
    expect(succeeded).toHaveLength(400)
    while (jobs().some(({ state }) => state === 'running') && now < 2200) await second()
    expect(jobs().map(({ state }) => state)).toEqual(['done'])
  })

  it('without any traffic after it: the sweep has the parked try it', async () => {
    answers = () => now >= 620
    for (let n = 0; n < 20; n++) await order(`o${n}`)
    while (now < 1500 && (states().done ?? 0) < 20) await second()
    expect(states()).toEqual({ done: 20 })
    expect(typesTold()).toEqual(['circuit.opened', 'circuit.closed'])
  })
})

describe('what is no dead downstream', () => {
  it('a poisoned event that is tried until it dies opens nothing', async () => {
    answers = (id) => !id.startsWith('poison')
    await order('poison')
    while (now < 120 && states().dead !== 1) await second()
    expect(states()).toEqual({ dead: 1 })
    expect(typesTold()).toEqual([])
  })

  it('one failure in a hundred, and events that are at fault themselves, open nothing', async () => {
    answers = (id) => Number(id.slice(1)) % 100 !== 7 || !id.startsWith('o')
    for (let n = 0; n < 600; n++) {
      await order(`o${n}`)
      if (n % 4 === 0) await order(`bad${n}`)
      if (n % 6 === 5) await second()
    }
    while (now < 300) await second()
    expect(typesTold()).toEqual([])
    expect(states()).toEqual({ done: 594, dead: 156 })
  })
})

describe('the table of test routes', () => {
  it('has a subscriber without controls of its own to compare with: it fills the dead letters', async () => {
    processes = []
    answers = () => false
    expect(testRoutes).toContain(route)
    for (let n = 0; n < 20; n++) await order(`o${n}`)
    while (now < 120) await second()
    expect(states()).toEqual({ dead: 20 })
  })
})
