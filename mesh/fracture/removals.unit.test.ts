import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { element, meshFrom, node, servers } from '../../test/meshes.ts'
import { load } from '../load.ts'
import { noLoads, parseLoads } from '../loads.ts'
import type { Mesh } from '../model.ts'
import { ratesOf } from '../static/rates.ts'
import { fracture } from './analyse.ts'

const under = (mesh: Mesh, loads: object) =>
  load(mesh, parseLoads('rates.json', { version: 1, ...loads }, mesh))

describe('ten thousand elements', () => {
  const types = Array.from({ length: 2500 }, (_, i) => `t${i}`)
  const mesh = meshFrom(
    [
      node('bus', 'bus'),
      node('table', 'table'),
      ...types.flatMap((type) => [
        node('rule', `rule-${type}`, { types: [type] }),
        node('queue', `queue-${type}`),
        node('function', type, {}, [servers(1000, 'refuse', 'account')]),
      ]),
    ],
    types.flatMap((type) => [
      element('delivery', 'bus', `rule-${type}`, { types: [type] }),
      element('delivery', `rule-${type}`, `queue-${type}`),
      element('poll', `queue-${type}`, type),
      element('call', type, 'table', { carries: false }),
    ]),
  )
  const { removals, flows, spare } = fracture(
    under(mesh, {
      arrivals: { bus: Object.fromEntries(types.map((type) => [type, 1])) },
      service: Object.fromEntries(types.map((type) => [type, { mean: 0.2 }])),
    }),
  )

  it('are all removed', () => {
    expect(mesh.elements).toHaveLength(10_000)
    expect(flows).toHaveLength(2500)
    expect(removals).toHaveLength(mesh.nodes.length + mesh.elements.length)
    expect(spare).toBe(0)
  })

  it('what all pass loses all, what one passes its part', () => {
    expect(removals.slice(0, 2).map(({ at, share, types: of }) => [at, share, of])).toEqual([
      ['bus', 1, 2500],
      ['table', 1, 2500],
    ])
    expect(removals.at(-1)).toMatchObject({ share: 1 / 2500, types: 1 })
  })

  it('retries of all of them go over what they share', () => {
    const cascade = removals.find(({ at }) => at === 'table')?.cascade
    expect(cascade?.rounds[0]).toMatchObject([{ at: 'account', utilisation: 2.5, effect: 'falls behind' }])
  })
})

describe('what only goes round', () => {
  it('gets to no end: nothing is known to be lost', () => {
    const mesh = meshFrom(
      [node('queue', 'q'), node('function', 'f')],
      [element('poll', 'q', 'f'), element('call', 'f', 'q', { ratio: 2 })],
    )
    const { removals, flows } = fracture(under(mesh, { arrivals: { q: { x: 1 } } }))
    expect(flows[0]?.sinks).toEqual([])
    expect(new Set(removals.map(({ share }) => share))).toEqual(new Set([null]))
    expect(removals.every(({ cascade }) => cascade === null)).toBe(true)
  })
})

describe('removing is solving without', () => {
  const size = 7
  const meshes = fc.record({
    edges: fc.uniqueArray(
      fc.record({ from: fc.nat(size - 1), to: fc.nat(size - 1), ratio: fc.constantFrom(0.1, 0.2, 0.3) }),
      { maxLength: 14, selector: ({ from, to }) => `${from} ${to}` },
    ),
    loops: fc.boolean(),
    queues: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
  })

  type Shape = { edges: { from: number; to: number; ratio: number }[]; loops: boolean; queues: boolean[] }
  it('for every node and every element', () => {
    fc.assert(fc.property(meshes, compared), { numRuns: 300 })
  })
  function compared({ edges, loops, queues }: Shape) {
    const kept = edges.filter(({ from, to }) => (loops ? from !== to : from < to))
    // a queue that nothing leads to would be a door of its own
    const isQueue = (i: number) => queues[i] === true && kept.some(({ to }) => to === i)
    const nodes = Array.from({ length: size }, (_, i) => node(isQueue(i) ? 'queue' : 'function', `n${i}`))
    const mesh = meshFrom(
      nodes,
      kept.map(({ from, to, ratio }) =>
        isQueue(from)
          ? element('poll', `n${from}`, `n${to}`)
          : element('call', `n${from}`, `n${to}`, { ratio }),
      ),
    )
    const arrivals = new Map([['n0', new Map([['t', 1]])]])
    const loaded = (of: Mesh) => load(of, { ...noLoads, arrivals })
    if (ratesOf(loaded(mesh)).loops.length > 0) return
    const ends = endsOf(mesh, loaded(mesh))
    const whole = [...ends.values()].reduce((sum, rate) => sum + rate, 0)
    const { removals, flows } = fracture(loaded(mesh))
    for (const at of [...mesh.nodes, ...mesh.elements].map(({ id }) => id)) {
      if (at === 'n0') continue
      const rest = {
        ...mesh,
        nodes: mesh.nodes.filter(({ id }) => id !== at),
        elements: mesh.elements.filter(({ id, from, to }) => id !== at && from !== at && to !== at),
      }
      const left = loaded(rest)
      if (ratesOf(left).loops.length > 0) return
      const after = rateOf(left)
      const sum = [...ends.keys()].reduce((total, id) => total + (after.get(id) ?? 0), 0)
      const share = removals.find((one) => one.at === at)?.share ?? 0
      if (whole > 0) expect(share, at).toBeCloseTo(Math.min(1, Math.max(0, 1 - sum / whole)), 8)
      const reached = new Set(rateOf(left).keys())
      const lost = removals.find((one) => one.at === at)?.losses.flatMap(({ sinks }) => sinks) ?? []
      const gone = (flows[0]?.sinks ?? []).filter(({ nodes: ids }) => !ids.some((id) => reached.has(id)))
      expect(lost.map(String).toSorted(), at).toEqual(gone.map(({ nodes: ids }) => String(ids)).toSorted())
    }
  }

  const rateOf = (loaded: ReturnType<typeof load>) => {
    const { rates } = ratesOf(loaded)
    return new Map(
      loaded.states.flatMap(({ node: { id }, type }, state) =>
        type === 't' ? [[id, rates[state] ?? 0]] : [],
      ),
    )
  }
  const endsOf = (mesh: Mesh, loaded: ReturnType<typeof load>) => {
    const passing = new Set(mesh.elements.map(({ from }) => from))
    return new Map([...rateOf(loaded)].filter(([id]) => !passing.has(id)))
  }
})
