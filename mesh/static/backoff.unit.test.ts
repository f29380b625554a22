import { describe, expect, it } from 'vitest'
import { delivery, functionNode, loadedWith, meshFrom, node, servers } from '../../test/meshes.ts'
import { comprehensive } from '../comprehensive/analyse.ts'
import { analyseStatic } from './analyse.ts'
import { backoffOf, pausesIn } from './backoff.ts'

const pauses = pausesIn({})

describe('asynchronous invocations that are throttled', () => {
  it('of one server wait ρ + 2ρ² + 4ρ³ … s, as B(1, A) = ρ where A(1 - B) = ρ', () => {
    expect(backoffOf(1, 0.2, 21_600, pauses)?.waits.mean).toBeCloseTo(0.2 / (1 - 0.4), 3)
  })

  it('are given up by their age: after 1, 3 and 7 s what is due at 15 s is too old', () => {
    const { extras, aged } = backoffOf(1, 0.5, 15, pauses) ?? {}
    expect(extras?.map(({ seconds }) => seconds)).toEqual([0, 1, 3, 7])
    // what is too old keeps no server: B = A/(1 + A) = 0.5·(1 - B⁴)
    const refused = 0.474_627
    expect(0.5 * (1 - refused ** 4)).toBeCloseTo(refused, 5)
    expect(aged).toBeCloseTo(refused ** 4, 5)
  })

  const mesh = (most: number) =>
    meshFrom([node('topic', 's'), functionNode('f', [servers(most, 'refuse')])], [delivery('s', 'f')])

  // a seeded run of 60,000 s whose waits are spread by a half
  it('wait as in a run, and at least so long', () => {
    const { paths, assumptions } = analyseStatic(loadedWith(mesh(10), { s: 90 }, { f: 0.1 }))
    expect(Math.abs((paths[0]?.delay?.mean ?? 0) / (3.26 + 0.1) - 1)).toBeLessThan(0.05)
    expect(paths[0]?.throttling).toEqual(['f'])
    expect(assumptions.join()).toContain('throttled')
    const { score } = comprehensive(loadedWith(mesh(10), { s: 90 }, { f: 0.1 }))
    expect(score.terms.find(({ name }) => name === 'latency')?.atLeast).toContain('f')
  })

  it('come back as soon as the file of rates says', () => {
    const constants = { 'lambda-async-throttled-interval': 2, 'lambda-async-throttled-max-delay': 600 }
    const { extras } = backoffOf(1, 0.5, 15, pausesIn(constants)) ?? {}
    expect(extras?.map(({ seconds }) => seconds)).toEqual([0, 2, 6, 14])
    const { paths, assumptions } = analyseStatic(loadedWith(mesh(10), { s: 90 }, { f: 0.1 }, { constants }))
    expect(paths[0]?.delay?.mean).toBeGreaterThan(6)
    expect(assumptions.join()).toContain('after 2, 4, 8 … 600 s')
  })

  it('say nothing where hardly any is', () => {
    const { paths } = analyseStatic(loadedWith(mesh(100), { s: 90 }, { f: 0.1 }))
    expect(paths[0]).not.toHaveProperty('throttling')
  })
})
