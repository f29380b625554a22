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
  send,
  servers,
} from '../../test/meshes.ts'
import { comprehensive } from '../comprehensive/analyse.ts'
import { load } from '../load.ts'
import { parseLoads } from '../loads.ts'
import type { Law, Mesh } from '../model.ts'
import { analyseStatic } from './analyse.ts'
import { extrasOf } from './times.ts'

const names = (count: number) => Array.from({ length: count }, (_, index) => `f${index}`)

describe('ways', () => {
  it('are the most used, and the slowest and the one that loses most however little they are used', () => {
    const all = names(300)
    const mesh = meshFrom(
      [
        queueNode('door'),
        functionNode('hub'),
        queueNode('aside'),
        functionNode('leak'),
        ...all.map((name) => functionNode(name, [servers(10)], 900)),
      ],
      [
        element('poll', 'door', 'hub', { batch: 1 }),
        ...all.map((name, index) => send('hub', name, 1 - index / 1000)),
        send('hub', 'aside', 0.01),
        element('poll', 'aside', 'leak'),
      ],
    )
    const times = Object.fromEntries(all.map((name) => [name, name === 'f299' ? 800 : 0.001]))
    const loaded = loadedWith(
      mesh,
      { door: 0.001 },
      { hub: 0.01, leak: 0.001, ...times },
      { failures: new Map([['leak', 0.5]]) },
    )
    const { paths, assumptions } = analyseStatic(loaded)
    const ends = paths.map(({ nodes }) => nodes.at(-1))
    expect(paths).toHaveLength(202)
    expect(ends.slice(0, 200)).toEqual(expect.arrayContaining(all.slice(0, 200)))
    expect(ends).toEqual(expect.arrayContaining(['leak', 'f299']))
    expect(assumptions.at(-1)).toBe(
      't at door: of its ways the 200 most used, the slowest and the one that loses most are told.',
    )
  })

  it('come to a bus again as another type, and round a loop of one type once', () => {
    const mesh = meshFrom(
      [queueNode('q'), functionNode('first'), functionNode('second')],
      [
        element('poll', 'q', 'first', { types: ['t'], batch: 1 }),
        element('poll', 'q', 'second', { types: ['told'], batch: 1 }),
        element('call', 'first', 'q', { types: ['told'], provenance: 'declared' }),
        element('call', 'second', 'q', { types: ['told'], provenance: 'declared', ratio: 0.5 }),
      ],
    )
    const loads = {
      version: 1,
      arrivals: { q: { t: 1 } },
      service: { first: { mean: 2 }, second: { mean: 3 } },
    }
    const { paths } = analyseStatic(load(mesh, parseLoads('rates.yaml', loads, mesh)))
    expect(paths.map(({ nodes }) => nodes.join(' '))).toEqual(['q first q second'])
    expect(paths[0]?.delay?.mean).toBeCloseTo(5, 3)
  })

  it('of thirty diamonds one after the other are not all walked', () => {
    const mesh = meshFrom(
      [
        queueNode('door'),
        ...Array.from({ length: 31 }, (_, level) =>
          ['start', 'left', 'right'].map((side) => functionNode(`${side}${level}`)),
        ).flat(),
      ],
      [
        element('poll', 'door', 'start0'),
        ...Array.from({ length: 30 }, (_, level) => [
          send(`start${level}`, `left${level}`, 0.6),
          send(`start${level}`, `right${level}`, 0.4),
          send(`left${level}`, `start${level + 1}`),
          send(`right${level}`, `start${level + 1}`),
        ]).flat(),
      ],
    )
    const { paths } = analyseStatic(loadedWith(mesh, { door: 1 }, { right7: 5 }))
    expect(paths[0]?.rate).toBeCloseTo(0.6 ** 30, 15)
    expect(paths[0]?.nodes.some((id) => id.startsWith('right'))).toBe(false)
    expect(paths[199]?.rate).toBeGreaterThan(0.6 ** 28 * 0.4 ** 2 * 0.99)
    expect(paths).toHaveLength(200)
  })
})

it('of a thousand ways round that cross, some are told soon, and that there are more', () => {
  const all = names(400)
  const mesh = meshFrom(
    [queueNode('door'), ...all.map((name) => functionNode(name))],
    [
      element('poll', 'door', 'f0'),
      ...all.flatMap((name, index) =>
        [1, 7, 31].map((far) => send(name, `f${(index + far) % all.length}`, 0.3)),
      ),
    ],
  )
  const { paths, assumptions } = analyseStatic(loadedWith(mesh, { door: 1 }, {}))
  expect(paths.length).toBeGreaterThan(0)
  expect(assumptions.at(-1)).toMatch(/^t at door: of its ways the \d+ most used/)
})

describe('the delay', () => {
  const delayed = (given: {
    fails?: number
    delay?: number
    window?: number
    rate?: number
    batch?: number
    laws?: Law[]
  }) => {
    const { fails = 0, delay = 0, window = 0, rate = 0.001, batch = 10, laws = [] } = given
    const mesh: Mesh = meshFrom(
      [queueNode('q', { visibility: 360, delay }), functionNode('f', [servers(100)])],
      [element('poll', 'q', 'f', { window, batch, laws })],
    )
    const loaded = loadedWith(mesh, { q: rate }, { f: 0.5 }, { failures: new Map([['f', fails]]) })
    return analyseStatic(loaded).paths[0]?.delay ?? { mean: Number.NaN, p50: Number.NaN, p99: Number.NaN }
  }

  it('has the attempts that fail, each a visibility apart', () => {
    const { mean, p50, p99 } = delayed({ fails: 0.2 })
    const needed = [0, 1, 2, 3, 4].map((again) => (again * 0.2 ** again * 0.8) / (1 - 0.2 ** 5))
    expect(mean).toBeCloseTo(0.5 + 360 * needed.reduce((sum, each) => sum + each), 6)
    expect(p50).toBeLessThan(1)
    // 0.8 % need more than three attempts
    expect(p99).toBeGreaterThan(720)
    expect(p99).toBeLessThan(1080)
    expect(delayed({ fails: 0.02 }).p99).toBeGreaterThan(360)
    expect(delayed({ fails: 0.005 }).p99).toBeLessThan(10)
  })

  it('has the delay of the queue, and the window of the batch that it does not fill', () => {
    expect(delayed({ delay: 900 }).p50).toBeGreaterThan(900)
    expect(delayed({ delay: 900 }).mean).toBeCloseTo(900.5, 6)
    expect(delayed({ window: 300, rate: 1e-9 }).mean).toBeCloseTo(300.5, 4)
    // of one poller nine more come in 9 s: the first waits for all of it, the last for none
    expect(delayed({ window: 300, rate: 1, laws: [scaling(1, 60, 100)] }).mean).toBeCloseTo(0.5 + 4.5, 6)
    expect(delayed({ window: 300, batch: 1 }).mean).toBeCloseTo(0.5, 6)
  })

  it('of many extras keeps their mean and their probability', () => {
    const extras = Array.from({ length: 6 }, (_, place) => [
      { seconds: 0, chance: 0.7 },
      { seconds: 10 + place, chance: 0.2 },
      { seconds: 3 * place, chance: 0.1 },
    ])
    const sum = extrasOf(extras)
    const mean = (some: typeof sum) => some.reduce((all, { seconds, chance }) => all + seconds * chance, 0)
    expect(sum.length).toBeLessThanOrEqual(256)
    expect(sum.reduce((all, { chance }) => all + chance, 0)).toBeCloseTo(1, 12)
    expect(mean(sum)).toBeCloseTo(
      extras.reduce((all, each) => all + mean(each), 0),
      9,
    )
  })
})

describe('what a schedule starts', () => {
  const mesh = meshFrom(
    [
      node('schedule', 'nightly'),
      functionNode('job', [], 900),
      queueNode('mail'),
      functionNode('mailer'),
      functionNode('sweep', [], 900),
    ],
    [
      element('delivery', 'nightly', 'job', {
        laws: [{ law: 'latency', p50: 5, p99: 9, from: 'eventbridge' }],
      }),
      send('job', 'mail'),
      poll('mail', 'mailer'),
      element('delivery', 'nightly', 'sweep'),
    ],
  )
  const { paths } = analyseStatic(loadedWith(mesh, {}, { job: 120, mailer: 2, sweep: 300 }))

  it('has the delay of what it sends, from then on: nobody waits for the job', () => {
    const { delay, job } = paths.find(({ nodes }) => nodes.at(-1) === 'mailer') ?? {}
    expect(job).toBeUndefined()
    expect(delay?.mean).toBeCloseTo(2, 9)
  })

  it('and sends nothing on is a job: no latency of anything, and none that is not known', () => {
    const sweep = paths.find(({ nodes }) => nodes.at(-1) === 'sweep')
    expect(sweep).toMatchObject({ job: true, delay: { p99: 0 }, untimed: [] })
    const latencyOf = (loaded: ReturnType<typeof loadedWith>) =>
      comprehensive(loaded).score.terms.find(({ name }) => name === 'latency')
    expect(latencyOf(loadedWith(mesh, {}, { job: 120, mailer: 2, sweep: 300 }))?.demand).toBeLessThan(30)
    // a job of which all is known says nothing of events of which nothing is
    expect(latencyOf(loadedWith(mesh, {}, { job: 120, sweep: 300 }))?.demand).toBeNull()
    const alone = meshFrom(mesh.nodes.slice(0, 2), mesh.elements.slice(0, 1))
    expect(latencyOf(loadedWith(alone, {}, { job: 120 }))).toMatchObject({
      demand: 0,
      says: 'all that comes is started by schedules: nobody waits for it',
    })
  })
})
