import { describe, expect, it } from 'vitest'
import { byBus, emit, envelope, push, queued } from '../../test/arrivals.ts'
import { noon, world } from '../../test/world.ts'

const recorded = async (body: unknown, accounts = {}) => {
  const outcome = await world().one(queued(body, accounts))
  if (!('event' in outcome)) throw new Error(`not recorded: ${JSON.stringify(outcome)}`)
  return outcome.event
}

describe('a plain event on the bus', () => {
  it('is wrapped into a CloudEvent: its detail is the data, its detail-type the type', async () => {
    expect(await recorded(envelope({ order: 1 }))).toMatchObject({
      specversion: '1.0',
      project: 'main',
      id: 'eb-1',
      source: 'acme.shop',
      type: 'acme.ordered',
      time: '2026-01-01T11:59:59Z',
      received: noon,
      door: 'bus',
      data: { order: 1 },
      actor: 'service:aws/111122223333',
      unknown: true,
    })
  })

  it.each([
    ['text', 'hello'],
    ['a list', [1, 2]],
    ['null', null],
  ])('may have %s as its detail', async (_, detail) => {
    expect((await recorded(envelope(detail))).data).toEqual(detail)
  })

  it('may have a source with spaces, which no URI has', async () => {
    expect((await recorded(envelope({}, { source: 'my own shop' }))).source).toBe('my_own_shop')
  })
})

describe('a CloudEvent in the detail', () => {
  it('is taken as it is, whatever the envelope says of itself', async () => {
    expect(await recorded(envelope(push('p1')))).toMatchObject({
      id: 'p1',
      source: 'https://github.com/octo/hello',
      type: 'github.push',
      door: 'bus',
    })
  })

  it('that is none after all is quarantined with where and why', async () => {
    const w = world()
    expect(await w.one(byBus({ specversion: '0.3', id: 'x' }))).toMatchObject({
      status: 'quarantined',
      reason: 'invalid',
      faults: expect.arrayContaining([expect.objectContaining({ path: 'specversion', got: '"0.3"' })]),
    })
    expect(w.quarantined()).toMatchObject([{ id: 'x', door: 'bus', project: 'main' }])
  })
})

describe('the account map', () => {
  const accounts = { '111122223333': 'shop' }

  it('says which project an account puts its events into', async () => {
    expect((await recorded(envelope({}), accounts)).project).toBe('shop')
  })

  it('leaves accounts that it does not name to main', async () => {
    expect((await recorded(envelope({}, { account: '999' }), accounts)).project).toBe('main')
  })

  it('keeps what is invalid in the project of its account, too', async () => {
    const w = world()
    await w.one(queued(envelope({ specversion: '1.0' }), accounts))
    expect(w.quarantined()).toMatchObject([{ project: 'shop' }])
  })
})

describe('a message on the record queue', () => {
  it.each([
    ['no JSON', '{"door":'],
    ['empty', ''],
    ['a number', '7'],
    ['null', 'null'],
    ['an object of nobody', '{"hello":"world"}'],
    ['a frame of a door that there is not', '{"door":"window","project":"main"}'],
    ['a frame without its event', '{"door":"emit","project":"main","by":"analyze"}'],
    ['nested too deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('that is %s is quarantined as unreadable, as it came', async (_, body) => {
    const w = world()
    expect(await w.one(queued(body))).toMatchObject({ status: 'quarantined', reason: 'unreadable' })
    const [kept] = w.quarantined()
    const raw = kept?.rawref ? Buffer.from((await w.stores.bodies.get(kept.rawref)) ?? []) : kept?.raw
    expect(String(raw)).toBe(body)
    expect(kept?.faults.length).toBeGreaterThan(0)
  })

  it('is an envelope when it looks like one: nobody frames from the bus', async () => {
    const w = world()
    const frame = emit({ source: 's', id: 'p1' })
    expect(await w.one(queued({ ...envelope(frame), ...frame }))).toMatchObject({
      status: 'recorded',
      event: { door: 'bus', type: 'acme.ordered', source: 'acme.shop' },
    })
  })

  it('that was kept from an HTTP request keeps its project, sender and time', async () => {
    const received = '2026-01-01T11:00:00.000Z'
    const frame = { door: 'http', project: 'shop', actor: 'user:k9', received, event: push() }
    expect(await recorded(frame)).toMatchObject({ project: 'shop', actor: 'user:k9', received, door: 'http' })
  })

  it('that was kept from an HTTP request and is invalid is quarantined: nobody hears an answer', async () => {
    const w = world()
    const frame = {
      door: 'http',
      project: 'shop',
      actor: 'user:k9',
      received: noon,
      event: push('p', { id: '' }),
    }
    expect(await w.one(queued(frame))).toMatchObject({ status: 'quarantined', reason: 'invalid' })
  })

  it('from a handler is by that service', async () => {
    expect(await recorded(emit({ source: 's', id: 'p1' }))).toMatchObject({
      actor: 'service:analyze',
      door: 'emit',
      received: noon,
    })
  })
})
