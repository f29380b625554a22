import { describe, expect, it } from 'vitest'
import {
  element,
  functionNode,
  loadedWith,
  meshFrom,
  node,
  queueNode,
  servers,
  tokens,
} from '../test/meshes.ts'
import { dynamic } from './dynamic/dynamic.ts'
import { nonlinear } from './nonlinear/nonlinear.ts'
import { waiting } from './queueing/waiting.ts'
import { analyseStatic } from './static/analyse.ts'

/** One every two seconds, and at most two runs at once, which wait for the enrichment and then for the target. */
const piped = (seconds: Record<string, number>) =>
  loadedWith(
    meshFrom(
      [
        queueNode('q'),
        node('pipe', 'pipe', { enrichment: 'enrich' }, [servers(2)]),
        ...['enrich', 'target'].map((name) => functionNode(name)),
      ],
      [
        element('poll', 'q', 'pipe', { batch: 1 }),
        element('invoke', 'pipe', 'enrich'),
        element('invoke', 'pipe', 'target'),
      ],
    ),
    { q: 0.5 },
    seconds,
  )

describe('a run of a pipe keeps its place for as long as it waits for what it calls', () => {
  const seconds = { pipe: 0.01, enrich: 2, target: 1 }
  const mean = 3.01
  const wait = waiting(2, 0.5, { mean, scv: 1 })?.mean ?? 0

  it('static: L = λW, and what comes waits for a place', () => {
    const { stresses, paths } = analyseStatic(piped(seconds))
    expect(stresses.find(({ at }) => at === 'pipe')?.demand).toBeCloseTo(0.5 * mean, 9)
    const to = (end: string) => paths.find(({ nodes }) => nodes.at(-1) === end)?.delay?.mean
    expect(to('enrich')).toBeCloseTo(wait + 0.01 + 2, 6)
    expect(to('target')).toBeCloseTo(wait + mean, 6)
  })

  it('dynamic and nonlinear: it takes two in 3.01 s, and no more', () => {
    const surge = dynamic(piped(seconds), { shape: 'step', factor: 2, hold: 1000 })
    const backlog = surge.limits.find(({ at }) => at === 'pipe')?.peakBacklog.messages ?? 0
    expect(backlog / (1000 * (1 - 2 / mean))).toBeCloseTo(1, 2)
    const { critical } = nonlinear(piped(seconds)).sites.find(({ at }) => at === 'pipe') ?? {}
    expect(critical?.factor).toBeCloseTo(2 / (0.5 * mean), 6)
  })

  it('of what it waits for nobody knows how long: nor of its places', () => {
    const loaded = piped({ pipe: 0.01, target: 1 })
    const { stresses, paths } = analyseStatic(loaded)
    expect(stresses.find(({ at }) => at === 'pipe')).toBeUndefined()
    expect(paths.map(({ untimed }) => untimed)).toEqual([['enrich'], ['enrich']])
    const unavailable = dynamic(loaded, { shape: 'step' }).unavailable.map(({ at }) => at)
    expect(unavailable).toContain('pipe')
  })
})

it('a machine has one run for each batch that its pipe takes, and so have its tasks', () => {
  const mesh = meshFrom(
    [
      queueNode('q'),
      node('pipe', 'pipe'),
      node('workflow', 'm', {}, [tokens(1000, 1000)]),
      node('task', 'm#t', { workflow: 'm' }),
      functionNode('f', [servers(100)]),
    ],
    [
      element('poll', 'q', 'pipe', { batch: 10 }),
      element('invoke', 'pipe', 'm'),
      element('invoke', 'm', 'm#t'),
      element('invoke', 'm#t', 'f'),
    ],
  )
  const service = new Map([
    ['pipe', { mean: 0.01, scv: 1, batch: 10 }],
    ['f', { mean: 0.1, scv: 1, batch: 1 }],
  ])
  const { stresses } = analyseStatic(loadedWith(mesh, { q: 2000 }, {}, { service }))
  const asked = (id: string) => stresses.find(({ at }) => at === id)?.demand
  expect([asked('m'), asked('f')]).toEqual([expect.closeTo(200, 9), expect.closeTo(20, 9)])
})

it('fails when its enrichment or its target does, unless it is said how often it fails', () => {
  const { mesh } = piped({ pipe: 0.01, enrich: 2, target: 1 })
  const failing = (failures: Record<string, number>) =>
    loadedWith(mesh, { q: 0.5 }, {}, { failures: new Map(Object.entries(failures)) }).failures.get('pipe')
  expect(failing({ enrich: 0.3, target: 0.5 })).toBeCloseTo(1 - 0.7 * 0.5, 12)
  expect(failing({ enrich: 0.3, pipe: 0.1 })).toBe(0.1)
  expect(failing({})).toBeUndefined()
})

it('of an express machine that nobody has timed the wait for a place is not known, though its run is', () => {
  const mesh = meshFrom(
    [
      queueNode('q'),
      node('pipe', 'pipe', { enrichment: 'm' }, [servers(2)]),
      node('workflow', 'm', { run: { steps: [{ seconds: 2 }], unknown: [] } }),
      functionNode('target'),
    ],
    [
      element('poll', 'q', 'pipe', { batch: 1 }),
      element('invoke', 'pipe', 'm'),
      element('invoke', 'pipe', 'target'),
    ],
  )
  const { paths } = analyseStatic(loadedWith(mesh, { q: 0.1 }, { pipe: 0.01, target: 1 }))
  const way = paths.find(({ nodes }) => nodes.at(-1) === 'target')
  expect(way?.delay?.mean).toBeCloseTo(3.01, 6)
  expect(way?.untimed).toEqual(['m'])
})

it('takes again what fails in the express machine that it waits for, as often as its queue hands it out', () => {
  const mesh = meshFrom(
    [
      queueNode('q', { maxReceiveCount: 3 }),
      node('pipe', 'pipe'),
      node('workflow', 'm', { flavour: 'EXPRESS' }),
      node('task', 'm#t', { workflow: 'm', catches: false }),
      functionNode('f'),
    ],
    [
      element('poll', 'q', 'pipe', { batch: 1 }),
      element('invoke', 'pipe', 'm'),
      element('invoke', 'm', 'm#t'),
      element('invoke', 'm#t', 'f'),
    ],
  )
  const loaded = loadedWith(mesh, { q: 1 }, { f: 0.1 }, { failures: new Map([['f', 0.5]]) })
  expect(analyseStatic(loaded).paths[0]?.lost).toBeCloseTo(0.5 ** 3, 9)
})
