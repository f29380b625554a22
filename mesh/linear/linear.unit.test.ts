import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seeded } from '../random.ts'
import { type Block, densely, eliminate } from './eliminate.ts'
import { loopsOf, solveFlow } from './flow.ts'
import { iterate } from './iterate.ts'
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

describe('blocks', () => {
  /** All on one round, with shortcuts; what leaves an unknown comes to less than what is there, or to more at some. */
  const arbitrary = fc.record({
    size: fc.integer({ min: 2, max: 120 }),
    fading: fc.constantFrom(0.5, 0.9, 0.99, 0.99999),
    seed: fc.nat(),
    shortcuts: fc.double({ min: 0, max: 3, noNaN: true }),
  })
  type Shape = { size: number; fading: number; seed: number; shortcuts: number }
  const blockOf = ({ size, fading, seed, shortcuts }: Shape): Block => {
    const random = seeded(seed)
    const rows = Array.from({ length: size }, (_, unknown) => new Map([[(unknown + 1) % size, -random()]]))
    for (let count = 0; count < size * shortcuts; count++) {
      const [row, column] = [Math.floor(random() * size), Math.floor(random() * size)]
      if (row !== column) rows[row]?.set(column, -random())
    }
    // each column by what leaves it, and then all by scales far apart
    const scales = rows.map(() => 10 ** (4 * random() - 2))
    const sums = rows.map(() => 0)
    for (const row of rows) for (const [column, value] of row) sums[column] = (sums[column] ?? 0) - value
    for (const [unknown, row] of rows.entries())
      for (const [column, value] of row)
        row.set(
          column,
          ((value * fading) / (sums[column] ?? 1)) * ((scales[unknown] ?? 1) / (scales[column] ?? 1)),
        )
    return {
      diagonal: new Float64Array(size).fill(1),
      rows,
      loads: Float64Array.from(rows, () => (random() < 0.3 ? random() : 0)),
    }
  }
  const copied = ({ diagonal, rows, loads }: Block): Block => ({
    diagonal: diagonal.slice(),
    rows: rows.map((row) => new Map(row)),
    loads: loads.slice(),
  })
  const pivoted = ({ diagonal, rows, loads }: Block): number[] =>
    densely(
      rows.map((row, unknown) => {
        const line = new Float64Array(rows.length + 1)
        for (const [column, value] of row) line[column] = value
        line[unknown] = diagonal[unknown] ?? 0
        line[rows.length] = loads[unknown] ?? 0
        return line
      }),
    )
  /** Round by round, Σ Gᵏ of the loads: only sums of what is not below 0. */
  const summed = ({ rows, loads }: Block, rounds: number): number[] => {
    let added = [...loads]
    let values = [...loads]
    for (let round = 0; round < rounds; round++) {
      const before = added
      added = rows.map((row) => [...row].reduce((sum, [from, value]) => sum - value * (before[from] ?? 0), 0))
      values = values.map((value, unknown) => value + (added[unknown] ?? 0))
    }
    return values
  }
  const expectNear = (found: ArrayLike<number> | undefined, expected: readonly number[], slack: number) => {
    for (const [unknown, value] of expected.entries())
      expect(Math.abs((found?.[unknown] ?? Number.NaN) - value)).toBeLessThanOrEqual(slack * Math.abs(value))
  }

  it('by fewest ties are what they are by pivoting', () => {
    fc.assert(
      fc.property(arbitrary, (shape) => {
        const block = blockOf(shape)
        const found = eliminate(copied(block))
        // pivoting is exact beside the largest only, where scales are far apart
        const expected = pivoted(block)
        const slack = (1e-12 * Math.max(...expected)) / (1 - shape.fading)
        for (const [unknown, value] of expected.entries())
          expect(Math.abs((found[unknown] ?? Number.NaN) - value)).toBeLessThanOrEqual(slack)
      }),
    )
  })

  it('by iteration are what they are by elimination, and to 1e-13 of each what the rounds sum up to', () => {
    let settled = 0
    fc.assert(
      fc.property(arbitrary, (shape) => {
        const block = blockOf(shape)
        const found = iterate(block)
        if (found === undefined) return
        settled++
        // elimination subtracts on the diagonal, which costs it some digits of the small ones
        expectNear(found, [...eliminate(copied(block))], 1e-9 / (1 - shape.fading))
        if (shape.fading <= 0.9) expectNear(found, summed(block, 500), 2e-13)
      }),
    )
    expect(settled).toBeGreaterThan(50)
  })

  it('that are no M-matrix are not iterated, and are solved', () => {
    const block: Block = {
      diagonal: Float64Array.from([0, 0]),
      rows: [new Map([[1, 2]]), new Map([[0, 4]])],
      loads: Float64Array.from([2, 8]),
    }
    expect(iterate(block)).toBeUndefined()
    expect([...eliminate(block)]).toEqual([2, 1])
  })

  it('that feed themselves more than they fade are not iterated', () => {
    const rows = [new Map([[1, -1.1]]), new Map([[0, -1]])]
    expect(
      iterate({ diagonal: Float64Array.from([1, 1]), rows, loads: Float64Array.from([1, 0]) }),
    ).toBeUndefined()
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
        const { rates, endless } = solveFlow(8, given, external)
        rates.forEach((rate, state) => {
          if (endless.has(state)) return
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
    const { loops, rates, endless } = solveFlow(3, round, [1, 0, 0])
    expect(rates).toEqual([1, 0, 0])
    expect([...endless].toSorted()).toEqual([1, 2])
    expect(loops).toHaveLength(1)
    expect(loops[0]?.members.toSorted()).toEqual([1, 2])
    expect(loops[0]?.gain).toBeCloseTo(Math.sqrt(1.25), 9)
    expect(loopsOf(3, [{ from: 1, to: 1, gain: 1 }])).toEqual([{ members: [1], gain: 1 }])
    expect(loopsOf(3, [{ from: 1, to: 1, gain: 0.5 }])).toEqual([])
  })

  it('what no endless loop leads to is solved, and so is one that nothing gets into, or that is measured', () => {
    const beside = [
      { from: 0, to: 1, gain: 3 },
      { from: 2, to: 3, gain: 2 },
      { from: 3, to: 2, gain: 1 },
      { from: 3, to: 4, gain: 1 },
    ]
    const into = solveFlow(5, beside, [1, 0, 1, 0, 0])
    expect(into).toMatchObject({ rates: [1, 3, 0, 0, 0], endless: new Set([2, 3, 4]) })
    expect(solveFlow(5, beside, [1, 0, 0, 0, 7])).toMatchObject({
      ...{ rates: [1, 3, 0, 0, 7], endless: new Set(), loops: [{ members: expect.arrayContaining([2, 3]) }] },
    })
    const measured = solveFlow(5, beside, [1, 0, 1, 0, 0], new Map([[2, 5]]))
    expect(measured).toMatchObject({ rates: [1, 3, 5, 10, 10], endless: new Set() })
    expect(measured.reactions).toEqual(new Map([[2, -6]]))
  })

  it.each([
    [1 + 1e-5, 1],
    [1 - 1e-5, 0],
  ])('whether a loop of 3,000 fades is no guess: %d once round', (product, growing) => {
    const size = 3000
    const round = Array.from({ length: size }, (_, from) => ({
      from,
      to: (from + 1) % size,
      gain: from === 0 ? 2 : from === size / 2 ? product / 2 : 1,
    }))
    const external = round.map((_, state) => (state === 0 ? 1 : 0))
    const { loops, rates } = solveFlow(size, round, external)
    expect(loops).toHaveLength(growing)
    if (growing === 1) expect(loops[0]?.gain).toBeCloseTo(product ** (1 / size), 11)
    else expect((rates[0] ?? 0) * (1 - product)).toBeCloseTo(1, 9)
  })

  it('what is measured is taken as it is, and the rest that must come from outside is told', () => {
    const { rates, reactions } = solveFlow(2, [{ from: 0, to: 1, gain: 1 }], [4, 0], new Map([[1, 10]]))
    expect(rates).toEqual([4, 10])
    expect(reactions.get(1)).toBeCloseTo(6, 12)
  })
})
