import { beforeEach, describe, expect, it } from 'vitest'
import { byHttp, emit, envelope, push, status, tests } from '../test/arrivals.ts'
import { minutes, noon, type World, world } from '../test/world.ts'
import { settleLetter } from './dead-letter.ts'
import type { HandlerAny } from './handler.ts'

const identity = { project: 'main', source: 'https://github.com/octo/hello', id: 'push-1' }
const key = { ...identity, subscriber: 'analyze', replay: '' }
const settled = (w: World, queue: string | undefined, body: unknown, rule?: string) =>
  settleLetter({ queue, rule, body: typeof body === 'string' ? body : JSON.stringify(body) }, w.deps)

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
    expect(await settled(w, 'analyze', body)).toMatchObject({ outcome: 'marked', subscriber: 'analyze' })
    expect(await mark()).toMatchObject({
      state: 'dead',
      attempts: 0,
      started: noon,
      reason: 'its handling crashed or ran out of time',
    })
  })

  it('that was being retried is dead, with what was said before, and since when', async () => {
    await w.handle('analyze', fails)
    w.advance(minutes)
    expect(await settled(w, 'analyze', body)).toMatchObject({ outcome: 'marked' })
    expect(await mark()).toMatchObject({
      state: 'dead',
      attempts: 1,
      started: noon,
      changed: w.clock(),
      reason: 'its handling crashed or ran out of time; before that: Error: not now',
    })
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
    w.instead('history', 'mark', (real) => async (one, delivery) => {
      await real(one, { ...delivery, state: 'done' })
      return real(one, delivery)
    })
    expect(await settled(w, 'analyze', body)).toEqual({ outcome: 'settled before', reason: 'done' })
  })

  it('of a replay is the replay’s delivery', async () => {
    const replayed = JSON.stringify({ ...JSON.parse(body), replay: 'r1' })
    await settled(w, 'analyze', replayed)
    expect(w.deliveries()).toMatchObject([{ replay: 'r1', state: 'dead' }])
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
    ['written', 'mark'],
  ] as const)('stays in the dead letter queue while the mark cannot be %s', async (_, method) => {
    w.failing('history', method)
    expect(await settled(w, 'analyze', body)).toEqual({ outcome: 'unavailable', reason: 'Error: down' })
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
