import { expect, it } from 'vitest'
import { countsText } from './job-view.ts'

it.each([
  [{}, ''],
  [{ matched: 5, sent: 4, done: 1 }, '5 matched, 4 sent, 1 done'],
  [
    { matched: 1, sent: 5, done: 1 },
    '1 matched, 5 sent (4 of them parked behind those that matched), 1 done',
  ],
])('%j is %s', (counts, text) => {
  expect(countsText(counts)).toBe(text)
})
