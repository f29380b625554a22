// Longer than 300 lines: all that may stand still, and the two worlds it does so in.

import { beforeEach, describe, expect, it } from 'vitest'
import { byHttp, push } from '../../test/arrivals.ts'
import { laneWorld } from '../../test/lanes.ts'
import { type MendWorld, mending, mendWorld } from '../../test/mending.ts'
import { dies, nothing, ofOnePass, wholePass } from '../../test/sweeping.ts'
import { unreadable } from '../../test/unreadable.ts'
import { hours, minutes, noon, routeOf } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import { open as opening } from '../hold/circuit.ts'
import { controlOf, controlRecord, controlWrite } from '../hold/control.ts'
import { jobOf, pause } from '../job/job.ts'
import { releaseJob } from '../job/release-job.ts'
import { dropDelivery } from '../mend/drop.ts'
import { deliveriesOf } from '../mend/open-delivery.ts'
import { redriveEvent } from '../mend/redrive-one.ts'
import { countOpen } from './sweep-open.ts'
import { sweepStuck, type Unstuck } from './sweep-stuck.ts'

const none: Unstuck = { resent: 0, released: 0, lanes: 0, gone: 0, unreadable: 0 }

async function unstick(w: MendWorld, deps = w.deps): Promise<Unstuck> {
  const names = [...w.deps.routes.map(({ subscriber }) => subscriber), 'gone']
  return sweepStuck('main', await countOpen('main', names, w.deps), ofOnePass(deps))
}

let w: MendWorld
beforeEach(() => {
  w = mendWorld()
})

describe('a delivery that is to be tried again', () => {
  beforeEach(async () => {
    await w.died(['p'])
    w.failing('queues', 'send')
    await redriveEvent(w.keyOf('p'), {}, 'user:ann', w.deps)
    w.mend()
  })

  it('is sent again after a crash between mark and send', async () => {
    w.advance(16 * minutes)
    expect(await unstick(w)).toEqual({ ...none, resent: 1 })
    expect(await w.handle('analyze', nothing)).toMatchObject([{ outcome: 'done' }])
    w.advance(16 * minutes)
    expect(await unstick(w)).toEqual(none)
  })

  it('is given a quarter of an hour', async () => {
    w.advance(14 * minutes)
    expect(await unstick(w)).toEqual(none)
  })

  it('may lie in a queue that is not empty, until that has let go of it', async () => {
    await w.stores.queues.send('analyze', ['somebody else'])
    w.advance(16 * minutes)
    expect(await unstick(w)).toEqual(none)
    w.advance(4 * 24 * hours)
    expect(await unstick(w)).toEqual({ ...none, resent: 1 })
    // it lies there once more, and no second message is laid beside it
    w.advance(minutes)
    expect(await unstick(w)).toEqual(none)
  })

  it('says when it cannot be sent, and is sent at the next pass', async () => {
    w.advance(16 * minutes)
    w.failing('queues', 'send', new Error('throttled'))
    await expect(unstick(w)).rejects.toThrow('could not be got going')
    w.mend()
    expect(await unstick(w)).toEqual({ ...none, resent: 1 })
  })
})

describe('what was sent again an hour ago and never ran', () => {
  const old = async (resumed: number, attempts = 1) => {
    await w.died(['p'])
    await w.stores.queues.send('analyze', ['somebody else'])
    const mark = { state: 'retrying' as const, attempts, started: noon, emitted: [], resumed }
    await w.stores.history.mark(w.keyOf('p'), { ...mark, changed: w.clock() })
  }

  it('is sent however full its queue is, and not again for an hour', async () => {
    await old(1)
    w.advance(50 * minutes)
    expect(await unstick(w)).toEqual(none)
    w.advance(11 * minutes)
    expect(await unstick(w)).toEqual({ ...none, resent: 1 })
    w.advance(minutes)
    expect(await unstick(w)).toEqual(none)
    w.advance(hours)
    expect(await unstick(w)).toEqual({ ...none, resent: 1 })
  })

  it('is left to the queue where it lies there since it came', async () => {
    await old(0)
    w.advance(2 * hours)
    expect(await unstick(w)).toEqual(none)
  })

  it('is left to the queue where it waits for newer code: it is received there, and stays', async () => {
    await old(1, 0)
    for (let passes = 0; passes < 3; passes++) {
      w.advance(2 * hours)
      expect(await unstick(w)).toEqual(none)
    }
  })

  it('is dead when its event is gone; one that cannot be read stays', async () => {
    const mark = { state: 'retrying' as const, attempts: 1, started: noon, changed: noon, emitted: [] }
    await w.died(['q', 'r'])
    for (const id of ['gone', 'q', 'r']) await w.stores.history.mark(w.keyOf(id), mark)
    w.advance(16 * minutes)
    w.instead('history', 'getEvents', unreadable('q'))
    expect(await unstick(w)).toEqual({ ...none, resent: 1, gone: 1, unreadable: 1 })
    expect(await w.mark('gone')).toMatchObject({
      state: 'dead',
      reason: expect.stringContaining('event is gone'),
    })
    expect(await w.mark('q')).toMatchObject({ state: 'retrying' })
    expect(w.taken('analyze')).toEqual(['r'])
  })
})

describe('what stands behind much that newer code wrote', () => {
  const many = 620
  const mark = { attempts: 1, started: noon, emitted: [] }
  beforeEach(async () => {
    const pushes = Array.from({ length: many }, (_, n) => byHttp(push(`n${n}`)))
    for (let from = 0; from < many; from += 50) await w.record(...pushes.slice(from, from + 50))
    await w.one(byHttp(push('last')))
    w.instead('history', 'getEvents', (real) => async (identities) => {
      if (identities.some(({ id }) => id !== 'last')) throw new Failure('NewerVersion', 'cannot be read')
      return real(identities)
    })
    for (const name of ['analyze', 'validate']) w.stores.queues.take(name)
  })

  it.each([
    ['retrying', { resent: 1 }],
    ['parked', { released: 1 }],
  ] as const)(
    'is sent where it is %s: what one pass does not come to, the next does',
    async (state, sent) => {
      for (let n = 0; n < many; n++)
        await w.stores.history.mark(w.keyOf(`n${n}`), { ...mark, state, changed: w.clock() })
      w.advance(minutes)
      await w.stores.history.mark(w.keyOf('last'), { ...mark, state, changed: w.clock() })
      w.advance(16 * minutes)
      expect(await unstick(w)).toEqual({ ...none, unreadable: 500 })
      const { stuck, unreadable: left } = await wholePass(w)
      expect(stuck).toEqual({ ...none, ...sent, unreadable: many - 500 })
      expect(left).toBe(many - 500)
      expect(w.taken('analyze')).toEqual(['last'])
    },
  )
})

describe('what its queue has let go of', () => {
  const letGo = { state: 'retrying' as const, attempts: 2, uncounted: -2, letGo: true as const, emitted: [] }

  beforeEach(async () => {
    await w.died(['p'])
    await w.stores.queues.send('analyze', ['somebody else'])
    await w.stores.history.mark(w.keyOf('p'), { ...letGo, started: noon, changed: w.clock() })
  })

  it('is sent after seven timeouts however full that is, with what it has left, and once', async () => {
    const timeout = routeOf('analyze').timeout * 1000
    w.advance(7 * timeout)
    expect(await unstick(w)).toEqual(none)
    w.advance(1)
    const passes = await Promise.all([unstick(w), unstick(w)])
    expect(passes.map(({ resent }) => resent).toSorted()).toEqual([0, 1])
    const { letGo: _, ...left } = letGo
    expect(await w.mark('p')).toEqual({ ...left, started: noon, changed: w.clock(), resumed: 1 })
    w.advance(50 * minutes)
    expect(await unstick(w)).toEqual(none)
  })

  it('is sent once from an empty queue, too', async () => {
    w.stores.queues.take('analyze')
    w.advance(20 * minutes)
    expect(await unstick(w)).toEqual({ ...none, resent: 1 })
    expect(await unstick(w)).toEqual(none)
  })
})

describe('a parked delivery', () => {
  const parked = { state: 'parked' as const, attempts: 0, started: noon, changed: noon, emitted: [] }
  const control = async (change: (state: ReturnType<typeof controlOf>) => ReturnType<typeof controlOf>) => {
    const of = { project: 'main', subscriber: 'analyze' }
    const record = await w.stores.memory.get(controlRecord('main', 'analyze'))
    const write = controlWrite(of, record, change(controlOf(record)))
    await w.stores.memory.commit({ writes: [write], outbox: [] })
  }

  beforeEach(async () => {
    await w.died(['p', 'q'])
    for (const id of ['p', 'q']) await w.stores.history.mark(w.keyOf(id), { ...parked, changed: w.clock() })
    w.advance(6 * minutes)
  })

  it('that nothing holds back is sent', async () => {
    expect(await unstick(w)).toEqual({ ...none, released: 2 })
    expect(await w.handle('analyze', nothing)).toMatchObject([{ outcome: 'done' }, { outcome: 'done' }])
  })

  it('is left for some minutes to whoever resumed its subscriber', async () => {
    await w.stores.history.mark(w.keyOf('q'), { ...parked, changed: w.clock() })
    expect(await unstick(w)).toEqual({ ...none, released: 1 })
    expect(w.taken('analyze')).toEqual(['p'])
  })

  it('is one of more than a pass sends: a job sends the rest', async () => {
    for (let n = 0; n < 120; n++) {
      await w.one(byHttp(push(`x${n}`)))
      await w.stores.history.mark(w.keyOf(`x${n}`), { ...parked, changed: w.clock() })
    }
    w.stores.queues.take('analyze')
    w.advance(6 * minutes)
    expect(await unstick(w)).toEqual({ ...none, released: 100 })
    await w.relayAll()
    const [record, ...others] = w.stores.memory.all().records.filter(({ kind }) => kind === 'job')
    expect(others).toEqual([])
    const job = jobOf(record)
    expect(job).toMatchObject({ kind: 'redrive', subscriber: 'analyze', by: 'system', state: 'running' })
    const { source, id, type } = job?.request ?? expect.fail('no job')
    const about = { project: 'main', correlationid: id, hops: 0, partitionkey: `job/${job?.id}` }
    await w.batch({ event: { ...about, source, id, type }, attempt: 1 })
    expect(w.taken('analyze')).toHaveLength(122)
  })

  it('stays while its subscriber is paused', async () => {
    await control((state) => ({ ...state, paused: { by: 'user:ann', at: noon } }))
    expect(await unstick(w)).toEqual(none)
    await control(({ paused: _, ...state }) => state)
    expect(await unstick(w)).toEqual({ ...none, released: 2 })
  })

  it('stays while the circuit of what it needs is open, and another one goes', async () => {
    w.deps.routes = w.deps.routes.map((route) =>
      route.subscriber === 'analyze' ? { ...route, downstream: ({ id }) => id } : route,
    )
    await control((state) => ({
      ...state,
      ...opening(state, { downstream: 'p', reason: 'down', now: noon })?.next,
    }))
    expect(await unstick(w)).toEqual({ ...none, released: 1 })
    expect(w.taken('analyze')).toEqual(['q'])
  })

  it('is left to a job that sends what was parked, be it at work or paused; not to one whose run has died', async () => {
    const of = { project: 'main', subscriber: 'analyze' }
    const { job, write } = releaseJob(of, { id: 'j1', by: 'user:ann', at: w.clock(), rate: 1 })
    await w.stores.memory.commit({ writes: [write], outbox: [] })
    await w.changeJob('j1', pause)
    expect(await unstick(w)).toEqual(none)
    await w.changeJob('j1', () => job)
    expect(await unstick(w)).toEqual({ ...none, released: 2 })
  })

  it('is sent though a redrive of what is dead is paused', async () => {
    await w.died(['d'])
    const { id } = await w.ask({})
    await w.changeJob(id, pause)
    w.advance(6 * minutes)
    expect(await unstick(w)).toEqual({ ...none, released: 2 })
  })
})

describe('what is open for a subscriber that is gone', () => {
  it('is dead, so that somebody sees it', async () => {
    const mark = { attempts: 1, started: noon, changed: noon, emitted: [] }
    await w.stores.history.mark(w.keyOf('p', 'gone'), { ...mark, state: 'retrying' })
    await w.stores.history.mark(w.keyOf('q', 'gone'), { ...mark, state: 'parked' })
    w.advance(14 * minutes)
    // code from before a deployment may have it in hand
    expect(await unstick(w)).toEqual(none)
    w.advance(2 * minutes)
    expect(await unstick(w)).toEqual({ ...none, gone: 2 })
    expect(w.deliveries()).toMatchObject([
      { state: 'dead', reason: expect.stringContaining('no such subscriber') },
      { state: 'dead' },
    ])
  })
})

describe('a lane', () => {
  const closed = async () => {
    const l = laneWorld()
    const m = mending(l)
    await l.declared('a1', 'a2', 'a3')
    await l.receive(dies)
    expect(await l.mark('a1')).toMatchObject({ state: 'dead' })
    expect(await l.mark('a3')).toMatchObject({ state: 'parked' })
    const find = async (name: string) => {
      const [found] = await deliveriesOf(l.key(name), { subscriber: 'line' }, l.stores.history)
      if (found === undefined) throw new Error(name)
      return found
    }
    const order: string[] = []
    const notes = async ({ event }: { event: { id: string } }) => {
      order.push(event.id)
      return []
    }
    const drain = async () => {
      for (let n = 0; n < 20 && l.waiting().length > 0; n++) await l.receive(notes)
      return order
    }
    return { l, m, find, drain, ids: ['a1', 'a2', 'a3'].map((name) => l.key(name).id) }
  }

  it('is one of several: the depth of their queue is asked once, and after the time for it nothing is begun', async () => {
    const l = laneWorld()
    const m = mending(l)
    await l.declared('a1', 'b1', 'c1')
    await l.receive(dies)
    for (const name of ['a1', 'b1', 'c1']) await redriveEvent(l.key(name), {}, 'user:ann', l.deps)
    // lost from the queue
    l.waiting().splice(0)
    const counts = await countOpen('main', ['line'], l.deps)
    expect(await sweepStuck('main', counts, m.deps, -1)).toEqual(none)
    l.calls.splice(0)
    expect(await unstick(m)).toEqual({ ...none, lanes: 3 })
    expect(l.calls.filter((call) => call === 'queues.depth line')).toHaveLength(1)
  })

  it('goes on when what closed it has lost its event and is dropped', async () => {
    const { l, m, find, drain, ids } = await closed()
    const mark = await l.mark('a1')
    if (mark === undefined) return expect.fail('a mark')
    await l.stores.history.transition({
      key: l.key('a1'),
      seen: mark,
      next: { ...mark, state: 'retrying', changed: l.clock() },
    })
    l.instead('history', 'getEvents', (real) => async (identities) => {
      const events = await real(identities)
      return events.map((one) => (one?.event.id === ids[0] ? undefined : one))
    })
    l.advance(16 * minutes)
    expect(await unstick(m)).toMatchObject({ gone: 1 })
    const dead = { ...(await find('a1')), stored: undefined }
    expect(await dropDelivery(dead, { by: 'user:ann' }, l.deps)).toMatchObject({ outcome: 'dropped' })
    expect(await unstick(m)).toEqual({ ...none, lanes: 1 })
    expect(await drain()).toEqual(ids.slice(1))
  })

  it('goes on though a redrive of what is dead is paused; one that something dead closes stays closed', async () => {
    const { l, m } = await closed()
    l.control({
      mayRun: async () => ({ run: false, reason: 'paused' }),
      report: async () => undefined,
    })
    await l.declared('b1', 'b2')
    while (l.waiting().length > 0) await l.receive(nothing)
    l.control({ mayRun: async () => ({ run: true }), report: async () => undefined })
    const { id } = await m.ask({}, { subscriber: 'line', subscribers: ['line'] })
    await m.changeJob(id, pause)
    l.advance(hours)
    expect(await unstick(m)).toEqual({ ...none, lanes: 1 })
    for (let n = 0; n < 5 && l.waiting().length > 0; n++) await l.receive(nothing)
    expect((await l.mark('b2'))?.state).toBe('done')
    expect((await l.mark('a2'))?.state).toBe('parked')
  })

  it('that something dead closes stays closed', async () => {
    const { l, m } = await closed()
    expect(await unstick(m)).toEqual(none)
    expect(l.waiting()).toEqual([])
  })

  it('goes on after a crash between drop and release', async () => {
    const { l, m, find, drain, ids } = await closed()
    l.failing('lanes', 'leave')
    expect(await dropDelivery(await find('a1'), { by: 'user:ann' }, l.deps)).toMatchObject({
      outcome: 'dropped',
      detail: expect.stringContaining('down'),
    })
    l.mend()
    expect(await unstick(m)).toEqual({ ...none, lanes: 1 })
    expect(await drain()).toEqual(ids.slice(1))
    expect(await l.stores.lanes.lane(l.lane())).toBeUndefined()
  })

  it('goes on at once when what closed it is dropped', async () => {
    const { l, find, drain, ids } = await closed()
    await dropDelivery(await find('a1'), { by: 'user:ann' }, l.deps)
    expect(await drain()).toEqual(ids.slice(1))
  })

  it('goes on when what was released never came into the queue', async () => {
    const { l, m, drain, ids } = await closed()
    l.failing('queues', 'send')
    await expect(redriveEvent(l.key('a1'), {}, 'user:ann', l.deps)).rejects.toThrow()
    l.mend()
    expect(await unstick(m)).toEqual({ ...none, lanes: 1 })
    expect(await drain()).toEqual(ids)
  })

  it('may be redriven anew when what was released never came into the queue', async () => {
    const { l, drain, ids } = await closed()
    l.failing('queues', 'send')
    await expect(redriveEvent(l.key('a1'), {}, 'user:ann', l.deps)).rejects.toThrow()
    l.mend()
    expect(await redriveEvent(l.key('a1'), {}, 'user:ann', l.deps)).toMatchObject([{ outcome: 'sent' }])
    expect(await drain()).toEqual(ids)
  })

  it('in which a redriven event died again waits for somebody once more', async () => {
    const { l, m } = await closed()
    await redriveEvent(l.key('a1'), {}, 'user:ann', l.deps)
    await l.receive(dies)
    expect(await l.mark('a1')).toMatchObject({ state: 'dead' })
    l.waiting().splice(0)
    expect(await unstick(m)).toEqual(none)
  })

  it('is redriven from the first that is dead, and in order', async () => {
    const { l, drain, ids } = await closed()
    expect(await redriveEvent(l.key('a1'), {}, 'user:ann', l.deps)).toMatchObject([{ outcome: 'sent' }])
    expect(await redriveEvent(l.key('a1'), {}, 'user:ann', l.deps)).toMatchObject([{ outcome: 'already' }])
    expect(await drain()).toEqual(ids)
  })
})
