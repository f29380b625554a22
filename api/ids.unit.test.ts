import { describe, expect, it } from 'vitest'
import { readId, writeId } from '../core/path-id.ts'
import { world } from '../test/api-world.ts'
import { documentPath } from './app.ts'
import { asUrlPath } from './ids.ts'

describe('ids in paths', () => {
  it.each(['.', '..', 'a', 'a/b', 'ü', '%', 'base64url:', 'a b', '~x', '日本語/🙂'])(
    '%s comes back',
    (id) => {
      const written = writeId(id)
      expect(written).toMatch(/^(?!\.{1,2}$)[A-Za-z0-9\-._~:@]+$/)
      expect(readId(written)).toBe(id)
    },
  )

  it('leaves plain ids as they are', () => {
    expect(writeId('c7f6a2c0-9d7e')).toBe('c7f6a2c0-9d7e')
    expect(readId('c7f6a2c0-9d7e')).toBe('c7f6a2c0-9d7e')
  })

  it.each(['base64url:', 'base64url:_w'])('refuses %s', (text) => {
    expect(() => readId(text)).toThrow(expect.objectContaining({ code: 'Malformed' }))
  })
})

describe('asUrlPath', () => {
  it.each([
    ['/v1/events/a-b_c~d', '/v1/events/a-b_c~d'],
    ['/v1/events/a%2Fb%20c', '/v1/events/a%2Fb%20c'],
    ['/v1/events/50%', '/v1/events/50%25'],
    ['/v1/events/a b#c?d', '/v1/events/a%20b%23c%3Fd'],
    ['/v1/events/ü', '/v1/events/%C3%BC'],
    ['/v1/\uD800', '/v1/%EF%BF%BD'],
    ['/v1/jobs/../keys', '/v1/jobs/base64url:Li4/keys'],
    ['/v1/./jobs/%2E%2e', '/v1/base64url:Lg/jobs/base64url:Li4'],
    ['/v1/jobs/.%2e/./..', '/v1/jobs/base64url:Li4/base64url:Lg/base64url:Li4'],
    ['/v1/jobs/...', '/v1/jobs/...'],
  ])('%s', (given, url) => {
    expect(asUrlPath(given)).toBe(url)
    expect(new URL(`https://x${url}`).pathname).toBe(url)
  })
})

describe('an id never leads to another route', async () => {
  const w = world()
  const admin = await w.key('main', ['admin'])
  const { paths } = (await w.ask(undefined, `GET ${documentPath}`)).body
  const asked = Object.entries<Record<string, unknown>>(paths).flatMap(([path, methods]) =>
    [...path.matchAll(/\{\w+\}/g)].flatMap(([param]) =>
      Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path, param })),
    ),
  )

  it.each(asked)('$method $path by $param', async ({ method, path, param }) => {
    for (const id of ['.', '..', '%2e%2E', '../keys', '../../keys', '..\\keys', './../../v1/routes']) {
      const raw = path.replace(param, id).replaceAll(/\{\w+\}/g, 'test-and-validate')
      const request = `${method} ${asUrlPath(raw)}`
      const answer = await w.ask(admin, request, method === 'POST' ? {} : undefined)
      expect([404, 405, 422], `${method} ${raw}: ${JSON.stringify(answer.body)}`).toContain(answer.status)
    }
  })

  it('and what is not there is named as it was asked for', async () => {
    const answer = await w.ask(admin, `GET ${asUrlPath('/v1/jobs/../keys')}`)
    expect(answer.body.detail).toMatch(/^nothing answers at \/v1\/jobs\/\.\.\/keys; /)
    expect((await w.ask(admin, `GET ${asUrlPath('/v1/jobs/..')}`)).body.detail).toBe('there is no job ..')
  })
})
