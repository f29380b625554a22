import { expect, it } from 'vitest'
import { element, functionNode, meshFrom, queueNode } from '../test/meshes.ts'
import { load } from './load.ts'
import { parseLoads } from './loads.ts'
import type { Law } from './model.ts'
import { analyseStatic } from './static/analyse.ts'

/** s → f, its shards bound to a server each. */
function read(shards: number, rate: number, service: object, { batch = 1, reserved = 0 } = {}) {
  const law: Law = { law: 'servers', servers: shards, over: 'wait', keyed: true, from: 'template' }
  const laws: Law[] =
    reserved > 0 ? [{ law: 'servers', servers: reserved, over: 'refuse', from: 'template' }] : []
  const mesh = meshFrom(
    [queueNode('s'), functionNode('f', laws)],
    [element('poll', 's', 'f', { laws: [law], batch })],
  )
  const given = { version: 1, arrivals: { s: { t: rate } }, service: { f: service } }
  return analyseStatic(load(mesh, parseLoads('rates.yaml', given, mesh)))
}
const meanOf = ({ paths }: ReturnType<typeof analyseStatic>): number => paths[0]?.delay?.mean ?? Number.NaN

it('a record waits for its own shard, whoever else is free', () => {
  // ten times M/M/1 at 0.8 of 2.5 a second: 1 / (2.5 - 2)
  const { stresses, paths, assumptions } = read(10, 20, { mean: 0.4 })
  expect(paths[0]?.delay?.mean).toBeCloseTo(2, 6)
  // exactly ln(100)·2 = 9.21; runs of it (400,000 records) 9.51
  expect(paths[0]?.delay?.p99).toBeGreaterThan(9)
  expect(paths[0]?.delay?.p99).toBeLessThan(10)
  expect(stresses[0]?.utilisation).toBeCloseTo(0.8, 9)
  expect(assumptions.join('\n')).toContain('is bound to its shard')
})

it('batches of a shard are those of its own records', () => {
  const service = { mean: 0.5, each: 0.05, batch: 1 }
  expect(meanOf(read(4, 20, service, { batch: 10 }))).toBeCloseTo(
    meanOf(read(1, 5, service, { batch: 10 })),
    9,
  )
})

it('waits for the function where that allows less than there are shards', () => {
  // two servers at 0.8 for ten shards at 0.16 each: M/M/2, 0.4 / (1 - 0.64)
  expect(meanOf(read(10, 4, { mean: 0.4 }, { reserved: 2 }))).toBeCloseTo(0.4 / (1 - 0.64), 6)
  // nine at 0.87 for ten shards at 0.78 each: a shard has the longer line
  expect(meanOf(read(10, 24.5, { mean: 0.32 }, { reserved: 9 }))).toBeCloseTo(0.32 / (1 - 2.45 * 0.32), 6)
})
