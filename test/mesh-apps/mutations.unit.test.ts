import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { assemblyOf } from '../../mesh/assembly/read/read.ts'
import { comprehensive } from '../../mesh/comprehensive/analyse.ts'
import { MeshError } from '../../mesh/faults.ts'
import { load } from '../../mesh/load.ts'
import { meshDocument } from '../../mesh/model.ts'
import { mutated } from './mutations.ts'

const golden = join(import.meta.dirname, '..', 'templates', 'golden')
const texts = ['local-app', 'prod-app', 'prod-state'].map((name) =>
  readFileSync(join(golden, `${name}.json`), 'utf8'),
)

it('whatever somebody makes of a template, it is analysed or refused, and nothing else', () => {
  const counted = { analysed: 0, refused: 0 }
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), fc.constantFrom(...texts), (seed, text) => {
      try {
        const mesh = meshOf(assemblyOf('t.json', mutated(text, seed)))
        expect(meshDocument.parse(mesh)).toEqual(mesh)
        if (seed % 20 === 0) comprehensive(load(mesh))
        counted.analysed++
      } catch (error) {
        if (!(error instanceof MeshError)) throw error
        expect(error.message).toMatch(/^t\.json: \S/)
        counted.refused++
      }
    }),
    { seed: 7, numRuns: 150 },
  )
  // both ways are tried
  expect(Math.min(counted.analysed, counted.refused)).toBeGreaterThan(30)
})
