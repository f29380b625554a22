import { expect, it } from 'vitest'
import { countsText } from './job-view.ts'

it.each([
  ['done', {}, ''],
  ['running', { matched: 5, sent: 4, done: 1 }, '5 matched, 4 sent, 1 done'],
  [
    'running',
    { matched: 1, sent: 5, done: 1 },
    '1 matched, 5 sent (4 of them parked behind those that matched), 1 done',
  ],
  ['running', { sent: 5, parked: 2, done: 1 }, '5 sent, 2 parked, 1 done'],
  ['done', { sent: 5, parked: 0, done: 5 }, '5 sent, 0 parked, 5 done'],
  ...['done', 'stopped'].map((state): [string, Record<string, number>, string] => [
    state,
    { sent: 5, parked: 2, done: 3 },
    '5 sent, 3 done, 2 left parked: the sweep sends them within minutes, unless something holds them',
  ]),
  ['done', { parked: 1 }, '1 left parked: the sweep sends it within minutes, unless something holds it'],
])('%s %j is %s', (state, counts, text) => {
  expect(countsText({ state, counts })).toBe(text)
})
