import { afterEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { Failure } from '../../core/errors.ts'
import { task } from './task.ts'

const lines = vi.spyOn(console, 'log').mockImplementation(() => undefined)
afterEach(() => lines.mockClear())
const logged = () => lines.mock.calls.map(([line]) => JSON.parse(String(line)))

const double = task('double', z.object({ of: z.number() }), async ({ of }) => of * 2)

test('answers what the function answers, and says so in one line', async () => {
  expect(await double({ of: 21 })).toBe(42)
  expect(logged()).toEqual([{ function: 'double', level: 'INFO', ms: expect.any(Number) }])
})

test('input that does not fit is terminal, and the message says where; nothing shows what was there', async () => {
  await expect(double({ of: 'much' })).rejects.toMatchObject({
    name: 'Invalid',
    message: 'the input does not fit; of: expected number',
    faults: [],
  })
  expect(logged()).toMatchObject([{ level: 'ERROR', reason: 'the input does not fit; of: expected number' }])
})

test('a failure keeps its name, and its faults go into the message: Step Functions sees no more', async () => {
  const fault = { path: 'data.ref', expected: 'a branch', got: 'a tag' }
  const failing = task('failing', z.unknown(), async () => {
    throw new Failure('NotFound', 'gone', { faults: [fault] })
  })
  await expect(failing(0)).rejects.toMatchObject({
    name: 'NotFound',
    message: 'gone; data.ref: expected a branch',
  })
})

test('an unknown error is thrown as it is', async () => {
  const error = new TypeError('x is not a function')
  const broken = task('broken', z.unknown(), () => Promise.reject(error))
  await expect(broken(0)).rejects.toBe(error)
  expect(logged()).toMatchObject([{ reason: 'TypeError: x is not a function' }])
})
