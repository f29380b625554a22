import { beforeEach, describe, expect, it } from 'vitest'
import { githubPush } from '../events/github.push.ts'
import { testCompleted } from '../events/test.completed.ts'
import { type World, world } from '../test/api-world.ts'

let w: World
let writer: string
let reader: string
beforeEach(async () => {
  w = world()
  reader = await w.key('acme', ['events:read'])
  writer = await w.key('acme', ['deliveries:write', 'events:read'])
})

const bad = { ...githubPush.example, ref: 'main' }

/** A webhook that does not fit; answers its digest. */
async function webhook(id: string, data: unknown = bad, type = 'github.push'): Promise<string> {
  const outcome = await w.put('acme', { id, source: 'https://github.com/octo/hello', type, data })
  return outcome?.status === 'quarantined' ? outcome.digest : `it is ${outcome?.status}`
}

const post = (path: string, body: unknown = {}) => w.ask(writer, `POST /v1/quarantine/${path}`, body)

describe('one of them', () => {
  it('is redriven, and stays when the gate still refuses it', async () => {
    const digest = await webhook('a')
    const faults = [{ path: 'data.ref', got: '"main"' }]
    expect(await post(`${digest}/redrive`, { dryRun: true })).toMatchObject({
      status: 200,
      body: { digest, outcome: 'refused', reason: 'invalid', faults },
    })
    expect(await post(`${digest}/redrive`)).toMatchObject({
      status: 422,
      type: 'application/problem+json',
      body: { detail: 'it stays in quarantine: invalid', faults },
    })
    expect((await w.list(reader, '/v1/quarantine')).items).toHaveLength(1)
  })

  it('is edited, recorded and settled; the second time it says who did that', async () => {
    const digest = await webhook('a')
    const edit = { data: githubPush.example }
    expect(await post(`${digest}/edit`, { ...edit, dryRun: true })).toMatchObject({
      body: { outcome: 'recorded' },
    })
    expect((await w.list(reader, '/v1/quarantine')).items).toHaveLength(1)
    expect(await post(`${digest}/edit`, edit)).toMatchObject({
      status: 200,
      body: { outcome: 'recorded', event: { id: 'a', type: 'github.push' }, settled: { state: 'recorded' } },
    })
    expect(w.queues.take('analyze-push')).toHaveLength(1)
    expect((await w.list(reader, '/v1/quarantine')).items).toEqual([])
    expect((await w.ask(reader, `GET /v1/quarantine/${digest}`)).body).toMatchObject({
      raw: expect.any(String),
      settled: { state: 'recorded', by: expect.stringMatching(/^user:/) },
    })
    expect(await post(`${digest}/edit`, edit)).toMatchObject({ body: { outcome: 'already' } })
    expect((await w.list(reader, '/v1/quarantine/settled')).items).toMatchObject([
      { digest, reason: 'invalid', type: 'github.push', settled: { state: 'recorded' } },
    ])
    const outbox = await w.memory.outbox('acme', `quarantine/${digest}`)
    expect(outbox).toMatchObject([{ frame: { event: { type: 'quarantine.released' } } }])
  })

  it('is edited as a whole text, or with data that is null, and not with both or neither', async () => {
    const digest = await webhook('a')
    const { raw } = (await w.ask(reader, `GET /v1/quarantine/${digest}`)).body
    expect(await post(`${digest}/edit`, { data: null })).toMatchObject({
      status: 422,
      body: { faults: [{ path: 'data' }] },
    })
    for (const edit of [{}, { data: 1, text: 'x' }, { text: '' }])
      expect((await post(`${digest}/edit`, edit)).status).toBe(422)
    const text = raw.replace('"main"', '"refs/heads/main"')
    expect(await post(`${digest}/edit`, { text })).toMatchObject({ body: { outcome: 'recorded' } })
  })

  it('stays, and is a problem, when it cannot be recorded now or its id is taken', async () => {
    const digest = await webhook('a')
    const { insertEvents } = w.history
    w.history.insertEvents = async () => Promise.reject(new Error('down'))
    const down = await post(`${digest}/edit`, { data: githubPush.example })
    expect([down.status, down.body.detail]).toEqual([503, expect.stringContaining('down')])
    w.history.insertEvents = insertEvents
    await webhook('a', githubPush.example)
    const taken = await post(`${digest}/edit`, { data: { ...githubPush.example, ref: 'refs/heads/x' } })
    expect(taken).toMatchObject({ status: 409, body: { faults: [{ path: 'id' }] } })
    expect((await w.list(reader, '/v1/quarantine')).items).toHaveLength(1)
  })

  it('is dropped, with why', async () => {
    const digest = await webhook('a')
    expect(await post(`${digest}/drop`, { reason: 'a test' })).toMatchObject({
      status: 200,
      body: { outcome: 'dropped', settled: { note: 'a test' } },
    })
    expect(await post(`${digest}/redrive`)).toMatchObject({
      body: { outcome: 'already', settled: { state: 'dropped' } },
    })
  })

  it('is of its own project, and mended by who may', async () => {
    const digest = await webhook('a')
    const other = await w.key('other', ['deliveries:write'])
    for (const [action, body] of [
      ['redrive', {}],
      ['edit', { data: 1 }],
      ['drop', {}],
    ] as const) {
      expect((await w.ask(other, `POST /v1/quarantine/${digest}/${action}`, body)).status).toBe(404)
      expect((await w.ask(reader, `POST /v1/quarantine/${digest}/${action}`, body)).status).toBe(403)
    }
    expect((await w.list(reader, '/v1/quarantine')).items).toHaveLength(1)
  })
})

describe('many of them', () => {
  beforeEach(async () => {
    for (let n = 0; n < 7; n++) {
      await webhook(`p${n}`)
      w.wait(1000)
    }
    await webhook('t', { ...testCompleted.example, passed: -1 }, 'test.completed')
  })

  it('are shown in groups', async () => {
    const { items, pages } = await w.list(reader, '/v1/quarantine/groups')
    expect(pages).toBe(1)
    expect(items).toMatchObject([
      { reason: 'invalid', type: 'github.push', path: 'data.ref', count: 7, digests: { length: 3 } },
      { reason: 'invalid', type: 'test.completed', path: 'data.passed', count: 1 },
    ])
    expect(items[0]).toMatchObject({ first: '2026-01-10T12:30:00.000Z', last: '2026-01-10T12:30:06.000Z' })
    const some = await w.list(reader, '/v1/quarantine/groups?type=github.push&since=2026-01-10T12:30:05Z')
    expect(some.items).toMatchObject([{ count: 2 }])
    expect((await w.list(reader, '/v1/quarantine/groups?reason=loop')).items).toEqual([])
  })

  it('are redriven page by page: each once, those that are meant', async () => {
    const seen: Record<string, unknown>[] = []
    let cursor: string | undefined
    let calls = 0
    do {
      const { body } = await post('redrive', { type: 'github.push', limit: 3, ...(cursor && { cursor }) })
      seen.push(...body.items)
      cursor = body.next
      calls++
    } while (cursor !== undefined)
    expect(calls).toBeGreaterThan(2)
    expect([seen.length, new Set(seen.map(({ digest }) => digest)).size]).toEqual([7, 7])
    expect(new Set(seen.map(({ outcome }) => outcome))).toEqual(new Set(['refused']))
    expect((await post('redrive', { limit: 101 })).status).toBe(422)
    expect((await post('redrive', { cursor: 'abc' })).status).toBe(400)
    expect((await w.ask(reader, 'POST /v1/quarantine/redrive', {})).status).toBe(403)
  })
})
