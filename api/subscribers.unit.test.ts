import { beforeEach, describe, expect, it } from 'vitest'
import { outboxFrame } from '../core/frame.ts'
import { open } from '../core/hold/circuit.ts'
import { controlOf, controlWrite } from '../core/hold/control.ts'
import { routes } from '../events/routes.ts'
import { type World, world } from '../test/api-world.ts'

let w: World
let operator: string
beforeEach(async () => {
  w = world()
  operator = await w.key('acme', ['deliveries:write', 'events:read'])
})

const named = async (subscriber: string, credential = operator) => {
  const { items } = await w.list(credential, '/v1/subscribers')
  return items.find((item) => item.subscriber === subscriber)
}

const mark = (state: 'parked' | 'dead', id: string, subscriber = 'notify') =>
  w.history.mark(
    { project: 'acme', source: 's', id, subscriber, replay: '' },
    { state, attempts: 1, started: w.now(), changed: w.now(), emitted: [] },
  )

const told = async (key: string) =>
  (await w.memory.outbox('acme', key)).map(({ frame }) => outboxFrame.parse(frame))

describe('the list of subscribers', () => {
  it('names each of the routes, with what waits for it', async () => {
    await mark('parked', 'a')
    await mark('dead', 'b')
    await w.queues.send('notify', ['x', 'y'])
    const { items } = await w.list(operator, '/v1/subscribers')
    expect(items.map(({ subscriber }) => subscriber)).toEqual(routes.map(({ subscriber }) => subscriber))
    expect(await named('notify')).toMatchObject({
      kind: 'function',
      effect: 'outside',
      ordered: false,
      attempts: 8,
      circuits: [],
      open: { retrying: 0, parked: 1, dead: 1 },
      oldest: w.now(),
      queued: 2,
    })
    expect((await named('redrive'))?.unpausable).toMatch(/^it sends what/)
  })

  it('shows open circuits', async () => {
    const state = open(controlOf(undefined), { downstream: 'api', reason: 'no answer', now: w.now() })?.next
    if (state === undefined) throw new Error('not opened')
    const write = controlWrite({ project: 'acme', subscriber: 'publish' }, undefined, state)
    await w.memory.commit({ writes: [write], outbox: [] })
    expect((await named('publish'))?.circuits).toEqual([
      {
        downstream: 'api',
        state: 'open',
        since: w.now(),
        reason: 'no answer',
        probeAt: '2026-01-10T12:30:30.000Z',
        probes: 0,
      },
    ])
    const resumed = await w.ask(operator, 'POST /v1/subscribers/publish/resume', { circuits: true })
    expect(resumed).toMatchObject({ status: 200, body: { items: [{ changed: true, closed: ['api'] }] } })
    expect((await named('publish'))?.circuits).toEqual([])
  })
})

describe('pause and resume', () => {
  it('are told, shown, and of their own project only', async () => {
    const paused = await w.ask(operator, 'POST /v1/subscribers/notify/pause', { reason: ' a move ' })
    expect(paused).toMatchObject({
      status: 200,
      body: { items: [{ subscriber: 'notify', changed: true, paused: { at: w.now(), reason: 'a move' } }] },
    })
    expect(await named('notify')).toMatchObject({ paused: { reason: 'a move' } })
    const foreign = await w.key('other', ['events:read'])
    expect((await named('notify', foreign))?.paused).toBeUndefined()
    const again = await w.ask(operator, 'POST /v1/subscribers/notify/pause', {})
    expect(again.body.items).toMatchObject([{ changed: false, paused: { reason: 'a move' } }])

    await mark('parked', 'a')
    const resumed = await w.ask(operator, 'POST /v1/subscribers/notify/resume', { rate: 7 })
    expect(resumed).toMatchObject({ status: 200, body: { items: [{ changed: true }] } })
    const { job } = resumed.body.items[0]
    expect(await told(`job/${job}`)).toMatchObject([
      { actor: expect.stringMatching(/^user:/), event: { data: { state: 'parked', rate: 7 } } },
    ])
    expect(await told('control/notify')).toMatchObject([
      { sequence: 1, event: { type: 'subscriber.paused' } },
      { sequence: 2, event: { type: 'subscriber.resumed', data: { job, rate: 7 } } },
    ])
  })

  it('take all at once, but those that cannot be paused', async () => {
    const unsaid = await w.ask(operator, 'POST /v1/subscribers/all/pause', {})
    expect(unsaid).toMatchObject({ status: 422, body: { faults: [{ path: 'reason' }] } })
    expect((await named('notify'))?.paused).toBeUndefined()
    const { body } = await w.ask(operator, 'POST /v1/subscribers/all/pause', { reason: 'a move' })
    const names = body.items.map(({ subscriber }: { subscriber: string }) => subscriber)
    expect(names).toContain('test-and-validate')
    expect(names).not.toContain('redrive')
    expect((await w.ask(operator, 'POST /v1/subscribers/all/resume', {})).body.items).toHaveLength(
      names.length,
    )
  })

  it('404 for an unknown one, with the known ones; 409 for one that cannot be', async () => {
    const unknown = await w.ask(operator, 'POST /v1/subscribers/notfy/pause', {})
    expect(unknown).toMatchObject({
      status: 404,
      body: {
        detail: 'there is no subscriber notfy',
        faults: [{ expected: expect.stringContaining('notify') }],
      },
    })
    expect((await w.ask(operator, 'POST /v1/subscribers/redrive/pause', {})).status).toBe(409)
  })

  it('422 for a rate that is none, an empty reason and members that nobody knows', async () => {
    for (const [command, body] of [
      ['resume', { rate: 0 }],
      ['resume', { rate: 1.5 }],
      ['resume', { circuit: true }],
      ['pause', { reason: ' ' }],
    ] as const) {
      const answer = await w.ask(operator, `POST /v1/subscribers/notify/${command}`, body)
      expect(answer.status).toBe(422)
    }
    expect(await told('control/notify')).toEqual([])
  })

  it('403 without the scope', async () => {
    const reader = await w.key('acme', ['events:read', 'runs:write'])
    expect((await w.ask(reader, 'POST /v1/subscribers/notify/pause', {})).status).toBe(403)
    expect((await w.ask(reader, 'POST /v1/subscribers/notify/resume', {})).status).toBe(403)
  })
})
