import { describe, expect, it } from 'vitest'
import { buildStatusChanged } from '../../events/build.status-changed.ts'
import { githubPush } from '../../events/github.push.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { byBus, byHttp, emit, push, queued, status, tests, told } from '../../test/arrivals.ts'
import { minutes, noon, routeOf, testRoutes, type World, world } from '../../test/world.ts'
import type { Arrival } from '../event/arrival.ts'
import type { Outcome } from './record.ts'

const otherPush = { ...githubPush.example, ref: 'refs/heads/other' }
const cause = { source: 'https://github.com/octo/hello', id: 'push-1' }
const otherAnalysis = { ...repositoryAnalyzed.example, commit: 'other' }
const otherBuild = { ...buildStatusChanged.example, commit: 'other' }
const httpFrame = (event: unknown) => ({
  door: 'http',
  project: 'main',
  actor: 'user:k1',
  received: noon,
  event,
})

/** Each door: an arrival, who expects it, and the same identity with other content. */
const doors: [string, () => Arrival, string[], () => Arrival][] = [
  ['http', () => byHttp(push()), ['analyze', 'validate'], () => byHttp(push('push-1', { data: otherPush }))],
  ['bus', () => byBus(push()), ['analyze', 'validate'], () => byBus(push('push-1', { data: otherPush }))],
  [
    'http by way of the queue',
    () => queued(httpFrame(push())),
    ['analyze', 'validate'],
    () => queued(httpFrame(push('push-1', { data: otherPush }))),
  ],
  ['emit', () => queued(emit(cause)), ['tell'], () => queued(emit(cause, { data: otherAnalysis }))],
  ['outbox', () => queued(told()), ['tell'], () => queued(told({ data: otherBuild }))],
  [
    'states',
    () => queued(status()),
    ['follow'],
    () => queued(status({ startDate: Date.parse(noon) - 5000 })),
  ],
]
const fromOutside = doors.slice(0, 3)
const ofOurs = doors.slice(3)

const framesFor = (w: World, subscriber: string) =>
  w.stores.queues
    .take(subscriber)
    .map((body) => JSON.parse(body) as { resent?: boolean; event: { id: string } })

const emptied = (w: World, subscribers: readonly string[]) => {
  for (const subscriber of subscribers) w.stores.queues.take(subscriber)
}

const done = { state: 'done', attempts: 1, started: noon, changed: noon, emitted: [] } as const
const keyOf = (outcome: Outcome, subscriber: string) => {
  if (!('event' in outcome)) throw new Error(`not recorded: ${JSON.stringify(outcome)}`)
  const { project, source, id } = outcome.event
  return { project, source, id, subscriber, replay: '' }
}

describe.each(doors)('at the door %s', (_, arrive, expects) => {
  it('a new event is recorded once and sent to each that expects it', async () => {
    const w = world()
    expect(await w.one(arrive())).toMatchObject({ status: 'recorded' })
    expect(w.events()).toMatchObject([{ expects }])
    for (const subscriber of expects)
      expect(framesFor(w, subscriber)).toMatchObject([{ event: w.events()[0]?.event }])
  })

  it('the same again is known, and is sent on again only to those that have no delivery yet', async () => {
    const w = world()
    const first = await w.one(arrive())
    emptied(w, expects)
    const [handled, ...open] = expects
    await w.stores.history.mark(keyOf(first, handled ?? ''), done)
    expect(await w.one(arrive())).toMatchObject({ status: 'known' })
    expect(w.events()).toHaveLength(1)
    expect(framesFor(w, handled ?? '')).toEqual([])
    for (const subscriber of open) expect(framesFor(w, subscriber)).toMatchObject([{ resent: true }])
  })
})

describe.each(fromOutside)(
  'the same identity with other content from the door %s',
  (door, arrive, expects, differ) => {
    it('is a conflict, and the first stands', async () => {
      const w = world()
      await w.one(arrive())
      const first = w.events()
      emptied(w, expects)
      const outcome = await w.one(differ())
      if (door === 'http') expect(outcome).toMatchObject({ status: 'conflict', identity: { id: 'push-1' } })
      else expect(outcome).toMatchObject({ status: 'quarantined', reason: 'conflict' })
      expect(w.events()).toEqual(first)
      expect(expects.flatMap((subscriber) => framesFor(w, subscriber))).toEqual([])
    })
  },
)

describe.each(ofOurs)('the same identity with other content from the door %s', (_, arrive, __, differ) => {
  it('is known: the first stands and nothing goes into quarantine', async () => {
    const w = world()
    await w.one(arrive())
    const first = w.events()
    expect(await w.one(differ())).toMatchObject({ status: 'known', event: first[0]?.event })
    expect([w.events(), w.quarantined()]).toEqual([first, []])
  })
})

describe('a handler that emits other content when it runs again', () => {
  it('has the difference noted on its own delivery, once', async () => {
    const w = world()
    const first = await w.one(byHttp(push()))
    await w.stores.history.mark(keyOf(first, 'analyze'), done)
    await w.one(queued(emit(cause)))
    for (let count = 0; count < 2; count++) await w.one(queued(emit(cause, { data: otherAnalysis })))
    const { deliveries } = await w.stores.history.fate({ project: 'main', ...cause })
    expect(deliveries).toMatchObject([
      { subscriber: 'analyze', notes: [expect.stringContaining('other content')] },
    ])
  })

  it('is tried again while the note cannot be written', async () => {
    const w = world()
    await w.one(queued(emit(cause)))
    w.failing('history', 'note')
    expect(await w.one(queued(emit(cause, { data: otherAnalysis })))).toMatchObject({ status: 'unavailable' })
  })
})

describe('identity is project, source and id', () => {
  it('one id from two sources is two events', async () => {
    const w = world()
    const outcomes = await w.record(byHttp(push('1')), byHttp(push('1', { source: '/other' })))
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['recorded', 'recorded'])
  })

  it('one id from one source in two projects is two events, with other content or not', async () => {
    const w = world()
    const other = byHttp(push('1', { data: otherPush }), { project: 'shop' })
    expect((await w.record(byHttp(push('1')), other)).map((outcome) => outcome.status)).toEqual([
      'recorded',
      'recorded',
    ])
  })

  it('content is what was sent: time, trace and story may differ, a member left out for its default may not', async () => {
    const w = world()
    await w.one(byHttp(push()))
    const again = push('push-1', {
      time: '2020-01-01T00:00:00Z',
      correlationid: 'c',
      partitionkey: 'k',
      tone: 'x',
    })
    expect(await w.one(byHttp(again))).toMatchObject({ status: 'known' })
    const { deleted: _, ...data } = githubPush.example
    expect(await w.one(byHttp(push('push-1', { data })))).toMatchObject({ status: 'conflict' })
  })

  it('is the same through whichever door the event comes', async () => {
    const w = world()
    await w.one(byHttp(push()))
    expect(await w.one(byBus(push()))).toMatchObject({ status: 'known' })
  })
})

describe('one identity twice in a batch', () => {
  const same = byHttp(push())
  const other = byHttp(push('push-1', { data: otherPush }))
  const statuses = async (w: World, ...arrivals: Arrival[]) =>
    (await w.record(...arrivals)).map((outcome) => outcome.status)

  it('with the same content is recorded and sent once, the second one known', async () => {
    const w = world()
    expect(await statuses(w, same, same, same)).toEqual(['recorded', 'known', 'known'])
    expect(w.stores.history.all().pages.flatMap((page) => page.entries)).toHaveLength(1)
    expect(framesFor(w, 'analyze')).toHaveLength(1)
  })

  it('with other content is a conflict, in whichever place', async () => {
    expect(await statuses(world(), same, other, same)).toEqual(['recorded', 'conflict', 'known'])
  })

  it('is compared with what is recorded, not with its neighbour', async () => {
    const w = world()
    await w.one(other)
    expect(await statuses(w, same, other)).toEqual(['conflict', 'known'])
  })

  it.each([
    ['with the same', same],
    ['with other', other],
  ])('%s content is as uncertain as the first when that is unavailable', async (_, second) => {
    const w = world()
    w.instead('history', 'insertEvents', (real) => async (events) => {
      await real(events)
      throw new Error('timeout')
    })
    expect(await statuses(w, same, second)).toEqual(['unavailable', 'unavailable'])
  })

  it('is no reason to hide that the first could not be sent', async () => {
    const w = world()
    w.failing('queues', 'send')
    expect(await w.record(same, same)).toMatchObject([
      { status: 'recorded', unsent: { message: 'down' } },
      { status: 'known', unsent: { message: 'down' } },
    ])
  })

  it('keeps the order of the answers among others', async () => {
    const w = world()
    const arrivals = [byHttp(7), byHttp(tests('t')), same, byBus(push('b', { id: '' })), other]
    expect(await statuses(w, ...arrivals)).toEqual([
      'refused',
      'recorded',
      'recorded',
      'quarantined',
      'conflict',
    ])
  })
})

describe('who expects an event is decided when it is recorded', () => {
  it('and not again: who came later is not sent it', async () => {
    const w = world({ routes: [routeOf('analyze')] })
    await w.one(byHttp(push()))
    w.deps.routes = testRoutes
    await w.one(byHttp(push()))
    expect(w.events()).toMatchObject([{ expects: ['analyze'] }])
    expect(framesFor(w, 'validate')).toEqual([])
  })

  it('a name that is gone from the routes since then has a dead delivery: no such subscriber', async () => {
    const w = world()
    await w.one(byHttp(push()))
    emptied(w, ['analyze', 'validate'])
    w.deps.routes = [routeOf('validate')]
    await w.one(byHttp(push()))
    // code from before a deployment may have it in hand
    expect(w.deliveries()).toEqual([])
    emptied(w, ['validate'])
    w.advance(16 * minutes)
    await w.one(byHttp(push()))
    expect(w.deliveries()).toMatchObject([
      {
        subscriber: 'analyze',
        state: 'dead',
        reason: expect.stringMatching(/^no such subscriber/),
        attempts: 0,
      },
    ])
    expect(framesFor(w, 'analyze')).toEqual([])
    expect(framesFor(w, 'validate')).toHaveLength(1)
  })
})
