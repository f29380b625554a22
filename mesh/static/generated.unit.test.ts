import fc from 'fast-check'
import { expect, it } from 'vitest'
import { meshOfSize } from '../../test/meshes-of-size.ts'
import { load } from '../load.ts'
import { analyseStatic } from './analyse.ts'
import type { StaticReport } from './report.ts'

const arbitrary = fc.record({
  elements: fc.integer({ min: 30, max: 200 }),
  seed: fc.nat(1000),
  factor: fc.double({ min: 1.1, max: 10, noNaN: true }),
})

const keyOf = ({ node, type, asked }: StaticReport['rates'][number]) => `${node} ${type} ${asked === true}`

it('so many times what comes makes so many times every rate', () => {
  fc.assert(
    fc.property(arbitrary, ({ elements, seed, factor }) => {
      const { mesh, loads } = meshOfSize(elements, seed)
      const loaded = load(mesh, loads)
      const more = { ...loaded, external: loaded.external.map((rate) => rate && rate * factor) }
      const before = new Map(analyseStatic(loaded).rates.map((one) => [keyOf(one), one.rate]))
      for (const one of analyseStatic(more).rates) {
        const once = before.get(keyOf(one)) ?? Number.NaN
        expect(Math.abs(one.rate - factor * once)).toBeLessThanOrEqual(1e-9 * one.rate)
      }
    }),
    { numRuns: 30 },
  )
})

it('more of any one limit never lowers the factor of safety', () => {
  fc.assert(
    fc.property(arbitrary, fc.nat(), ({ elements, seed, factor }, chosen) => {
      const { mesh, loads } = meshOfSize(elements, seed)
      const limits = [...mesh.nodes, ...mesh.elements].flatMap(({ laws }) => laws)
      const [law] = limits.slice(chosen % limits.length)
      const before = analyseStatic(load(mesh, loads)).safety?.factor ?? Number.POSITIVE_INFINITY
      if (law?.law === 'servers') law.servers *= factor
      if (law?.law === 'tokens') law.rate *= factor
      const after = analyseStatic(load(mesh, loads)).safety?.factor ?? Number.POSITIVE_INFINITY
      expect(after).toBeGreaterThanOrEqual(before * (1 - 1e-12))
    }),
    { numRuns: 30 },
  )
})
