import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { deliveryTo, deployedStage, eventually, pushPayload } from './stage.ts'

const stage = deployedStage()

const about = { repository: 'octo/doors', branch: 'main', commit: 'abc', suite: 'unit' }
const tests = (change: object = {}) => ({
  specversion: '1.0',
  id: randomUUID(),
  source: 'https://ci.example.com',
  type: 'test.completed',
  data: { ...about, passed: 1, failed: 0, skipped: 0 },
  ...change,
})
const asBatch = { 'content-type': 'application/cloudevents-batch+json' }
const asEvent = { 'content-type': 'application/cloudevents+json' }

describe('POST /events', () => {
  it('answers once the event is in the history, and handles it', async () => {
    const event = tests()
    const answer = await stage.call('POST', '/events', event, asEvent)
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'recorded', id: event.id } })
    const identity = { project: 'main', source: event.source, id: event.id }
    expect((await stage.history.fate(identity)).stored).toBeDefined()
    expect(deliveryTo(await stage.settled(identity), 'track-build')).toMatchObject({ state: 'done' })
  })

  it('takes an older version of a type, keeps it as sent and handles it as the newest', async () => {
    const event = tests({ data: { ...about, total: 3, failures: 1 } })
    await stage.call('POST', '/events', event, asEvent)
    const fate = await stage.settled({ project: 'main', source: event.source, id: event.id })
    expect(fate.stored?.event).toMatchObject({ dataversion: 1, data: { total: 3, failures: 1 } })
    expect(deliveryTo(fate, 'track-build')).toMatchObject({ state: 'done' })
  })

  it('answers a batch one by one and in order', async () => {
    const good = tests()
    const bad = tests({ data: { ...about, passed: 'three', failed: 0, skipped: 0 } })
    const { status, body } = await stage.call('POST', '/events', [good, bad, good], asBatch)
    expect(status).toBe(207)
    expect(body).toMatchObject([
      { status: 202, outcome: 'recorded' },
      { status: 422, faults: [{ path: 'data.passed', expected: 'number', got: '"three"' }] },
      { status: 202, outcome: 'known' },
    ])
  })

  it('refuses the same identity with other content and keeps the first', async () => {
    const event = tests()
    await stage.call('POST', '/events', event, asEvent)
    const other = { ...event, data: { ...event.data, passed: 2 } }
    expect(await stage.call('POST', '/events', other, asEvent)).toMatchObject({
      status: 409,
      type: 'application/problem+json',
    })
    expect(
      await stage.call('POST', '/events', { ...other, source: 'https://other.example.com' }, asEvent),
    ).toMatchObject({
      status: 202,
    })
  })

  it('records a type that nobody declared, as it is and for nobody', async () => {
    const event = tests({ type: 'weather.changed', data: { to: 'rain' } })
    expect((await stage.call('POST', '/events', event, asEvent)).status).toBe(202)
    const fate = await stage.history.fate({ project: 'main', source: event.source, id: event.id })
    expect(fate.stored).toMatchObject({ event: { unknown: true, data: { to: 'rain' } }, expects: [] })
  })

  it.each([
    ['a type of ours', { type: 'repository.analyzed' }, 422],
    ['a foreign dataref', { dataref: 's3://elsewhere/body' }, 422],
    ['a project of its own choice', { project: 'other' }, 422],
    ['a time in 1970', { time: '1970-01-01T00:00:00Z' }, 202],
    ['a time in 2099', { time: '2099-01-01T00:00:00Z' }, 202],
    ['a version that is not known yet', { dataschema: 'https://example.com/test.completed/9' }, 503],
  ])('%s', async (_, change, status) => {
    expect((await stage.call('POST', '/events', tests(change), asEvent)).status).toBe(status)
  })

  it.each([
    ['JSON that breaks off', '{"specversion":', asEvent, 400],
    ['a batch of nothing', '[]', asBatch, 400],
    ['XML', '<event/>', { 'content-type': 'application/xml' }, 415],
    ['no key', JSON.stringify(tests()), { ...asEvent, authorization: '' }, 401],
    [
      'a key that nobody has made',
      JSON.stringify(tests()),
      { ...asEvent, authorization: 'Bearer lp_abcdefgh_00' },
      401,
    ],
  ])('%s', async (_, body, headers, status) => {
    expect(await stage.call('POST', '/events', body, headers)).toMatchObject({
      status,
      type: 'application/problem+json',
      body: { status, title: expect.any(String), detail: expect.any(String) },
    })
  })

  it('takes no more from a key that was revoked, and none from one without the scope', async () => {
    const { body: reader } = await stage.call('POST', '/v1/keys', { name: 'reader', scopes: ['events:read'] })
    const asReader = { ...asEvent, authorization: `Bearer ${reader.key}` }
    expect((await stage.call('POST', '/events', tests(), asReader)).status).toBe(403)
    const { body: writer } = await stage.call('POST', '/v1/keys', {
      name: 'writer',
      scopes: ['events:write'],
    })
    expect((await stage.call('DELETE', `/v1/keys/${writer.id}`)).status).toBeLessThan(300)
    const asWriter = { ...asEvent, authorization: `Bearer ${writer.key}` }
    expect((await stage.call('POST', '/events', tests(), asWriter)).status).toBe(401)
  })

  it('takes large bodies by their bytes: over 64 KB to the bucket, over 1 MB not at all', async () => {
    const large = tests({ type: 'blob.sent', data: { text: 'ö'.repeat(150_000) } })
    expect((await stage.call('POST', '/events', large, asEvent)).status).toBe(202)
    const fate = await stage.history.fate({ project: 'main', source: large.source, id: large.id })
    expect(fate.stored?.event).toMatchObject({ dataref: expect.any(String) })
    const shown = await stage.call('GET', `/v1/events/${large.id}`)
    expect(shown.body.event.data.text).toHaveLength(150_000)
    const tooLarge = tests({ data: { text: 'x'.repeat(2_000_000) } })
    expect((await stage.call('POST', '/events', tooLarge, asEvent)).status).toBe(413)
    const ten = Array.from({ length: 10 }, () =>
      tests({ type: 'blob.sent', data: { text: 'x'.repeat(190_000) } }),
    )
    const { status, body } = await stage.call('POST', '/events', ten, asBatch)
    expect({ status, outcomes: body.map(({ outcome }: { outcome: string }) => outcome) }).toEqual({
      status: 202,
      outcomes: Array(10).fill('recorded'),
    })
  })
})

describe('POST /webhooks/github', () => {
  it.each([
    ['sha256='],
    ['sha256=00'],
    ['sha1=0000000000000000000000000000000000000000'],
    [`sha256=${'0'.repeat(64)}`],
  ])('answers 401 to the signature %s', async (signature) => {
    expect(await stage.webhook('push', pushPayload(), { signature })).toMatchObject({ status: 401 })
  })

  it('keeps every event that GitHub sends, also one that is no valid push', async () => {
    const push = pushPayload({ ref: 'main' })
    const { status, body } = await stage.webhook('push', push)
    expect({ status, body }).toMatchObject({
      status: 202,
      body: { outcome: 'quarantined', faults: [{ path: 'data.ref' }] },
    })
    expect((await stage.call('GET', `/v1/quarantine/${body.digest}`)).status).toBe(200)
    const starred = await stage.webhook('star', {
      action: 'created',
      repository: { full_name: 'octo/doors' },
    })
    expect(starred).toMatchObject({ status: 202, body: { outcome: 'recorded', type: 'github.star.created' } })
  })

  it('does not run the same signed body again under a new delivery id', async () => {
    const push = pushPayload()
    const first = await stage.webhook('push', push)
    const second = await stage.webhook('push', push)
    expect(second).toMatchObject({ status: 200, body: { outcome: 'duplicate', duplicateof: first.delivery } })
    const { source } = second.body
    expect(
      (await stage.history.fate({ project: 'main', source, id: second.delivery })).stored?.expects,
    ).toEqual([])
  })
})

describe('PutEvents onto the inbox bus', () => {
  it('takes a CloudEvent as it is and wraps plain detail', async () => {
    const event = tests()
    const plainSource = `app-${randomUUID()}`
    await stage.putEvents([
      { source: 'ci', type: 'anything', detail: event },
      { source: plainSource, type: 'Order Placed', detail: { order: 7 } },
    ])
    const fate = await stage.settled({ project: 'main', source: event.source, id: event.id })
    expect(fate.stored?.event).toMatchObject({ door: 'bus', type: 'test.completed' })
    await eventually(async () => {
      const { body } = await stage.call('GET', '/v1/events?type=Order%20Placed')
      expect(body.items).toContainEqual(expect.objectContaining({ source: plainSource }))
    })
  })

  it('quarantines an invalid push once, delivers it to nobody and runs nothing', async () => {
    const id = randomUUID()
    const invalid = tests({ id, type: 'github.push', data: { ref: 'refs/heads/main' } })
    await stage.putEvents([{ source: 'x', type: 'x', detail: invalid }])
    const entry = await eventually(async () => {
      const { body } = await stage.call('GET', '/v1/quarantine?limit=100')
      const found = body.items.find((item: { id?: string }) => item.id === id)
      expect(found).toMatchObject({ reason: 'invalid', type: 'github.push' })
      return found
    })
    expect(entry.faults.length).toBeGreaterThan(0)
    expect(await stage.history.fate({ project: 'main', source: invalid.source, id })).toEqual({
      stored: undefined,
      deliveries: [],
    })
  })

  it('keeps a forged event of ours out', async () => {
    const id = randomUUID()
    await stage.putEvents([{ source: 'x', type: 'x', detail: tests({ id, type: 'rollback.decided' }) }])
    await eventually(async () => {
      const { body } = await stage.call('GET', '/v1/quarantine?limit=100')
      expect(body.items).toContainEqual(expect.objectContaining({ id, reason: 'forged' }))
    })
  })
})
