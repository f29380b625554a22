import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { erlangB } from '../queueing/erlang.ts'
import { factorAt, settledAt } from './curve.ts'
import { attemptsOf, blocked, type Capacity, late } from './failing.ts'
import { fibreBundle, retryRun, retrySystem } from './textbook.ts'

describe('metastable failure (HotOS 2021): 300/s, one retry after 1 s', () => {
  const system = { capacity: 300, load: 280, attempts: 2 }

  it('sticks at 560/s, is stable up to 150/s and vulnerable up to 300/s', () => {
    expect(retrySystem(system)).toMatchObject({ low: 280, high: 560, state: 'vulnerable', stableUpTo: 150 })
    const { fold } = retrySystem(system)
    expect((fold?.top.factor ?? 0) * 280).toBeCloseTo(300, 3)
    expect((fold?.bottom.factor ?? 0) * 280).toBeCloseTo(150, 3)
    expect(retrySystem({ ...system, load: 149 })).toMatchObject({ low: 149, high: 149, state: 'stable' })
    expect(retrySystem({ ...system, load: 301 })).toMatchObject({ low: 602, high: 602, state: 'overloaded' })
  })

  it.each([
    [280, 560],
    [160, 320],
    [140, 140],
    [100, 100],
  ])('an outage of 10 s at %d/s leaves %d/s behind', (load, attempts) => {
    const run = { timeout: 1, outage: { from: 50, to: 60 }, until: 1000, window: 200, seed: 7 }
    const found = retryRun({ ...system, load }, run)
    expect(found.attempts / attempts).toBeCloseTo(1, 1)
    expect(found.inTime < 1).toBe(attempts > 300)
    const untouched = retryRun({ ...system, load }, { ...run, outage: { from: 0, to: 0 }, until: 400 })
    expect(untouched.attempts / load).toBeCloseTo(1, 1)
  })
})

it.each([
  [0.1, 0.8873],
  [0.2, 0.7236],
  [0.24, 0.6],
  [0.251, 0],
])('fibre bundle under %d keeps %d (Pradhan et al.)', (load, whole) => {
  expect(fibreBundle(load)).toBeCloseTo(whole, 4)
})

describe('laws', () => {
  it('Erlang B by its series is that of the recursion', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0.01, max: 3, noNaN: true }),
        (servers, part) => {
          expect(blocked(servers, part * servers)).toBeCloseTo(erlangB(servers, part * servers), 12)
        },
      ),
    )
  })

  const capacity: Capacity = {
    servers: 1,
    over: 'wait',
    mean: 1,
    scv: 1,
    tokens: Number.POSITIVE_INFINITY,
    tokensOver: 'refuse',
  }

  it('M/M/1: the time in the system is exponential', () => {
    expect(late(capacity, 0.8, 7)).toBeCloseTo(Math.exp(-0.2 * 7), 9)
    expect(late(capacity, 1, 7)).toBe(1)
    expect(late({ ...capacity, scv: 0 }, 0, 0.9)).toBe(1)
    expect(late({ ...capacity, scv: 0 }, 0, 1.1)).toBe(0)
  })

  it('from below and from above enclose all steady states, and lie on the curve', () => {
    const arbitrary = fc.record({
      load: fc.double({ min: 0.05, max: 1.5, noNaN: true }),
      attempts: fc.integer({ min: 1, max: 6 }),
      patience: fc.double({ min: 4, max: 40, noNaN: true }),
    })
    fc.assert(
      fc.property(arbitrary, ({ load, attempts, patience }) => {
        const policy = { attempts, budget: Number.POSITIVE_INFINITY, breaker: 2 }
        const sources = [
          {
            rate: load,
            attempts: (x: number) => attemptsOf(policy, late(capacity, x, patience)),
            cap: Number.POSITIVE_INFINITY,
          },
        ]
        const low = settledAt(sources, 1, 'idle')
        const high = settledAt(sources, 1, 'collapsed')
        expect(low).toBeLessThanOrEqual(high * (1 + 1e-6))
        // near a fold the iteration stops a little early
        for (const x of [low, high]) expect(factorAt(sources, x)).toBeCloseTo(1, 4)
        for (let k = 0; k < 200; k++) {
          const x = (attempts * load * (k + 0.5)) / 200
          const inside = Math.abs(factorAt(sources, x) - 1) < 1e-9
          if (inside) expect(x >= low * (1 - 1e-6) && x <= high * (1 + 1e-6)).toBe(true)
        }
      }),
      { seed: 1 },
    )
  })
})
