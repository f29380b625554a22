import { describe, expect, it } from 'vitest'
import { element, functionNode, loadedWith, meshFrom, queueNode, servers } from '../../test/meshes.ts'
import { analyseStatic } from './analyse.ts'
import { extrasOver } from './retry-delays.ts'
import { instant } from './times.ts'

const poll = element('poll', 'q', 'f')
const queue = queueNode('q', { visibility: 6, maxReceiveCount: 3 })
const waits = { mean: 2, variance: 4 }

describe('what comes again', () => {
  it.each([
    // of a queue that remembers nothing variances add up, of one that never changes the waits are k times one
    [0, [0, 4, 8]],
    [Number.POSITIVE_INFINITY, [0, 4 * 3, 4 * 8]],
  ])('waits anew at each attempt, in a queue that lasts %d s', (lasts, variances) => {
    const anew = { gathers: instant, waits, lasts }
    const extras = extrasOver(poll, queue, { fails: 0.5, attempts: 3, mean: 1, anew })
    expect(extras.map(({ seconds }) => seconds)).toEqual([0, 6, 12])
    expect(extras.map(({ more }) => more?.mean)).toEqual([0, 2, 4])
    expect(extras.map(({ more }) => more?.variance)).toEqual(variances)
  })

  // Poisson arrivals, exponential services, what fails hidden for its visibility: means of three seeded runs of 400,000
  it.each([
    { rate: 20, servers: 2, mean: 0.067, fails: 0.3, visibility: 2, receives: 3, is: 1.33, p99: 6.55 },
    { rate: 5, servers: 2, mean: 0.304, fails: 0.2, visibility: 6, receives: 5, is: 5.12, p99: 28.8 },
    { rate: 5, servers: 5, mean: 0.576, fails: 0.3, visibility: 10, receives: 3, is: 4.46, p99: 22.6 },
  ])('takes as long as in a run: %o', ({ rate, mean, fails, visibility, receives, is, p99, ...given }) => {
    const mesh = meshFrom(
      [queueNode('q', { visibility, maxReceiveCount: receives }), functionNode('f')],
      [element('poll', 'q', 'f', { batch: 1, laws: [servers(given.servers)] })],
    )
    const failures = new Map([['f', fails]])
    const { delay } = analyseStatic(loadedWith(mesh, { q: rate }, { f: mean }, { failures })).paths[0] ?? {}
    expect(Math.abs((delay?.mean ?? 0) / is - 1)).toBeLessThan(0.05)
    expect(Math.abs((delay?.p99 ?? 0) / p99 - 1)).toBeLessThan(0.05)
  })
})
