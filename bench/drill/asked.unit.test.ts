import { expect, it } from 'vitest'
import { asked } from './asked.ts'

it.each([
  [[], { events: 100_000, seed: 1 }],
  [['1000'], { events: 1000, seed: 1 }],
  [['7', '0'], { events: 7, seed: 0 }],
])('%j is %j', (given, expected) => {
  expect(asked(given)).toEqual(expected)
})

it.each([
  [['1,000'], 'events: expected a whole number from 1 on, got "1,000"'],
  [['many'], 'events: expected'],
  [['0'], 'events: expected'],
  [['-1'], 'events: expected'],
  [['1e3'], 'events: expected'],
  [['1.5'], 'events: expected'],
  [[''], 'events: expected'],
  [['--seed'], 'events: expected'],
  [['1000', 'x'], 'seed: expected'],
  [['1000', '1', '2'], '2: too many arguments'],
])('%j is refused', (given, why) => {
  expect(() => asked(given)).toThrow(why)
})
