import { expect, it } from 'vitest'
import { functionNode, loadedWith, meshFrom, poll, queueNode, servers } from '../../test/meshes.ts'
import { dynamic } from './dynamic.ts'

it('what fails comes again behind what waits: the oldest age is since it was sent', () => {
  const mesh = meshFrom(
    [queueNode('q', { visibility: 30, maxReceiveCount: 4 }), functionNode('f', [], 5)],
    [poll('q', 'f', [servers(5)])],
  )
  const of = (failures: [string, number][]) => {
    const loaded = loadedWith(mesh, { q: 10 }, { f: 0.3 }, { failures: new Map(failures) })
    const found = dynamic(loaded, { shape: 'step', factor: 4, hold: 300 }).limits[0]
    return { fluid: found?.oldestAge.seconds ?? 0, runs: found?.simulation?.oldestAge }
  }
  // six runs of a queue on its own, event by event: 1,452 s of a fifth that fails, 1,056 s of a twentieth
  for (const [fails, runs] of [
    [0.2, 1452],
    [0.05, 1056],
  ] as const) {
    const found = of([['f', fails]])
    expect(Math.abs(found.fluid / runs - 1)).toBeLessThan(0.03)
    expect(Math.abs((found.runs?.mean ?? 0) / runs - 1)).toBeLessThan(0.03)
  }
  expect(of([]).fluid).toBeCloseTo((300 * (40 - 5 / 0.3)) / (5 / 0.3), 6)
  // one in a million: nobody fails, and the steps of time cost no more than that
  expect(Math.abs(of([['f', 1e-6]]).fluid / 420 - 1)).toBeLessThan(0.01)
})
