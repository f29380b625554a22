import { expect, it } from 'vitest'
import { eachOf } from './service-time.ts'

const hour = (messages: number, ms: number, count = 1000) => ({ messages, ms, count })

it('is the slope of the line: 30 ms and 4 for each message, by hand', () => {
  expect(eachOf([hour(1, 34), hour(2, 38), hour(5, 50)])).toBeCloseTo(4, 9)
  // by how many each stands on: the third weighs nothing beside the others
  expect(eachOf([hour(1, 34), hour(2, 38), hour(3, 400, 1e-6)])).toBeCloseTo(4, 3)
})

it('is between nothing and all of an invocation', () => {
  expect(eachOf([hour(1, 50), hour(2, 49.9), hour(3, 49.8)])).toBe(0)
  // all of it: 12 ms a message, and less than nothing without any
  expect(eachOf([hour(1, 10), hour(2, 22), hour(3, 34)])).toBeCloseTo(11, 9)
})

it('is not known where batches are alike, few, or the times go their own way', () => {
  expect(eachOf([hour(2, 30), hour(2, 40), hour(2, 50)])).toBeUndefined()
  expect(eachOf([hour(1, 30), hour(2, 40)])).toBeUndefined()
  expect(eachOf([hour(1, 30), hour(2, 90), hour(3, 20), hour(4, 70)])).toBeUndefined()
  expect(eachOf([])).toBeUndefined()
})
