import { beforeEach, describe, expect, it } from 'vitest'
import { relay } from '../core/gate/relay.ts'
import type { Delivery } from '../core/ports.ts'
import { routes } from '../events/routes.ts'
import { testCompleted } from '../events/test.completed.ts'
import { type World, world } from '../test/api-world.ts'

let w: World
let operator: string
beforeEach(async () => {
  w = world()
  operator = await w.key('acme', ['deliveries:write', 'events:read'])
})

/** An event whose delivery to track-build is dead. */
async function died(id: string, reason = 'no such branch') {
  await w.put('acme', { id, type: 'test.completed', data: testCompleted.example })
  w.queues.take('track-build')
  w.wait(1000)
  await mark(id, 'track-build', 'dead', reason)
}

const mark = (id: string, subscriber: string, state: Delivery['state'], reason = 'r') =>
  w.history.mark(
    { project: 'acme', source: 'urn:test', id, subscriber, replay: '' },
    { state, attempts: 5, started: w.now(), changed: w.now(), reason, emitted: [] },
  )

const stateOf = async (id: string, subscriber = 'track-build') =>
  (await w.history.getDeliveries([{ project: 'acme', source: 'urn:test', id, subscriber, replay: '' }]))[0]
    ?.state

const ask = (request: string, body?: unknown) => w.ask(operator, request, body)

describe('who may', () => {
  it('read groups with events:read, and change with deliveries:write', async () => {
    const reader = await w.key('acme', ['events:read', 'runs:write'])
    expect((await w.ask(reader, 'GET /v1/dead-letters/groups')).status).toBe(200)
    for (const request of ['redrive', 'drop', 'e/redrive', 'e/edit', 'e/drop'])
      expect((await w.ask(reader, `POST /v1/dead-letters/${request}`, {})).status).toBe(403)
    expect((await w.ask(reader, 'POST /v1/jobs/j/stop', {})).status).toBe(403)
  })

  it('sees and changes nothing of another project', async () => {
    await died('e')
    const stranger = await w.key('other', ['deliveries:write', 'events:read'])
    expect((await w.ask(stranger, 'GET /v1/dead-letters/groups')).body).toEqual({
      groups: [],
      read: 0,
      unreadable: [],
    })
    for (const verb of ['redrive', 'drop'])
      expect((await w.ask(stranger, `POST /v1/dead-letters/e/${verb}`, {})).status).toBe(404)
    expect(await stateOf('e')).toBe('dead')
  })
})

describe('groups', () => {
  it('hold what failed alike, by subscriber, the largest first', async () => {
    for (const n of [1, 2, 3]) await died(`t${n}`, `timed out after ${n}00 ms`)
    await died('x', 'data.ref: expected "main"')
    await mark('x', 'publish', 'dead', 'timed out after 7 ms')
    const { body } = await ask('GET /v1/dead-letters/groups')
    expect(body.groups).toMatchObject([
      { subscriber: 'track-build', like: 'timed out after # ms', count: 3, types: ['test.completed'] },
      { subscriber: 'publish', count: 1 },
      {
        subscriber: 'track-build',
        like: 'data.ref: expected "…"',
        count: 1,
        reason: 'data.ref: expected "main"',
      },
    ])
    expect(body.groups[0].sample.map(({ id }: { id: string }) => id)).toEqual(['t1', 't2', 't3'])
    expect([body.groups[0].first < body.groups[0].last, body.next]).toEqual([true, undefined])
  })

  it('are filtered like everything else', async () => {
    await died('a', 'fetch failed')
    await died('b', 'other')
    const counts = async (query: string) => {
      const { body } = await ask(`GET /v1/dead-letters/groups?${query}`)
      return body.groups.map((group: { count: number; reason: string }) => [group.reason, group.count])
    }
    expect(await counts('reason=FETCH')).toEqual([['fetch failed', 1]])
    expect(await counts(`reason=${encodeURIComponent('OT*er')}`)).toEqual([['other', 1]])
    expect(await counts('subscriber=notify')).toEqual([])
    expect(await counts('where=suite=unit&where=failed=0')).toHaveLength(2)
    expect(await counts('where=suite=other')).toEqual([])
    expect(await counts('state=parked')).toEqual([])
  })

  it.each([
    ['where=nothing', 'query.where'],
    ['since=yesterday', 'query.since'],
  ])('say what is wrong with %s', async (query, path) => {
    const { status, body } = await ask(`GET /v1/dead-letters/groups?${query}`)
    expect([status, body.faults[0].path]).toEqual([422, expect.stringContaining(path)])
  })

  it('say which subscribers there are', async () => {
    const { status, body } = await ask('GET /v1/dead-letters/groups?subscriber=nobody')
    expect([status, body.faults[0].expected]).toEqual([404, expect.stringContaining('track-build')])
  })

  it('are counted over several answers, each of some thousand', async () => {
    for (let n = 0; n < 1300; n++) await mark(`m${n}`, 'notify', 'dead', 'same')
    const first = await ask('GET /v1/dead-letters/groups')
    expect(first.body).toMatchObject({ read: 1000, groups: [{ count: 1000 }] })
    // what dies in the meantime is not of this walk
    w.wait(1000)
    await mark('late', 'notify', 'dead', 'same')
    const second = await ask(`GET /v1/dead-letters/groups?cursor=${first.body.next}`)
    expect(second.body).toMatchObject({ read: 300, groups: [{ count: 300 }] })
    expect(second.body.next).toBeUndefined()
  })
})

describe('the list', () => {
  it('takes the same filters', async () => {
    await died('a', 'fetch failed')
    await died('b', 'other')
    const ids = async (query: string) =>
      (await w.list(operator, `/v1/dead-letters?limit=1&${query}`)).items.map(({ id }) => id)
    expect(await ids('')).toEqual(['a', 'b'])
    expect(await ids('reason=fetch')).toEqual(['a'])
    expect(await ids('type=github.push')).toEqual([])
    expect(await ids('where=suite=unit')).toEqual(['a', 'b'])
  })

  it('has an event that is called as the groups are, by its encoded id', async () => {
    await died('groups')
    const id = `base64url:${Buffer.from('groups').toString('base64url')}`
    expect((await ask(`GET /v1/dead-letters/${id}`)).body.event).toMatchObject({ id: 'groups' })
  })

  it('shows data as it is to be edited', async () => {
    await died('a')
    expect((await ask('GET /v1/dead-letters/a')).body.newest).toEqual(testCompleted.example)
  })
})

describe('one event', () => {
  it('is redriven, and known the second time', async () => {
    await died('a')
    expect((await ask('POST /v1/dead-letters/a/redrive', {})).body.items).toEqual([
      { subscriber: 'track-build', replay: '', outcome: 'sent', state: 'retrying' },
    ])
    expect((await ask('POST /v1/dead-letters/a/redrive', {})).body.items).toMatchObject([
      { outcome: 'already', state: 'retrying' },
    ])
    expect(w.queues.take('track-build')).toHaveLength(1)
  })

  it('is edited: what does not fit is said, what fits takes its place', async () => {
    await died('a')
    const bad = await ask('POST /v1/dead-letters/a/edit', { data: { ...testCompleted.example, failed: 'x' } })
    expect([bad.status, bad.body.faults[0].path]).toEqual([422, 'data.failed'])
    const edit = { data: { ...testCompleted.example, suite: 'mended' } }
    const { status, body } = await ask('POST /v1/dead-letters/a/edit', edit)
    expect([status, body]).toMatchObject([
      200,
      { outcome: 'edited', subscriber: 'track-build', changes: [{ path: '/suite', after: 'mended' }] },
    ])
    const gate = { ...w.deps, clock: w.now, random: Math.random, routes }
    await relay([{ project: 'acme', partitionkey: `edit/${body.replacement}` }], gate)
    const [frame] = w.queues.take('track-build').map((text) => JSON.parse(text))
    expect(frame.event).toMatchObject({ id: body.replacement, data: { suite: 'mended' } })
    expect((await ask('POST /v1/dead-letters/a/edit', edit)).body.outcome).toBe('already')
    const late = await ask('POST /v1/dead-letters/a/edit', { data: testCompleted.example })
    expect([late.status, late.body.detail]).toEqual([409, expect.stringContaining('already superseded by')])
  })

  it('is the one that is meant when it was edited before, whoever else has handled the event', async () => {
    await died('a')
    await mark('a', 'publish', 'done')
    const edit = { data: { ...testCompleted.example, suite: 'mended' } }
    const { body } = await ask('POST /v1/dead-letters/a/edit', edit)
    expect(body).toMatchObject({ outcome: 'edited', subscriber: 'track-build' })
    const again = await ask('POST /v1/dead-letters/a/edit', edit)
    expect(again).toMatchObject({ status: 200, body: { outcome: 'already', replacement: body.replacement } })
  })

  it('is the live one where replays of it died too, which have to be named', async () => {
    await died('a')
    const key = { project: 'acme', source: 'urn:test', id: 'a', subscriber: 'track-build', replay: 'r1' }
    await w.history.mark(key, {
      state: 'dead',
      attempts: 5,
      started: w.now(),
      changed: w.now(),
      reason: 'in r1',
      emitted: [],
    })
    expect((await ask('GET /v1/dead-letters/a')).body.delivery.replay).toBe('')
    expect((await ask('GET /v1/dead-letters/a?replay=r1')).body.delivery.reason).toBe('in r1')
    const edit = { data: { ...testCompleted.example, suite: 'mended' } }
    expect((await ask('POST /v1/dead-letters/a/edit', edit)).body).toMatchObject({ outcome: 'edited' })
    expect((await ask('POST /v1/dead-letters/a/edit', edit)).body).toMatchObject({ outcome: 'already' })
    expect((await ask('POST /v1/dead-letters/a/edit', { ...edit, replay: 'r1' })).status).toBe(409)
  })

  it('is dropped, with why', async () => {
    await died('a')
    expect((await ask('POST /v1/dead-letters/a/drop', { reason: 'a test' })).body.items).toMatchObject([
      { outcome: 'dropped', state: 'dropped' },
    ])
    expect(await stateOf('a')).toBe('dropped')
    expect((await ask('POST /v1/dead-letters/a/drop', {})).body.items).toMatchObject([{ outcome: 'already' }])
  })

  it('is dropped while it is still being tried only where its subscriber is named', async () => {
    await w.put('acme', { id: 'a', type: 'test.completed', data: testCompleted.example })
    await mark('a', 'track-build', 'retrying')
    const refused = await ask('POST /v1/dead-letters/a/drop', {})
    expect([refused.status, refused.body.faults]).toMatchObject([409, [{ expected: 'track-build' }]])
    const named = await ask('POST /v1/dead-letters/a/drop', { subscriber: 'track-build' })
    expect(named.body.items).toMatchObject([{ outcome: 'dropped' }])
    expect(await stateOf('a')).toBe('dropped')
  })

  it('must be told apart where several could be meant', async () => {
    await died('a')
    await mark('a', 'publish', 'dead')
    const { status, body } = await ask('POST /v1/dead-letters/a/edit', { data: {} })
    expect(status).toBe(409)
    expect(body.faults.map((fault: { expected: string }) => fault.expected)).toEqual([
      'publish (dead)',
      'track-build (dead)',
    ])
    expect((await ask('POST /v1/dead-letters/none/redrive', {})).status).toBe(404)
    expect((await ask('POST /v1/dead-letters/a/redrive', { subscriber: 'notify' })).status).toBe(404)
    expect((await ask('POST /v1/dead-letters/a/redrive', { surprise: 1 })).status).toBe(422)
  })
})

describe('many', () => {
  it.each(['redrive', 'drop'])('need a filter for a %s, or that all are meant', async (action) => {
    await died('a')
    for (const body of [{}, { where: [] }, { all: false }]) {
      const refused = await ask(`POST /v1/dead-letters/${action}`, body)
      expect(refused).toMatchObject({ status: 422, body: { faults: [{ path: 'all' }] } })
    }
    expect(await stateOf('a')).toBe('dead')
    expect((await w.list(operator, '/v1/jobs')).items).toEqual([])
    expect((await ask(`POST /v1/dead-letters/${action}`, { all: true })).status).toBeLessThan(300)
  })

  it('are meant by times of any zone and precision', async () => {
    await died('a')
    const drop = (more: object) => ask('POST /v1/dead-letters/drop', more)
    // both are the very time, and neither is by its text
    const since = w.now().replace('.000Z', 'Z')
    const until = `${new Date(Date.parse(w.now()) + 3_600_000).toISOString().slice(0, 19)}+01:00`
    expect((await ask(`GET /v1/dead-letters?since=${since}`)).body.items).toHaveLength(1)
    expect((await drop({ since, until })).body).toEqual({ dropped: 1, already: 0, unreadable: 0 })
  })

  it('are dropped some at a time', async () => {
    for (let n = 0; n < 70; n++) await mark(`m${n}`, 'notify', 'dead')
    await mark('other', 'publish', 'dead')
    let body = (await ask('POST /v1/dead-letters/drop', { subscriber: 'notify', because: 'old' })).body
    expect(body).toMatchObject({ dropped: 50, already: 0, unreadable: 0 })
    body = (
      await ask('POST /v1/dead-letters/drop', { subscriber: 'notify', because: 'old', cursor: body.next })
    ).body
    expect(body).toEqual({ dropped: 20, already: 0, unreadable: 0 })
    expect(await stateOf('other', 'publish')).toBe('dead')
  })

  it('are redriven by a job', async () => {
    await died('a', 'fetch failed')
    const { status, body } = await ask('POST /v1/dead-letters/redrive', { reason: 'fetch', rate: 3 })
    expect([status, body]).toMatchObject([
      202,
      { kind: 'redrive', subscriber: 'all', rate: 3, state: 'running', by: expect.any(String), counts: {} },
    ])
    expect(body.selection).toMatchObject({ reason: 'fetch', stopAfter: 10 })
    const [item] = await w.memory.outbox('acme', `job/${body.id}`)
    expect(item?.frame).toMatchObject({ event: { type: 'redrive.requested' } })
    expect((await ask('POST /v1/dead-letters/redrive', { subscriber: 'nobody' })).status).toBe(404)
    expect((await ask('POST /v1/dead-letters/redrive', { all: true, rate: 0 })).status).toBe(422)
  })
})
