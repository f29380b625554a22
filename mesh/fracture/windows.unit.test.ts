import { describe, expect, it } from 'vitest'
import { element, meshFrom, node } from '../../test/meshes.ts'
import { load } from '../load.ts'
import { parseLoads } from '../loads.ts'
import type { Mesh, MeshNode } from '../model.ts'
import { fracture } from './analyse.ts'

const under = (mesh: Mesh, loads: object) =>
  load(mesh, parseLoads('rates.json', { version: 1, ...loads }, mesh))

describe('how long it waits', () => {
  const only = (source: MeshNode, given = {}) =>
    meshFrom([source, node('function', 'f')], [element('poll', source.id, 'f', given)])
  const of = (mesh: Mesh) =>
    fracture(under(mesh, { arrivals: { s: { x: 1 } } }), { availability: { function: 0.9 }, outage: 600 })

  it('of one receive nothing: that was it', () => {
    const { removals, flows } = of(only(node('queue', 's', { visibility: 600, maxReceiveCount: 1 })))
    expect(removals.find(({ at }) => at === 'f')?.holdsFor).toBe(0)
    expect(flows[0]?.sinks[0]?.eventually).toBeCloseTo(0.9, 12)
  })

  const retry = { attempts: 3, interval: 60, backoff: 2, jitter: false, from: 'lambda-async' }
  it.each([
    [
      'a stream',
      'as often as its poller tries',
      element('poll', 's', 'f', { attempts: 1, maxAge: null }),
      0,
      86_400,
    ],
    [
      'an event that Lambda invokes with',
      'three attempts',
      element('delivery', 's', 'f', { retry, maxAge: 21_600, kept: false }),
      180,
      21_600,
    ],
  ])(
    'of %s: %s of an error, as of a table that is down; of an outage of Lambda its age',
    (_, _how, way, error, age) => {
      const mesh = meshFrom(
        [node(way.kind === 'poll' ? 'stream' : 'bus', 's'), node('function', 'f'), node('table', 't')],
        [way, element('call', 'f', 't', { carries: false })],
      )
      const loaded = under(mesh, { arrivals: { s: { x: 1 } } })
      const { removals, flows } = fracture(loaded, {
        availability: { stream: 1, bus: 1, function: 0.9, table: 0.8 },
        outage: 600,
      })
      expect(removals.find(({ at }) => at === 't')?.holdsFor).toBe(error)
      expect(removals.find(({ at }) => at === 'f')?.holdsFor).toBe(age)
      expect(flows[0]?.sinks[0]?.dropped).toBeCloseTo(0.2 * (1 - error / 600), 12)
      expect(flows[0]?.sinks[0]?.eventually).toBeCloseTo(0.8, 12)
    },
  )

  it('of what several ways lead to, by each of them', () => {
    const mesh = meshFrom(
      [
        node('bus', 's'),
        node('function', 'f'),
        node('function', 'g'),
        node('table', 't'),
        node('queue', 'end'),
      ],
      ['f', 'g'].flatMap((name) => [
        element('delivery', 's', name, { retry, maxAge: 21_600, kept: false }),
        element('call', name, 't', { carries: false }),
        element('call', name, 'end'),
      ]),
    )
    const { flows } = fracture(under(mesh, { arrivals: { s: { x: 1 } } }), {
      ...{ availability: { bus: 1, queue: 1, table: 1, function: 0.9 }, outage: 600 },
    })
    expect(flows[0]?.sinks[0]).toMatchObject({ eventually: 1, dropped: 0 })
  })
})
