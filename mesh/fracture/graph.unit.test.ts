import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Link } from './frontier.ts'
import { byFrontier } from './frontier.ts'
import { fractureGraph, parseGraph } from './graph.ts'
import { reliability } from './reliability.ts'

const fracture = (value: unknown) => fractureGraph(parseGraph('graph.json', value))

describe('dominators', () => {
  it('are those of Cooper (2006)', () => {
    const edges = [
      [0, 1],
      [1, 2],
      [1, 3],
      [2, 7],
      [3, 4],
      [4, 5],
      [4, 6],
      [5, 7],
      [6, 4],
    ]
    const answer = fracture({ edges, root: 0, sinks: [7, 5] })
    expect(answer.dominators).toEqual({ 1: '0', 2: '1', 3: '1', 4: '3', 5: '4', 6: '4', 7: '1' })
    expect(answer.singlePointsOfFailure).toEqual({ 7: ['1'], 5: ['4', '3', '1'] })
  })

  it('both ways where edges are not directed', () => {
    const answer = fracture({
      edges: [
        ['a', 'b'],
        ['z', 'b'],
      ],
      root: 'a',
      sinks: ['z'],
      directed: false,
    })
    expect(answer.singlePointsOfFailure).toEqual({ z: ['b'] })
    expect(answer.unreachable).toEqual([])
  })
})

describe('reliability', () => {
  it('of the bridge with five edges of .9 is .97848', () => {
    const edges = [
      ['s', 'a'],
      ['s', 'b'],
      ['a', 'b'],
      ['a', 't'],
      ['b', 't'],
    ]
    const answer = fracture({ edges, root: 's', sinks: ['t'], directed: false, edgeReliability: 0.9 })
    expect(answer.reliability.t).toBeCloseTo(0.97848, 10)
    expect(answer.reliabilityError.t).toBe(0)
  })

  /** Rungs between two rails, and a grid, from corner to corner. */
  const ladder = (rungs: number) =>
    Array.from({ length: rungs + 1 }, (_, i) => [
      [2 * i, 2 * i + 1],
      ...(i < rungs
        ? [
            [2 * i, 2 * i + 2],
            [2 * i + 1, 2 * i + 3],
          ]
        : []),
    ]).flat()
  const grid = (side: number) =>
    Array.from({ length: side ** 2 }, (_, i) => [
      ...(i % side < side - 1 ? [[i, i + 1]] : []),
      ...(i + side < side ** 2 ? [[i, i + side]] : []),
    ]).flat()

  it.each([
    ['a ladder of 100 rungs', ladder(100), 201, 0.300_712_222],
    ['a grid of 8 × 8', grid(8), 63, 0.975_661_264],
  ])('of %s is exact: what counts is how many vertices are between', (_, edges, sink, value) => {
    const answer = fracture({ edges, root: 0, sinks: [sink], directed: false, edgeReliability: 0.9 })
    expect(answer.reliability[sink]).toBeCloseTo(value, 8)
    expect(answer.reliabilityError[sink]).toBe(0)
  })

  it('of a star of 1000 ways is exact', () => {
    const edges = Array.from({ length: 1000 }, (_, i) => [
      ['s', i],
      [i, 't'],
    ]).flat()
    const answer = fracture({ edges, root: 's', sinks: ['t'], edgeReliability: 0.1 })
    expect(answer.reliability.t).toBeCloseTo(1 - 0.99 ** 1000, 12)
    expect(answer.reliabilityError.t).toBe(0)
  })

  const graphs = fc.record({
    directed: fc.boolean(),
    links: fc.array(
      fc.record({ from: fc.nat(4), to: fc.nat(4), reliability: fc.constantFrom(0, 0.1, 0.5, 0.9, 1) }),
      { minLength: 1, maxLength: 8 },
    ),
  })

  it('is what counting all states of the edges comes to', () => {
    fc.assert(
      fc.property(graphs, ({ directed, links }) => {
        const exact = counted(links, directed)
        expect(reliability(5, links, 0, 4, { directed }).value).toBeCloseTo(exact, 9)
        expect(byFrontier(links, 0, 4, { directed, most: 1000 })).toBeCloseTo(exact, 9)
      }),
    )
  })

  it('simulated, lies within five of its errors', () => {
    fc.assert(
      fc.property(graphs, ({ directed, links }) => {
        const { value, error } = reliability(5, links, 0, 4, { directed, states: 0, samples: 2000 })
        const exact = counted(links, directed)
        expect(Math.abs(value - exact)).toBeLessThanOrEqual(5 * error + 1e-12)
      }),
      { numRuns: 50, seed: 7 },
    )
  })
})

/** The probability that 4 is reached from 0, by every state of the edges. */
function counted(links: readonly Link[], directed: boolean): number {
  let sum = 0
  for (let mask = 0; mask < 2 ** links.length; mask++) {
    const holds = (i: number) => ((mask >> i) & 1) === 1
    const up = links.filter((_, i) => holds(i))
    const chance = links.reduce(
      (product, { reliability: part }, i) => product * (holds(i) ? part : 1 - part),
      1,
    )
    if (reached(up, directed).has(4)) sum += chance
  }
  return sum
}

function reached(up: readonly Link[], directed: boolean): Set<number> {
  const ways = up.flatMap(({ from, to }) => [{ from, to }, ...(directed ? [] : [{ from: to, to: from }])])
  const seen = new Set([0])
  for (let size = 0; size < seen.size; ) {
    size = seen.size
    for (const { from, to } of ways) if (seen.has(from)) seen.add(to)
  }
  return seen
}

describe('bad input', () => {
  it.each([
    [{ edges: [], root: 'a', sinks: ['b'] }, /graph.json: edges: expected at least one edge/],
    [{ edges: [['a', 'b', 2]], root: 'a', sinks: ['b'] }, /edges.0.2: a probability is at most 1/],
    [{ edges: [['a', 'b']], root: 'x', sinks: ['b'] }, /root: no edge touches x/],
    [{ edges: [['a', 'b']], root: 'a', sinks: ['b', 'q'] }, /sinks.1: no edge touches q/],
    [7, /graph.json: the document/],
  ])('%j', (value, message) => {
    expect(() => fracture(value)).toThrow(message)
  })
})
