import { describe, expect, it } from 'vitest'
import { byHttp, push } from '../../test/arrivals.ts'
import { routeOf, type World, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import type { DeliveryFrame } from '../frame.ts'
import { consume } from './consume.ts'

const route = routeOf('analyze')
const main = { project: 'main', source: 'https://github.com/octo/hello' }
const key = { ...main, id: 'push-1', subscriber: 'analyze', replay: '' }

/** A world in which a push is recorded and its message taken off the queue of `analyze`. */
async function pushed(): Promise<World & { bodies: string[] }> {
  const w = world()
  await w.one(byHttp(push()))
  return { ...w, bodies: w.stores.queues.take('analyze') }
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

const nothing: HandlerAny = async () => []
const throws =
  (error: unknown): HandlerAny =>
  async () => {
    throw error
  }
const deliveryOf = async (w: World) => (await w.stores.history.getDeliveries([key]))[0]

describe('another run of a workflow, asked for by a person', () => {
  it('is started although the delivery is done, and done stays', async () => {
    const w = await pushed()
    await handed(w, nothing)
    let attempt = 0
    const again = await handed(
      w,
      async (handled) => {
        attempt = handled.attempt
        return []
      },
      { attempt: 2, resent: true },
    )
    expect(again).toMatchObject([{ outcome: 'done' }])
    expect(attempt).toBe(2)
    expect(await deliveryOf(w)).toMatchObject({ state: 'done', attempts: 1 })
  })

  it.each([
    ['for good', { receiveCount: 1 }, new Failure('NotFound', 'no such machine'), 'no such machine'],
    ['at every attempt', { receiveCount: 3 }, new Error('not now'), 'Error: not now (attempt 3 of 3)'],
    ['and crashed each time', { receiveCount: 4 }, new Error('was run'), 'given up after 3 attempts: each'],
  ])(
    'that cannot be started, %s, is dead and noted on the delivery that is done',
    async (_, how, error, why) => {
      const w = await pushed()
      await handed(w, nothing)
      const consumed = await handed(w, throws(error), { attempt: 2, resent: true, ...how })
      expect(consumed).toMatchObject([{ outcome: 'dead', reason: expect.any(String) }])
      const [delivery] = (await w.stores.history.fate(key)).deliveries
      expect(delivery).toMatchObject({
        state: 'done',
        attempts: 1,
        notes: [expect.stringContaining(`attempt 2 of its run was not started: ${why}`)],
      })
    },
  )

  it('that could not be started yet is tried again, and nothing is noted', async () => {
    const w = await pushed()
    await handed(w, nothing)
    for (const resent of [true, false])
      expect(await handed(w, throws(new Error('not now')), { attempt: 2, resent })).toMatchObject([
        { outcome: 'retrying', again: expect.any(Number) },
      ])
    expect((await w.stores.history.fate(key)).deliveries[0]).not.toHaveProperty('notes')
  })

  it('is dead in its mark where the first could not be started either', async () => {
    const w = await pushed()
    await handed(w, throws(new Failure('NotFound', 'no such machine')))
    const failed = throws(new Failure('Forbidden', 'not allowed'))
    expect(await handed(w, failed, { attempt: 2, resent: true })).toMatchObject([{ outcome: 'dead' }])
    expect(await deliveryOf(w)).toMatchObject({ state: 'dead', reason: 'not allowed' })
  })

  it('names the run in its mark', async () => {
    const w = world()
    await w.one(byHttp(push()))
    await w.handle('validate', nothing)
    expect(w.deliveries()).toMatchObject([
      { subscriber: 'validate', run: expect.stringMatching(/^[0-9a-f]{32}$/) },
    ])
  })
})
