import { describe, expect, it, test } from 'vitest'
import { likeness, reasonMatcher } from './reasons.ts'

describe('the likeness of reasons', () => {
  test.each([
    ['numbers', 'timed out after 3021 ms', 'timed out after 29 ms'],
    ['uuids', 'no item 2f1c9a10-5d3e-11f0-8f0a-6f2a35d1c001', 'no item 8c0f5a5e-5f3b-5b0e-8a53-6d2a5e3f6d11'],
    ['hexadecimal ids', 'commit ec26c3e57ca3a959 is gone', 'commit 00112233445566ff is gone'],
    ['what stands in quotes', 'expected "main", got "trunk"', 'expected "a \\"b\\"", got "c"'],
    ['what was cut within quotes', 'got "aaaaaaaaaaaaaaa…', 'got "bbb…'],
    [
      'single quotes',
      "Cannot read properties of undefined (reading 'a')",
      "Cannot read properties of undefined (reading 'bc')",
    ],
    ['backquotes', 'unknown member `a.b`', 'unknown member `c`'],
    ['how often it was tried', 'fetch failed (attempt 5 of 5)', 'given up after 8 attempts: fetch failed'],
    ['times', 'since 2026-01-01T12:00:00.000Z', 'since 2025-11-30T01:02:03.456Z'],
    ['white space', 'a\n  b', 'a b'],
  ])('leaves out %s', (_, a, b) => {
    expect(likeness(a)).toBe(likeness(b))
  })

  test.each([
    ['different words', 'fetch failed', 'no such branch'],
    ['different places', 'data.ref: expected a text', 'data.head: expected a text'],
    ['a word of hexadecimal letters', 'the facade failed', 'the decade failed'],
    ['what stands between apostrophes', "it doesn't exist and isn't new", "it doesn't fit and isn't new"],
  ])('keeps %s apart', (_, a, b) => {
    expect(likeness(a)).not.toBe(likeness(b))
  })

  test.each(['-dash', '50%', 'a?b#c', 'x'.repeat(256), '"', "it's", '…', 'a b', '$&', '#', 'poison-1', '7'])(
    'leaves out the id %s of its event',
    (id) => {
      const like = (one: string) => likeness(`the body of event ${one} is gone`, { source: '/s', id: one })
      expect(like(id)).toBe(like('other'))
    },
  )

  it('leaves out the source of its event', () => {
    const like = (source: string) => likeness(`no way to ${source}: none`, { source, id: 'i' })
    expect(like('/some-where')).toBe(like('https://github.com/octo/hello'))
  })

  it('keeps a word in which an id stands', () => {
    expect(likeness('no branch in sight', { source: '/s', id: 'in' })).toBe('no branch # sight')
    expect(likeness('nothing inside begins', { source: '/s', id: 'in' })).toBe('nothing inside begins')
  })

  it('is short, however long the reason is', () => {
    expect(likeness(`x ${'word '.repeat(1000)}`).length).toBeLessThanOrEqual(300)
    expect(likeness('"'.repeat(5000)).length).toBeLessThanOrEqual(300)
    expect(likeness('')).toBe('')
  })
})

describe('a reason that is wanted', () => {
  it('is text that is held, whatever its case', () => {
    const matches = reasonMatcher('Fetch FAILED')
    expect([matches('TypeError: fetch failed'), matches('no such branch')]).toEqual([true, false])
  })

  it('has any characters where a * stands, in this order', () => {
    const matches = reasonMatcher('timed*out after * ms')
    expect([matches('it timed out after 12 ms'), matches('TIMEDout after  ms')]).toEqual([true, true])
    expect([matches('after 12 ms it timed out'), matches('timed out after 12 s')]).toEqual([false, false])
    expect(reasonMatcher('*')('')).toBe(true)
    expect(reasonMatcher('aba*aba')('aba ab')).toBe(false)
  })

  it('is no regular expression', () => {
    expect(reasonMatcher('/timed? out/')('timed out')).toBe(false)
    expect(reasonMatcher('a.c')('abc')).toBe(false)
    expect(reasonMatcher('(a+)+$')('it says (a+)+$ here')).toBe(true)
  })

  test.each([
    ['optional characters', `/${'.?'.repeat(90)}#/`],
    ['a repeated group', '/(.?){22}#/'],
    ['many stars', `${'a*'.repeat(150)}#`],
    ['a repeat in a repeat', '/(a+)+$/'],
  ])('is quick, with %s', (_, wanted) => {
    const matches = reasonMatcher(wanted)
    const reason = 'a'.repeat(1000)
    const began = performance.now()
    for (let n = 0; n < 1000; n++) matches(reason)
    expect(performance.now() - began).toBeLessThan(1000)
  })
})
