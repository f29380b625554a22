import { beforeEach, describe, expect, it } from 'vitest'
import { writeId } from '../core/path-id.ts'
import { githubPush } from '../events/github.push.ts'
import { repositoryAnalyzed } from '../events/repository.analyzed.ts'
import { type World, world } from '../test/api-world.ts'

let w: World
let reader: string
let foreign: string
beforeEach(async () => {
  w = world()
  reader = await w.key('acme', ['events:read'])
  foreign = await w.key('other', ['events:read'])
})

const push = {
  id: 'push-1',
  source: 'https://github.com/octo/hello',
  type: 'github.push',
  data: githubPush.example,
}
const ids = (items: { id?: unknown }[]) => items.map(({ id }) => id)

describe('GET /v1/events', () => {
  it('lists newest first, page by page, and nothing of another project', async () => {
    for (let n = 0; n < 25; n++) {
      await w.put('acme', { id: `e${n}` })
      w.wait(20 * 60_000)
    }
    const { items, pages } = await w.list(reader, '/v1/events?limit=4&since=2026-01-10T00:00:00Z')
    expect(ids(items)).toEqual(Array.from({ length: 25 }, (_, n) => `e${24 - n}`))
    expect(pages).toBeGreaterThan(6)
    expect(items[0]).toEqual({
      source: 'urn:test',
      id: 'e24',
      type: 'a.b',
      received: '2026-01-10T20:30:00.000Z',
      partitionkey: 'e24',
      correlationid: 'e24',
    })
    expect((await w.list(foreign, '/v1/events?since=2026-01-10T00:00:00Z')).items).toEqual([])
  })

  it('filters', async () => {
    await w.put('acme', { id: '1', partitionkey: 'issue/1' })
    await w.put('acme', push)
    const since = 'since=2026-01-10T00:00:00Z'
    expect(ids((await w.list(reader, `/v1/events?${since}&type=github.push`)).items)).toEqual(['push-1'])
    expect(ids((await w.list(reader, `/v1/events?${since}&key=issue%2F1`)).items)).toEqual(['1'])
    expect((await w.list(reader, '/v1/events?since=2026-01-10T12:30:00.001Z')).items).toEqual([])
  })
})

describe('GET /v1/events/{id}', () => {
  it('shows the event with its data, and who waits for it', async () => {
    await w.put('acme', push)
    const { status, body } = await w.ask(reader, 'GET /v1/events/push-1')
    expect(status).toBe(200)
    expect(body.event).toMatchObject({
      id: 'push-1',
      type: 'github.push',
      door: 'http',
      data: { ref: 'refs/heads/master' },
    })
    expect(body.expects).toEqual(['analyze-push', 'test-and-validate'])
    expect(body.deliveries).toEqual([
      { subscriber: 'analyze-push', replay: '', state: 'waiting', expected: true, attempts: 0 },
      { subscriber: 'test-and-validate', replay: '', state: 'waiting', expected: true, attempts: 0 },
    ])
  })

  it('takes a large body from the bucket, and says when it is gone', async () => {
    const data = { text: 'ü'.repeat(60_000) }
    const outcome = await w.put('acme', { id: 'large', data })
    const ref = outcome && 'event' in outcome ? (outcome.event.dataref ?? '') : ''
    expect((await w.ask(reader, 'GET /v1/events/large')).body.event.data).toEqual(data)
    w.bodies.remove(ref)
    expect((await w.ask(reader, 'GET /v1/events/large')).body).toMatchObject({
      bodyGone: true,
      event: { dataref: ref },
    })
  })

  it('404 for what is not there and for what is another project’s', async () => {
    await w.put('acme', { id: '1' })
    expect((await w.ask(reader, 'GET /v1/events/2')).status).toBe(404)
    expect((await w.ask(foreign, 'GET /v1/events/1')).status).toBe(404)
    expect((await w.ask(foreign, 'GET /v1/events/1?source=urn:test')).status).toBe(404)
    expect((await w.ask(foreign, 'GET /v1/events/1/fate')).status).toBe(404)
    expect((await w.ask(foreign, 'GET /v1/trace/1')).status).toBe(404)
  })

  it('409 with the sources when several sent this id', async () => {
    await w.put('acme', { id: '1', source: 'a' })
    await w.put('acme', { id: '1', source: 'b' })
    const { status, body } = await w.ask(reader, 'GET /v1/events/1')
    expect(status).toBe(409)
    expect(body.faults.map((fault: { expected: string }) => fault.expected)).toEqual(['a', 'b'])
    expect((await w.ask(reader, 'GET /v1/events/1?source=b')).body.event.source).toBe('b')
  })

  it.each(['issue/123', 'a?b#c', '50%', 'naïve id', 'base64url:x'])('finds the id %s', async (id) => {
    await w.put('acme', { id })
    expect((await w.ask(reader, `GET /v1/events/${writeId(id)}`)).body.event?.id).toBe(id)
    expect((await w.ask(reader, `GET /v1/trace/${writeId(id)}`)).body.story).toBe(id)
  })

  it('400 for an id that is encoded badly', async () => {
    expect((await w.ask(reader, 'GET /v1/events/base64url:_w')).status).toBe(400)
  })
})

describe('GET /v1/events/{id}/fate and /v1/trace/{id}', () => {
  const delivery = { project: 'acme', source: push.source, id: push.id, replay: '' }
  const mark = { attempts: 1, started: '2026-01-10T12:30:01.000Z', changed: '2026-01-10T12:30:02.000Z' }

  beforeEach(async () => {
    await w.put('acme', push)
    await w.history.insertDeliveries([
      {
        ...delivery,
        subscriber: 'analyze-push',
        ...mark,
        state: 'dead',
        reason: 'no such branch',
        emitted: [],
      },
      { ...delivery, subscriber: 'test-and-validate', ...mark, state: 'done', emitted: [], run: 'r1' },
    ])
  })

  it('tell states, reasons and runs', async () => {
    const { body } = await w.ask(reader, 'GET /v1/events/push-1/fate')
    expect(body.event).toMatchObject({ door: 'http', actor: 'user:test' })
    expect(body.deliveries).toMatchObject([
      { subscriber: 'analyze-push', state: 'dead', reason: 'no such branch', emitted: [] },
      { subscriber: 'test-and-validate', state: 'done', run: { run: 'r1', status: 'starting' } },
    ])
    const trace = await w.ask(reader, 'GET /v1/trace/push-1')
    expect(trace.body).toMatchObject({
      story: 'push-1',
      events: 1,
      roots: [{ event: { id: 'push-1' }, deliveries: [{ state: 'dead' }, { state: 'done' }], caused: [] }],
    })
    expect(trace.body).not.toHaveProperty('next')
  })

  it('a long story goes on', async () => {
    for (let n = 0; n < 7; n++) await w.put('acme', { id: `n${n}`, correlationid: 'push-1' })
    const first = await w.ask(reader, 'GET /v1/trace/push-1?limit=5')
    expect(first.body.events).toBe(6)
    const second = await w.ask(reader, `GET /v1/trace/push-1?limit=5&cursor=${first.body.next}`)
    expect(second.body.events).toBe(2)
    expect(second.body).not.toHaveProperty('next')
  })

  it('an event that was refused is said to be in quarantine', async () => {
    await w.put('acme', { id: 'forged', type: repositoryAnalyzed.type, data: repositoryAnalyzed.example })
    const { status, body } = await w.ask(reader, 'GET /v1/events/forged/fate')
    expect(status).toBe(404)
    expect(body.detail).toMatch(/in quarantine as [0-9a-f]{64} \(forged\)/)
    expect(body.faults).toEqual([expect.objectContaining({ path: 'type' })])
  })
})

describe('deliveries, dead letters and quarantine', () => {
  const mark = (id: string, subscriber: string, state: 'dead' | 'retrying', minute: number) =>
    w.history.mark(
      { project: 'acme', source: 'urn:test', id, subscriber, replay: '' },
      {
        state,
        attempts: 5,
        started: '2026-01-10T12:00:00.000Z',
        changed: `2026-01-10T12:${String(minute).padStart(2, '0')}:00.000Z`,
        reason: 'it broke',
        emitted: [],
      },
    )

  beforeEach(async () => {
    for (let n = 0; n < 5; n++) {
      await w.put('acme', { id: `d${n}` })
      await mark(`d${n}`, 'notify', 'dead', n)
    }
    await mark('d1', 'publish', 'retrying', 9)
    await mark('d2', 'publish', 'dead', 10)
  })

  it('list over subscribers and states, page by page', async () => {
    const { items, pages } = await w.list(reader, '/v1/deliveries?limit=2')
    expect(items.map(({ id, subscriber, state }) => `${id} ${subscriber} ${state}`)).toEqual([
      'd0 notify dead',
      'd1 notify dead',
      'd2 notify dead',
      'd3 notify dead',
      'd4 notify dead',
      'd1 publish retrying',
      'd2 publish dead',
    ])
    expect(pages).toBeGreaterThan(3)
    expect(items[0]).not.toHaveProperty('project')
    expect((await w.ask(foreign, 'GET /v1/deliveries')).body).toEqual({ items: [], unreadable: [] })
  })

  it('filter by subscriber and state', async () => {
    expect(ids((await w.list(reader, '/v1/deliveries?state=retrying')).items)).toEqual(['d1'])
    expect(ids((await w.list(reader, '/v1/dead-letters?subscriber=publish&limit=1')).items)).toEqual(['d2'])
    expect((await w.ask(reader, 'GET /v1/deliveries?state=done')).status).toBe(422)
  })

  it('show a dead letter with its event', async () => {
    const { body } = await w.ask(reader, 'GET /v1/dead-letters/d0')
    expect(body).toMatchObject({
      delivery: { subscriber: 'notify', reason: 'it broke' },
      event: { id: 'd0' },
    })
    const two = await w.ask(reader, 'GET /v1/dead-letters/d2')
    expect(two.status).toBe(409)
    expect(two.body.faults.map((fault: { expected: string }) => fault.expected)).toEqual([
      'notify (dead)',
      'publish (dead)',
    ])
    const one = await w.ask(reader, 'GET /v1/dead-letters/d2?subscriber=publish')
    expect(one.body.delivery.subscriber).toBe('publish')
    expect((await w.ask(reader, 'GET /v1/dead-letters/d1?subscriber=publish')).status).toBe(404)
    expect((await w.ask(foreign, 'GET /v1/dead-letters/d0')).status).toBe(404)
  })

  it('quarantine: list without the text, show with it', async () => {
    for (const n of [1, 2, 3]) await w.put('acme', { ...push, id: `bad${n}`, data: { ...push.data, ref: n } })
    const { items, pages } = await w.list(reader, '/v1/quarantine?limit=2')
    expect(ids(items).toSorted()).toEqual(['bad1', 'bad2', 'bad3'])
    expect(pages).toBe(2)
    expect(items[0]).not.toHaveProperty('raw')
    const shown = await w.ask(reader, `GET /v1/quarantine/${items[0]?.digest}`)
    expect(shown.body).toMatchObject({
      reason: 'invalid',
      faults: [{ path: 'data.ref', expected: 'string' }],
    })
    expect(JSON.parse(shown.body.raw)).toMatchObject({ type: 'github.push' })
    expect((await w.ask(foreign, `GET /v1/quarantine/${items[0]?.digest}`)).status).toBe(404)
  })

  it('quarantine: a large text comes from the bucket', async () => {
    const text = 'x'.repeat(100_000)
    await w.put('acme', { ...push, id: 'large', data: { text } })
    const [entry] = (await w.list(reader, '/v1/quarantine')).items
    expect((await w.ask(reader, `GET /v1/quarantine/${entry?.digest}`)).body.raw).toContain(text)
  })
})

describe('GET /v1/routes', () => {
  it('tells who gets what', async () => {
    const { body } = await w.ask(reader, 'GET /v1/routes')
    expect(body.items).toContainEqual(
      expect.objectContaining({
        subscriber: 'analyze-push',
        kind: 'function',
        types: ['github.push'],
        conditional: ['github.push'],
        emits: ['repository.analyzed'],
      }),
    )
  })
})
