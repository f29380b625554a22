import { beforeEach, describe, expect, it } from 'vitest'
import { cursorKey } from '../core/books/sweep-cursor.ts'
import { ago, minute } from '../core/time.ts'
import { type World, world } from '../test/api-world.ts'

let w: World
let admin: string
beforeEach(async () => {
  w = world()
  admin = await w.key('acme', ['admin'])
})

const problemOf = (status: number, code: string) => ({
  status,
  type: 'application/problem+json',
  body: expect.objectContaining({ status, type: `https://loadpath.dev/problems/${code}` }),
})

describe('failures', () => {
  it('401 without a key, with a wrong, a revoked and an expired one', async () => {
    const expired = await w.key('acme', ['admin'], w.now())
    const revoked = await w.key('acme', ['admin'])
    await w.ask(admin, `DELETE /v1/keys/${revoked.split('_')[1]}`)
    for (const credential of [undefined, 'x', `lp_id000000000000_${'0'.repeat(64)}`, expired, revoked]) {
      const answer = await w.ask(credential, 'GET /v1/events')
      expect(answer).toMatchObject(problemOf(401, 'Unauthenticated'))
      expect(answer.headers.get('www-authenticate')).toContain('Bearer')
    }
  })

  it('takes a key from either header', async () => {
    expect((await w.app.request('/v1/routes', { headers: { 'x-api-key': admin } })).status).toBe(200)
    expect(
      (await w.app.request('/v1/routes', { headers: { authorization: `Bearer ${admin}` } })).status,
    ).toBe(200)
  })

  it('403 names the scope that lacks', async () => {
    const reader = await w.key('acme', ['events:read'])
    const answer = await w.ask(reader, 'POST /v1/runs', { workflow: 'test-and-validate', data: {} })
    expect(answer).toMatchObject(problemOf(403, 'Forbidden'))
    expect(answer.body.faults).toEqual([{ path: 'scopes', expected: 'runs:write', got: 'events:read' }])
  })

  it('422 says where, what was expected and what was found', async () => {
    const answer = await w.ask(admin, 'POST /v1/repositories', {
      repository: 'octo/hello',
      deployBranch: 'main',
      gates: [{ gate: 'build' }, { gate: 'risk', maximum: 'much' }],
    })
    expect(answer).toMatchObject(problemOf(422, 'Invalid'))
    expect(answer.body.faults).toEqual([{ path: 'gates.1.maximum', expected: 'number', got: '"much"' }])
    const query = await w.ask(admin, 'GET /v1/events?limit=0&since=yesterday')
    expect(query.status).toBe(422)
    expect(query.body.faults.map((fault: { path: string }) => fault.path)).toEqual([
      'query.since',
      'query.limit',
    ])
  })

  it('400 for JSON that is none', async () => {
    expect(await w.ask(admin, 'POST /v1/keys', '{"name":')).toMatchObject(problemOf(400, 'Malformed'))
  })

  it('415 for another content type, or none', async () => {
    const send = (headers: Record<string, string>) =>
      w.app.request('/v1/keys', {
        method: 'POST',
        body: new TextEncoder().encode('{}'),
        headers: { authorization: `Bearer ${admin}`, ...headers },
      })
    expect((await send({ 'content-type': 'text/plain' })).status).toBe(415)
    expect((await send({})).status).toBe(415)
  })

  it('413 for a body over 1 MB, in bytes', async () => {
    const body = { workflow: 'test-and-validate', data: { text: 'ü'.repeat(500_100) } }
    const answer = await w.ask(admin, 'POST /v1/runs', body)
    expect(answer).toMatchObject(problemOf(413, 'TooLarge'))
  })

  it('404 and 405 for what does not exist', async () => {
    expect(await w.ask(admin, 'GET /v1/nothing')).toMatchObject(problemOf(404, 'NotFound'))
    const cut = await w.ask(admin, 'GET /v1/events/issue/123')
    expect([cut.status, cut.body.detail]).toEqual([
      404,
      expect.stringContaining('`base64url:` and its UTF-8'),
    ])
    const answer = await w.ask(admin, 'PUT /v1/repositories')
    expect(answer).toMatchObject(problemOf(405, 'MethodNotAllowed'))
    expect(answer.headers.get('allow')).toBe('POST, GET, HEAD')
    expect(await w.ask(admin, 'POST /v1/events/x/fate')).toMatchObject(problemOf(405, 'MethodNotAllowed'))
    expect(await w.ask(admin, 'POST /v1/openapi.json')).toMatchObject(problemOf(405, 'MethodNotAllowed'))
  })

  it.each([
    'nonsense',
    Buffer.from('["keys","x"]').toString('base64url'),
    Buffer.from('["events",{"hour":"2026-99-99T99","page":"","shard":0,"index":0}]').toString('base64url'),
    Buffer.from('["deliveries",[0,"bad"]]').toString('base64url'),
  ])('400 for the cursor %s, on every list', async (cursor) => {
    const lists = [
      'events',
      'deliveries',
      'dead-letters',
      'quarantine',
      'runs',
      'approvals',
      'keys',
      'repositories',
    ]
    for (const list of [...lists, 'builds?repository=a/b', 'trace/x'])
      expect(
        await w.ask(admin, `GET /v1/${list}${list.includes('?') ? '&' : '?'}cursor=${cursor}`),
      ).toMatchObject(problemOf(400, 'Malformed'))
  })

  it('400 for a cursor of another list', async () => {
    for (let n = 0; n < 3; n++) await w.ask(admin, 'POST /v1/keys', { name: 'x', scopes: ['admin'] })
    const { next } = (await w.ask(admin, 'GET /v1/keys?limit=1')).body
    expect((await w.ask(admin, `GET /v1/keys?limit=1&cursor=${next}`)).status).toBe(200)
    expect(await w.ask(admin, `GET /v1/runs?cursor=${next}`)).toMatchObject(problemOf(400, 'Malformed'))
    expect(await w.ask(admin, `GET /v1/trace/x?cursor=${next}`)).toMatchObject(problemOf(400, 'Malformed'))
  })

  it('500 tells nothing but where the log has it', async () => {
    const broken = world({
      history: new Proxy(w.history, {
        get: () => () => {
          throw new Error('table acme-history-prod is on fire')
        },
      }),
    })
    const credential = await broken.key('acme', ['admin'])
    const answer = await broken.ask(credential, 'GET /v1/events')
    expect(answer).toMatchObject(problemOf(500, 'Internal'))
    expect(JSON.stringify(answer.body)).not.toContain('fire')
    const reference = answer.body.detail.split(' ').at(-1)
    expect(broken.lines).toContainEqual(
      expect.objectContaining({ level: 'error', reference, reason: expect.stringContaining('on fire') }),
    )
  })

  it('writes one line for each request, without secrets', async () => {
    await w.ask(admin, 'GET /v1/routes')
    await w.ask(undefined, 'GET /v1/routes')
    expect(w.lines).toEqual([
      {
        method: 'GET',
        path: '/v1/routes',
        status: 200,
        actor: expect.stringMatching(/^user:/),
        project: 'acme',
      },
      { method: 'GET', path: '/v1/routes', status: 401, actor: undefined, project: undefined },
    ])
    expect(JSON.stringify(w.lines)).not.toContain(admin)
  })
})

describe('projects', () => {
  it('an admin may act in another one, and nobody else', async () => {
    await w.put('other', { id: 'theirs' })
    const header = { 'loadpath-project': 'other' }
    expect(await w.ask(admin, 'GET /v1/events/theirs')).toMatchObject(problemOf(404, 'NotFound'))
    expect((await w.ask(admin, 'GET /v1/events/theirs', undefined, header)).status).toBe(200)
    const reader = await w.key('acme', ['events:read'])
    expect(await w.ask(reader, 'GET /v1/events/theirs', undefined, header)).toMatchObject(
      problemOf(403, 'Forbidden'),
    )
    expect(
      await w.ask(admin, 'GET /v1/events', undefined, { 'loadpath-project': 'Not A Project' }),
    ).toMatchObject(problemOf(422, 'Invalid'))
  })

  it('whom the host vouches for needs no key', async () => {
    const trusting = world({
      trusted: (host) =>
        host === 'iam' ? { actor: 'user:iam', project: 'main', scopes: ['admin'] } : undefined,
    })
    const request = () => new Request('http://api/v1/routes')
    expect((await trusting.app.fetch(request(), 'iam')).status).toBe(200)
    expect((await trusting.app.fetch(request(), 'other')).status).toBe(401)
  })
})

describe('health', () => {
  it('says that it works to everybody, and how each part does to who has a key', async () => {
    const answer = { status: 'ok', stage: 'test', version: '1.2.3', time: w.now() }
    expect((await w.ask(undefined, 'GET /v1/health')).body).toEqual(answer)
    await w.queues.send('notify', ['x', 'y'])
    const told = await w.ask(await w.key('acme', []), 'GET /v1/health')
    expect(told.body).toMatchObject({ ...answer, parts: expect.any(Array) })
    expect(told.body.parts).toContainEqual({ name: 'queue notify', status: 'ok', detail: '2 messages' })
    expect((await w.ask('wrong', 'GET /v1/health')).status).toBe(401)
  })

  it('names the part that fails', async () => {
    const broken = world({
      queues: { send: async () => [], depth: async () => Promise.reject(new Error('no queue here')) },
    })
    const told = await broken.ask(await broken.key('acme', []), 'GET /v1/health')
    expect(told).toMatchObject({ status: 200, body: { status: 'degraded' } })
    expect(told.body.parts).toContainEqual({
      name: 'queue record',
      status: 'failing',
      detail: expect.stringContaining('no queue here'),
    })
  })

  it('a sweep that runs no more is a part that fails; one that is yet to run is none', async () => {
    const here = world()
    const key = await here.key('acme', [])
    const partOf = async () => {
      const { status, parts } = (await here.ask(key, 'GET /v1/health')).body
      return [status, parts.find(({ name }: { name: string }) => name === 'sweep')]
    }
    const read = Array.from({ length: 4 }, () => here.now())
    const swept = (version: number, minutesAgo: number) => {
      const at = ago(here.now(), minutesAgo * minute)
      const value = { read, behind: {}, at }
      return here.memory
        .commit({ writes: [{ ...cursorKey('acme'), version, value }], outbox: [] })
        .then(() => at)
    }
    expect(await partOf()).toEqual(['ok', { name: 'sweep', status: 'ok', detail: 'no pass has ended yet' }])
    await swept(1, 4)
    expect(await partOf()).toMatchObject(['ok', { status: 'ok' }])
    const at = await swept(2, 6)
    expect(await partOf()).toMatchObject([
      'degraded',
      { status: 'failing', detail: `the last pass ended at ${at}` },
    ])
  })
})
