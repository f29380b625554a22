import { describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { byBus, byHttp, emit, push, queued, tests } from '../../test/arrivals.ts'
import { noon, type World, world } from '../../test/world.ts'
import type { Arrival } from '../event/arrival.ts'
import { identityText } from '../identity.ts'
import { isThrough } from './record.ts'

const big = 'x'.repeat(70_000)
const bigPush = (id: string) => push(id, { data: { ...githubPush.example, note: big } })

describe('the order of writing', () => {
  it('is body, page, event, sends: whatever is cut off, the rest finds it', async () => {
    const w = world()
    await w.one(byHttp(bigPush('p')))
    expect(w.calls).toEqual([
      'bodies.put',
      'history.putPage',
      'history.insertEvents',
      'queues.send analyze',
      'queues.send validate',
    ])
  })

  it('writes no page and sends nothing for what is refused', async () => {
    const w = world()
    await w.one(byHttp(7))
    await w.one(byBus({ specversion: '1.0' }))
    expect(w.calls).toEqual(['history.quarantine'])
  })

  it('lists events in pages by project, of at most 100, and each event names its page', async () => {
    const w = world()
    const many = Array.from({ length: 120 }, (_, n) => byHttp(push(`p${n}`)))
    await w.record(...many, byHttp(push('q'), { project: 'shop' }))
    const { pages, events } = w.stores.history.all()
    expect(pages.map(({ project, entries }) => [project, entries.length]).sort()).toEqual([
      ['main', 100],
      ['main', 20],
      ['shop', 1],
    ])
    for (const { event, page } of events) {
      const named = pages.find((one) => one.page === page.page && one.project === event.project)
      expect(named).toMatchObject({ hour: noon.slice(0, 13), shard: page.shard })
      expect(named?.entries.map(({ id }) => id)).toContain(event.id)
    }
  })

  it('sends a batch to a subscriber in one call', async () => {
    const w = world()
    await w.record(byHttp(push('a')), byHttp(push('b')), byHttp(push('c')))
    expect(w.calls.filter((call) => call.startsWith('queues.'))).toEqual([
      'queues.send analyze',
      'queues.send validate',
    ])
    expect(w.stores.queues.take('analyze')).toHaveLength(3)
  })
})

describe('a body over 64 KB', () => {
  const sizeOf = (text: string) => Buffer.byteLength(JSON.stringify({ text }))
  const acme = (text: string) => byHttp(push('p', { type: 'acme.ordered', data: { text } }))

  it.each([
    ['one byte over, of one-byte characters', 'x'.repeat(63_990), true],
    ['at the limit', 'x'.repeat(63_989), false],
    ['fewer characters than that, but of two bytes each', 'ä'.repeat(32_000), true],
    ['150,000 characters of two bytes', 'ä'.repeat(150_000), true],
  ])('(%s) lies in the bucket, and event and messages carry its key', async (_, text, over) => {
    const w = world()
    await w.one(acme(text))
    const event = w.events()[0]?.event
    expect(sizeOf(text) > 64_000).toBe(over)
    expect(event?.dataref !== undefined).toBe(over)
    expect(event?.data === undefined).toBe(over)
    expect(JSON.parse(w.stores.queues.take('shop')[0] ?? '').event).toEqual(event)
    const kept = event?.dataref && (await w.stores.bodies.get(event.dataref))
    if (kept) expect(JSON.parse(Buffer.from(kept).toString('utf8'))).toEqual({ text })
  })

  it('is kept by retention, project, identity and content, so that another content cannot replace it', async () => {
    const w = world()
    const first = await w.one(byHttp(bigPush('p')))
    const dataref = 'event' in first ? first.event.dataref : undefined
    expect(dataref).toMatch(/^project\/main\/[0-9a-f]{64}\/[0-9a-f]{64}$/)
    const before = await w.stores.bodies.get(dataref ?? '')
    const data = { ...githubPush.example, note: 'y'.repeat(70_000) }
    expect(await w.one(byHttp(push('p', { data })))).toMatchObject({ status: 'conflict' })
    expect(await w.stores.bodies.get(dataref ?? '')).toEqual(before)
  })

  it('that cannot be written leaves nothing behind', async () => {
    const w = world()
    w.failing('bodies', 'put')
    expect(await w.one(byHttp(bigPush('p')))).toMatchObject({
      status: 'unavailable',
      error: { message: 'down' },
    })
    expect(w.stores.history.all()).toMatchObject({ events: [], pages: [] })
  })
})

describe('when a port fails', () => {
  const batch = () => [byHttp(push('a')), byHttp(push('b')), byHttp(tests('c'))]
  const statuses = async (w: World, arrivals: Arrival[]) =>
    (await w.record(...arrivals)).map((outcome) => outcome.status)

  it.each([['putPage'], ['insertEvents']] as const)(
    'history.%s: all are unavailable, and none is sent to anybody',
    async (method) => {
      const w = world()
      w.failing('history', method)
      expect(await statuses(w, batch())).toEqual(['unavailable', 'unavailable', 'unavailable'])
      expect(w.calls.filter((call) => call.startsWith('queues.'))).toEqual([])
    },
  )

  it('an insert of some: these are unavailable, the others recorded and sent', async () => {
    const w = world()
    w.instead('history', 'insertEvents', (real) => async (events) => {
      const [first, ...rest] = await real(events.toSpliced(1, 1))
      return [first ?? { verdict: 'exists' }, { verdict: 'failed', error: new Error('throttled') }, ...rest]
    })
    const outcomes = await w.record(...batch())
    expect(outcomes).toMatchObject([
      { status: 'recorded' },
      { status: 'unavailable', error: { message: 'throttled' } },
      { status: 'recorded' },
    ])
    expect(w.stores.queues.take('analyze').map((body) => JSON.parse(body).event.id)).toEqual(['a'])
    w.mend()
    expect(await statuses(w, batch())).toEqual(['known', 'recorded', 'known'])
  })

  it('an insert that answers too few: the others are unavailable', async () => {
    const w = world()
    w.instead('history', 'insertEvents', (real) => async (events) => (await real(events)).slice(0, 1))
    expect(await statuses(w, batch())).toEqual(['recorded', 'unavailable', 'unavailable'])
  })

  it('a send of some: exactly these events are recorded but not through, and tell why', async () => {
    const w = world()
    w.instead('queues', 'send', (real) => async (queue, bodies) => {
      if (queue !== 'analyze') return real(queue, bodies)
      await real(queue, bodies.slice(0, 1))
      return [{ index: 1, error: new Error('throttled') }]
    })
    const outcomes = await w.record(...batch())
    expect(outcomes.map(isThrough)).toEqual([true, false, true])
    expect(outcomes[1]).toMatchObject({ status: 'recorded', unsent: { message: 'throttled' } })
  })

  it('a send to one subscriber: the others get theirs', async () => {
    const w = world()
    w.instead('queues', 'send', (real) => async (queue, bodies) => {
      if (queue === 'analyze') throw new Error('no such queue')
      return real(queue, bodies)
    })
    expect(await w.one(byHttp(push()))).toMatchObject({
      status: 'recorded',
      unsent: { message: 'no such queue' },
    })
    expect(w.stores.queues.take('validate')).toHaveLength(1)
  })

  it('the reading of what is known: unavailable, not a guess', async () => {
    const w = world()
    await w.one(byHttp(push()))
    w.failing('history', 'fate')
    expect(await w.one(byHttp(push()))).toMatchObject({ status: 'unavailable' })
  })

  it('the event that stood there has expired meanwhile: unavailable, so it is tried again', async () => {
    const w = world()
    w.instead('history', 'insertEvents', () => async (events) => events.map(() => ({ verdict: 'exists' })))
    expect(await w.one(byHttp(push()))).toMatchObject({ status: 'unavailable' })
  })
})

describe('a crash between any two calls of the gate, and then the same batch again', () => {
  const cause = { source: 'https://github.com/octo/hello', id: 'earlier' }
  const garbage = push('garbage', { data: {} })
  const batch = () => [byBus(push('small')), byBus(bigPush('large')), byBus(garbage), queued(emit(cause))]

  /** Hands over everything that waits, and counts how often each delivery was run. */
  async function runsOf(w: World): Promise<Record<string, number>> {
    const runs: Record<string, number> = {}
    for (const subscriber of ['analyze', 'validate', 'tell'])
      await w.handle(subscriber, async ({ event }) => {
        const key = `${event.id === 'small' || event.id === 'large' ? event.id : 'emitted'} ${subscriber}`
        runs[key] = (runs[key] ?? 0) + 1
        return []
      })
    return runs
  }

  const once = {
    'small analyze': 1,
    'small validate': 1,
    'large analyze': 1,
    'large validate': 1,
    'emitted tell': 1,
  }

  async function expectWhole(w: World) {
    expect(await runsOf(w)).toEqual(once)
    const { events, quarantined, deliveries, pages } = w.stores.history.all()
    expect(events).toHaveLength(3)
    expect(quarantined).toHaveLength(1)
    expect(deliveries.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done', 'done'])
    for (const { event, page } of events) {
      const listed = pages
        .find((one) => one.page === page.page)
        ?.entries.map(({ source, id }) => `${source} ${id}`)
      expect(listed).toContain(`${event.source} ${event.id}`)
    }
  }

  /** The calls that a batch takes, in a world that is prepared like this. */
  async function callsOf(prepare: (w: World) => Promise<unknown>): Promise<string[]> {
    const w = world()
    await prepare(w)
    const before = w.calls.length
    await w.record(...batch())
    return w.calls.slice(before)
  }

  const preparations: [string, number, (w: World) => Promise<unknown>][] = [
    ['new', 7, async () => undefined],
    [
      'recorded before, but never sent,',
      11,
      async (w) => {
        w.failing('queues', 'send')
        await w.record(...batch())
        w.mend()
      },
    ],
  ]

  it.each(preparations)(
    'loses nothing and runs nothing twice of what is %s at any point',
    async (_, least, prepare) => {
      const calls = await callsOf(prepare)
      expect(calls.length).toBeGreaterThanOrEqual(least)
      for (const withEffect of [false, true])
        for (let at = 1; at <= calls.length; at++) {
          const w = world()
          await prepare(w)
          w.crashAt(at, withEffect)
          const crashed = await w.record(...batch())
          expect(crashed.every(isThrough), `crash at ${at}, ${calls[at - 1]}`).toBe(false)
          w.mend()
          expect((await w.record(...batch())).every(isThrough)).toBe(true)
          await expectWhole(w)
        }
    },
  )

  it('loses nothing when every second call fails for a while', async () => {
    const w = world()
    for (let tries = 1; tries < 60; tries++) {
      w.crashAt(Math.ceil(tries / 2), tries % 2 === 0)
      const outcomes = await w.record(...batch())
      w.mend()
      if (outcomes.every(isThrough)) break
    }
    await expectWhole(w)
  })

  it('answers one outcome per arrival, always', async () => {
    for (let at = 1; at <= 7; at++) {
      const w = world()
      w.crashAt(at, false)
      const outcomes = await w.record(...batch(), byHttp(7))
      expect(outcomes).toHaveLength(5)
      expect(outcomes[4]).toMatchObject({ status: 'refused' })
    }
  })

  it('has told each event apart by its identity', async () => {
    const w = world()
    await w.record(...batch())
    expect(new Set(w.events().map(({ event }) => identityText(event))).size).toBe(3)
  })
})
