import fc from 'fast-check'
import { expect, it } from 'vitest'
import { erlangB, erlangC } from './erlang.ts'

/** B(n) = aB(n-1) / (n + aB(n-1)) (Jagerman 1974): slow, and overflows nowhere. */
function recursion(servers: number, offered: number): number {
  let blocked = 1
  for (let n = 1; n <= servers; n++) blocked = (offered * blocked) / (n + offered * blocked)
  return blocked
}

it('Erlang B by its series is that of the recursion', () => {
  const loads = fc.double({ min: 0.01, max: 3, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), loads, (servers, part) => {
      expect(erlangB(servers, part * servers)).toBeCloseTo(recursion(servers, part * servers), 12)
    }),
  )
})

it('with one server whoever comes finds it busy as often as it is: ρ/(1+ρ) is refused, ρ waits', () => {
  expect(erlangB(1, 0.8)).toBeCloseTo(0.8 / 1.8, 12)
  expect(erlangC(1, 0.8)).toBeCloseTo(0.8, 12)
  expect(erlangC(1, 1)).toBe(1)
})
