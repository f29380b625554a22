// Longer than 300 lines: each kind of letter with all that may become of it.

import { beforeEach, describe, expect, it } from 'vitest'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { mostReceives } from '../../events/route.ts'
import { byHttp, emit, envelope, push, queued, status, tests, told } from '../../test/arrivals.ts'
import { minutes, noon, routeOf, type World, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import { settleLetter } from './dead-letter.ts'

const identity = { project: 'main', source: 'https://github.com/octo/hello', id: 'push-1' }
const key = { ...identity, subscriber: 'analyze', replay: '' }
const settled = (w: World, queue: string | undefined, body: unknown, rule?: string, sent?: string) =>
  settleLetter({ queue, rule, sent, body: typeof body === 'string' ? body : JSON.stringify(body) }, w.deps)

let w: World
beforeEach(() => {
  w = world()
})

describe('a letter from a subscriber’s queue', () => {
  let body: string
  const mark = async () => (await w.stores.history.getDeliveries([key]))[0]
  const fails: HandlerAny = async () => Promise.reject(new Error('not now'))

  beforeEach(async () => {
    await w.one(byHttp(push()))
    body = w.stores.queues.take('analyze')[0] ?? ''
    await w.stores.queues.send('analyze', [body])
  })

  it('that never got so far as to leave a mark is dead: it crashed or ran out of time', async () => {
    w.advance(minutes)
    expect(await settled(w, 'analyze', body, undefined, noon)).toMatchObject({
      outcome: 'marked',
      subscriber: 'analyze',
    })
    expect(await mark()).toMatchObject({
      state: 'dead',
      attempts: mostReceives(routeOf('analyze')),
      started: noon,
      changed: w.clock(),
      reason: 'its handling crashed or ran out of time',
    })
  })

  it('that was being retried is dead, with what was said before, and since when', async () => {
    await w.handle('analyze', fails)
    w.advance(minutes)
    expect(await settled(w, 'analyze', body)).toMatchObject({ outcome: 'marked' })
    expect(await mark()).toMatchObject({
      state: 'dead',
      attempts: mostReceives(routeOf('analyze')),
      started: noon,
      changed: w.clock(),
      reason: 'its handling crashed or ran out of time; before that: Error: not now',
    })
  })

  it('has been tried as often as it was handed over, but for what was no attempt', async () => {
    const retrying = { state: 'retrying', started: noon, changed: noon, emitted: [] } as const
    const most = mostReceives(routeOf('analyze'))
    for (const [counted, attempts] of [
      [{ attempts: 1, uncounted: 3 }, most - 3],
      [{ attempts: 2, uncounted: -2 }, most + 2],
      [{ attempts: 0 }, 0],
    ] as const) {
      const fresh = world()
      await fresh.one(byHttp(push()))
      await fresh.stores.history.mark(key, { ...retrying, ...counted })
      await settled(fresh, 'analyze', body)
      expect((await fresh.stores.history.getDeliveries([key]))[0]).toMatchObject({ state: 'dead', attempts })
    }
  })

  it('that its queue has let go of is left to be sent anew: others had won its races, and its batch ended before it answered', async () => {
    const loses: HandlerAny = () => Promise.reject(new Failure('Busy', 'others changed it'))
    for (let receive = 1; receive <= mostReceives(routeOf('analyze')); receive++) {
      await w.handle('analyze', loses, receive)
      await w.stores.queues.send('analyze', [body])
    }
    const letGo = await mark()
    expect(letGo).toMatchObject({ state: 'retrying', attempts: 0, letGo: true })
    for (const frame of [{}, { resent: true }]) {
      const letter = JSON.stringify({ ...JSON.parse(body), ...frame })
      expect(await settled(w, 'analyze', letter)).toMatchObject({ outcome: 'settled before' })
    }
    expect(await mark()).toEqual(letGo)
  })

  it.each(['done', 'dead', 'dropped', 'parked'] as const)(
    'that was settled before (%s) stays as it is',
    async (state) => {
      const before = { state, attempts: 2, started: noon, changed: noon, reason: 'r', emitted: [] }
      await w.stores.history.mark(key, before)
      expect(await settled(w, 'analyze', body)).toEqual({ outcome: 'settled before', reason: state })
      expect(await mark()).toEqual(before)
    },
  )

  it('that is done in the moment between reading and marking stays done', async () => {
    w.instead('history', 'transition', (real) => async (change) => {
      await w.stores.history.mark(key, { ...change.next, state: 'done' })
      return real(change)
    })
    expect(await settled(w, 'analyze', body)).toEqual({ outcome: 'settled before', reason: 'done' })
  })

  it('that is sent again in that moment stays so; the letter is read once more', async () => {
    const again = { state: 'retrying', attempts: 1, started: noon, changed: noon, emitted: [] } as const
    w.instead('history', 'transition', (real) => async (change) => {
      await w.stores.history.mark(key, { ...again, reason: 'sent again' })
      return real(change)
    })
    expect(await settled(w, 'analyze', body)).toMatchObject({ outcome: 'unavailable' })
    expect(await mark()).toMatchObject({ state: 'retrying', reason: 'sent again' })
  })

  it('of a replay is the replay’s delivery', async () => {
    const replayed = JSON.stringify({ ...JSON.parse(body), replay: 'r1' })
    await settled(w, 'analyze', replayed)
    expect(w.deliveries()).toMatchObject([{ replay: 'r1', state: 'dead' }])
  })

  it.each(['done', 'dead', 'dropped'] as const)(
    'of a further run of what is %s long since is a note there: nobody would hear of it otherwise',
    async (state) => {
      const before = { state, attempts: 1, started: noon, changed: noon, reason: 'r', emitted: [] }
      await w.stores.history.mark(key, before)
      const further = JSON.stringify({ ...JSON.parse(body), attempt: 2 })
      expect(await settled(w, 'analyze', further)).toMatchObject({ outcome: 'noted', subscriber: 'analyze' })
      expect((await w.stores.history.fate(identity)).deliveries).toEqual([
        {
          ...key,
          ...before,
          notes: ['attempt 2 of its run was not started: its handling crashed or ran out of time'],
        },
      ])
    },
  )

  it('says to logs no value of the event, which its mark holds', async () => {
    const invalid: HandlerAny = async () => {
      throw new Failure('Unavailable', 'it does not fit', {
        faults: [{ path: 'data.ref', expected: 'a ref', got: '"secret"' }],
      })
    }
    await w.handle('analyze', invalid)
    expect(JSON.stringify(await settled(w, 'analyze', body))).not.toContain('secret')
    expect((await mark())?.reason).toContain('got "secret"')
  })

  it.each(['', '{', '{"event":{}}', 'null'])(
    'that is garbage (%j) is quarantined as it came',
    async (garbage) => {
      expect(await settled(w, 'analyze', garbage)).toMatchObject({ outcome: 'quarantined' })
      expect(w.quarantined()).toMatchObject([
        {
          raw: garbage,
          reason: 'unreadable',
          faults: [{ got: 'not a delivery, found on the queue of analyze' }],
        },
      ])
    },
  )

  it.each([
    ['read', 'getDeliveries'],
    ['written', 'transition'],
  ] as const)('stays in the dead letter queue while the mark cannot be %s', async (_, method) => {
    w.failing('history', method)
    expect(await settled(w, 'analyze', body)).toEqual({ outcome: 'unavailable', reason: 'Error: down' })
  })
})

describe('a letter from the queue of an ordered route', () => {
  const lane = { project: 'main', subscriber: 'follow', partitionkey: 'repository/octo/hello', replay: '' }
  let w: World
  let bodies: string[]
  beforeEach(async () => {
    w = world({ routes: [{ ...routeOf('follow'), types: [repositoryUpdated], ordered: true }] })
    const event = { type: 'repository.updated', data: repositoryUpdated.example }
    for (const sequence of [1, 2])
      await w.one(queued(told(event, { partitionkey: lane.partitionkey, sequence })))
    bodies = w.stores.queues.take('follow')
  })
  const lettered = (n: number, given = {}) =>
    settled(w, 'follow', JSON.stringify({ ...JSON.parse(bodies[n] ?? '{}'), ...given }))
  const states = async () =>
    (await w.stores.lanes.waiting(lane, 10)).map(({ key: { id }, sequence }) => [
      sequence,
      w.deliveries().find((one) => one.id === id)?.state,
    ])

  it('is dead and closes its lane', async () => {
    expect(await lettered(0)).toMatchObject({ outcome: 'marked', subscriber: 'follow' })
    expect(await w.stores.lanes.lane(lane)).toMatchObject({
      reason: expect.stringMatching(/^its handling crashed/),
    })
    expect(await states()).toEqual([[1, 'dead']])
    expect(await lettered(0)).toMatchObject({ outcome: 'settled before', reason: 'dead' })
  })

  it('that waits in its lane stays as it is, unless it crashed when that was released for it', async () => {
    await lettered(0)
    const [, second] = w.events().map(({ event: { project, source, id } }) => ({ project, source, id }))
    const waiting = { key: { ...second, subscriber: 'follow', replay: '' }, sequence: 2 } as const
    const delivery = { state: 'parked', attempts: 0, started: noon, changed: noon, emitted: [] } as const
    await w.stores.lanes.wait(lane, { ...waiting, delivery } as never, 'behind')
    const seen = (await w.stores.lanes.lane(lane))?.version ?? 0
    await w.stores.lanes.release(lane, seen, { name: 'now', last: 2 })
    expect(await lettered(1)).toMatchObject({ outcome: 'settled before' })
    expect(await lettered(1, { release: 'before' })).toMatchObject({ outcome: 'settled before' })
    expect(await states()).toEqual([
      [1, 'dead'],
      [2, 'parked'],
    ])
    expect(await lettered(1, { release: 'now' })).toMatchObject({ outcome: 'marked' })
    expect(await states()).toEqual([
      [1, 'dead'],
      [2, 'dead'],
    ])
    expect((await w.stores.lanes.lane(lane))?.release).toBeUndefined()
  })

  it('that is done stays done', async () => {
    const [first] = w.events()
    const { project = '', source = '', id = '' } = first?.event ?? {}
    const done = { state: 'done', attempts: 1, started: noon, changed: noon, emitted: [] } as const
    await w.stores.history.mark({ project, source, id, subscriber: 'follow', replay: '' }, done)
    expect(await lettered(0)).toEqual({ outcome: 'settled before', reason: 'done' })
    expect(await w.stores.lanes.lane(lane)).toBeUndefined()
  })

  it('stays in the dead letter queue while its lane cannot be closed', async () => {
    w.failing('lanes', 'wait')
    expect(await lettered(0)).toEqual({ outcome: 'unavailable', reason: 'Error: down' })
  })
})

describe('a letter from the record queue', () => {
  it('that can be recorded now is recorded and sent', async () => {
    expect(await settled(w, 'record', envelope(push()))).toEqual({ outcome: 'recorded', reason: 'recorded' })
    expect(w.stores.queues.take('analyze')).toHaveLength(1)
  })

  it('that was recorded before is sent on to whom has no delivery', async () => {
    await w.one(byHttp(push()))
    w.stores.queues.take('analyze')
    w.stores.queues.take('validate')
    await w.stores.history.mark(key, {
      state: 'done',
      attempts: 1,
      started: noon,
      changed: noon,
      emitted: [],
    })
    expect(await settled(w, 'record', envelope(push()))).toEqual({ outcome: 'recorded', reason: 'known' })
    expect([w.stores.queues.take('analyze').length, w.stores.queues.take('validate').length]).toEqual([0, 1])
  })

  it('that is recorded but cannot be sent stays', async () => {
    w.failing('queues', 'send')
    expect(await settled(w, 'record', envelope(push()))).toEqual({
      outcome: 'unavailable',
      reason: 'Error: down',
    })
  })

  it('that is invalid is quarantined with the reason', async () => {
    expect(await settled(w, 'record', envelope({ ...push(), id: '' }))).toEqual({
      outcome: 'quarantined',
      reason: 'invalid',
    })
  })

  it('that is garbage is quarantined', async () => {
    expect(await settled(w, 'record', '{{{')).toEqual({ outcome: 'quarantined', reason: 'unreadable' })
    expect(w.quarantined()).toMatchObject([{ raw: '{{{' }])
  })

  it('that cannot be recorded is kept as it came, with why', async () => {
    w.failing('history', 'insertEvents', new Error('item too large'))
    const letter = emit({ source: 's', id: 'p' })
    expect(await settled(w, 'record', letter)).toMatchObject({ outcome: 'quarantined' })
    expect(w.quarantined()).toMatchObject([
      {
        raw: JSON.stringify(letter),
        reason: 'unreadable',
        faults: [{ got: 'could not be recorded: Error: item too large' }],
      },
    ])
  })

  it.each([
    ['emit', emit({ source: 's', id: 'p' }, {}, { project: 'shop' })],
    ['outbox', told({}, { project: 'shop' })],
    ['bus', { door: 'http', project: 'shop', actor: 'user:k', received: noon, event: push() }],
  ])('is kept in its own project, as of the door by which it can come again (%s)', async (door, letter) => {
    w.failing('history', 'insertEvents')
    await settled(w, 'record', letter)
    expect(w.quarantined()).toMatchObject([{ project: 'shop', door, raw: JSON.stringify(letter) }])
  })

  it('of a newer version than this code knows is kept as it came', async () => {
    const newer = tests('t', { dataschema: 'https://x/test.completed/9' })
    expect(await settled(w, 'record', envelope(newer))).toMatchObject({
      outcome: 'quarantined',
      reason: expect.stringContaining('newer'),
    })
  })

  it('stays when it can neither be recorded nor kept', async () => {
    w.failing('history', 'insertEvents')
    w.failing('history', 'quarantine', new Error('nothing works'))
    expect(await settled(w, 'record', envelope(push()))).toEqual({
      outcome: 'unavailable',
      reason: 'Error: nothing works',
    })
  })
})

const ruleOf = (name: string) =>
  `arn:aws:events:us-east-1:111122223333:rule/${name === 'inbox' ? 'loadpath-prod-inbox/' : ''}loadpath-prod-${name}`

describe('a letter of EventBridge, which could not reach the record queue', () => {
  const told = envelope(status().event.detail, {
    source: 'aws.states',
    'detail-type': 'Step Functions Execution Status Change',
  })

  it.each([
    ['as AWS put it on the bus', told],
    ['as the rule has framed it', { door: 'states', event: told }],
  ])('of the rule of status events is a status event of ours, %s', async (_, letter) => {
    expect(await settled(w, undefined, letter, ruleOf('states'))).toMatchObject({ outcome: 'recorded' })
    expect(w.events()).toMatchObject([{ event: { type: 'workflow.succeeded', door: 'states' } }])
  })

  it.each([
    ['the inbox', ruleOf('inbox')],
    ['no rule', undefined],
  ])('that only looks like one, of %s, is an event from outside', async (_, rule) => {
    await settled(w, undefined, told, rule)
    expect(w.events()).toMatchObject([{ event: { door: 'bus' } }])
  })

  it('of the rule of status events that is from somebody else is an event from outside', async () => {
    await settled(w, undefined, envelope({ order: 1 }), ruleOf('states'))
    expect(w.events()).toMatchObject([{ event: { door: 'bus' } }])
  })

  it('of the schedule is dropped: the sweep runs again anyway, and nobody wants a tick in the history', async () => {
    const tick = envelope({}, { source: 'aws.events', 'detail-type': 'Scheduled Event' })
    expect(await settled(w, undefined, tick, ruleOf('sweep'))).toMatchObject({ outcome: 'dropped' })
    expect([...w.events(), ...w.quarantined()]).toEqual([])
  })

  it('of the weekly schedule is dropped, and says how it is made up for', async () => {
    const start = envelope({}, { source: 'aws.events', 'detail-type': 'Scheduled Event' })
    expect(await settled(w, undefined, start, ruleOf('mesh-validation'))).toMatchObject({
      outcome: 'dropped',
      reason: expect.stringContaining('loadpath mesh validate'),
    })
    expect([...w.events(), ...w.quarantined()]).toEqual([])
  })

  it('has no queue’s name and goes through the gate', async () => {
    expect(await settled(w, undefined, envelope({ order: 1 }))).toEqual({
      outcome: 'recorded',
      reason: 'recorded',
    })
    expect(w.events()).toMatchObject([{ event: { type: 'acme.ordered', door: 'bus' } }])
  })

  it('belongs to the project of its account', async () => {
    await settleLetter(
      { queue: undefined, rule: ruleOf('inbox'), body: JSON.stringify(envelope({})) },
      { ...w.deps, accounts: { '111122223333': 'shop' } },
    )
    expect(w.events()).toMatchObject([{ event: { project: 'shop' } }])
  })
})

describe('the same letter again', () => {
  it.each([
    ['a delivery', 'analyze'],
    ['an arrival', 'record'],
  ])('as %s changes nothing', async (_, queue) => {
    await w.one(byHttp(push()))
    const body =
      queue === 'record'
        ? JSON.stringify(envelope({ ...push(), id: '' }))
        : (w.stores.queues.take(queue)[0] ?? '')
    await settled(w, queue, body)
    const before = w.stores.history.all()
    await settled(w, queue, body)
    expect(w.stores.history.all()).toEqual(before)
  })
})
