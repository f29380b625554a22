import { describe, expect, it } from 'vitest'
import { element, meshFrom, node, servers } from '../../test/meshes.ts'
import { assemblyOf } from '../assembly/read/read.ts'
import { load } from '../load.ts'
import { parseLoads } from '../loads.ts'
import type { Mesh, MeshElement, NodeOf } from '../model.ts'
import { underLoad } from '../under-load.ts'
import { fracture } from './analyse.ts'
import { fractureReport } from './report.ts'

const under = (mesh: Mesh, loads: object) =>
  load(mesh, parseLoads('rates.json', { version: 1, ...loads }, mesh))

/** door → queue → worker → bus, from where rules lead to two queues with a handler each; the worker reads a table. */
const fan = (extra: MeshElement[] = []) =>
  meshFrom(
    [
      node('api', 'door'),
      node('queue', 'work', { visibility: 60, maxReceiveCount: 5 }),
      node('function', 'worker', {}, [servers(10)]),
      node('table', 'books'),
      node('bus', 'bus'),
      ...['a', 'b'].flatMap((name) => [
        node('rule', `${name}-rule`),
        node('queue', `${name}-queue`),
        node('function', name),
      ]),
    ],
    [
      element('call', 'door', 'work'),
      element('poll', 'work', 'worker'),
      element('call', 'worker', 'books', { carries: false }),
      element('call', 'worker', 'bus'),
      ...['a', 'b'].flatMap((name) => [
        element('delivery', 'bus', `${name}-rule`),
        element('delivery', `${name}-rule`, `${name}-queue`),
        element('poll', `${name}-queue`, name),
      ]),
      ...extra,
    ],
  )
const load4 = { arrivals: { door: { order: 4 } } }

describe('without one', () => {
  const report = fracture(under(fan(), load4))
  const removal = (at: string) => report.removals.find((one) => one.at === at)

  it('the report is what its schema says', () => {
    expect(fractureReport.parse(report)).toEqual(report)
  })

  it('a sink has what dominates it as single points, nearest first', () => {
    const sinks = report.flows[0]?.sinks ?? []
    expect(sinks.map(({ nodes }) => nodes)).toEqual(expect.arrayContaining([['a'], ['b']]))
    const a = sinks.find(({ nodes }) => nodes[0] === 'a')
    expect(a?.points.slice(0, 3)).toEqual(['a', 'a-queue', 'a-rule'])
    expect(a?.points.toSorted()).toEqual(
      ['a', 'a-queue', 'a-rule', 'books', 'bus', 'door', 'work', 'worker'].toSorted(),
    )
  })

  it('a branch loses its sink and its half, what all need loses all', () => {
    expect(removal('a-queue')).toMatchObject({ share: 0.5, types: 1, nodes: 2 })
    expect(removal('a-queue')?.losses).toEqual([
      { type: 'order', door: 'door', sinks: [['a']], lost: 1, of: 2, share: 0.5 },
    ])
    for (const at of ['work', 'worker', 'books', 'bus', 'call:worker>books'])
      expect(removal(at), at).toMatchObject({ share: 1 })
  })

  it('waits where something holds it, as long as that tries', () => {
    expect(removal('worker')?.holdsFor).toBe(4 * 60)
    expect(removal('bus')?.holdsFor).toBe(4 * 60)
    expect(removal('door')?.holdsFor).toBeNull()
    expect(removal('work')?.holdsFor).toBeNull()
  })

  it('makes up for it out of the spare capacity: Dρ/(1-ρ)', () => {
    const loads = { ...load4, service: { worker: { mean: 2 }, a: { mean: 0.1 }, b: { mean: 0.1 } } }
    const { removals } = fracture(under(fan(), loads), { outage: 100 })
    expect(removals.find(({ at }) => at === 'worker')?.recovery.seconds).toBeCloseTo((100 * 0.8) / 0.2, 9)
    expect(removals.find(({ at }) => at === 'door')?.recovery).toMatchObject({ seconds: null })
    expect(removal('worker')?.recovery.why).toMatch(/service time of worker/)
  })

  it('of what waits no longer nothing is made up for', () => {
    const mesh = (given: Partial<NodeOf<'queue'>['settings']>) =>
      meshFrom(
        [node('queue', 'q', given), node('function', 'f', {}, [servers(10)])],
        [element('poll', 'q', 'f')],
      )
    const loads = { arrivals: { q: { x: 20 } }, service: { f: { mean: 0.4 } } }
    const of = (given: Partial<NodeOf<'queue'>['settings']>) =>
      fracture(under(mesh(given), loads), { outage: 600 }).removals.find(({ at }) => at === 'f')?.recovery
    // seeded runs of the queue, every refusal a receive: 236, 1,902 and 2,373 s
    expect(of({ visibility: 30, maxReceiveCount: 3 })?.seconds).toBeCloseTo((60 * 0.8) / 0.2, 9)
    expect(of({ visibility: 120, maxReceiveCount: 5 })?.seconds).toBeCloseTo((480 * 0.8) / 0.2, 9)
    expect(of({ visibility: 30, maxReceiveCount: 1000 })?.seconds).toBeCloseTo((600 * 0.8) / 0.2, 9)
  })

  it('names of those that are not known itself, then the first by its id', () => {
    const why = (first: string, second: string, service = {}) =>
      fracture(
        under(
          meshFrom(
            [node('queue', 'q'), ...['f', first, second].map((id) => node('function', id))],
            [
              element('poll', 'q', 'f'),
              element('invoke', 'f', first),
              element('invoke', first, second),
              element('invoke', 'f', second),
            ],
          ),
          { arrivals: { q: { x: 1 } }, service },
        ),
      ).removals.find(({ at }) => at === 'f')?.recovery.why
    const known = { f: { mean: 1 } }
    expect(why('b', 'a', known)).toMatch(/service time of a is/)
    expect(why('a', 'b', known)).toMatch(/service time of a is/)
    expect(why('a', 'b')).toMatch(/service time of f is/)
  })
})

describe('a queue with two consumers', () => {
  const shared = (servers2 = 10, shape: 'wait' | 'refuse' = 'wait') =>
    meshFrom(
      [
        node('queue', 'q'),
        node('function', 'one', {}, [servers(10)]),
        node('function', 'two', {}, [servers(servers2, shape)]),
      ],
      [element('poll', 'q', 'one'), element('poll', 'q', 'two')],
    )
  const loads = { arrivals: { q: { x: 10 } }, service: { one: { mean: 1 }, two: { mean: 1 } } }

  it('loses nothing with one of them: the other takes over', () => {
    const { removals, flows } = fracture(under(shared(), loads))
    expect(flows[0]?.sinks.map(({ nodes }) => nodes)).toEqual([['one', 'two']])
    expect(removals.find(({ at }) => at === 'one')).toMatchObject({
      share: 0,
      losses: [],
      moves: [{ at: 'poll:q>two', before: 5, after: 10 }],
    })
  })

  it('goes over the limit of the other when it has too little', () => {
    const { removals } = fracture(under(shared(8), loads))
    expect(removals.find(({ at }) => at === 'one')?.cascade).toEqual({
      rounds: [[{ at: 'two', name: 'two', unit: 'servers', utilisation: 10 / 8, effect: 'falls behind' }]],
      settled: true,
    })
    expect(removals.find(({ at }) => at === 'two')?.cascade).toEqual({ rounds: [], settled: true })
  })

  it('is cut by both together', () => {
    const { pairs } = fracture(under(shared(), loads))
    expect(pairs.all).toBe(true)
    expect(pairs.cuts.map(({ at }) => at)).toContainEqual(['one', 'two'])
    expect(pairs.cuts.every(({ losses }) => losses[0]?.share === 1)).toBe(true)
  })
})

describe('what waits for an answer', () => {
  const mesh = meshFrom(
    [node('queue', 'q'), node('function', 'f'), node('function', 'g'), node('queue', 'end')],
    [element('poll', 'q', 'f'), element('invoke', 'f', 'g'), element('call', 'f', 'end')],
  )
  const { removals } = fracture(under(mesh, { arrivals: { q: { x: 1 } } }))

  it('fails with whom it asks, and with the way there, but not with where it sends', () => {
    for (const at of ['g', 'invoke:f>g']) {
      const removal = removals.find((one) => one.at === at)
      expect(removal?.losses[0]?.sinks, at).toEqual([['end'], ['g']])
      expect(removal?.share, at).toBe(1)
    }
    expect(removals.find(({ at }) => at === 'end')?.losses[0]?.sinks).toEqual([['end']])
  })
})

describe('pairs', () => {
  /** Two ways of twenty nodes from one bus to one queue. */
  const mesh = meshFrom(
    [
      node('bus', 'start'),
      node('queue', 'end'),
      ...Array.from({ length: 40 }, (_, i) => node('function', `f${i}`)),
    ],
    Array.from({ length: 40 }, (_, i) => [
      element('call', i < 2 ? 'start' : `f${i - 2}`, `f${i}`),
      ...(i < 38 ? [] : [element('call', `f${i}`, 'end')]),
    ]).flat(),
  )
  const loaded = under(mesh, { arrivals: { start: { x: 1 } } })

  it('are sampled where there are many, and each that cuts has one of either way', () => {
    const { pairs } = fracture(loaded, { seed: 5 })
    expect(pairs).toMatchObject({ tried: 200, all: false })
    expect(pairs.cuts.length).toBeGreaterThan(50)
    const way = (at: string) => Number(/f(\d+)/.exec(at.split('>').at(-1) ?? '')?.[1] ?? 0) % 2
    for (const { at } of pairs.cuts.filter((cut) => !cut.at.some((id) => id.endsWith('>end'))))
      expect(way(at[0])).not.toBe(way(at[1]))
  })

  it('are the same for the same seed', () => {
    expect(fracture(loaded, { seed: 5 })).toEqual(fracture(loaded, { seed: 5 }))
    expect(fracture(loaded, { seed: 6 }).pairs).not.toEqual(fracture(loaded, { seed: 5 }).pairs)
  })
})

describe('cascades', () => {
  it('retries of what fails take what others share, and those that are waited for are refused', () => {
    const account = () => servers(10, 'refuse', 'account')
    const mesh = meshFrom(
      [
        node('queue', 'q', { maxReceiveCount: 5 }),
        node('function', 'worker', {}, [account()]),
        node('table', 'table'),
        node('api', 'door'),
        node('function', 'front', {}, [account()]),
      ],
      [
        element('poll', 'q', 'worker'),
        element('call', 'worker', 'table', { carries: false }),
        element('invoke', 'door', 'front'),
      ],
    )
    const loads = {
      arrivals: { q: { x: 3 }, door: { get: 1 } },
      service: { worker: { mean: 1 }, front: { mean: 1 } },
    }
    const { removals } = fracture(under(mesh, loads))
    expect(removals.find(({ at }) => at === 'table')).toMatchObject({ share: 0.75 })
    expect(removals.find(({ at }) => at === 'table')?.cascade?.rounds).toEqual([
      [{ at: 'account', name: 'account', unit: 'servers', utilisation: 1.6, effect: 'fails' }],
    ])
  })
})

describe('availability', () => {
  const availability = { api: 0.9, queue: 0.99, function: 0.98, table: 0.97, bus: 0.96 }

  it('accepts with what the caller waits for, and delivers with what holds it', () => {
    const { flows } = fracture(under(fan(), load4), { availability, outage: 200 })
    expect(flows[0]?.accepted).toBeCloseTo(0.9 * 0.99, 12)
    const sink = flows[0]?.sinks[0]
    expect(sink?.now).toBeCloseTo(0.9 * 0.99 ** 2 * 0.98 ** 2 * 0.97 * 0.96, 12)
    expect(sink?.eventually).toBe(1)
    const longer = fracture(under(fan(), load4), { availability, outage: 400 })
    // the worker, its table and its bus within the 240 s of its queue, and the last handler within those of its own
    expect(longer.flows[0]?.sinks[0]?.eventually).toBeCloseTo(0.98 * 0.97 * 0.96 * 0.98, 12)
  })

  it('of two ways to one end is that of either', () => {
    const mesh = meshFrom(
      [node('bus', 'bus'), node('function', 'x'), node('function', 'y'), node('queue', 'end')],
      ['x', 'y'].flatMap((name) => [element('delivery', 'bus', name), element('call', name, 'end')]),
    )
    const { flows, removals, pairs } = fracture(under(mesh, { arrivals: { bus: { e: 1 } } }), {
      availability,
    })
    const [sink] = flows[0]?.sinks ?? []
    expect(sink?.points).toEqual(['end', 'bus'])
    expect(sink?.now).toBeCloseTo(0.96 * 0.99 * (1 - 0.02 ** 2), 12)
    expect(removals.find(({ at }) => at === 'x')).toMatchObject({ losses: [], share: 0.5 })
    expect(pairs.cuts.map(({ at }) => at)).toContainEqual(['x', 'y'])
  })

  it('is a part of the time', () => {
    expect(() => fracture(under(fan(), load4), { availability: { function: 99.95 } })).toThrow(
      'availability: function: 99.95 is no part of the time, which is from 0 to 1: did you mean 0.9995, which is 99.95 %?',
    )
    const constants = { 'availability-lambda': 99.95 }
    const rates = { where: 'rates.yaml', value: { version: 1, constants } }
    expect(() => underLoad(assemblyOf('t.json', { Resources: {} }), { rates })).toThrow(
      /^rates.yaml: constants: availability-lambda: 99.95 is no part.*0.9995/,
    )
    expect(() => fracture(under(fan(), load4), { availability: { bus: Number.NaN } })).toThrow(/bus: NaN/)
  })
})

describe('the report', () => {
  it('does not follow the order of the file of rates', () => {
    const one = { arrivals: { door: { a: 1, b: 2 }, bus: { c: 1 } } }
    const other = { arrivals: { bus: { c: 1 }, door: { b: 2, a: 1 } } }
    expect(fracture(under(fan(), one))).toEqual(fracture(under(fan(), other)))
  })

  it.each([
    [{ outage: Number.NaN }, /fracture: outage: expected more than 0, not NaN/],
    [{ outage: -5 }, /outage/],
    [{ seed: 1.5 }, /seed: expected a whole number of 0 or more, not 1.5/],
  ])('%j is refused', (options, message) =>
    expect(() => fracture(under(fan(), load4), options)).toThrow(message),
  )
})
