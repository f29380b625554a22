import { expect, it } from 'vitest'
import { atMost } from './at-most.ts'

it('runs so many at once and no more, all of them, in order, whatever fails', async () => {
  const limited = atMost(3)
  let running = 0
  let most = 0
  const began: number[] = []
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) =>
      limited(async () => {
        began.push(n)
        most = Math.max(most, ++running)
        for (let turns = 0; turns < n % 4; turns++) await Promise.resolve()
        running--
        if (n % 5 === 0) throw new Error(`no ${n}`)
        return n
      }),
    ),
  )
  expect(most).toBe(3)
  expect(began).toEqual(Array.from({ length: 20 }, (_, n) => n))
  expect(results.map(({ status }) => status === 'fulfilled')).toEqual(began.map((n) => n % 5 !== 0))
  expect(await limited(async () => 'still')).toBe('still')
})
