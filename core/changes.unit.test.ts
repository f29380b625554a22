import { describe, expect, it, test } from 'vitest'
import { changesBetween, wholeChangesBetween } from './changes.ts'

describe('what was changed', () => {
  test.each<[string, unknown, unknown, unknown]>([
    ['nothing', { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
    ['a member', { a: 1, b: 2 }, { a: 1, b: 3 }, [{ path: '/b', before: 2, after: 3 }]],
    ['one that came', {}, { a: 'x' }, [{ path: '/a', after: 'x' }]],
    ['one that went', { a: 'x' }, {}, [{ path: '/a', before: 'x' }]],
    [
      'deep in a list',
      { a: [{ b: 1 }, { b: 2 }] },
      { a: [{ b: 1 }, { b: 5 }] },
      [{ path: '/a/1/b', before: 2, after: 5 }],
    ],
    ['a list that grew', [1], [1, 2], [{ path: '/1', after: 2 }]],
    ['null and nothing', { a: null }, {}, [{ path: '/a', before: null }]],
    ['a value and an object', { a: 1 }, { a: { b: 2 } }, [{ path: '/a', before: 1, after: { b: 2 } }]],
    ['a list and an object', { a: [] }, { a: {} }, [{ path: '/a', before: [], after: {} }]],
    ['something empty', {}, { a: {} }, [{ path: '/a', after: {} }]],
    ['all of it', 1, 'one', [{ path: '', before: 1, after: 'one' }]],
    [
      'names with marks of their own',
      { 'a/b~c': 1 },
      { 'a/b~c': 2 },
      [{ path: '/a~1b~0c', before: 1, after: 2 }],
    ],
    ['a member called like a method', {}, { constructor: 1 }, [{ path: '/constructor', after: 1 }]],
  ])('%s', (_, before, after, changes) => {
    expect(changesBetween(before, after)).toEqual(changes)
  })

  it('cuts long texts, and tells of what was changed behind the cut', () => {
    const [change] = changesBetween({ a: 'x'.repeat(300) }, { a: `${'x'.repeat(300)}y` })
    expect(change).toEqual({ path: '/a', before: `${'x'.repeat(199)}…`, after: `${'x'.repeat(199)}…` })
    expect(changesBetween(1, { a: 'x'.repeat(300) })[0]?.after).toHaveLength(200)
    const [between] = changesBetween('', '🚀'.repeat(300))
    expect(String(between?.after).isWellFormed()).toBe(true)
  })

  it('cuts nothing where all of it is asked for', () => {
    const [before, after] = ['x'.repeat(300), 'y'.repeat(300)]
    expect(wholeChangesBetween({ a: before }, { a: after })).toEqual([{ path: '/a', before, after }])
  })
})
