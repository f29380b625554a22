import { describe, expect, it } from 'vitest'
import {
  element,
  functionNode,
  loadedWith,
  meshFrom,
  node,
  poll,
  queueNode,
  scaling,
  servers,
  tokens,
} from '../test/meshes.ts'
import { dynamic } from './dynamic/dynamic.ts'
import type { Law, MeshElement } from './model.ts'
import { nonlinear } from './nonlinear/nonlinear.ts'
import { analyseStatic } from './static/analyse.ts'

/** What each analysis says of one limit: asked a second (or at once) before any change, and the part of it that is used. */
const asked = (loaded: ReturnType<typeof loadedWith>, at: string, unit: string) => {
  const steady = analyseStatic(loaded).stresses.find((one) => one.at === at && one.unit === unit)
  const surge = dynamic(loaded, { shape: 'step', factor: 1, runs: 2, arrivals: 2000 }).limits
  const site = nonlinear(loaded).sites.find((one) => one.at === at)
  return {
    steady: steady?.utilisation,
    surge: surge.filter((one) => one.at === at).map(({ utilisation, state }) => [utilisation, state]),
    site: site && { demand: site.demand, capacity: site.capacity, state: site.state },
  }
}

const writes = (rate: number) => tokens(rate, 0, 'refuse', 'writes')
const reads = (rate: number) => tokens(rate, 0, 'refuse', 'reads')

/** q → f, which reads and writes a table. */
const tableAt = (laws: readonly Law[], ...uses: MeshElement[]) =>
  meshFrom([queueNode('q'), functionNode('f'), node('table', 't', {}, laws)], [poll('q', 'f'), ...uses])
const reading = element('call', 'f', 't', { carries: false })

describe('a table', () => {
  it('is asked for reads by those that read, and for writes by all else', () => {
    const loaded = loadedWith(tableAt([writes(5), reads(1000)], reading), { q: 100 }, { f: 0.1 })
    expect(asked(loaded, 't', 'reads')).toEqual({
      steady: 0.1,
      surge: [[0.1, 'kept up']],
      site: { demand: 100, capacity: 1000, state: 'stable' },
    })
    expect(asked(loaded, 't', 'writes').steady).toBe(0)
  })

  it('that is read and written holds each against its own limit', () => {
    const both = tableAt(
      [writes(400), reads(1000)],
      reading,
      element('call', 'f', 't', { id: 'put', ratio: 2 }),
    )
    const { steady, surge, site } = asked(loadedWith(both, { q: 100 }, { f: 0.1 }), 't', 'writes')
    expect(steady).toBe(0.5)
    expect(surge).toEqual(
      expect.arrayContaining([
        [0.5, 'kept up'],
        [0.1, 'kept up'],
      ]),
    )
    // two of three are writes: 600 of both are 400 of these
    expect(site?.capacity).toBeCloseTo(600, 9)
  })

  it('takes as writes what arrives at it', () => {
    const loaded = loadedWith(tableAt([writes(4000), reads(12_000)]), { t: 9000 }, {})
    expect(asked(loaded, 't', 'writes')).toMatchObject({ steady: 2.25, site: { capacity: 4000 } })
    expect(asked(loaded, 't', 'reads').steady).toBe(0)
  })
})

it('a share of what several share is asked by the same law', () => {
  const pool = { ...writes(50), shared: 'pool' }
  const loaded = loadedWith(tableAt([pool], reading), { q: 100 }, { f: 0.1 })
  expect(asked(loaded, 'pool', 'writes')).toMatchObject({ steady: 0, surge: [], site: undefined })
})

describe('what is in flight of a queue', () => {
  const polled = (visibility: number) =>
    meshFrom(
      [node('queue', 'q', { visibility, maxReceiveCount: 5 }, [servers(120_000)]), functionNode('f')],
      [element('poll', 'q', 'f', { laws: [scaling(5, 300, 1250)] })],
    )
  const flying = (mesh: ReturnType<typeof polled>, service: object, failures: Record<string, number> = {}) =>
    analyseStatic(
      loadedWith(mesh, { q: 1000 }, { ...service }, { failures: new Map(Object.entries(failures)) }),
    )

  it('is what is being handled, and what failed, up to the end of its visibility', () => {
    expect(flying(polled(360), { f: 0.2 }).stresses.find(({ at }) => at === 'q')?.demand).toBeCloseTo(200, 9)
    const attempts = 1000 * ((1 - 0.5 ** 5) / 0.5)
    expect(flying(polled(360), { f: 0.2 }, { f: 0.5 }).stresses[0]).toMatchObject({
      ...{ at: 'q', unit: 'servers' },
      demand: expect.closeTo((attempts / 2) * 0.2 + (attempts / 2) * 360, 6),
    })
  })

  it('is not known while nobody has said how long one takes', () => {
    const { stresses, unavailable } = flying(polled(360), {})
    expect(stresses.filter(({ at }) => at === 'q')).toEqual([])
    expect(unavailable).toContainEqual({
      ...{ at: 'q', name: 'q', unit: 'servers' },
      why: 'nobody has said how long one takes that polls it',
    })
  })

  it('is no limit of what comes to it', () => {
    const loaded = loadedWith(polled(360), { q: 1000 }, { f: 0.2 })
    const { unavailable } = dynamic(loaded, { shape: 'step', runs: 2 })
    expect(unavailable.map(({ at, why }) => [at, why])).toEqual([
      ['q', 'what is in flight is compared in the steady state alone'],
    ])
    expect(nonlinear(loaded).unavailable.filter(({ at }) => at === 'q')).toEqual([])
  })
})

it.each([
  [element('call', 'a', 'm', { action: 'states:StartSyncExecution' }), 0],
  [element('invoke', 'a', 'm'), 0],
  [element('call', 'a', 'm', { action: 'states:StartExecution' }), 4 / 3],
  [element('delivery', 'a', 'm'), 4 / 3],
])('of an express machine a start that is waited for is none of the account: %j', (start, used) => {
  const starts = tokens(6000, 6000, 'refuse', 'StartExecution')
  const loaded = loadedWith(
    meshFrom([node('topic', 'a'), node('workflow', 'm', { flavour: 'EXPRESS' }, [starts])], [start]),
    { a: 8000 },
    {},
  )
  const { steady, surge, site } = asked(loaded, 'm', 'StartExecution')
  expect(steady).toBeCloseTo(used, 9)
  expect(surge).toHaveLength(used === 0 ? 0 : 1)
  expect(site?.state === 'overloaded').toBe(used > 1)
})
