import { describe, expect, it } from 'vitest'
import * as made from '../test/meshes.ts'
import { load } from './load.ts'
import { parseLoads } from './loads.ts'
import type { Mesh } from './model.ts'
import { ratesOf } from './static/rates.ts'

const { apiNode, delivery, element, functionNode, invoke, meshFrom, node, poll, queueNode, send } = made

/** Per second by node and type; with `>=` where that is the least that it can be. */
function rates(mesh: Mesh, given: object) {
  const loaded = load(mesh, parseLoads('rates.yaml', { version: 1, ...given }, mesh))
  const { rates: found, complete } = ratesOf(loaded)
  return Object.fromEntries(
    loaded.states.map(({ node: { id }, type }, state) => [
      `${id} ${type}`,
      `${complete[state] ? '' : '>='}${found[state]}`,
    ]),
  )
}

const declared = (from: string, to: string, type: string, ratio: number | null) =>
  element('call', from, to, { id: `${from}>${to}:${type}`, provenance: 'declared', types: [type], ratio })

describe('what is sent', () => {
  const mesh = meshFrom(
    [functionNode('F'), queueNode('Q')],
    [declared('F', 'Q', 'a', null), declared('F', 'Q', 'b', 2), declared('F', 'Q', 'c', 0)],
  )
  const arrivals = { F: { in: 10 } }

  it('is known by type: an unknown ratio makes but its own type unknown, and nothing is no way', () => {
    expect(rates(mesh, { arrivals })).toEqual({ 'F in': '10', 'Q a': '>=0', 'Q b': '20' })
  })

  it('is overruled by type', () => {
    const sends = [{ from: 'F', to: 'Q', type: 'a', ratio: 0.3 }]
    expect(rates(mesh, { arrivals, sends })).toEqual({ 'F in': '10', 'Q a': '3', 'Q b': '20' })
    const all = [{ from: 'F', to: 'Q', ratio: 1 }]
    expect(rates(mesh, { arrivals, sends: all })).toEqual({ 'F in': '10', 'Q in': '10' })
    const none = [{ from: 'F', to: 'Q', type: 'a', ratio: 0, measured: true }]
    expect(rates(mesh, { arrivals, sends: none })).toEqual({ 'F in': '10', 'Q b': '20' })
  })

  it('by a workflow is overruled for all its tasks', () => {
    const run = meshFrom(
      [node('workflow', 'W'), node('task', 'T', { workflow: 'W' }), queueNode('Q')],
      [invoke('W', 'T'), send('T', 'Q', 1)],
    )
    const given = { arrivals: { W: { in: 10 } } }
    expect(rates(run, given)).toEqual({ 'W in': '10', 'T in': '10', 'Q in': '10' })
    const sends = [{ from: 'W', to: 'Q', type: 'told', ratio: 0.5 }]
    expect(rates(run, { ...given, sends })).toEqual({ 'W in': '10', 'T in': '10', 'Q told': '5' })
  })
})

it('what only reads a table is no record of its stream', () => {
  const mesh = meshFrom(
    [node('table', 'T'), functionNode('F'), queueNode('Q')],
    [
      element('poll', 'T', 'F'),
      element('call', 'F', 'T', { carries: false, ratio: 3, action: 'dynamodb:GetItem' }),
      send('F', 'Q'),
    ],
  )
  expect(rates(mesh, { arrivals: { T: { in: 10 } } })).toMatchObject({ 'F in': '10', 'Q in': '10' })
})

it('a state of a workflow runs as often as its definition says, where it does', () => {
  const run = (times: number | null) =>
    meshFrom([node('workflow', 'W'), node('task', 'T', { workflow: 'W', times })], [invoke('W', 'T')])
  expect(rates(run(3), { arrivals: { W: { in: 10 } } })['T in']).toBe('30')
  expect(rates(run(null), { arrivals: { W: { in: 10 } } })['T in']).toBe('>=0')
})

it('a door of which no type is said to come is shut; of others nobody knows', () => {
  const mesh = meshFrom([queueNode('Q'), functionNode('F')], [element('poll', 'Q', 'F')])
  expect(rates(mesh, {})).toEqual({ 'Q *': '>=0', 'F *': '>=0' })
  expect(rates(mesh, { arrivals: { Q: {} } })).toEqual({})
})

it('of an API goes where a route takes it, where only one does', () => {
  const mesh = meshFrom(
    [apiNode('A'), functionNode('F'), functionNode('G')],
    [element('invoke', 'A', 'F', { types: ['a', 'b'] }), element('invoke', 'A', 'G', { types: ['b'] })],
  )
  expect(rates(mesh, { arrivals: { A: { a: 1, b: 2 } } })).toEqual({
    'A a': '1',
    'A b': '2',
    'F a': '1',
    'F b': '>=0',
    'G b': '>=0',
  })
})

it('of an API whose routes all lead to one function all goes there', () => {
  const mesh = meshFrom(
    [apiNode('A'), functionNode('F')],
    [
      element('invoke', 'A', 'F', { id: '1', timeout: 5 }),
      element('invoke', 'A', 'F', { id: '2', timeout: 30 }),
    ],
  )
  const arrivals = { A: { a: 10 } }
  expect(rates(mesh, { arrivals })).toEqual({ 'A a': '10', 'F a': '10' })
  const sends = [{ from: 'A', to: 'F', ratio: 0.8 }]
  expect(rates(mesh, { arrivals, sends })).toEqual({ 'A a': '10', 'F a': '8' })
})

it('what an API hands to a service itself is one of its routes', () => {
  const call = element('call', 'A', 'Q', { types: null, provenance: 'template' })
  const both = meshFrom(
    [apiNode('A'), functionNode('F'), queueNode('Q')],
    [call, element('invoke', 'A', 'F')],
  )
  const arrivals = { A: { a: 10 } }
  expect(rates(both, { arrivals })).toEqual({ 'A a': '10', 'F a': '>=0', 'Q a': '>=0' })
  const sends = [
    { from: 'A', to: 'Q', ratio: 0.2 },
    { from: 'A', to: 'F', ratio: 0.8 },
  ]
  expect(rates(both, { arrivals, sends })).toEqual({ 'A a': '10', 'F a': '8', 'Q a': '2' })
  const alone = meshFrom([apiNode('A'), queueNode('Q')], [call])
  expect(rates(alone, { arrivals })).toEqual({ 'A a': '10', 'Q a': '10' })
})

describe('what was measured where nothing that is known leads to', () => {
  const mesh = meshFrom([queueNode('Q'), functionNode('F')], [element('poll', 'Q', 'F')])

  it('comes from outside, and goes on', () => {
    expect(rates(mesh, { measured: { Q: { o: 5 } } })).toEqual({ 'Q o': '5', 'F o': '5' })
    const loaded = load(mesh, parseLoads('rates.yaml', { version: 1, measured: { Q: { o: 5 } } }, mesh))
    expect(loaded.external).toEqual([5, 0])
  })

  it('and further on, what is beyond it comes from outside there', () => {
    const loads = parseLoads('rates.yaml', { version: 1, measured: { F: { o: 7 }, Q: { o: 5 } } }, mesh)
    const { unexplained } = ratesOf(load(mesh, loads))
    expect(load(mesh, loads).external).toEqual([0, 5])
    expect([...unexplained.values()]).toEqual([2, 0])
  })
})

it('names are looked up, not searched for: each node is read as often for many names as for one', () => {
  const reads = (names: number): number => {
    let count = 0
    const nodes = Array.from({ length: 50 }, (_, place) => {
      const one = made.queueNode(`q${place}`)
      const path = () => {
        count++
        return one.id
      }
      return Object.defineProperty(one, 'path', { get: path })
    })
    const arrivals = Object.fromEntries(nodes.slice(0, names).map(({ name }) => [name, { t: 1 }]))
    expect(parseLoads('rates.yaml', { version: 1, arrivals }, made.meshFrom(nodes, [])).arrivals.size).toBe(
      names,
    )
    return count
  }
  expect(reads(50)).toBe(reads(1))
})

it('more messages an invocation than a poll brings are refused', () => {
  const mesh = meshFrom(
    [queueNode('q'), functionNode('f'), functionNode('g')],
    [element('poll', 'q', 'f', { batch: 10 }), invoke('f', 'g')],
  )
  const given = (node: string, batch: number) => () =>
    parseLoads('r.yaml', { version: 1, service: { [node]: { mean: 1, batch } } }, mesh)
  expect(given('f', 50)).toThrow(
    'r.yaml: service.f.batch: 50 messages an invocation, and its polls bring 10 at most',
  )
  expect(given('f', 10)().service.get('f')?.batch).toBe(10)
  expect(given('g', 50)().service.get('g')?.batch).toBe(50)
})

it('nothing goes to a rule that is switched off', () => {
  const mesh = meshFrom(
    [node('bus', 'bus'), node('rule', 'off', { enabled: false }), node('rule', 'on'), node('function', 'f')],
    [
      ...['off', 'on'].map((rule) => element('delivery', 'bus', rule)),
      ...['off', 'on'].map((rule) => element('delivery', rule, 'f')),
    ],
  )
  const { states } = load(mesh, parseLoads('rates.yaml', { version: 1, arrivals: { bus: { x: 1 } } }, mesh))
  expect(states.map(({ node: { id } }) => id)).toEqual(['bus', 'on', 'f'])
})

it('what is said of one subscription of a topic leaves the others as they are', () => {
  const mesh = meshFrom(
    [node('topic', 't'), node('queue', 'a'), node('queue', 'b')],
    [element('delivery', 't', 'a'), element('delivery', 't', 'b', { filtered: true })],
  )
  const loads = parseLoads(
    'rates.json',
    {
      version: 1,
      arrivals: { t: { x: 10 } },
      sends: [{ from: 't', to: 'b', type: 'x', per: 'x', ratio: 0.3 }],
    },
    mesh,
  )
  expect(ratesOf(load(mesh, loads)).rates).toEqual([10, 10, 3])
})

describe('what is told when a function is done', () => {
  const done = 'Lambda Function Invocation Result - Success'
  const mesh = meshFrom(
    [node('bus', 'B'), functionNode('F'), functionNode('G'), functionNode('H')],
    [
      element('delivery', 'B', 'F', { types: ['thing'] }),
      element('delivery', 'F', 'B', { types: [done] }),
      element('delivery', 'B', 'G', { types: [done] }),
      element('delivery', 'B', 'H', { types: ['bill.made'] }),
    ],
  )
  const arrivals = { B: { thing: 10 } }
  const told = { 'B thing': '10', 'F thing': '10', [`B ${done}`]: '10', [`G ${done}`]: '10' }

  it('is of a type of its own', () => {
    expect(rates(mesh, { arrivals })).toEqual(told)
  })

  it('stays so when code sends there too, and is less where somebody says so', () => {
    const bill = { from: 'F', to: 'B', type: 'bill.made', per: 'thing', ratio: 2 }
    const both = { ...told, 'B bill.made': '20', 'H bill.made': '20' }
    expect(rates(mesh, { arrivals, sends: [bill] })).toEqual(both)
    const less = { from: 'F', to: 'B', type: done, ratio: 0.5 }
    expect(rates(mesh, { arrivals, sends: [less] })).toMatchObject({ [`G ${done}`]: '5', 'F thing': '10' })
  })
})

it('what is said of a way goes on as the type that is said', () => {
  const mesh = meshFrom(
    [apiNode('A'), functionNode('F'), functionNode('G'), queueNode('Q')],
    [invoke('A', 'F'), invoke('A', 'G')],
  )
  const of = { from: 'A', per: 'web' }
  const sends = [
    { ...of, to: 'F', type: 'order', ratio: 0.3 },
    { ...of, to: 'F', type: 'basket', ratio: 0.1 },
    { ...of, to: 'G', ratio: 0.6 },
    { from: 'F', to: 'Q', type: 'order.placed', per: 'order' },
  ]
  expect(rates(mesh, { arrivals: { A: { web: 10 } }, sends })).toEqual({
    ...{ 'A web': '10', 'F order': '3', 'F basket': '1', 'G web': '6', 'Q order.placed': '3' },
  })
})

describe('what feeds only itself', () => {
  const mesh = meshFrom(
    [node('bucket', 'B'), functionNode('F'), queueNode('Q'), functionNode('G')],
    [
      element('delivery', 'B', 'F', { types: ['s3:ObjectCreated:*'] }),
      send('F', 'Q'),
      poll('Q', 'G'),
      element('call', 'G', 'B', { action: 's3:PutObject', ratio: null }),
    ],
  )

  it('begins somewhere, where nobody has said that nothing comes', () => {
    const created = ['F', 'Q', 'G', 'B'].map((id) => `${id} s3:ObjectCreated:*`)
    expect(Object.keys(rates(mesh, {})).toSorted()).toEqual(['B *', ...created].toSorted())
    expect(rates(mesh, { arrivals: { B: {} } })).toEqual({})
  })

  it('does so whatever that is called which is written: an object is created', () => {
    const sends = [
      { from: 'F', to: 'Q', type: 'job' },
      { from: 'G', to: 'B', ratio: 0.5 },
    ]
    const created = 's3:ObjectCreated:Put'
    expect(rates(mesh, { arrivals: { B: { [created]: 5 } }, sends })).toEqual({
      ...{ [`B ${created}`]: '10', [`F ${created}`]: '10', 'Q job': '10', 'G job': '10' },
    })
  })
})

it('a bucket that tells nobody, and that nobody fills, is no door', () => {
  const mesh = meshFrom([node('bucket', 'B'), node('bucket', 'C'), functionNode('F')], [delivery('C', 'F')])
  expect(Object.keys(rates(mesh, {}))).toEqual(['C *', 'F *'])
})

it('what is said of nothing that can have it, or of one node twice, is refused', () => {
  const q = { ...queueNode('Q'), path: 'template/Q' }
  const mesh = meshFrom([q, functionNode('F')], [poll('Q', 'F')])
  const given = (loads: object) => () => parseLoads('r.yaml', { version: 1, ...loads }, mesh)
  expect(given({ arrivals: { Q: { o: 20 }, 'template/Q': { o: 5 } } })).toThrow(
    'r.yaml: arrivals.template/Q: it is the same node as Q: name it once',
  )
  expect(given({ failures: { Q: 0.5 } })).toThrow(
    'failures.Q: template/Q is a queue, which only keeps: say it of F',
  )
  expect(given({ service: { Q: { mean: 3 } } })).toThrow('service.Q: template/Q is a queue')
})
