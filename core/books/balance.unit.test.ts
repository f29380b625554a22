// Longer than 300 lines: the books, what is no loss, and that the sweep agrees, over one world.

import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { byBus, byHttp, push } from '../../test/arrivals.ts'
import { dies, nothing, swept, taken, unsent, wholePass } from '../../test/sweeping.ts'
import { hours, minutes, noon, routeOf, type World, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import { patience } from '../gate/missing.ts'
import { type BalancePlace, type BalanceQuery, balanceSlice } from './balance.ts'
import { added, emptySheet, imbalances, type Sheet } from './balance-sheet.ts'

let w: World
beforeEach(async () => {
  w = world()
  // a first pass says where the timeline begins
  await swept(w)
})

const since = '2026-01-01T00:00:00.000Z'

/** The whole window, slice by slice. */
async function books(of: World, asked: Partial<BalanceQuery> = {}, seconds = 10) {
  const until = new Date(Date.parse(of.clock()) + 1).toISOString()
  const query = { project: 'main', since, until, patience, ...asked }
  let sheet = emptySheet()
  let place: BalancePlace | undefined
  let slices = 0
  do {
    const slice = await balanceSlice(query, place, of.deps, seconds)
    expect(imbalances(slice.sheet)).toEqual([])
    sheet = added(sheet, slice.sheet)
    place = slice.next
    slices++
  } while (place !== undefined)
  expect(imbalances(sheet)).toEqual([])
  return { ...sheet, slices }
}

const names = ({ lost }: Pick<Sheet, 'lost'>) =>
  lost.map(({ id, subscriber }) => `${id} ${subscriber}`).sort()

describe('the books', () => {
  it('say of each expected delivery where it is', async () => {
    await w.record(...['a', 'b', 'c', 'd'].map((id) => byHttp(push(id))))
    await w.handle('validate', nothing)
    const [a, b, c] = w.stores.queues.take('analyze')
    await w.stores.queues.send('analyze', [a ?? ''])
    await w.handle('analyze', nothing)
    await w.stores.queues.send('analyze', [b ?? ''])
    await w.handle('analyze', dies)
    await w.stores.queues.send('analyze', [c ?? ''])
    await w.handle('analyze', async () => Promise.reject(new Error('not now')))
    w.advance(16 * minutes)
    const { total, subscribers, events, lost } = await books(w)
    expect(events).toMatchObject({ recorded: 4, unknown: 0, duplicates: 0, expectingNobody: 0, skipped: 0 })
    expect(subscribers).toMatchObject({
      analyze: { expected: 4, done: 1, dead: 1, retrying: 1, stalled: 1, missing: 1, inFlight: 0 },
      validate: { expected: 4, done: 4, missing: 0 },
    })
    expect(total).toMatchObject({ expected: 8, done: 5, dead: 1, retrying: 1, missing: 1 })
    expect(lost).toMatchObject([
      { id: 'c', subscriber: 'analyze', standing: 'stalled' },
      { id: 'd', standing: 'missing', type: 'github.push', received: noon, source: push().source },
    ])
  })

  it('count unknown types, events for nobody, quarantine, and what came a second time', async () => {
    await w.one(byHttp(push('u', { type: 'acme.unheard' })))
    await w.one(byHttp(push('one')))
    await w.one(byHttp(push('twice'), { duplicateof: 'one' }))
    await w.one(byBus(push('bad', { data: {} })))
    await w.one(byBus(push('forged', { type: 'repository.analyzed' })))
    w.advance(minutes)
    const { events, quarantined } = await books(w)
    expect(events).toMatchObject({ recorded: 3, unknown: 1, duplicates: 1, expectingNobody: 2 })
    expect(quarantined).toEqual({ invalid: 1, forged: 1 })
    expect((await books(w, { since: w.clock() })).quarantined).toEqual({})
  })

  it('leave out what lies outside of the window, by the time of writing: windows add up', async () => {
    for (const id of ['a', 'b', 'c']) {
      await w.one(byHttp(push(id)))
      w.advance(40 * minutes)
    }
    const at = (after: number) => new Date(Date.parse(noon) + after * minutes).toISOString()
    const windows = [
      await books(w, { until: at(40) }),
      await books(w, { since: at(40), until: at(80) }),
      await books(w, { since: at(80) }),
    ]
    expect(windows.map(({ events }) => events.recorded)).toEqual([1, 1, 1])
    const whole = await books(w)
    const { slices: _, ...sheet } = whole
    expect(windows.map(({ slices: __, ...one }) => one).reduce(added)).toEqual(sheet)
  })

  it('tell what was sent again from what came to nothing', async () => {
    w.failing('history', 'insertEvents')
    await w.one(byHttp(push('a')))
    await w.one(byHttp(push('never')))
    w.mend()
    w.advance(minutes)
    await w.one(byHttp(push('a')))
    await w.one(byHttp(push('a')))
    expect((await books(w)).events).toMatchObject({ recorded: 1, again: 2, skipped: 1 })
  })

  it('say what cannot be read, and go on', async () => {
    await w.record(...['a', 'odd'].map((id) => byHttp(push(id))))
    w.instead('history', 'fate', (real) => async (identity, read) => {
      if (identity.id === 'odd') throw new Failure('NewerVersion', 'cannot be read')
      return real(identity, read)
    })
    const { events, total } = await books(w)
    expect(events).toMatchObject({ recorded: 1, unreadable: 1 })
    expect(total.expected).toBe(2)
  })

  it('fail as a whole when history does not answer', async () => {
    await w.one(byHttp(push('a')))
    w.failing('history', 'fate')
    await expect(books(w)).rejects.toThrow('down')
  })

  it('come in slices of some seconds, and are the same whatever the slices', async () => {
    for (let n = 0; n < 30; n++) await w.one(byHttp(push(`p${n}`)))
    for (let n = 0; n < 60; n++) await w.one(byBus(push(`bad${n}`, { data: n })))
    await w.handle('analyze', nothing)
    w.stores.queues.take('validate')
    w.advance(16 * minutes)
    const { slices: one, ...whole } = await books(w)
    expect(one).toBe(1)
    for (const port of ['fate', 'quarantined'] as const)
      w.instead('history', port, (real) => async (...asked: never[]) => {
        w.advance(1000)
        return (real as (...given: never[]) => never)(...asked)
      })
    const { slices, ...sliced } = await books(
      w,
      { until: new Date(Date.parse(noon) + minutes).toISOString() },
      5,
    )
    expect(slices).toBeGreaterThan(3)
    const sorted = (sheet: Sheet) => ({ ...sheet, lost: names(sheet) })
    expect(sorted(sliced)).toEqual(sorted(whole))
  })

  it('come by shard as well, side by side: together they are the whole', async () => {
    for (let n = 0; n < 20; n++) await w.one(byHttp(push(`p${n}`)))
    await w.one(byBus(push('bad', { data: 1 })))
    w.advance(16 * minutes)
    const until = w.clock()
    const { slices: _, ...whole } = await books(w, { until })
    const parts = await Promise.all([0, 1, 2, 3].map((shard) => books(w, { until, shard })))
    const { slices: __, ...sum } = parts.reduce((a, b) => ({ ...added(a, b), slices: 0 }))
    expect({ ...sum, lost: names(sum) }).toEqual({ ...whole, lost: names(whole) })
    expect(parts.filter(({ events }) => events.recorded > 0).length).toBeGreaterThan(1)
    expect(parts.map(({ quarantined }) => quarantined.invalid ?? 0)).toEqual([1, 0, 0, 0])
  })

  it('name a thousand and say how many more there are', async () => {
    w.deps.routes = [routeOf('analyze')]
    w.failing('queues', 'send')
    for (let from = 0; from < 1050; from += 50)
      await w.record(...Array.from({ length: 50 }, (_, n) => byHttp(push(`p${from + n}`))))
    w.mend()
    w.advance(16 * minutes)
    const { lost, lostMore, total } = await books(w)
    expect([lost.length, lostMore, total.missing]).toEqual([1000, 50, 1050])
  })

  it('count replays and what was redriven beside the sum', async () => {
    await w.one(byHttp(push('a')))
    await w.handle('validate', nothing)
    const key = { project: 'main', source: 'https://github.com/octo/hello', id: 'a' }
    const mark = { state: 'done', attempts: 1, started: noon, changed: noon, emitted: [] } as const
    await w.stores.history.mark({ ...key, subscriber: 'analyze', replay: '' }, { ...mark, resumed: 1 })
    await w.stores.history.mark({ ...key, subscriber: 'analyze', replay: 'r1' }, mark)
    await w.stores.history.mark({ ...key, subscriber: 'tell', replay: 'r1' }, { ...mark, state: 'dead' })
    await w.stores.history.mark({ ...key, subscriber: 'nobody asked', replay: '' }, mark)
    const sheet = await books(w)
    expect(sheet).toMatchObject({ replayed: 2, redriven: 1, total: { expected: 2, done: 2, unexpected: 1 } })
    const replay = await books(w, { replay: 'r1' })
    expect(replay.events.recorded).toBe(1)
    expect(replay.subscribers).toMatchObject({
      analyze: { expected: 1, done: 1 },
      tell: { expected: 1, dead: 1 },
    })
    expect((await books(w, { replay: 'r2' })).total.expected).toBe(0)
  })

  it('read each event once, at half the price, and twice only where something is missing', async () => {
    await w.record(...Array.from({ length: 40 }, (_, n) => byHttp(push(`p${n}`))))
    for (const name of ['analyze', 'validate']) await w.handle(name, nothing)
    await unsent(w, 'lost')
    w.advance(16 * minutes)
    const reads: unknown[] = []
    w.instead('history', 'fate', (real) => (identity, read) => {
      reads.push(read?.consistent)
      return real(identity, read)
    })
    const before = w.calls.length
    await books(w)
    expect(reads.filter((consistent) => !consistent)).toHaveLength(41)
    expect(reads.filter((consistent) => consistent)).toHaveLength(1)
    const calls = w.calls.slice(before)
    const count = (name: string) => calls.filter((call) => call === name).length
    // thirteen hours of four shards, and a depth for each whose mark is missing
    expect([count('history.pages'), count('queues.depth analyze'), calls.length]).toEqual([
      13 * 4,
      1,
      13 * 4 + 42 + 2 + 1,
    ])
  })
})

describe('a backlog is not a loss', () => {
  it('that grows under load: all of it is in flight, nothing is missing, and the sweep sends nothing', async () => {
    let recorded = 0
    for (let round = 0; round < 20; round++) {
      await w.record(...Array.from({ length: 5 }, () => byHttp(push(`p${recorded++}`))))
      // slower than what comes
      const [first = '', ...rest] = w.stores.queues.take('analyze')
      await w.stores.queues.send('analyze', [first])
      await w.handle('analyze', nothing)
      await w.stores.queues.send('analyze', rest)
      await w.handle('validate', nothing)
      w.advance(20 * minutes)
      const { total, lost, subscribers } = await books(w)
      expect({ missing: total.missing, lost }).toEqual({ missing: 0, lost: [] })
      expect(subscribers.analyze).toMatchObject({ expected: recorded, done: round + 1 })
      expect(await swept(w)).toMatchObject({ resent: 0 })
    }
  })

  it('but with its queue empty it is: named, sent by the sweep, and no more in the books', async () => {
    await unsent(w, 'lost')
    w.advance(14 * minutes)
    expect(names(await books(w))).toEqual([])
    expect(names(await books(w, { patience: minutes }))).toEqual(['lost analyze', 'lost validate'])
    w.advance(2 * minutes)
    expect(names(await books(w))).toEqual(['lost analyze', 'lost validate'])
    expect(await swept(w)).toMatchObject({ resent: 2 })
    const underWay = await books(w)
    expect(underWay).toMatchObject({ lost: [], total: { inFlight: 2, missing: 0 } })
    for (const name of ['analyze', 'validate']) await w.handle(name, nothing)
    expect((await books(w)).total).toMatchObject({ expected: 2, done: 2 })
  })

  it('nor is what is handled between the look at its mark and the look at its queue', async () => {
    await w.one(byHttp(push('a')))
    await w.handle('validate', nothing)
    w.advance(16 * minutes)
    w.instead('queues', 'depth', (real) => async (queue) => {
      await w.handle('analyze', nothing)
      return real(queue)
    })
    expect((await books(w)).total).toMatchObject({ done: 2, missing: 0 })
  })

  it('older than what a queue keeps it is one, and so is what nobody is there for', async () => {
    await unsent(w, 'old')
    await w.stores.queues.send('analyze', ['a backlog'])
    await w.stores.queues.send('validate', ['a backlog'])
    w.advance(96 * hours)
    expect(names(await books(w))).toEqual([])
    w.deps.routes = [routeOf('analyze')]
    expect(names(await books(w))).toEqual(['old validate'])
    w.advance(minutes)
    expect(names(await books(w))).toEqual(['old analyze', 'old validate'])
  })
})

describe('what was sent again', () => {
  const retrying = { state: 'retrying' as const, attempts: 1, emitted: [], resumed: 1 }

  it('is on its way, however old its event is; and stalled when its queue is empty a while later', async () => {
    await unsent(w, 'a')
    w.advance(5 * 24 * hours)
    const key = { project: 'main', source: push().source, id: 'a', replay: '' }
    const mark = { ...retrying, started: noon, changed: w.clock() }
    await w.stores.history.mark({ ...key, subscriber: 'analyze' }, mark)
    await w.stores.history.mark({ ...key, subscriber: 'validate' }, { ...mark, state: 'done' })
    expect((await books(w)).total).toMatchObject({ retrying: 1, stalled: 0 })
    w.advance(16 * minutes)
    await w.stores.queues.send('analyze', ['a'])
    expect((await books(w)).total).toMatchObject({ retrying: 1, stalled: 0 })
    w.stores.queues.take('analyze')
    expect((await books(w)).total).toMatchObject({ retrying: 1, stalled: 1 })
  })
})

describe('books and sweep', () => {
  const fate = fc.record({
    minutesLater: fc.integer({ min: 0, max: 30 }),
    analyze: fc.constantFrom('handled', 'dies', 'retries', 'lost', 'waits', 'retries and is lost'),
    validate: fc.constantFrom('handled', 'lost', 'waits'),
  })
  const subscribers = ['analyze', 'validate'] as const
  const outcomes = { handled: nothing, dies, retries: async () => Promise.reject(new Error('not now')) }

  /** One event comes; answers the messages that wait in the end, by subscriber. */
  async function happen(here: World, id: string, told: Record<(typeof subscribers)[number], string>) {
    await here.one(byHttp(push(id)))
    const waiting: { name: string; message: string }[] = []
    for (const name of subscribers) {
      const [message = ''] = here.stores.queues.take(name)
      const [how = '', andIsLost] = told[name].split(' and ')
      if (how in outcomes) {
        await here.stores.queues.send(name, [message])
        await here.handle(name, outcomes[how as keyof typeof outcomes])
      }
      if (how === 'waits' || (how === 'retries' && andIsLost === undefined)) waiting.push({ name, message })
    }
    return waiting
  }

  /** What lies on the queues beside what waits there, by event and subscriber. */
  async function sentIn(here: World, waiting: readonly { message: string }[]): Promise<string[]> {
    const sent: string[] = []
    for (const name of subscribers) {
      const bodies = here.stores.queues.take(name)
      await here.stores.queues.send(name, bodies)
      const others = bodies.filter((body) => waiting.every(({ message }) => message !== body))
      sent.push(...others.map((body) => `${JSON.parse(body).event.id} ${name}`))
    }
    return sent.sort()
  }

  it('agree: what the books name is what the next pass sends, whatever was lost', async () => {
    const all = fc.array(fate, { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(all, fc.integer({ min: 0, max: 40 }), async (events, later) => {
        const here = world()
        await swept(here)
        const waiting: Awaited<ReturnType<typeof happen>> = []
        for (const [index, { minutesLater, ...told }] of events.entries()) {
          here.advance(minutesLater * minutes)
          waiting.push(...(await happen(here, `e${index}`, told)))
        }
        for (const { name, message } of waiting) await here.stores.queues.send(name, [message])
        here.advance(later * minutes)
        const sheet = await books(here)
        await wholePass(here)
        expect(names(sheet)).toEqual(await sentIn(here, waiting))
        expect(names(await books(here))).toEqual([])

        for (let passes = 0; passes < 3; passes++) {
          for (const name of subscribers) await here.handle(name, nothing)
          here.advance(16 * minutes)
          await wholePass(here)
        }
        const { subscribers: lines } = await books(here)
        for (const name of subscribers)
          expect(lines[name]).toMatchObject({ retrying: 0, inFlight: 0, missing: 0 })
      }),
      { numRuns: 200, seed: 7 },
    )
  })

  it('know a subscriber behind by its own queue alone', async () => {
    await unsent(w, 'a')
    await w.stores.queues.send('analyze', ['a backlog'])
    w.advance(16 * minutes)
    expect(names(await books(w))).toEqual(['a validate'])
    await swept(w)
    expect(taken(w, 'validate')).toEqual(['a'])
  })
})

describe('the sum', () => {
  const line = { ...emptySheet().total, expected: 3, done: 2, missing: 1 }

  it('holds, or the books say where it does not', () => {
    expect(imbalances({ subscribers: { a: line }, total: line })).toEqual([])
    expect(imbalances({ subscribers: { a: { ...line, done: 1 } }, total: line })).toEqual([
      'a: expected 3, and 2 became of it',
      'done: 1 by subscriber, 2 in all',
    ])
    expect(imbalances({ subscribers: { a: line }, total: { ...line, expected: 4 } })).toEqual([
      'total: expected 4, and 3 became of it',
      'expected: 3 by subscriber, 4 in all',
    ])
  })

  it('counts an expected delivery once, however often its mark is told', async () => {
    await w.one(byHttp(push('a')))
    await w.handle('analyze', nothing)
    w.instead('history', 'fate', (real) => async (...asked) => {
      const fate = await real(...asked)
      return { ...fate, deliveries: [...fate.deliveries, ...fate.deliveries] }
    })
    const query = { project: 'main', since, until: '2026-01-02T00:00:00.000Z', patience }
    const { sheet } = await balanceSlice(query, undefined, w.deps, 10)
    expect(imbalances(sheet)).toEqual([])
    expect(sheet.total).toMatchObject({ expected: 2, done: 1, inFlight: 1 })
  })
})
