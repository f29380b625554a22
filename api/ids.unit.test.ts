import { describe, expect, it } from 'vitest'
import { readId, writeId } from '../core/path-id.ts'
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
  ])('%s', (given, url) => {
    expect(asUrlPath(given)).toBe(url)
    expect(new URL(`https://x${url}`).pathname).toBe(url)
  })
})
