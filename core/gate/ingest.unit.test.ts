import { beforeEach, describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { push, tests } from '../../test/arrivals.ts'
import { doors, json, problem } from '../../test/doors.ts'
import { noon } from '../../test/world.ts'

let w: ReturnType<typeof doors>
beforeEach(() => {
  w = doors()
})

const nothingKept = () =>
  expect(w.stores.history.all()).toEqual({ events: [], deliveries: [], quarantined: [], pages: [] })

describe('POST /events', () => {
  it('answers when the event is recorded: 202 and its identity', async () => {
    expect(await w.post(push())).toMatchObject({
      status: 202,
      contentType: 'application/json',
      body: {
        outcome: 'recorded',
        project: 'main',
        source: 'https://github.com/octo/hello',
        id: 'push-1',
        type: 'github.push',
      },
    })
    expect(w.events()).toMatchObject([{ event: { actor: 'user:k1', received: noon, door: 'http' } }])
  })

  it('takes an event into the project that an admin names, and from nobody else', async () => {
    const named = (credential: string) => ({
      ...json,
      authorization: `Bearer ${credential}`,
      'loadpath-project': 'other',
    })
    expect(await w.post(push(), named('admin'))).toMatchObject({ status: 202, body: { project: 'other' } })
    expect(await w.post(push(), named('writer'))).toMatchObject({ status: 403 })
  })

  it('answers 202 to the same again: it is known', async () => {
    await w.post(push())
    expect(await w.post(push())).toMatchObject({ status: 202, body: { outcome: 'known' } })
  })

  it('answers 202 although a send failed: the sweep sends what is in history', async () => {
    w.failing('queues', 'send')
    expect(await w.post(push())).toMatchObject({ status: 202, body: { outcome: 'recorded' } })
  })

  it('takes the project from the key, never from the event', async () => {
    expect(await w.post(push(), { ...json, authorization: 'Bearer shop' })).toMatchObject({
      body: { project: 'shop' },
    })
    expect(await w.post(push('p', { project: 'shop' }))).toMatchObject(
      problem('Invalid', { faults: [expect.objectContaining({ path: 'project' })] }),
    )
  })

  it.each(['/events/', '/event', '/webhooks', '/webhooks/gitlab', '/webhooks/github/main/more', '/'])(
    'is not at %s: 404',
    async (path) => {
      expect(await w.post(push(), json, path)).toMatchObject({ status: 404, ...problem('NotFound') })
    },
  )
})

describe('who may send', () => {
  it.each([
    ['nobody', {}, 401, 'Unauthenticated'],
    ['a key that there is not', { authorization: 'Bearer nobody' }, 401, 'Unauthenticated'],
    ['a scheme that is none of ours', { authorization: 'Basic writer' }, 401, 'Unauthenticated'],
    ['a key without the scope', { authorization: 'Bearer reader' }, 403, 'Forbidden'],
  ])('%s is told before anything is read', async (_, headers, status, code) => {
    const answer = await w.post('{{{', { 'content-type': json['content-type'], ...headers })
    expect(answer).toMatchObject({ status, ...problem(code), outcomes: [] })
    expect(answer.headers).toEqual(status === 401 ? { 'www-authenticate': 'Bearer' } : undefined)
    nothingKept()
  })

  it.each([{ authorization: 'bearer writer' }, { 'x-api-key': 'writer' }, { authorization: 'Bearer admin' }])(
    '%o may',
    async (headers) => {
      expect(await w.post(push(), { 'content-type': json['content-type'], ...headers })).toMatchObject({
        status: 202,
      })
    },
  )

  it('is 503 when nobody can say, and never a stack', async () => {
    w.ingestDeps.authenticate = async () => Promise.reject(new Error('table secret-name is down'))
    const answer = await w.post(push())
    expect(answer).toMatchObject({ status: 503, ...problem('Unavailable') })
    expect(JSON.stringify(answer.body)).not.toContain('secret-name')
    expect(answer.outcomes).toEqual([
      { status: 'unavailable', error: new Error('table secret-name is down') },
    ])
  })
})

describe('an event that is refused is told why, and nothing is kept', () => {
  it.each([
    ['malformed JSON', '{"specversion":', 400, 'Malformed'],
    ['not an object', '7', 422, 'Invalid'],
    ['of a wrong schema', push('p', { data: { ...githubPush.example, ref: 7 } }), 422, 'Invalid'],
    ['over 1 MB', push('p', { data: { note: 'x'.repeat(2_000_000) } }), 413, 'TooLarge'],
    [
      'over 1 MB in bytes, not in characters',
      push('p', { type: 'a.b', data: 'ä'.repeat(600_000) }),
      413,
      'TooLarge',
    ],
    [
      'forged, a type of ours',
      push('p', { type: 'repository.analyzed', data: repositoryAnalyzed.example }),
      422,
      'Invalid',
    ],
    ['with a foreign dataref', push('p', { dataref: 's3://elsewhere' }), 422, 'Invalid'],
    ['with a foreign actor', push('p', { actor: 'user:root' }), 422, 'Invalid'],
    [
      'nested 100,000 levels deep',
      `{"specversion":"1.0","id":"p","source":"s","type":"a.b","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      422,
      'Invalid',
    ],
    [
      'nested 3,000 levels deep',
      `{"specversion":"1.0","id":"p","source":"s","type":"a.b","data":${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}}`,
      422,
      'Invalid',
    ],
  ])('%s', async (_, body, status, code) => {
    expect(await w.post(body)).toMatchObject({ status, ...problem(code) })
    nothingKept()
  })

  it('with path, expected and got for each fault', async () => {
    const data = { ...githubPush.example, ref: 'main', repository: { full_name: 'nobody' } }
    expect((await w.post(push('p', { data }))).body).toMatchObject({
      status: 422,
      faults: [
        { path: 'data.ref', expected: 'a full ref such as refs/heads/main', got: '"main"' },
        { path: 'data.repository.full_name', expected: '<owner>/<name>, as GitHub has it', got: '"nobody"' },
      ],
    })
  })

  it.each([
    [1_000_000, 202],
    [1_000_001, 413],
  ])('to the byte: one of %i bytes is %i', async (size, status) => {
    const sized = (note: string) => push('p', { type: 'a.b', data: { note } })
    const event = sized('x'.repeat(size - Buffer.byteLength(JSON.stringify(sized('')))))
    expect(Buffer.byteLength(JSON.stringify(event))).toBe(size)
    expect(await w.post(event)).toMatchObject({ status })
    expect(w.events()).toHaveLength(status === 202 ? 1 : 0)
  })

  it('under an identity that has other content: 409', async () => {
    await w.post(push())
    expect(
      await w.post(push('push-1', { data: { ...githubPush.example, ref: 'refs/heads/b' } })),
    ).toMatchObject({
      status: 409,
      ...problem('Conflict'),
    })
    expect(w.events()).toHaveLength(1)
  })

  it('of a newer version: 503, so that its sender tries again', async () => {
    expect(await w.post(tests('t', { dataschema: 'https://x/test.completed/3' }))).toMatchObject({
      status: 503,
      ...problem('NewerVersion'),
    })
    expect(w.stores.queues.take('record')).toEqual([])
  })
})

describe('what is unusual and fine', () => {
  it.each([
    ['a type that nobody declared', push('p', { type: 'acme.ordered', data: 1 })],
    ['a time in 1970', push('p', { time: '1970-01-01T00:00:00Z' })],
    ['a time in 2099', push('p', { time: '2099-01-01T00:00:00Z' })],
    [
      '150,000 characters of two bytes',
      push('p', { data: { ...githubPush.example, note: 'ä'.repeat(150_000) } }),
    ],
  ])('%s is recorded', async (_, event) => {
    expect(await w.post(event)).toMatchObject({ status: 202, body: { outcome: 'recorded' } })
    expect(w.events()[0]?.event.received).toBe(noon)
  })
})
