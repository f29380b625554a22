import { describe, expect, it, test } from 'vitest'
import { Failure } from './errors.ts'
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

  it('is a regular expression between slashes', () => {
    expect(reasonMatcher('/timed? out after \\d+/')('timed out after 12')).toBe(true)
    expect(reasonMatcher('/^TIMED/i')('timed out')).toBe(true)
    expect(reasonMatcher('/^TIMED/')('timed out')).toBe(false)
    expect(reasonMatcher('/(a|b)c[+*]{2}/')('xac+*')).toBe(true)
  })

  test.each([
    ['(a+)+$', 'a repeat in a repeat'],
    ['(a|aa)+$', 'alternatives in a repeat'],
    ['((a+))*$', 'a repeat deep in a repeat'],
    ['(?:a{2,}){3,}', 'counted repeats'],
    ['(a)\\1', 'a reference'],
    ['a*a*a*a*$', 'many repeats'],
    ['(', 'what is none'],
    ['x'.repeat(201), 'a long one'],
  ])('refuses /%s/: %s', (pattern) => {
    const make = () => reasonMatcher(`/${pattern}/`)
    expect(make).toThrow(Failure)
    expect(make).toThrow(/regular expression/)
  })

  it('is quick, whatever it lets through', () => {
    const began = performance.now()
    reasonMatcher('/a*b*a*$/')(`${'a'.repeat(5000)}x`)
    expect(performance.now() - began).toBeLessThan(5000)
  })
})
