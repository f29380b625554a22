import { expect, it } from 'vitest'
import { element, meshFrom, node } from '../../test/meshes.ts'
import { load } from '../load.ts'
import { parseLoads } from '../loads.ts'
import { analyseStatic } from './analyse.ts'

const mesh = meshFrom(
  [node('queue', 'inbox'), node('function', 'worker'), node('function', 'other'), node('table', 'books')],
  [
    element('poll', 'inbox', 'worker', { laws: [{ law: 'latency', p50: 0.016, p99: 0.105, from: 'sqs' }] }),
    element('call', 'worker', 'books', { carries: false }),
  ],
)
const rolesOf = (loads: object) => {
  const { shares } = analyseStatic(load(mesh, parseLoads('rates.yaml', { version: 1, ...loads }, mesh)))
  return new Map(shares.roles.map(({ role, ...rest }) => [String(role), rest] as const))
}

const shares = { routing: 0.4, memory: 0.25, models: 0.15 }

it('is held against what is expected, and says what it leaves out', () => {
  const roles = rolesOf({
    arrivals: { inbox: { order: 2 } },
    service: { worker: { mean: 0.1 } },
    shares,
  })
  // median 16 ms, 99th 105 ms: σ = ln(105/16) / 2.32635 = 0.80872, mean = 16 ms · e^(σ²/2)
  const routing = 0.181597018
  expect(roles.get('routing')?.share).toBeCloseTo(routing, 8)
  expect(roles.get('routing')?.difference).toBeCloseTo(routing - 0.4, 8)
  expect(roles.get('routing')?.why).toEqual([expect.stringContaining('latency of asynchronous ways')])
  expect(roles.get('execution')).toEqual({
    ...{ share: expect.closeTo(1 - routing, 8), expected: null, difference: null, why: [] },
  })
  expect(roles.get('memory')).toMatchObject({ share: null, expected: 0.25, difference: null })
  expect(roles.get('memory')?.why).toEqual([expect.stringContaining('the time of books is not known apart')])
  expect(roles.get('models')).toMatchObject({ share: 0, difference: -0.15 })
  expect(roles.get('models')?.why).toEqual(['nothing in the mesh is of it (external)'])
})

it('says what makes a share larger than expected, and not that it is too low', () => {
  const { why } =
    rolesOf({
      arrivals: { inbox: { order: 2 } },
      service: { worker: { mean: 0.1 } },
      shares: { execution: 0.05 },
    }).get('execution') ?? {}
  expect(why).toEqual([
    'too high: it has the time of books in it, which is not known apart, while a handler waits for it',
  ])
})

it('has a table whose time somebody has said', () => {
  const roles = rolesOf({
    arrivals: { inbox: { order: 2 } },
    service: { worker: { mean: 0.1 }, books: { mean: 0.01 } },
    shares,
  })
  expect(roles.get('memory')).toMatchObject({ share: expect.any(Number), why: [] })
  expect(roles.get('memory')?.share).toBeCloseTo(0.075649149, 8)
})

it.each([
  ['function', 'invoke', 'request'],
  ['external', 'call', 'sync'],
] as const)('has the time of a %s once, whoever waits for it', (kind, by, integration) => {
  const run = meshFrom(
    [
      node('workflow', 'm'),
      node('task', 't', { workflow: 'm', integration }),
      node(kind, 'f'),
      node('function', 'g'),
    ],
    [element('invoke', 'm', 't'), element(by, 't', 'f')],
  )
  const loads = {
    ...{ version: 1, arrivals: { m: { run: 1 }, g: { x: 1 } } },
    service: { t: { mean: 2 }, f: { mean: 2 }, g: { mean: 2 } },
  }
  const found = analyseStatic(load(run, parseLoads('rates.yaml', loads, run))).shares
  expect(found.nodes.map(({ node: id, share }) => [id, share])).toEqual([
    ['f', 0.5],
    ['g', 0.5],
  ])
  expect(found.untimed).toEqual([])
})

it('is not known where no time is', () => {
  const roles = rolesOf({})
  expect(roles.get('routing')).toMatchObject({ share: null, why: ['no time at all is known'] })
})

it.each([
  [{ routing: 0.9, memory: 0.2 }, /shares: they add up to more than 1/],
  [{ bus: 0.4 }, /shares/],
  [{ routing: 40 }, /shares.routing: a part is at most 1/],
])('%j is refused', (given, message) => expect(() => rolesOf({ shares: given })).toThrow(message))

it.each([
  [{ loss: 2 }, /targets.loss: a part/],
  [{ loss: 0 }, /targets.loss: expected a part above 0/],
  [{ speed: 2 }, /targets/],
])('targets %j are refused', (targets, message) => expect(() => rolesOf({ targets })).toThrow(message))
