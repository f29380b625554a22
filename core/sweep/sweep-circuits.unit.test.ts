import { beforeEach, describe, expect, it } from 'vitest'
import type { Route } from '../../events/route.ts'
import { byHttp } from '../../test/arrivals.ts'
import { laneWorld, nameOf } from '../../test/lanes.ts'
import { unreadable } from '../../test/unreadable.ts'
import { minutes, testRoutes, type World, world } from '../../test/world.ts'
import { deliveryFrame, outboxFrame } from '../frame.ts'
import { open } from '../hold/circuit.ts'
import { controlOf, controlRecord, controlWrite } from '../hold/control.ts'
import { pause } from '../hold/pause.ts'
import { subscriberControls } from '../hold/subscriber-controls.ts'
import { releaseLane } from '../lane/lane.ts'
import { openCircuits, probeCircuits } from './sweep-circuits.ts'

/** What `shop` needs depends on the event's subject. */
const routes: readonly Route[] = testRoutes.map((route) =>
  route.subscriber === 'shop' ? { ...route, downstream: ({ subject = '' }) => subject } : route,
)

let w: World
beforeEach(() => {
  w = world({ routes })
})

const of = { project: 'main', subscriber: 'shop' }

async function part(...downstreams: string[]): Promise<void> {
  const record = await w.stores.memory.get(controlRecord('main', 'shop'))
  let state = controlOf(record)
  for (const downstream of downstreams)
    state = { ...state, ...open(state, { downstream, reason: 'no answer', now: w.clock() })?.next }
  await w.stores.memory.commit({ writes: [controlWrite(of, record, state)], outbox: [] })
}

/** An order for a shop, recorded and parked. */
async function parked(id: string, subject: string, state: 'parked' | 'retrying' = 'parked'): Promise<void> {
  await w.one(byHttp({ specversion: '1.0', source: 's', id, type: 'acme.ordered', subject, data: { id } }))
  w.stores.queues.take('shop')
  await w.stores.history.mark(
    { project: 'main', source: 's', id, subscriber: 'shop', replay: '' },
    { state, attempts: 2, started: w.clock(), changed: w.clock(), emitted: [] },
  )
  w.advance(1)
}

const pass = async () => probeCircuits('main', await openCircuits('main', w.deps), w.deps)
const sent = () => w.stores.queues.take('shop').map((body) => deliveryFrame.parse(JSON.parse(body)))
const deliveryOf = (id: string) => w.deliveries().find((delivery) => delivery.id === id)
const circuitsNow = async () =>
  controlOf(await w.stores.memory.get(controlRecord('main', 'shop'))).circuits.map(
    ({ downstream }) => downstream,
  )

describe('an open circuit that nothing comes for', () => {
  it('is tried with another one where newer code wrote the first', async () => {
    await part('')
    await parked('a', 'x')
    await parked('b', 'x')
    w.advance(30_000)
    w.instead('history', 'getEvents', unreadable('a'))
    expect(await pass()).toEqual({ probed: 1, closed: 0, unreadable: 1 })
    expect(sent()).toMatchObject([{ event: { id: 'b' } }])
  })

  it('is tried with one parked delivery once its time has come', async () => {
    await part('')
    await parked('a', 'x')
    await parked('b', 'x')
    expect(await pass()).toMatchObject({ probed: 0, closed: 0 })
    w.advance(30_000)
    expect(await pass()).toMatchObject({ probed: 1, closed: 0 })
    expect(sent()).toMatchObject([{ event: { id: 'a' }, replay: '', resent: true }])
    expect(deliveryOf('a')).toMatchObject({ state: 'retrying', resumed: 1 })
    expect(deliveryOf('b')).toMatchObject({ state: 'parked' })
  })

  it('is tried with one that needs what it parts from', async () => {
    await part('x', 'y')
    await parked('a', 'x')
    await parked('b', 'y')
    await parked('c', 'z')
    w.advance(30_000)
    expect(await pass()).toMatchObject({ probed: 2, closed: 0 })
    expect(sent().map(({ event }) => event.id)).toEqual(['a', 'b'])
  })

  it('is closed when nothing waits for it, with its event', async () => {
    await part('x', 'y')
    await parked('b', 'y')
    w.advance(30_000)
    expect(await pass()).toMatchObject({ probed: 1, closed: 1 })
    expect(await circuitsNow()).toEqual(['y'])
    const told = w.stores.memory.all().outbox.map(({ frame }) => outboxFrame.parse(frame).event)
    expect(told).toMatchObject([
      { type: 'circuit.closed', data: { downstream: 'x', because: 'nothing waits for it', probes: 0 } },
    ])
  })

  it('is not closed while more is parked than one pass looks at', async () => {
    await part('x')
    for (let n = 0; n < 210; n++) await parked(`y${n}`, 'y')
    for (let passes = 0; passes < 3; passes++) {
      w.advance(30_000)
      expect(await pass()).toMatchObject({ probed: 0, closed: 0 })
    }
    expect(await circuitsNow()).toEqual(['x'])
  })

  it('is tried though more is parked for others than one pass looks at: the next goes on', async () => {
    await part('x', 'y')
    for (let n = 0; n < 450; n++) await parked(`y${n}`, 'y')
    await parked('a', 'x')
    const probed: number[] = []
    for (let passes = 0; passes < 3; passes++) {
      w.advance(30_000)
      probed.push((await pass()).probed)
    }
    // nobody has run what was sent, so y is tried again
    expect(probed).toEqual([1, 1, 2])
    expect(sent().map(({ event }) => event.id)).toContain('a')
  })

  it('is tried however many others are due before it', async () => {
    const others = Array.from({ length: 10 }, (_, n) => `o${n}`)
    await part(...others, 'x')
    for (let n = 0; n < 210; n++) await parked(`y${n}`, 'y')
    for (const one of [...others, 'x']) await parked(one, one)
    w.advance(30_000)
    const probed = [(await pass()).probed, (await pass()).probed]
    expect(probed).toEqual([0, 11])
  })

  it('waits for what is being tried again: that comes by itself', async () => {
    await part('')
    await parked('a', 'x', 'retrying')
    w.advance(30_000)
    expect(await pass()).toMatchObject({ probed: 0, closed: 0 })
  })

  it('is left alone while the subscriber is paused', async () => {
    await part('')
    await parked('a', 'x')
    await pause({ ...of, by: 'user:k' }, { ...w.deps, newId: () => 'id' })
    w.advance(30_000)
    expect(await pass()).toMatchObject({ probed: 0, closed: 0 })
    expect(sent()).toEqual([])
  })

  it('whose probe was never heard of is tried again', async () => {
    await part('')
    await parked('a', 'x')
    const record = await w.stores.memory.get(controlRecord('main', 'shop'))
    const state = controlOf(record)
    w.advance(30_000)
    const circuits = state.circuits.map((circuit) => ({
      ...circuit,
      state: 'half-open' as const,
      probes: 1,
      lastProbe: w.clock(),
    }))
    await w.stores.memory.commit({ writes: [controlWrite(of, record, { ...state, circuits })], outbox: [] })
    expect(await pass()).toMatchObject({ probed: 0, closed: 0 })
    w.advance(minutes)
    expect(await pass()).toMatchObject({ probed: 1, closed: 0 })
  })

  it('of a subscriber that is in no route any more is nobody’s', async () => {
    const gone = { project: 'main', subscriber: 'gone' }
    const state = open(controlOf(undefined), { downstream: '', reason: 'x', now: w.clock() })?.next
    if (state === undefined) throw new Error('not opened')
    await w.stores.memory.commit({ writes: [controlWrite(gone, undefined, state)], outbox: [] })
    expect(await openCircuits('main', w.deps)).toEqual([])
  })

  it('is told of and tried again when the queue does not take it; others are tried all the same', async () => {
    await part('x', 'y')
    await parked('a', 'x')
    await parked('b', 'y')
    w.advance(30_000)
    let sends = 0
    w.instead('queues', 'send', (real) => async (...given) => {
      if (++sends === 1) throw new Error('down')
      return real(...given)
    })
    await expect(pass()).rejects.toThrow('circuits that could not be tried')
    expect(sent()).toHaveLength(1)
    w.mend()
    expect((await pass()).probed).toBeGreaterThanOrEqual(1)
  })
})

describe('an open circuit of an ordered route', () => {
  it('is tried by the first that waits in a lane; the others wait on, and keep their order', async () => {
    const o = laneWorld()
    let ids = 0
    const newId = () => `id${++ids}`
    const controls = subscriberControls({ ...o.deps, newId, subscriber: o.route.subscriber })
    const ran: string[] = []
    o.control(controls)
    const receive = () =>
      o.receive(async (handled) => {
        ran.push(nameOf(handled))
        return []
      })
    await controls.report('main', '', {
      succeeded: 0,
      failed: ['1', '2', '3', '4', '5'].map((id) => ({
        key: { ...o.key('a1'), id },
        error: new Error('down'),
      })),
      probed: false,
    })
    await o.declared('a1', 'a2')
    await receive()
    expect([(await o.mark('a1'))?.state, (await o.mark('a2'))?.state]).toEqual(['parked', 'parked'])

    const routed = { ...o.deps, routes: [o.route] }
    o.advance(30_000)
    expect(await probeCircuits('main', await openCircuits('main', routed), routed)).toMatchObject({
      probed: 1,
    })
    await receive()
    expect(ran).toEqual(['a1'])
    expect([(await o.mark('a1'))?.state, (await o.mark('a2'))?.state]).toEqual(['done', 'parked'])
    expect(await openCircuits('main', routed)).toEqual([])

    await releaseLane(o.lane(), { dead: [] }, o.deps)
    await receive()
    expect(ran).toEqual(['a1', 'a2'])
  })
})
