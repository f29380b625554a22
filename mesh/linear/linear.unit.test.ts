import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loopsOf, solveFlow } from './flow.ts'
import { assemble, type Element, solve } from './solve.ts'

describe('assembly', () => {
  it('springs in a row (Logan, example 2.1)', () => {
    const spring = (stiffness: number, one: number, other: number): Element => ({
      unknowns: [one - 1, other - 1],
      matrix: [
        [stiffness, -stiffness],
        [-stiffness, stiffness],
      ],
    })
    const system = assemble(4, [spring(1000, 1, 3), spring(2000, 3, 4), spring(3000, 4, 2)])
    const held = new Map([
      [0, 0],
      [1, 0],
    ])
    const { values, reactions } = solve(system, [0, 0, 0, 5000], held)
    expect(values[2]).toBeCloseTo(10 / 11, 12)
    expect(values[3]).toBeCloseTo(15 / 11, 12)
    expect(reactions.get(0)).toBeCloseTo(-10_000 / 11, 9)
    expect(reactions.get(1)).toBeCloseTo(-45_000 / 11, 9)
  })

  it('a structure that nothing holds is refused', () => {
    const free = assemble(2, [
      {
        unknowns: [0, 1],
        matrix: [
          [1, -1],
          [-1, 1],
        ],
      },
    ])
    expect(() => solve(free, [1, 0])).toThrow(/singular/)
  })
})

describe('flow', () => {
  const flows = fc.array(
    fc.record({ from: fc.nat(7), to: fc.nat(7), gain: fc.double({ min: 0.01, max: 0.3, noNaN: true }) }),
    { maxLength: 20 },
  )
  const loads = fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 8, maxLength: 8 })

  it('balances at every state, and doubles with its loads', () => {
    fc.assert(
      fc.property(flows, loads, (given, external) => {
        const { rates, loops } = solveFlow(8, given, external)
        if (loops.length > 0) return
        rates.forEach((rate, state) => {
          const inflow = given
            .filter(({ to }) => to === state)
            .reduce((sum, { from, gain }) => sum + gain * (rates[from] ?? 0), external[state] ?? 0)
          expect(rate).toBeCloseTo(inflow, 6)
        })
        const doubled = solveFlow(
          8,
          given,
          external.map((load) => 2 * load),
        ).rates
        for (const [state, rate] of doubled.entries()) expect(rate).toBeCloseTo(2 * (rates[state] ?? 0), 6)
      }),
    )
  })

  it('a loop that does not fade is named with its gain, not solved', () => {
    const round = [
      { from: 0, to: 1, gain: 2 },
      { from: 1, to: 2, gain: 0.5 },
      { from: 2, to: 1, gain: 2.5 },
    ]
    const { loops, rates } = solveFlow(3, round, [1, 0, 0])
    expect(rates).toEqual([])
    expect(loops).toHaveLength(1)
    expect(loops[0]?.members.toSorted()).toEqual([1, 2])
    expect(loops[0]?.gain).toBeCloseTo(Math.sqrt(1.25), 9)
    expect(loopsOf(3, [{ from: 1, to: 1, gain: 0.5 }])).toMatchObject([{ members: [1] }])
  })

  it('what is measured is taken as it is, and the rest that must come from outside is told', () => {
    const { rates, reactions } = solveFlow(2, [{ from: 0, to: 1, gain: 1 }], [4, 0], new Map([[1, 10]]))
    expect(rates).toEqual([4, 10])
    expect(reactions.get(1)).toBeCloseTo(6, 12)
  })
})
