import { describe, expect, it } from 'vitest'
import { mostReceives } from '../../events/route.ts'
import { byHttp, tests } from '../../test/arrivals.ts'
import { laneWorld, nameOf } from '../../test/lanes.ts'
import { minutes, noon, routeOf, type World, world } from '../../test/world.ts'
import type { Change, HandlerAny } from '../event/handler.ts'
import { sweep } from '../sweep/sweep.ts'
import { consume } from './consume.ts'
import type { ConsumeDeps } from './task.ts'

const route = routeOf('count')
const record = { project: 'main', kind: 'counter', name: 'all' }

const counts: HandlerAny = async (_, memory): Promise<Change> => {
  const version = ((await memory?.get(record))?.version ?? 0) + 1
  return { writes: [{ ...record, version, value: { count: version } }], emits: [], sequence: version }
}
const failing: HandlerAny = () => Promise.reject(new Error('down'))

/** The next so many commits are lost to others. */
function lostRaces(w: World, many: number): void {
  let left = many
  w.instead('memory', 'commit', (real) => async (change) => (left-- > 0 ? 'version conflict' : real(change)))
}

async function one() {
  const w = world()
  await w.record(byHttp(tests('t1')))
  const [body = ''] = w.stores.queues.take('count')
  const handed = async (handler: HandlerAny, receiveCount: number, more: Partial<ConsumeDeps> = {}) => {
    const deps = { ...w.deps, ...more }
    const [consumed] = await consume(route, handler, [{ body, receiveCount }], deps)
    return consumed
  }
  const mark = () => w.deliveries()[0]
  return { w, handed, mark }
}

describe('what others keep changing', () => {
  it('is waited out within the time that is left, longer each time', async () => {
    const { w, handed } = await one()
    lostRaces(w, 22)
    const waits: number[] = []
    const pause = async (milliseconds: number) => {
      waits.push(milliseconds)
      w.advance(milliseconds)
    }
    expect(await handed(counts, 1, { pause, random: () => 0.5 })).toMatchObject({ outcome: 'done' })
    expect(waits).toEqual([25, 50, 100, 200])
  })

  it('is left to the next receive when half of the time is over', async () => {
    const { w, handed } = await one()
    lostRaces(w, Number.POSITIVE_INFINITY)
    const began = Date.parse(w.clock())
    const pause = async (milliseconds: number) => w.advance(milliseconds)
    const consumed = await handed(counts, 1, { pause, random: () => 0.5 })
    expect(consumed).toMatchObject({ outcome: 'retrying', again: expect.any(Number) })
    expect(Date.parse(w.clock()) - began).toBeLessThanOrEqual(route.timeout * 500)
  })

  it('is no attempt: at the last one it is tried again, and failures that follow have all of theirs', async () => {
    const { w, handed, mark } = await one()
    lostRaces(w, Number.POSITIVE_INFINITY)
    for (const receive of [1, 2])
      expect(await handed(counts, receive)).toMatchObject({ outcome: 'retrying', again: expect.any(Number) })
    expect(mark()).toMatchObject({ state: 'retrying', attempts: 0, uncounted: 2 })
    w.mend()
    for (let receive = 3; receive < route.attempts + 2; receive++)
      expect(await handed(failing, receive)).toMatchObject({ outcome: 'retrying' })
    expect(await handed(failing, route.attempts + 2)).toMatchObject({ outcome: 'dead' })
    expect(mark()).toMatchObject({ attempts: route.attempts })
  })

  it('is dead of its failures alone, however often it was held up between them', async () => {
    const { w, handed, mark } = await one()
    for (let receive = 1; receive < route.attempts; receive++) await handed(failing, receive)
    lostRaces(w, 5)
    expect(await handed(counts, route.attempts)).toMatchObject({ outcome: 'retrying' })
    w.mend()
    expect(await handed(failing, route.attempts + 1)).toMatchObject({ outcome: 'dead' })
    expect(mark()).toMatchObject({ attempts: route.attempts })
  })

  it('at the last receive is no dead letter: its queue lets it go, and the sweep sends it anew, with what it has left', async () => {
    const { w, handed, mark } = await one()
    for (const receive of [1, 2]) await handed(failing, receive)
    lostRaces(w, Number.POSITIVE_INFINITY)
    for (let receive = 3; receive < mostReceives(route); receive++)
      expect((await handed(counts, receive))?.again).toBeDefined()
    expect(await handed(counts, mostReceives(route))).toEqual({
      outcome: 'retrying',
      key: expect.anything(),
      reason: expect.stringContaining('others changed'),
      contended: true,
    })
    expect(mark()).toMatchObject({ state: 'retrying', attempts: 2 })
    w.mend()
    w.advance(20 * minutes)
    await sweep('main', { ...w.deps, ...w.stores }, 10)
    const [again = ''] = w.stores.queues.take('count')
    await consume(route, failing, [{ body: again, receiveCount: 1 }], w.deps)
    const left = Array.from({ length: route.attempts - 3 }, (_, n) => n + 2)
    for (const receiveCount of left) await consume(route, failing, [{ body: again, receiveCount }], w.deps)
    expect(mark()).toMatchObject({ state: 'dead', attempts: route.attempts })
  })
})

describe('a batch whose time is nearly over', () => {
  /** Four events of one key, and what the handler of them is to do to the clock. */
  async function four(handler: (w: World) => HandlerAny, receiveCount = 1, more: Partial<ConsumeDeps> = {}) {
    const w = world()
    await w.record(...['t1', 't2', 't3', 't4'].map((id) => byHttp(tests(id))))
    const messages = w.stores.queues.take('count').map((body) => ({ body, receiveCount }))
    const began: string[] = []
    const inner = handler(w)
    const told: HandlerAny = (handled, memory) => {
      began.push(handled.event.id)
      return inner(handled, memory)
    }
    return { w, began, messages, consumed: await consume(route, told, messages, { ...w.deps, ...more }) }
  }
  const slow =
    (milliseconds: number) =>
    (w: World): HandlerAny =>
    (...given) => {
      w.advance(milliseconds)
      return counts(...given)
    }

  it('begins nothing more: what is left goes back, and that is no attempt of it', async () => {
    const { w, began, consumed } = await four(slow(route.timeout * 400))
    expect(began).toEqual(['t1', 't2'])
    expect(consumed.map(({ outcome, again }) => [outcome, again !== undefined])).toEqual([
      ['done', false],
      ['done', false],
      ['retrying', true],
      ['retrying', true],
    ])
    expect(w.deliveries().map(({ state, attempts, uncounted }) => [state, attempts, uncounted])).toEqual([
      ['done', 1, undefined],
      ['done', 1, undefined],
      ['retrying', 0, 1],
      ['retrying', 0, 1],
    ])
  })

  it('goes by what is left to its process, where that is less than the timeout of its route', async () => {
    const { began } = await four(slow(1000), 1, { remaining: () => 2500 })
    expect(began).toEqual(['t1', 't2'])
  })

  it('begins the first of a key all the same: none has taken its time', async () => {
    let reads = 0
    const { w, messages } = await four(() => failing)
    w.instead('history', 'getDeliveries', (real) => (keys) => {
      if (reads++ === 0) w.advance(route.timeout * 800)
      return real(keys)
    })
    const again = messages.map(({ body }) => ({ body, receiveCount: 2 }))
    const consumed = await consume(route, counts, again, w.deps)
    expect(consumed.map(({ outcome }) => outcome)).toEqual(['done', 'retrying', 'retrying', 'retrying'])
  })

  it('does not decide again what others change, either', async () => {
    let commits = 0
    const { w, began, consumed } = await four((w) => {
      w.instead('memory', 'commit', () => async () => {
        commits++
        w.advance(route.timeout * 200)
        return 'version conflict'
      })
      return counts
    })
    expect([began, commits]).toEqual([['t1', 't1', 't1'], 3])
    expect(consumed.every(({ outcome, again }) => outcome === 'retrying' && again !== undefined)).toBe(true)
    expect(w.deliveries().map(({ attempts, uncounted }) => [attempts, uncounted])).toEqual(
      Array.from({ length: 4 }, () => [0, 1]),
    )
  })

  it('has time left for the marks when one has waited in vain for others: nothing more is begun', async () => {
    let end = ''
    const { w, began, consumed } = await four(
      (w) => {
        w.instead('memory', 'commit', () => async () => {
          w.advance(300)
          return 'version conflict'
        })
        w.instead('history', 'transition', (real) => (change) => {
          end = w.clock()
          return real(change)
        })
        return counts
      },
      1,
      { pause: async () => undefined },
    )
    expect(new Set(began)).toEqual(new Set(['t1']))
    expect(Date.parse(end) - Date.parse(noon)).toBeLessThan(route.timeout * 600)
    expect(consumed.every(({ outcome, again }) => outcome === 'retrying' && again !== undefined)).toBe(true)
    expect(w.deliveries().map(({ uncounted }) => uncounted)).toEqual([1, 1, 1, 1])
  })

  it('in a lane begins nothing more either, writes nothing of what waits, and goes on in order', async () => {
    const w = laneWorld()
    await w.declared('a1', 'a2', 'a3', 'a4')
    const ran: string[] = []
    const handler: HandlerAny = async (handled) => {
      ran.push(nameOf(handled))
      w.advance(w.route.timeout * 400)
      return []
    }
    const outcomes = async () => (await w.receive(handler)).map(({ outcome }) => outcome)
    expect(await outcomes()).toEqual(['done', 'done', 'retrying', 'held'])
    expect(w.deliveries()).toHaveLength(2)
    expect(await outcomes()).toEqual(['done', 'done'])
    expect(ran).toEqual(['a1', 'a2', 'a3', 'a4'])
  })
})
