import { beforeEach, describe, expect, it } from 'vitest'
import { consume } from '../core/consume/consume.ts'
import { Failure } from '../core/errors.ts'
import type { HandlerAny } from '../core/event/handler.ts'
import { outboxFrame } from '../core/frame.ts'
import { relay } from '../core/gate/relay.ts'
import { replayBatch } from '../core/replay/replay-batch.ts'
import { approvalRequested } from '../events/approval.requested.ts'
import { githubPush } from '../events/github.push.ts'
import type { Route } from '../events/route.ts'
import { routes, routeTo } from '../events/routes.ts'
import { testCompleted } from '../events/test.completed.ts'
import { type World, world } from '../test/api-world.ts'

let w: World
let operator: string
beforeEach(async () => {
  w = world()
  operator = await w.key('acme', ['deliveries:write', 'events:read'])
})

const push = (id: string, more: object = {}) =>
  w.put('acme', { id, type: 'github.push', data: githubPush.example, ...more })

async function handled(subscriber: string, handler: HandlerAny = async () => []): Promise<void> {
  const route: Route | undefined = routes.find((one) => one.subscriber === subscriber)
  const messages = w.queues.take(subscriber).map((body) => ({ body, receiveCount: 1 }))
  const ports = { ...w.deps, clock: w.now }
  await consume(route ?? expect.fail(subscriber), handler, messages, ports)
}

/** What the run of a job does, from its start to its end. */
async function done(id: string, between: () => Promise<void>): Promise<void> {
  const ports = { ...w.deps, clock: w.now, routes }
  await relay([{ project: 'acme', partitionkey: `job/${id}` }], ports)
  const { body } = await w.ask(operator, `GET /v1/jobs/${id}`)
  const [frame] = w.queues.take('replay')
  const { event } = JSON.parse(frame ?? expect.fail('no run was asked for'))
  for (let batches = 0; batches < 50; batches++) {
    const { state, wait } = await replayBatch({ event, attempt: body.attempt }, ports, 20)
    if (state === 'ended') return
    await between()
    w.wait(wait * 1000)
  }
  throw new Error('it has no end')
}

describe('POST /v1/replays', () => {
  it('asks for a job, which is done, shown and told of', async () => {
    for (const id of ['p1', 'p2', 'p3']) await push(id)
    await handled('analyze-push')
    w.wait(60_000)
    const asked = await w.ask(operator, 'POST /v1/replays', {
      subscriber: 'analyze-push',
      type: 'github.push',
      since: '2026-01-10T12:00:00.000Z',
    })
    expect(asked).toMatchObject({
      status: 202,
      body: { kind: 'replay', state: 'running', rate: 50, subscriber: 'analyze-push' },
    })
    const [item] = await w.memory.outbox('acme', `job/${asked.body.id}`)
    expect(outboxFrame.parse(item?.frame)).toMatchObject({
      actor: expect.stringContaining('user:'),
      event: {
        type: 'replay.requested',
        data: { job: asked.body.id, subscriber: 'analyze-push', selection: { type: 'github.push' } },
      },
    })
    await done(asked.body.id, () => handled('analyze-push'))
    const shown = await w.ask(operator, `GET /v1/replays/${asked.body.id}`)
    expect(shown).toMatchObject({
      status: 200,
      body: { state: 'done', counts: { sent: 3, done: 3 }, step: 'settle', differing: [] },
    })
    const { items } = await w.list(operator, '/v1/jobs?kind=replay')
    expect(items).toHaveLength(1)
  })

  it('one event, by its id; of several sources the one that is named', async () => {
    await push('p1')
    await push('p1', { source: 'urn:other' })
    const event = { subscriber: 'analyze-push', event: { id: 'p1' } }
    const several = await w.ask(operator, 'POST /v1/replays', event)
    expect(several).toMatchObject({ status: 409, body: { faults: [{ path: 'query.source' }, {}] } })
    const named = await w.ask(operator, 'POST /v1/replays', {
      ...event,
      event: { id: 'p1', source: 'urn:other' },
    })
    expect(named.body.selection).toEqual({ event: { id: 'p1', source: 'urn:other' } })
    const none = await w.ask(operator, 'POST /v1/replays', { ...event, event: { id: 'none' } })
    expect(none.status).toBe(404)
  })

  it.each([
    ['replays', { subscriber: 'analyze-push', type: 'github.push' }, { until: '2026-01-10T12:00:00Z' }],
    ['rebuilds', { subscriber: 'track-build' }, { switch: true }],
    ['dead-letters/redrive', { subscriber: 'notify' }, { rate: 3 }],
  ])('%s of one idempotency key are one job', async (path, body, other) => {
    const asking = (more: object, key: string) =>
      w.ask(operator, `POST /v1/${path}`, { ...body, ...more }, { 'idempotency-key': key })
    const [first, second] = await Promise.all([asking({}, 'k1'), asking({}, 'k1')])
    expect([first.status, second.status]).toEqual([202, 202])
    expect(second.body.id).toBe(first.body.id)
    await w.ask(operator, `POST /v1/jobs/${first.body.id}/pause`)
    w.wait(60_000)
    expect((await asking({}, 'k1')).body).toMatchObject({ id: first.body.id, state: 'paused' })
    expect((await w.list(operator, '/v1/jobs')).items).toHaveLength(1)
    expect(await asking(other, 'k1')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('idempotency key k1') },
    })
    expect((await asking({}, 'k2')).body.id).not.toBe(first.body.id)
    expect((await asking({}, '')).status).toBe(422)
  })

  it('names a fault by where it stands in the request, and takes times of any zone', async () => {
    const asking = (more: object) =>
      w.ask(operator, 'POST /v1/replays', { subscriber: 'analyze-push', ...more })
    for (const [more, path] of [
      [{}, 'since'],
      [{ type: 'nobody.knows' }, 'type'],
      [{ since: '2026-01-10T12:00:00Z', until: '2026-01-10T11:00:00Z' }, 'until'],
      // a quarter past ten, and so before what it is to be after
      [{ since: '2026-01-10T11:00:00Z', until: '2026-01-10T11:15:00+01:00' }, 'until'],
    ] as const)
      expect(await asking(more)).toMatchObject({ status: 422, body: { faults: [{ path }] } })
    expect((await asking({ since: '2026-01-10T12:00:00+01:00' })).body.selection).toEqual({
      since: '2026-01-10T11:00:00.000Z',
    })
  })

  it('says of a workflow that runs are started', async () => {
    const body = { subscriber: 'test-and-validate', type: 'github.push' }
    const refused = await w.ask(operator, 'POST /v1/replays', body)
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('runs:write')])
    expect((await w.list(operator, '/v1/jobs')).items).toEqual([])
    const starter = await w.key('acme', ['deliveries:write', 'runs:write'])
    const asked = await w.ask(starter, 'POST /v1/replays', body)
    expect(asked.body.note).toMatch(/a run is started for each event/)
  })

  it('counts beforehand, look by look, and sends nothing', async () => {
    for (let n = 0; n < 7; n++) await push(`p${n}`)
    w.queues.take('analyze-push')
    const body = { subscriber: 'analyze-push', since: '2026-01-10T12:00:00.000Z' }
    const counted = await w.ask(operator, 'POST /v1/replays/count', body)
    expect(counted).toMatchObject({ status: 200, body: { types: {}, left: 0 } })
    w.wait(1000)
    const later = await w.ask(operator, 'POST /v1/replays/count', body)
    expect(later.body).toEqual({ types: { 'github.push': 7 }, left: 0, unreadable: 0 })
    expect(await w.queues.depth('analyze-push')).toBe(0)
    expect((await w.ask(operator, 'POST /v1/replays/count', { ...body, cursor: 'x' })).status).toBe(400)
  })

  it.each([
    [{ subscriber: 'nobody', type: 'github.push' }, 404],
    [{ subscriber: 'analyze-push' }, 422],
    [{ subscriber: 'analyze-push', type: approvalRequested.type }, 422],
    [{ subscriber: 'analyze-push', type: 'github.push', rate: 0 }, 422],
    [{ subscriber: 'analyze-push', type: 'github.push', since: 'yesterday' }, 422],
    [{ subscriber: 'analyze-push', type: 'github.push', typ: 'x' }, 422],
    [{ subscriber: 'track-build', type: testCompleted.type }, 409],
    [{ subscriber: 'redrive', type: 'redrive.requested' }, 409],
  ])('refuses %j with %i', async (body, status) => {
    const refused = await w.ask(operator, 'POST /v1/replays', body)
    expect(refused.status).toBe(status)
    expect((await w.list(operator, '/v1/jobs')).items).toEqual([])
  })

  it('needs deliveries:write, and shows nothing of another project', async () => {
    const reader = await w.key('acme', ['events:read'])
    const body = { subscriber: 'analyze-push', type: 'github.push' }
    expect((await w.ask(reader, 'POST /v1/replays', body)).status).toBe(403)
    expect((await w.ask(reader, 'POST /v1/rebuilds', { subscriber: 'track-run' })).status).toBe(403)
    expect((await w.ask(reader, 'POST /v1/replays/count', body)).status).toBe(200)
    const asked = await w.ask(operator, 'POST /v1/replays', body)
    const foreign = await w.key('other', ['events:read'])
    expect((await w.ask(foreign, `GET /v1/replays/${asked.body.id}`)).status).toBe(404)
  })

  it('stopped by a person, is told of with that', async () => {
    const asked = await w.ask(operator, 'POST /v1/replays', {
      subscriber: 'analyze-push',
      type: 'github.push',
    })
    await w.ask(operator, `POST /v1/jobs/${asked.body.id}/stop`, { reason: 'wrong day' })
    const frames = await w.memory.outbox('acme', `job/${asked.body.id}`)
    expect(frames.map(({ frame }) => outboxFrame.parse(frame).event)).toMatchObject([
      { type: 'replay.requested' },
      {
        type: 'replay.completed',
        data: { state: 'stopped', reason: expect.stringContaining('wrong day'), counts: {} },
      },
      { type: 'job.changed', data: { kind: 'replay', to: 'stopped', reason: 'wrong day' } },
    ])
  })
})

it('of what failed says that it did not come whole', async () => {
  await push('p1')
  await handled('analyze-push')
  w.wait(60_000)
  const { body } = await w.ask(operator, 'POST /v1/replays', {
    subscriber: 'analyze-push',
    since: '2026-01-10T12:00:00.000Z',
  })
  await done(body.id, () =>
    handled('analyze-push', () => Promise.reject(new Failure('Invalid', 'it cannot'))),
  )
  const shown = { state: 'done', incomplete: 'not all events came through: dead 1' }
  expect((await w.ask(operator, `GET /v1/jobs/${body.id}`)).body).toMatchObject(shown)
  expect((await w.ask(operator, `GET /v1/replays/${body.id}`)).body).toMatchObject(shown)
})

describe('POST /v1/rebuilds', () => {
  it('asks for a job of a subscriber of effect state, and of no other', async () => {
    const asked = await w.ask(operator, 'POST /v1/rebuilds', { subscriber: 'track-build', switch: true })
    expect(asked).toMatchObject({ status: 202, body: { kind: 'rebuild', selection: { switch: true } } })
    expect((await w.ask(operator, `GET /v1/replays/${asked.body.id}`)).body).toMatchObject({ step: 'send' })
    const part = { subscriber: 'track-build', switch: true, since: '2026-01-10T12:00:00.000Z' }
    expect((await w.ask(operator, 'POST /v1/rebuilds', part)).status).toBe(422)
    const outside = await w.ask(operator, 'POST /v1/rebuilds', { subscriber: 'notify' })
    expect(outside).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('loadpath replay') },
    })
  })

  it('counts what the live records have in them', async () => {
    await w.put('acme', { id: 't1', type: testCompleted.type, data: testCompleted.example })
    await handled(routeTo('track-build').subscriber, async () => undefined)
    await w.put('acme', { id: 't2', type: testCompleted.type, data: testCompleted.example })
    w.wait(1000)
    const counted = await w.ask(operator, 'POST /v1/rebuilds/count', {
      subscriber: 'track-build',
      since: '2026-01-10T12:00:00.000Z',
    })
    expect(counted.body).toEqual({ types: { 'test.completed': 1 }, left: 1, unreadable: 0 })
  })

  it('shows what it found', async () => {
    const asked = await w.ask(operator, 'POST /v1/rebuilds', {
      subscriber: 'track-build',
      since: '2026-01-10T12:00:00.000Z',
    })
    await done(asked.body.id, async () => undefined)
    expect((await w.ask(operator, `GET /v1/replays/${asked.body.id}`)).body).toMatchObject({
      state: 'done',
      step: 'end',
      report: { different: [], onlyRebuilt: [], onlyLive: [], failed: [] },
    })
  })
})
