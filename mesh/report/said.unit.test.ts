import { expect, it } from 'vitest'
import { alike } from './said.ts'

it('what ends alike for each of some numbers is told once', () => {
  const of = (count: number, says: string) => ({
    ...{ what: `at most ${count} attempts at each layer`, removes: says === 'gone', left: [], says },
  })
  const breaker = { what: 'a circuit breaker', removes: false, left: [], says: 'stays' }
  const all = [of(1, 'gone'), of(2, 'stays'), of(3, 'stays'), of(4, 'stays'), breaker]
  expect(alike(all)).toEqual([
    { what: 'at most 1 attempts at each layer', removes: true, says: 'gone' },
    { what: 'at most 2 to 4 attempts at each layer', removes: false, says: 'stays' },
    { what: 'a circuit breaker', removes: false, says: 'stays' },
  ])
})
