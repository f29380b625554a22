import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import {
  Failure,
  type FailureCode,
  failures,
  isTerminal,
  problem,
  reasonForLogs,
  reasonOf,
  withoutValues,
} from './errors.ts'

const looped = new Error('outer')
looped.cause = looped
const circular: Record<string, unknown> = {}
circular.self = circular
const nested = new AggregateError([], 'many')
nested.errors.push(nested)
const bare = new Error('')
bare.name = ''

/** What no reason may be: it says nothing. */
const says = (reason: string) => reason.trim() !== '' && !/\{\}|\[object |^thrown: *$|undefined$/.test(reason)

describe('the reason of whatever was thrown', () => {
  it.each([
    ['an error', new TypeError('x is no function'), 'TypeError: x is no function'],
    [
      'an error with its cause',
      new Error('no push', { cause: new Error('offline') }),
      'Error: no push (Error: offline)',
    ],
    ['an error without a message', new RangeError(), 'RangeError'],
    ['an error without message and name', bare, 'Error'],
    ['text', 'it broke', 'it broke'],
    ['empty text', '', 'thrown: ""'],
    ['blank text', ' \n', 'thrown: " \\n"'],
    ['nothing', undefined, 'thrown: nothing'],
    ['null', null, 'thrown: null'],
    ['a number', 7, 'thrown: 7'],
    ['a bigint', 7n, 'thrown: 7'],
    ['a symbol', Symbol('s'), 'thrown: Symbol(s)'],
    [
      'an object that speaks like an error',
      { name: 'ThrottlingException', message: 'slow down' },
      'ThrottlingException: slow down',
    ],
    ['an object with only a message', { message: 'slow down' }, 'slow down'],
    ['an object', { code: 7 }, 'thrown: {"code":7}'],
    ['an empty object', {}, 'thrown: an empty object'],
    ['an object without a prototype', Object.create(null), 'thrown: an empty object'],
    ['several errors', new AggregateError([new Error('a'), 'b'], 'all failed'), 'all failed; Error: a; b'],
    ['several errors that are none', new AggregateError([]), 'AggregateError'],
    ['a failure', new Failure('NotFound', 'no such thing'), 'no such thing'],
    ['a failure without words', new Failure('NotFound', ''), failures.NotFound.title],
    [
      'a failure with faults',
      new Failure('Invalid', 'bad', { faults: [{ path: 'a', expected: 'b', got: 'c' }] }),
      'bad; a: expected b, got c',
    ],
  ])('%s', (_, thrown, reason) => {
    expect(reasonOf(thrown)).toBe(reason)
  })

  it.each([
    ['an error that is its own cause', looped],
    ['errors that contain themselves', nested],
    ['an object that contains itself', circular],
    [
      'an object that will not be JSON',
      {
        toJSON: () => {
          throw new Error('no')
        },
      },
    ],
    ['an object that becomes nothing', { toJSON: () => undefined }],
    [
      'an object whose members may not be read',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no')
          },
        },
      ),
    ],
    [
      'an error whose message may not be read',
      Object.defineProperty(new Error('x'), 'message', {
        get: () => {
          throw new Error('no')
        },
      }),
    ],
    ['an error whose message is an object', Object.assign(new Error('x'), { message: {} })],
    ['a function', () => undefined],
    ['a class', class Odd {}],
    ['a map', new Map()],
    ['a date that is none', new Date(Number.NaN)],
  ])('%s gives a sentence, too', (_, thrown) => {
    const reason = reasonOf(thrown)
    expect(reason, reason).toSatisfy(says)
  })

  it('is cut between characters, never within one', () => {
    for (const before of ['', 'x']) {
      const reason = reasonOf(new Failure('Busy', `${before}${'🚀'.repeat(1000)}`))
      expect(reason).toHaveLength(1000)
      expect(reason.isWellFormed()).toBe(true)
    }
  })

  it('is never empty, never {} and at most 1,000 characters, for anything', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
    })
    const error = fc.oneof(
      anything,
      fc.tuple(fc.string(), anything).map(([message, cause]) => new Error(message, { cause })),
      fc.array(anything).map((errors) => new AggregateError(errors)),
      fc.string().map((message) => new Failure('Busy', message)),
      fc.string({ minLength: 5000 }),
    )
    fc.assert(
      fc.property(error, (thrown) => {
        const reason = reasonOf(thrown)
        expect(reason.trim()).not.toBe('')
        expect(reason).not.toMatch(/^(thrown: )?\{\}$/)
        expect(reason.length).toBeLessThanOrEqual(1000)
      }),
    )
  })
})

describe('two kinds of failure', () => {
  const codes = Object.keys(failures) as FailureCode[]

  it('what is known to be hopeless is terminal', () => {
    expect(codes.filter((code) => !isTerminal(new Failure(code, 'x')))).toEqual([
      'Busy',
      'NewerVersion',
      'Unavailable',
    ])
  })

  it.each([[new Error('x')], ['x'], [undefined], [{ code: 'Invalid' }]])(
    '%o is unknown, so it is retryable',
    (thrown) => {
      expect(isTerminal(thrown)).toBe(false)
    },
  )

  it('a failure is matched by its name in state machines: that is its code', () => {
    expect(codes.map((code) => new Failure(code, 'x').name)).toEqual(codes)
  })

  it('as problem+json says what, where and how to go on', () => {
    const faults = [{ path: 'data.ref', expected: 'string', got: '7' }]
    expect(problem(new Failure('Invalid', 'not a valid event', { faults }), '/events/1')).toEqual({
      type: 'https://loadpath.dev/problems/Invalid',
      title: failures.Invalid.title,
      status: 422,
      detail: 'not a valid event',
      instance: '/events/1',
      faults,
    })
    expect(problem(new Failure('Busy', 'x'))).not.toHaveProperty('faults')
  })
})

it('the reason of what does not fit its schema says where and why, shortly', () => {
  const error = z
    .object({ build: z.object({ branch: z.string() }), n: z.number() })
    .safeParse({ build: {} }).error
  expect(reasonOf(error)).toMatch(
    /^what was read does not fit its schema: build\.branch: .*string.*; n: .*number[^"]*$/,
  )
  expect(reasonForLogs(error)).toBe(reasonOf(error))
})

function syntaxErrorOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    return error
  }
}

describe('the reason for logs', () => {
  const faults = [{ path: 'data.ref', expected: 'a ref', got: '"secret"' }]
  const failure = new Failure('Invalid', 'no push', { faults })

  it.each([
    ['a failure', failure, 'no push; data.ref: expected a ref'],
    [
      'a failure beneath others',
      new Error('x', { cause: failure }),
      'Error: x (no push; data.ref: expected a ref)',
    ],
    ['one of several', new AggregateError([failure], 'all'), 'all; no push; data.ref: expected a ref'],
    ['what is no JSON', syntaxErrorOf('secret'), 'SyntaxError: a text does not have its syntax'],
  ])('of %s names places and what was expected, and never what was found', (_, thrown, reason) => {
    expect(reasonForLogs(thrown)).toBe(reason)
    expect(reasonOf(thrown)).toContain('secret')
  })

  it('is the same sentence for all that shows no values', () => {
    for (const thrown of [new Error('down'), 'text', undefined, circular, looped, nested])
      expect(reasonForLogs(thrown)).toBe(reasonOf(thrown))
  })

  it('can be had of a reason that was kept: up to the first value in it', () => {
    const two = new Failure('Invalid', 'no push', { faults: [...faults, ...faults] })
    expect(withoutValues(`${reasonOf(two)} (attempt 5 of 5)`)).toBe('no push; data.ref: expected a ref …')
    expect(withoutValues('Error: down (attempt 5 of 5)')).toBe('Error: down (attempt 5 of 5)')
  })
})
