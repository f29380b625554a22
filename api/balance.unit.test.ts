import { beforeEach, describe, expect, it } from 'vitest'
import type { Sheet } from '../core/books/balance-sheet.ts'
import { jobWrite } from '../core/job/job.ts'
import { githubPush } from '../events/github.push.ts'
import { type World, world } from '../test/api-world.ts'

const source = 'https://github.com/octo/hello'
const minutes = 60_000

let w: World
let reader: string
beforeEach(async () => {
  w = world()
  reader = await w.key('acme', ['events:read'])
})

const push = (id: string) => w.put('acme', { id, source, type: 'github.push', data: githubPush.example })

/** Recorded, and every message of it lost. */
async function lost(...ids: string[]): Promise<void> {
  for (const id of ids) await push(id)
  for (const subscriber of ['analyze-push', 'test-and-validate']) w.queues.take(subscriber)
}

const done = { state: 'done', attempts: 1, emitted: [] } as const
const mark = (id: string, subscriber: string, replay = '') => {
  const times = { started: w.now(), changed: w.now() }
  return w.history.mark({ project: 'acme', source, id, subscriber, replay }, { ...done, ...times })
}

describe('GET /v1/balance', () => {
  it('says where each expected delivery of the last hour is, and what the sweep did', async () => {
    await push('old')
    w.wait(61 * minutes)
    await lost('a', 'b')
    await mark('a', 'analyze-push')
    w.wait(16 * minutes)
    const { status, body } = await w.ask(reader, 'GET /v1/balance')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      window: { since: '2026-01-10T12:47:00.000Z', until: w.now() },
      sheet: {
        events: { recorded: 2 },
        subscribers: {
          'analyze-push': { expected: 2, done: 1, missing: 1 },
          'test-and-validate': { expected: 2, missing: 2 },
        },
        total: { expected: 4, done: 1, missing: 3 },
        lost: { length: 3 },
        lostMore: 0,
      },
      imbalances: [],
      sweep: { passes: 0, behind: {} },
    })
    expect(body.sheet.lost).toContainEqual(
      expect.objectContaining({
        id: 'b',
        source,
        subscriber: 'analyze-push',
        type: 'github.push',
        standing: 'missing',
      }),
    )
    expect(body).not.toHaveProperty('next')
  })

  it('takes a window and a patience', async () => {
    await lost('a')
    w.wait(2 * minutes)
    const ask = async (query: string): Promise<Sheet['total']> =>
      (await w.ask(reader, `GET /v1/balance?${query}`)).body.sheet.total
    expect(await ask('patience=60')).toMatchObject({ expected: 2, missing: 2 })
    expect(await ask('patience=300')).toMatchObject({ expected: 2, inFlight: 2 })
    expect(await ask('until=2026-01-10T12:30:00Z')).toMatchObject({ expected: 0 })
    expect(await ask('since=2026-01-10T14:30:00%2B02:00&until=2027-01-01T00:00:00Z')).toMatchObject({
      expected: 2,
    })
  })

  it('looks for nothing older than what is kept longest', async () => {
    const { body } = await w.ask(reader, 'GET /v1/balance?since=1753-01-01T00:00:00Z')
    expect(Date.parse(w.now()) - Date.parse(body.window.since)).toBeLessThan(401 * 24 * 60 * minutes)
  })

  it('comes in slices that go on over the same window, whatever came meanwhile', async () => {
    for (let n = 0; n < 12; n++) await push(`p${n}`)
    w.wait(minutes)
    const { fate } = w.history
    w.history.fate = (...asked) => {
      w.wait(4000)
      return fate(...asked)
    }
    const totals: number[] = []
    let cursor = ''
    const windows = new Set<string>()
    do {
      const { body } = await w.ask(reader, `GET /v1/balance${cursor && `?cursor=${cursor}`}`)
      totals.push(body.sheet.total.expected)
      windows.add(JSON.stringify(body.window))
      cursor = body.next ?? ''
      await push(`late ${totals.length}`)
    } while (cursor !== '')
    expect(totals.length).toBeGreaterThan(2)
    expect([totals.reduce((a, b) => a + b), windows.size]).toEqual([24, 1])
  })

  it('of a replay: its deliveries, over its own window, and how far it is', async () => {
    await push('a')
    await mark('a', 'analyze-push')
    await mark('a', 'analyze-push', 'r1')
    w.wait(300 * minutes)
    const job = {
      id: 'r1',
      kind: 'replay' as const,
      subscriber: 'analyze-push',
      by: 'user:ada',
      asked: w.now(),
      rate: 50,
      state: 'done' as const,
      attempt: 1,
      batches: 1,
      request: { source: 's', id: 'i', type: 'replay.requested' },
      selection: {},
      counts: { matched: 1 },
    }
    await w.memory.commit({ writes: [jobWrite('acme', job, 1)], outbox: [] })
    const { body } = await w.ask(reader, 'GET /v1/balance?replay=r1')
    expect(body).toMatchObject({
      replay: { id: 'r1', subscriber: 'analyze-push', state: 'done', counts: { matched: 1 } },
      sheet: { events: { recorded: 1 }, total: { expected: 1, done: 1 } },
    })
    const other = await w.ask(reader, 'GET /v1/balance?replay=unknown&since=2026-01-10T00:00:00Z')
    expect(other).toMatchObject({ status: 404, body: { detail: 'there is no replay unknown' } })
  })

  it.each([
    ['since=2026-02-01T00:00:00Z', 'query.since', 422],
    ['since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z', 'query.since', 422],
    ['since=yesterday', 'query.since', 422],
    ['patience=-1', 'query.patience', 422],
    ['patience=999999', 'query.patience', 422],
    ['cursor=abc', 'query.cursor', 400],
  ])('%s is refused, with where', async (query, path, status) => {
    expect(await w.ask(reader, `GET /v1/balance?${query}`)).toMatchObject({
      status,
      body: { faults: [{ path }] },
    })
  })

  it('is one’s own project’s, and needs events:read', async () => {
    await lost('a')
    w.wait(16 * minutes)
    const other = await w.key('other', ['events:read'])
    expect((await w.ask(other, 'GET /v1/balance')).body.sheet.total.expected).toBe(0)
    expect((await w.ask(await w.key('acme', ['runs:read']), 'GET /v1/balance')).status).toBe(403)
  })
})

describe('POST /v1/balance/mend', () => {
  it('sends on what was named, and says what became of each', async () => {
    await lost('a', 'b')
    await mark('b', 'analyze-push')
    w.wait(16 * minutes)
    const writer = await w.key('acme', ['deliveries:write'])
    const deliveries = ['a', 'b', 'c'].map((id) => ({ source, id, subscriber: 'analyze-push' }))
    const { status, body } = await w.ask(writer, 'POST /v1/balance/mend', { deliveries })
    expect(status).toBe(200)
    expect(body.items).toEqual([
      { ...deliveries[0], outcome: 'sent' },
      { ...deliveries[1], outcome: 'already', detail: 'done' },
      { ...deliveries[2], outcome: 'no such event' },
    ])
    expect(w.queues.take('analyze-push')).toHaveLength(1)
    expect((await w.ask(reader, 'POST /v1/balance/mend', { deliveries })).status).toBe(403)
    expect((await w.ask(writer, 'POST /v1/balance/mend', { deliveries: [] })).status).toBe(422)
  })
})
