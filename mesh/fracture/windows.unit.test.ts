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

  describe('in a run of a state machine', () => {
    const retries = { attempts: 3, interval: 2, backoff: 2, jitter: false, from: 'template' }
    /** `start`: how a run is started by a rule, a queue's pipe or an api. */
    const run = (
      source: MeshNode[],
      start: Mesh['elements'],
      flavour: 'EXPRESS' | 'STANDARD' = 'EXPRESS',
      retry = retries,
    ) =>
      meshFrom(
        [
          ...source,
          node('workflow', 'machine', { flavour }),
          node('task', 'read', { workflow: 'machine', catches: false }),
          ...[node('table', 't'), node('queue', 'end')],
        ],
        [
          ...start,
          element('invoke', 'machine', 'read'),
          element('call', 'read', 't', { carries: false, retry }),
          element('call', 'read', 'end', { retry }),
        ],
      )
    const delivered = { retry: { ...retries, attempts: 186, jitter: true }, maxAge: 86_400, kept: false }
    const rule = () => ({
      source: [node('rule', 's')],
      start: [element('delivery', 's', 'machine', delivered)],
    })
    const api = (action: string) => ({
      source: [node('api', 's')],
      start: [element('call', 's', 'machine', { action })],
    })
    const heldAt = (mesh: Mesh, availability = { workflow: 1, queue: 1, table: 0.8 }) => {
      const { removals, flows } = fracture(under(mesh, { arrivals: { s: { x: 1 } } }), {
        availability,
        outage: 600,
      })
      const [sink] = flows[0]?.sinks ?? []
      return { of: (id: string) => removals.find(({ at }) => at === id), sink, accepted: flows[0]?.accepted }
    }

    it('that has been started nobody but its tasks tries again', () => {
      const { source, start } = rule()
      const { of, sink } = heldAt(run(source, start))
      for (const at of ['t', 'call:read>t', 'end', 'read']) expect(of(at)?.holdsFor, at).toBe(2 + 4)
      expect(of('machine')?.holdsFor).toBe(86_400)
      expect(sink?.eventually).toBeCloseTo(0.8, 12)
      expect(sink?.dropped).toBeCloseTo(0.2 * (1 - 6 / 600), 12)
      const once = heldAt(run(source, start, 'EXPRESS', { ...retries, attempts: 1 }))
      expect(once.of('t')).toMatchObject({ holdsFor: 0 })
      expect(once.sink?.dropped).toBeCloseTo(0.2, 12)
    })

    it('of a standard machine is kept, and not tried again for that', () => {
      const { source, start } = rule()
      const { of, sink } = heldAt(run(source, start, 'STANDARD'))
      expect(of('t')?.holdsFor).toBe(6)
      expect(sink).toMatchObject({ dropped: 0 })
    })

    it('is tried again by who waits for it', () => {
      const source = [node('queue', 's', { maxReceiveCount: 5 }), node('pipe', 'pipe')]
      const start = [element('poll', 's', 'pipe'), element('invoke', 'pipe', 'machine')]
      expect(heldAt(run(source, start)).of('t')?.holdsFor).toBe(4 * 60)
    })

    it('is no part of what its starter is told, unless that waits for it', () => {
      const started = api('states:StartExecution')
      const asked = api('states:StartSyncExecution')
      const given = { api: 1, workflow: 0.9, queue: 1, table: 0.8 }
      expect(heldAt(run(started.source, started.start), given).of('t')?.holdsFor).toBe(6)
      const sync = heldAt(run(asked.source, asked.start), given)
      expect(sync.accepted).toBeCloseTo(0.9 * 0.8, 12)
      expect(sync.of('t')?.holdsFor).toBeNull()
    })
  })
})
