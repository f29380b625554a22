import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gathered, gathering } from './gathered.ts'

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

/** P(N ≥ k) of a Poisson N with this mean, for k = 0 … */
function atLeast(mean: number, most: number): number[] {
  let [below, exactly] = [0, Math.exp(-mean)]
  return Array.from({ length: most }, (_, k) => {
    const here = 1 - below
    below += exactly
    exactly *= mean / (k + 1)
    return here
  })
}

describe('a batch that is gathered', () => {
  it('by hand: two a second, one second, two at most', () => {
    const { batch, seen } = gathered(2, 1, 2)
    expect(batch).toBeCloseTo(2 - Math.exp(-2), 9)
    // one of two with 1 - e⁻²: (1·e⁻² + 4·(1 - e⁻²))/(2 - e⁻²)
    expect(seen).toBeCloseTo((4 - 3 * Math.exp(-2)) / (2 - Math.exp(-2)), 9)
    // half of them wait, min(1, exponential)
    const mean = sumOf(gathering(2, 1, 2).map(({ seconds, chance }) => seconds * chance))
    expect(mean).toBeCloseTo((1 - Math.exp(-2)) / 2 / (2 - Math.exp(-2)), 9)
  })

  it('of a trickle is one, which waits for the whole window; of a flood it is full at once', () => {
    expect(gathered(1e-6, 5, 10).batch).toBeCloseTo(1, 4)
    expect(gathering(1e-6, 5, 10).at(-1)).toEqual({ seconds: 5, chance: expect.closeTo(1, 4) })
    expect(gathered(10_000, 5, 10).batch).toBeCloseTo(10, 9)
    expect(Math.max(...gathering(10_000, 5, 10).map(({ seconds }) => seconds))).toBeLessThan(0.01)
    expect(gathering(100, 0, 10)).toEqual([{ seconds: 0, chance: 1 }])
    expect(gathering(0, 5, 10)).toEqual([{ seconds: 5, chance: 1 }])
  })

  it('keeps nobody longer than its window, in the mean Σk·P(N ≥ k)/λ of a batch', () => {
    const given = fc.record({
      rate: fc.double({ min: 0.01, max: 50, noNaN: true }),
      window: fc.double({ min: 0.1, max: 5, noNaN: true }),
      most: fc.integer({ min: 2, max: 50 }),
    })
    fc.assert(
      fc.property(given, ({ rate, window, most }) => {
        const all = gathering(rate, window, most)
        expect(sumOf(all.map(({ chance }) => chance))).toBeCloseTo(1, 9)
        for (const { seconds } of all) expect(seconds).toBeLessThanOrEqual(window)
        const waited = sumOf(atLeast(rate * window, most).map((more, k) => (k * more) / rate))
        const mean = sumOf(all.map(({ seconds, chance }) => seconds * chance))
        expect(Math.abs(mean - waited / gathered(rate, window, most).batch)).toBeLessThan(1e-3 * window)
      }),
    )
  })

  it('varies as the first that waits for all of it and the others that come at any time', () => {
    // never full: of 1 + λw the first waits w, the others w/2 in the mean and w²/3 in the square
    const [rate, window] = [1, 5]
    const all = gathering(rate, window, 100)
    const square = sumOf(all.map(({ seconds, chance }) => seconds ** 2 * chance))
    expect(square / ((window ** 2 * (1 + (rate * window) / 3)) / (1 + rate * window))).toBeCloseTo(1, 2)
  })

  it('is what comes in a long window, not what it may have', () => {
    expect(gathered(4, 300, 10_000).batch).toBeCloseTo(1201, 6)
    expect(Math.max(...gathering(4, 300, 10_000).map(({ seconds }) => seconds))).toBe(300)
  })
})
