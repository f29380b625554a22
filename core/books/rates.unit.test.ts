import { beforeEach, describe, expect, it } from 'vitest'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { byHttp, push, queued, tests } from '../../test/arrivals.ts'
import { noon, type World, world } from '../../test/world.ts'
import { type RatesDeps, type RatesQuery, type RatesSlice, ratesSlice, summed } from './rates.ts'

let w: World
beforeEach(() => {
  w = world()
})

/** The whole window, slice by slice. */
async function measured(asked: Partial<RatesQuery> = {}, seconds = 10) {
  const until = new Date(Date.parse(w.clock()) + 1).toISOString()
  const query = { project: 'main', since: noon, until, ...asked }
  const slices: RatesSlice[] = []
  let next: RatesSlice['next']
  do {
    const slice = await ratesSlice(query, next, w.deps, seconds)
    slices.push(slice)
    next = slice.next
  } while (next !== undefined)
  const total = (of: 'events' | 'left') => slices.reduce((sum, slice) => sum + slice[of], 0)
  return { events: total('events'), left: total('left'), ...summed(slices.map((slice) => slice.measured)) }
}

describe('what was measured', () => {
  it('is what came by which door, what the gate sent for it, and what became of that', async () => {
    await w.record(byHttp(push('a')), byHttp(push('b')), byHttp(tests('c')))
    const [a, b] = w.stores.queues.take('analyze')
    await w.stores.queues.send('analyze', [a ?? ''])
    await w.handle('analyze', async () => [{ type: repositoryAnalyzed, data: repositoryAnalyzed.example }])
    await w.stores.queues.send('analyze', [b ?? ''])
    await w.handle('analyze', async () => Promise.reject(new Error('not now')))
    const found = await measured()
    expect(found).toMatchObject({ events: 3, left: 0 })
    expect(found.arrived).toEqual([
      { door: 'http', type: 'github.push', count: 2 },
      { door: 'http', type: 'test.completed', count: 1 },
    ])
    expect(found.sent).toContainEqual({ door: 'http', type: 'github.push', subscriber: 'validate', count: 2 })
    expect(found.handled).toEqual([
      { subscriber: 'analyze', type: 'github.push', count: 2, attempts: 2, failed: 1 },
    ])
    expect(found.emitted).toEqual([])
  })

  it('tells what a subscriber emitted for which type, whose cause may lie before the window', async () => {
    await w.record(byHttp(push('a')))
    w.advance(3_600_000)
    const since = w.clock()
    await w.handle('analyze', async () => [{ type: repositoryAnalyzed, data: repositoryAnalyzed.example }])
    await w.record(...w.stores.queues.take('record').map((message) => queued(message)))
    expect(await measured({ since })).toMatchObject({
      events: 1,
      arrived: [{ door: 'emit', type: 'repository.analyzed', count: 1 }],
      emitted: [{ by: 'analyze', per: 'github.push', door: 'emit', type: 'repository.analyzed', count: 1 }],
    })
  })

  it('is the same in slices, and of the four shards together', async () => {
    for (let n = 0; n < 40; n++) {
      await w.record(byHttp(push(`p${n}`)))
      w.advance(1000)
    }
    const whole = await measured()
    expect(whole.events).toBe(40)
    const shards = await Promise.all([0, 1, 2, 3].map((shard) => measured({ shard })))
    expect(summed(shards)).toEqual(summed([whole]))
    expect(shards.every(({ events }) => events < 40)).toBe(true)
  })

  const sliceOf = (history: RatesDeps['history']) =>
    ratesSlice(
      { project: 'main', since: noon, until: new Date(Date.parse(w.clock()) + 1).toISOString() },
      undefined,
      { history, clock: w.clock },
      10,
    )

  it('counts what is listed and not there apart', async () => {
    await w.record(byHttp(push('a')))
    const { history } = w.deps
    const gone = { ...history, fate: async () => ({ stored: undefined, deliveries: [] }) }
    expect(await sliceOf(gone)).toMatchObject({ events: 0, left: 1 })
  })

  it('counts an event where it stands, and not where an attempt to record it listed it too', async () => {
    await w.record(byHttp(push('a')))
    const { history } = w.deps
    const twice: RatesDeps['history'] = {
      ...history,
      pages: async (asked) =>
        (await history.pages(asked)).flatMap((page) => [{ ...page, page: `${page.page}-before` }, page]),
    }
    expect(await sliceOf(twice)).toMatchObject({ events: 1, left: 0 })
  })
})
