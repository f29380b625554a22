import { describe, expect, it } from 'vitest'
import { element, loadedWith, meshFrom, node } from '../../test/meshes.ts'
import type { Before, MeshNode } from '../model.ts'
import { fracture } from './analyse.ts'

it('a pipe needs what it asks before it hands on, and what that reads', () => {
  const mesh = meshFrom(
    [
      node('queue', 'source'),
      node('pipe', 'pipe', { enrichment: 'enrich' }),
      node('function', 'enrich'),
      node('table', 'table'),
      node('queue', 'end'),
      node('bus', 'others'),
    ],
    [
      element('poll', 'source', 'pipe'),
      element('invoke', 'pipe', 'enrich'),
      element('call', 'enrich', 'table', { carries: false }),
      element('call', 'pipe', 'end'),
      element('delivery', 'others', 'enrich'),
    ],
  )
  const availability = { queue: 1, bus: 1, pipe: 1, function: 0.9, table: 0.8 }
  const { flows, removals } = fracture(loadedWith(mesh, { source: 1, others: 1 }, {}), { availability })
  const [others, source] = flows
  expect(source?.sinks.map(({ nodes }) => nodes)).toEqual([['end'], ['enrich']])
  const end = source?.sinks.find(({ nodes }) => nodes[0] === 'end')
  expect(end?.points).toEqual(['end', 'enrich', 'pipe', 'table', 'source'])
  expect(end?.now).toBeCloseTo(0.9 * 0.8, 12)
  for (const at of ['enrich', 'table', 'invoke:pipe>enrich'])
    expect(
      removals.find((one) => one.at === at)?.losses.find(({ door }) => door === 'source'),
      at,
    ).toMatchObject({ lost: 2, of: 2, share: 1 })
  // what comes to the function by another way goes nowhere from there
  expect(others?.sinks.map(({ nodes }) => nodes)).toEqual([['enrich']])
})

describe('a run', () => {
  const task = (id: string, before?: Partial<Before>, given = {}): MeshNode =>
    node('task', `m#${id}`, {
      ...{ workflow: 'm', catches: false, ...given },
      ...(before && { before: { steps: [], unknown: [], ...before } }),
    })
  const tell = ['tell/one', 'tell/other']
  /** check asks a function, then tell/one and tell/other put into queues at once, then last does. */
  const machine = {
    nodes: [
      node('workflow', 'm'),
      task('check'),
      ...tell.map((id) => task(id, { after: 'check' })),
      task('last', {
        after: 'check',
        steps: [{ longest: tell.map((id) => [{ task: id }]) }, { seconds: 9 }],
      }),
      ...[node('function', 'f'), node('table', 't')],
      ...['one', 'other', 'last', 'said'].map((id) => node('queue', id)),
    ],
    elements: [
      ...['check', ...tell, 'last'].map((id) => element('invoke', 'm', `m#${id}`)),
      element('invoke', 'm#check', 'f'),
      element('call', 'f', 't', { carries: false }),
      ...[...tell, 'last'].map((id) => element('call', `m#${id}`, id.replace('tell/', ''))),
    ],
  }
  const mesh = meshFrom(
    [node('api', 'door'), ...machine.nodes],
    [
      element('call', 'door', 'm', { action: 'states:StartExecution' }),
      ...machine.elements,
      element('call', 'm', 'said', { by: tell.map((id) => `m#${id}`) }),
    ],
  )
  const availability = { api: 1, workflow: 0.9, function: 0.8, table: 0.7, queue: 1 }
  const { flows, removals } = fracture(loadedWith(mesh, { door: 1 }, {}), { availability })
  const lostWithout = (at: string) =>
    removals.find((one) => one.at === at)?.losses.flatMap(({ sinks }) => sinks.flat())

  it('that fails has come as far as the task that does', () => {
    for (const at of ['m#check', 'invoke:m>m#check', 'f', 'invoke:m#check>f', 't'])
      expect(lostWithout(at), at).toEqual(['f', 'last', 'one', 'other', 'said'])
    for (const at of ['m#tell/one', 'invoke:m>m#tell/one'])
      expect(lostWithout(at), at).toEqual(['last', 'one'])
    expect(lostWithout('m#last')).toEqual(['last'])
    expect(lostWithout('m')).toHaveLength(5)
    expect(removals.find(({ at }) => at === 'm#tell/one')).toMatchObject({ share: 2 / 5 })
  })

  it('has what lies before a task among the single points of what that sends', () => {
    const end = (id: string) => flows[0]?.sinks.find(({ nodes }) => nodes[0] === id)
    expect(end('f')?.points.toSorted()).toEqual(['door', 'f', 'm', 'm#check', 't'])
    const first = ['door', 'f', 'm', 'm#check']
    expect(end('one')?.points.toSorted()).toEqual([...first, 'm#tell/one', 'one', 't'])
    expect(end('last')?.points.toSorted()).toEqual(
      [...first, 'last', 'm#last', 'm#tell/one', 'm#tell/other', 't'].toSorted(),
    )
    expect(end('said')?.points.toSorted()).toEqual([...first, 'said', 't'])
    expect(end('one')?.now).toBeCloseTo(0.9 * 0.8 * 0.7, 12)
    expect(flows[0]?.accepted).toBeCloseTo(0.9, 12)
  })

  it('fails as a whole to who waits for it', () => {
    const asked = meshFrom(
      [node('queue', 's'), node('pipe', 'p', { enrichment: 'm' }), node('queue', 'end'), ...machine.nodes],
      [
        element('poll', 's', 'p'),
        element('invoke', 'p', 'm'),
        element('call', 'p', 'end'),
        ...machine.elements,
      ],
    )
    const report = fracture(loadedWith(asked, { s: 1 }, {}), { availability })
    const end = report.flows[0]?.sinks.find(({ nodes }) => nodes[0] === 'end')
    expect(end?.points).toEqual(expect.arrayContaining(['m', 'm#check', 'm#tell/other', 'm#last', 'f', 't']))
  })

  it('of two ways to one end needs what lies before either', () => {
    const both = meshFrom(
      [node('bus', 's'), node('workflow', 'm'), task('check'), task('put', { after: 'check' })].concat(
        node('function', 'f'),
        node('function', 'g'),
        node('queue', 'end'),
      ),
      [
        element('call', 's', 'm'),
        ...['check', 'put'].map((id) => element('invoke', 'm', `m#${id}`)),
        element('invoke', 'm#check', 'f'),
        element('call', 'm#put', 'end'),
        element('delivery', 's', 'g'),
        element('call', 'g', 'end'),
      ],
    )
    const { flows: ways } = fracture(loadedWith(both, { s: 1 }, {}), {
      availability: { bus: 1, workflow: 1, queue: 1, function: 0.8 },
    })
    const end = ways[0]?.sinks.find(({ nodes }) => nodes[0] === 'end')
    expect(end?.now).toBeCloseTo(1 - 0.2 ** 2, 12)
  })

  it('is given up with the task that fails, however long the one behind would wait', () => {
    const waiting = (attempts: number, interval: number) => ({
      retry: { attempts, interval, backoff: 1, jitter: false, from: 'template' },
    })
    const machines = (pause: number) =>
      meshFrom(
        [node('bus', 's'), node('workflow', 'm', { flavour: 'EXPRESS' })].concat(
          [task('check'), task('put', { after: 'check' })],
          [node('function', 'f'), node('function', 'g'), node('queue', 'end')],
        ),
        [
          ...['m', 'g'].map((id) =>
            element('delivery', 's', id, { ...waiting(1, 0), maxAge: 0, kept: false }),
          ),
          ...['check', 'put'].map((id) => element('invoke', 'm', `m#${id}`)),
          element('invoke', 'm#check', 'f'),
          element('call', 'm#put', 'end', waiting(2, pause)),
          element('call', 'g', 'end'),
        ],
      )
    for (const pause of [0, 1000]) {
      const { flows: ways } = fracture(loadedWith(machines(pause), { s: 1 }, {}), {
        availability: { bus: 1, workflow: 1, queue: 1, function: 0.8 },
        outage: 600,
      })
      const end = ways[0]?.sinks.find(({ nodes }) => nodes[0] === 'end')
      expect(end?.eventually, `${pause} s`).toBeCloseTo(1 - 0.2 ** 2, 12)
      expect(end?.dropped, `${pause} s`).toBeCloseTo(0.2 ** 2, 12)
    }
  })

  it('comes to a task with or without one that catches what fails, and to the first item of a Map', () => {
    const caught = meshFrom(
      [
        node('workflow', 'm'),
        task('check', undefined, { catches: true }),
        task('each/put', {
          after: 'check',
          steps: [{ times: 2, steps: [{ task: 'each/put' }, { task: 'each/tell' }] }],
        }),
        task('each/tell', { after: 'each/put' }),
        ...['put', 'tell'].map((id) => node('queue', id)),
        node('api', 'door'),
      ],
      [
        element('call', 'door', 'm'),
        ...['check', 'each/put', 'each/tell'].map((id) => element('invoke', 'm', `m#${id}`)),
        ...['put', 'tell'].map((id) => element('call', `m#each/${id}`, id)),
      ],
    )
    const [flow] = fracture(loadedWith(caught, { door: 1 }, {})).flows
    const points = (id: string) => flow?.sinks.find(({ nodes }) => nodes[0] === id)?.points.toSorted()
    expect(points('put')).toEqual(['door', 'm', 'm#each/put', 'put'])
    expect(points('tell')).toEqual(['door', 'm', 'm#each/put', 'm#each/tell', 'tell'])
  })
})

it('what lies behind a task that waits for another run needs all of that run', () => {
  const mesh = meshFrom(
    [
      ...['m', 'n'].map((id) => node('workflow', id)),
      node('task', 'm#run', { workflow: 'm', integration: 'sync', catches: false }),
      node('task', 'm#put', { workflow: 'm', before: { after: 'run', steps: [], unknown: [] } }),
      node('task', 'n#ask', { workflow: 'n', catches: false }),
      node('function', 'f'),
      node('queue', 'end'),
    ],
    [
      ...['run', 'put'].map((id) => element('invoke', 'm', `m#${id}`)),
      element('call', 'm#run', 'n'),
      element('invoke', 'n', 'n#ask'),
      element('invoke', 'n#ask', 'f'),
      element('call', 'm#put', 'end'),
    ],
  )
  const [flow] = fracture(loadedWith(mesh, { m: 1 }, {}), {}).flows
  const points = flow?.sinks.find(({ nodes }) => nodes[0] === 'end')?.points ?? []
  expect(new Set(points)).toEqual(new Set(['end', 'm#put', 'm#run', 'n', 'n#ask', 'f', 'm']))
})
