// Longer than 300 lines: one delivery from its first receive to its end, in every way that it may go.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byHttp, push } from '../../test/arrivals.ts'
import { minutes, noon, routeOf, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import { consume } from './consume.ts'
import { backoff } from './delivery.ts'

const route = routeOf('analyze')
const key = {
  project: 'main',
  source: 'https://github.com/octo/hello',
  id: 'push-1',
  subscriber: 'analyze',
  replay: '',
}

/** A delivery that is received again and again. */
async function delivery() {
  const w = world()
  await w.one(byHttp(push()))
  const [body = ''] = w.stores.queues.take('analyze')
  let receiveCount = 0
  const received = async (handler: HandlerAny, count?: number) => {
    receiveCount = count ?? receiveCount + 1
    w.calls.length = 0
    const [consumed] = await consume(route, handler, [{ body, receiveCount }], w.deps)
    return consumed
  }
  const mark = async () => (await w.stores.history.getDeliveries([key]))[0]
  return { ...w, received, mark }
}

const throws =
  (error: unknown): HandlerAny =>
  async () => {
    throw error
  }
const fails = throws(new Error('not now'))
const works: HandlerAny = async () => []

describe('a failure that may pass', () => {
  it('leaves a mark at the first time, with the reason, and is to be seen again', async () => {
    const d = await delivery()
    expect(await d.received(fails)).toMatchObject({
      outcome: 'retrying',
      reason: 'Error: not now',
      again: expect.any(Number),
    })
    expect(await d.mark()).toEqual({
      state: 'retrying',
      attempts: 1,
      started: noon,
      changed: noon,
      reason: 'Error: not now',
      emitted: [],
    })
  })

  it('writes no further mark at the second time', async () => {
    const d = await delivery()
    await d.received(fails)
    await d.received(fails)
    expect(d.calls).toEqual(['history.getDeliveries'])
  })

  it('ends well: done, begun at the first attempt, without the reason', async () => {
    const d = await delivery()
    await d.received(fails)
    d.advance(5 * minutes)
    expect(await d.received(works)).toMatchObject({ outcome: 'done' })
    const mark = await d.mark()
    expect(mark).toMatchObject({ state: 'done', attempts: 2, started: noon, changed: d.clock() })
    expect(mark?.reason).toBeUndefined()
  })

  it('at the last attempt is dead, with the reason and how often it was tried', async () => {
    const d = await delivery()
    await d.received(fails)
    await d.received(fails)
    const last = await d.received(fails)
    expect(last).toMatchObject({ outcome: 'dead', reason: 'Error: not now' })
    expect(last?.again).toBeUndefined()
    expect(await d.mark()).toMatchObject({
      state: 'dead',
      attempts: 3,
      reason: 'Error: not now (attempt 3 of 3)',
    })
  })

  it.each([[undefined], [''], [{}], [7n], [new AggregateError([])], [Object.create(null)]])(
    'of %o still has a reason, and is nobody else’s',
    async (thrown) => {
      const d = await delivery()
      const consumed = await d.received(throws(thrown))
      expect(consumed?.outcome).toBe('retrying')
      expect(consumed?.reason).not.toMatch(/^(thrown: )?(\{\})?$/)
      expect((await d.mark())?.reason).toBe(consumed?.reason)
    },
  )
})

describe('a failure that is hopeless', () => {
  it('is dead at once, at the first attempt', async () => {
    const d = await delivery()
    const faults = [{ path: 'data.ref', expected: 'a ref', got: '7' }]
    expect(await d.received(throws(new Failure('Invalid', 'no push', { faults })))).toMatchObject({
      outcome: 'dead',
    })
    expect(await d.mark()).toMatchObject({
      state: 'dead',
      attempts: 1,
      reason: 'no push; data.ref: expected a ref, got 7',
    })
  })

  it('shows what was found in the event beside the event alone: not where it is logged', async () => {
    const d = await delivery()
    const faults = [{ path: 'data.ref', expected: 'a ref', got: '"secret"' }]
    const cause = new Failure('Invalid', 'no push', { faults })
    expect(await d.received(throws(new Error('failed', { cause })))).toMatchObject({
      reason: 'Error: failed (no push; data.ref: expected a ref)',
    })
    d.failing('history', 'transition')
    expect((await d.received(throws(cause)))?.reason).not.toContain('secret')
    d.mend()
    expect((await d.received(works, 4))?.reason).not.toContain('secret')
    expect((await d.mark())?.reason).toContain('secret')
  })

  it('is dead at once, at a later attempt too', async () => {
    const d = await delivery()
    await d.received(fails)
    expect(await d.received(throws(new Failure('Forbidden', 'no')))).toMatchObject({ outcome: 'dead' })
  })

  it('is not run again when the message comes once more', async () => {
    const d = await delivery()
    await d.received(throws(new Failure('Forbidden', 'no')))
    expect(await d.received(works)).toMatchObject({ outcome: 'already' })
    expect(await d.mark()).toMatchObject({ state: 'dead' })
  })
})

describe('received more often than it may be tried', () => {
  it('is dead without being run: each attempt crashed', async () => {
    const d = await delivery()
    const consumed = await d.received(throws(new Error('was run')), 4)
    expect(consumed).toMatchObject({
      outcome: 'dead',
      reason: 'given up after 3 attempts: each attempt crashed or ran out of time',
    })
    expect(await d.mark()).toMatchObject({ state: 'dead', attempts: 3 })
  })

  it('tells the reason that an earlier attempt left', async () => {
    const d = await delivery()
    await d.received(fails)
    expect(await d.received(works, 4)).toMatchObject({ outcome: 'dead', reason: 'given up after 3 attempts' })
    expect(await d.mark()).toMatchObject({ reason: 'given up after 3 attempts: Error: not now' })
  })

  it('is not given up when it was done after all', async () => {
    const d = await delivery()
    await d.received(works)
    expect(await d.received(fails, 4)).toMatchObject({ outcome: 'already' })
    expect(await d.mark()).toMatchObject({ state: 'done' })
  })
})

describe('done is final', () => {
  it('another consumer that fails at the same time does not overwrite it', async () => {
    const d = await delivery()
    const slow: HandlerAny = async () => {
      await d.stores.history.mark(key, {
        state: 'done',
        attempts: 1,
        started: noon,
        changed: noon,
        emitted: ['e'],
      })
      throw new Failure('Invalid', 'too late')
    }
    expect(await d.received(slow)).toMatchObject({ outcome: 'already' })
    expect(await d.mark()).toMatchObject({ state: 'done', emitted: ['e'] })
  })

  it('what somebody dropped stays dropped', async () => {
    const d = await delivery()
    const slow: HandlerAny = async () => {
      await d.stores.history.mark(key, {
        state: 'dropped',
        attempts: 1,
        started: noon,
        changed: noon,
        emitted: [],
      })
      return []
    }
    await d.received(slow)
    expect(await d.mark()).toMatchObject({ state: 'dropped' })
  })
})

describe('when the mark cannot be written', () => {
  it.each([
    ['done', works, 1],
    ['retrying', fails, 1],
    ['dead', throws(new Failure('Invalid', 'no push')), 1],
    ['given up', works, 4],
  ])('(%s) the message comes again, and both reasons are told', async (_, handler, count) => {
    const d = await delivery()
    for (const method of ['transition', 'insertDeliveries'] as const)
      d.failing('history', method, new Error('no history'))
    const consumed = await d.received(handler, count)
    expect(consumed).toMatchObject({ outcome: 'retrying', again: expect.any(Number) })
    expect(consumed?.reason).toContain('no history')
  })

  it.each([
    ['for good', throws(new Failure('Invalid', 'no push')), 1],
    ['for the last time', fails, 3],
    ['in silence', works, 4],
  ])('what failed %s leaves a mark that it never read as it is', async (_, handler, count) => {
    const d = await delivery()
    const others = { state: 'retrying' as const, attempts: 1, started: noon, changed: noon, emitted: [] }
    d.instead('history', 'transition', (real) => async (change) => {
      await d.stores.history.mark(key, { ...others, resumed: 1 })
      return real(change)
    })
    expect(await d.received(handler, count)).toMatchObject({ outcome: 'retrying' })
    expect(await d.mark()).toMatchObject({ state: 'retrying', resumed: 1 })
  })

  it('a mark that is written again keeps the notes of the one before', async () => {
    const d = await delivery()
    await d.received(fails)
    const before = await d.mark()
    await d.stores.history.mark(key, { ...(before ?? expect.fail()), notes: ['came again'] })
    expect(await d.received(works)).toMatchObject({ outcome: 'done' })
    expect(await d.mark()).toMatchObject({ state: 'done', notes: ['came again'] })
  })

  it('the next attempt marks what this one could not', async () => {
    const d = await delivery()
    d.failing('history', 'transition')
    await d.received(fails)
    d.mend()
    await d.received(fails)
    expect(await d.mark()).toMatchObject({ state: 'retrying', attempts: 2 })
  })

  it('what is dead stays so when it comes again and its mark cannot be read', async () => {
    const d = await delivery()
    await d.received(throws(new Failure('Invalid', 'no push')))
    d.failing('history', 'getDeliveries')
    expect(await d.received(works, 2)).toMatchObject({ outcome: 'retrying' })
    d.mend()
    expect(await d.mark()).toMatchObject({ state: 'dead', reason: 'no push' })
    expect(await d.received(works, 3)).toMatchObject({ outcome: 'already' })
  })

  it('nor does what is parked die at its last receive', async () => {
    const d = await delivery()
    const parked = { attempts: 2, started: noon, changed: noon, reason: 'paused', emitted: [] }
    await d.stores.history.mark(key, { ...parked, state: 'parked' })
    d.failing('history', 'getDeliveries')
    expect(await d.received(works, 3)).toMatchObject({ outcome: 'retrying', reason: 'Error: down' })
    d.mend()
    expect(await d.mark()).toEqual({ ...parked, state: 'parked' })
  })

  it.each([
    ['its last attempt fails', fails, 3],
    ['it fails for good', throws(new Failure('Invalid', 'no push')), 2],
  ])('what somebody sent anew meanwhile is not dead when %s', async (_, handler, count) => {
    const d = await delivery()
    await d.received(fails)
    const anew = {
      state: 'retrying',
      attempts: 1,
      started: noon,
      changed: '2026-01-01T12:00:01.000Z',
    } as const
    const slow: HandlerAny = async (handled, memory) => {
      await d.stores.history.mark(key, { ...anew, resumed: 1, emitted: [] })
      return handler(handled, memory)
    }
    expect(await d.received(slow, count)).toMatchObject({
      outcome: 'retrying',
      reason: expect.stringContaining('its mark was changed meanwhile'),
    })
    expect(await d.mark()).toMatchObject({ ...anew, resumed: 1 })
  })

  it('nor read: it is not run on a guess', async () => {
    const d = await delivery()
    d.failing('history', 'getDeliveries')
    let runs = 0
    const consumed = await d.received(async () => {
      runs++
      return []
    }, 2)
    expect([consumed?.outcome, runs]).toEqual(['retrying', 0])
  })
})

describe('the time until a message is seen again', () => {
  it('lies between one second and 2ⁿ after the n-th failure, and 15 minutes at most', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (n, chance) => {
          const seconds = backoff(n, () => chance)
          expect(Number.isInteger(seconds)).toBe(true)
          expect(seconds).toBeGreaterThanOrEqual(1)
          expect(seconds).toBeLessThanOrEqual(Math.min(900, 2 ** n))
        },
      ),
    )
  })

  it('is what the message is hidden for, by how often it was received', async () => {
    for (const [chance, count, seconds] of [
      [0.5, 1, 1],
      [0.999, 2, 4],
      [0.25, 2, 1],
    ] as const) {
      const d = await delivery()
      d.deps.random = () => chance
      expect(await d.received(fails, count)).toMatchObject({ outcome: 'retrying', again: seconds })
    }
  })

  it('uses all of that range: full jitter', () => {
    expect(backoff(6, () => 0)).toBe(1)
    expect(backoff(6, () => 0.5)).toBe(32)
    expect(backoff(6, () => 0.999)).toBe(64)
    expect(backoff(20, () => 0.999)).toBe(900)
  })
})
