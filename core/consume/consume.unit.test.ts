import { describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { byHttp, push, queued } from '../../test/arrivals.ts'
import { noon, routeOf, type World, world } from '../../test/world.ts'
import type { Emission, HandledAny, HandlerAny } from '../event/handler.ts'
import type { DeliveryFrame } from '../frame.ts'
import { consume } from './consume.ts'

const route = routeOf('analyze')
const analyzed: Emission = { type: repositoryAnalyzed, data: repositoryAnalyzed.example }
const main = { project: 'main', source: 'https://github.com/octo/hello' }
const keyOf = (id = 'push-1') => ({ ...main, id, subscriber: 'analyze', replay: '' })

/** A world in which these events are recorded and their messages taken off the queue of `analyze`. */
async function pushed(...events: ReturnType<typeof push>[]): Promise<World & { bodies: string[] }> {
  const w = world()
  await w.record(...(events.length === 0 ? [push()] : events).map((event) => byHttp(event)))
  const bodies = w.stores.queues.take('analyze')
  w.calls.length = 0
  return { ...w, bodies }
}

const handed = (
  w: World & { bodies: string[] },
  handler: HandlerAny,
  { receiveCount = 1, ...frame }: Partial<DeliveryFrame> & { receiveCount?: number } = {},
) =>
  consume(
    route,
    handler,
    w.bodies.map((body) => ({ body: JSON.stringify({ ...JSON.parse(body), ...frame }), receiveCount })),
    w.deps,
  )

const emitsOne: HandlerAny = async () => [analyzed]
const nothing: HandlerAny = async () => []
const throws =
  (error: unknown): HandlerAny =>
  async () => {
    throw error
  }
const deliveryOf = async (w: World, id?: string) => (await w.stores.history.getDeliveries([keyOf(id)]))[0]
const recordQueue = (w: World) => w.stores.queues.take('record')

describe('what a handler is given', () => {
  it('is the event, its data in the newest version, and what stays the same at every attempt', async () => {
    const w = await pushed(push('push-1', { data: { ...githubPush.example, deleted: undefined } }))
    const given: HandledAny[] = []
    const handler: HandlerAny = async (handled) => {
      given.push(handled)
      throw new Error('again')
    }
    await handed(w, handler)
    await handed(w, handler, { receiveCount: 2 })
    expect(given[0]).toMatchObject({
      type: 'github.push',
      replay: '',
      attempt: 1,
      now: noon,
      event: { id: 'push-1' },
    })
    expect(given[0]?.data).toMatchObject({ deleted: false })
    expect(given[0]?.idempotencyKey).toMatch(/^[0-9a-f]{64}$/)
    expect(given[0]?.traceparent).toMatch(/^00-/)
    expect(given[1]).toEqual(given[0])
  })

  it('has the body from the bucket where the event only names it', async () => {
    const data = { ...githubPush.example, note: 'ä'.repeat(150_000) }
    const w = await pushed(push('push-1', { data }))
    let seen: unknown
    await handed(w, async (handled) => {
      seen = handled.data
      return []
    })
    expect(seen).toEqual(data)
  })

  it('is never a body that is gone: the delivery is dead', async () => {
    const w = await pushed(push('push-1', { data: { ...githubPush.example, note: 'x'.repeat(70_000) } }))
    w.stores.bodies.remove(w.events()[0]?.event.dataref ?? '')
    expect(await handed(w, nothing)).toMatchObject([
      { outcome: 'dead', reason: expect.stringContaining('gone from the bucket') },
    ])
  })

  it('waits for the bucket when that does not answer', async () => {
    const w = await pushed(push('push-1', { data: { ...githubPush.example, note: 'x'.repeat(70_000) } }))
    w.failing('bodies', 'get')
    expect(await handed(w, nothing)).toMatchObject([{ outcome: 'retrying', reason: 'Error: down' }])
  })

  it('is never data that does not fit: dead, and what was found there is told beside the event alone', async () => {
    const w = await pushed()
    const event = { ...w.events()[0]?.event, data: { ref: 7 } }
    const [consumed] = await consume(
      route,
      nothing,
      [{ body: JSON.stringify({ event, replay: '' }), receiveCount: 1 }],
      w.deps,
    )
    expect(consumed).toMatchObject({
      outcome: 'dead',
      reason: expect.stringMatching(/data\.ref: expected string(?!, got)/),
    })
    expect((await deliveryOf(w))?.reason).toContain('data.ref: expected string, got 7')
  })

  it('waits for newer code when the event is of a newer version', async () => {
    const w = await pushed()
    const event = { ...w.events()[0]?.event, dataversion: 2 }
    const consumed = await consume(
      route,
      nothing,
      [{ body: JSON.stringify({ event, replay: '' }), receiveCount: 1 }],
      w.deps,
    )
    expect(consumed).toMatchObject([{ outcome: 'retrying', again: 900 }])
  })
})

describe('effect outside', () => {
  it('costs no read the first time: run, send what it emits, mark last', async () => {
    const w = await pushed()
    expect(await handed(w, emitsOne)).toMatchObject([{ outcome: 'done', key: keyOf() }])
    expect(w.calls).toEqual(['queues.send record', 'history.insertDeliveries'])
  })

  it('the mark tells what was emitted, under the ids that the gate gives', async () => {
    const w = await pushed()
    await handed(w, async () => [analyzed, { ...analyzed, subject: 'second' }])
    for (const body of recordQueue(w)) await w.one(queued(body))
    const ids = w.events().flatMap(({ event }) => (event.door === 'emit' ? [event.id] : []))
    expect(ids).toHaveLength(2)
    expect(await deliveryOf(w)).toMatchObject({ state: 'done', attempts: 1, emitted: ids })
  })

  it.each([
    ['received before', { receiveCount: 2 }],
    ['sent again', { resent: true }],
  ])('the mark is read of what was %s, and what is done is not run', async (_, how) => {
    const w = await pushed()
    await handed(w, nothing)
    let runs = 0
    const counts: HandlerAny = async () => {
      runs++
      return []
    }
    expect(await handed(w, counts, how)).toMatchObject([{ outcome: 'already' }])
    expect(runs).toBe(0)
  })

  it('a crash between emitting and marking emits the same events again: they are recorded once', async () => {
    const w = await pushed()
    w.crashAt(2, false)
    expect(await handed(w, emitsOne)).toMatchObject([{ outcome: 'retrying' }])
    w.mend()
    expect(await handed(w, emitsOne, { receiveCount: 2 })).toMatchObject([{ outcome: 'done' }])
    const statuses = await Promise.all(recordQueue(w).map(async (body) => (await w.one(queued(body))).status))
    expect(statuses).toEqual(['recorded', 'known'])
  })

  it('what it emits could not be sent: tried again, and the ids are the same', async () => {
    const w = await pushed()
    w.failing('queues', 'send', new Error('throttled'))
    expect(await handed(w, emitsOne)).toMatchObject([{ outcome: 'retrying', reason: 'Error: throttled' }])
    expect(await deliveryOf(w)).toMatchObject({ state: 'retrying', reason: 'Error: throttled' })
    w.mend()
    await handed(w, emitsOne, { receiveCount: 2 })
    expect(await deliveryOf(w)).toMatchObject({ state: 'done', attempts: 2, emitted: [expect.any(String)] })
    expect((await w.one(queued(recordQueue(w)[0] ?? ''))).status).toBe('recorded')
  })

  it('of a batch only those fail whose events were not sent', async () => {
    const w = await pushed(push('a'), push('b'), push('c'))
    w.instead('queues', 'send', (real) => async (queue, bodies) => {
      await real(queue, bodies.toSpliced(1, 1))
      return [{ index: 1, error: new Error('throttled') }]
    })
    expect((await handed(w, emitsOne)).map(({ outcome }) => outcome)).toEqual(['done', 'retrying', 'done'])
  })

  it.each([
    ['a number that JSON does not know', [{ ...analyzed, data: { n: 1n } }]],
    ['an event without a type', [{}]],
    ['no list', 'done'],
    ['a change of state', { writes: [], emits: [], sequence: 1 }],
  ])('emitting %s fails that delivery, and not its neighbours', async (_, answer) => {
    const w = await pushed(push('a'), push('b'))
    const handler: HandlerAny = async ({ event }) => (event.id === 'a' ? (answer as never) : [analyzed])
    expect((await handed(w, handler)).map(({ outcome }) => outcome)).toEqual(['retrying', 'done'])
    expect(recordQueue(w)).toHaveLength(1)
  })

  it('of a batch only those fail whose mark could not be written', async () => {
    const w = await pushed(push('a'), push('b'))
    w.instead('history', 'insertDeliveries', (real) => async (marks) => {
      const [first] = await real(marks.slice(0, 1))
      return [first ?? { verdict: 'inserted' }, { verdict: 'failed', error: new Error('throttled') }]
    })
    expect((await handed(w, nothing)).map(({ outcome }) => outcome)).toEqual(['done', 'retrying'])
  })

  it('a mark that stands already is replaced, unless it is final', async () => {
    const w = await pushed()
    await handed(w, throws(new Error('first')))
    await handed(w, nothing, { receiveCount: 2 })
    expect(await deliveryOf(w)).toMatchObject({ state: 'done', attempts: 2 })
  })
})
