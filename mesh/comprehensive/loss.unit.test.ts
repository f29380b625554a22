import { describe, expect, it } from 'vitest'
import {
  apiNode,
  element,
  functionNode,
  invoke,
  loadedWith,
  meshFrom,
  node,
  poll,
  queueNode,
  send,
  servers,
  serviceNode,
  tokens,
} from '../../test/meshes.ts'
import type { Loads } from '../loads.ts'
import type { MeshElement } from '../model.ts'
import { comprehensive } from './analyse.ts'

/** An api whose function fills a queue, five receives 60 s apart; a worker takes from it and writes a table. */
const shop = (more: readonly MeshElement[] = []) =>
  meshFrom(
    [
      apiNode('door'),
      functionNode('front', [servers(10, 'refuse')]),
      queueNode('orders'),
      functionNode('worker', [servers(10)]),
      node('table', 'books'),
      queueNode('letters', { deadLetters: true }),
    ],
    [
      invoke('door', 'front'),
      send('front', 'orders'),
      element('poll', 'orders', 'worker'),
      element('call', 'worker', 'books', { carries: false }),
      ...more,
    ],
  )
const letters = element('dead-letter', 'orders', 'letters')

const lossOf = (
  mesh: ReturnType<typeof shop>,
  {
    rate = 1,
    availability = {},
    ...more
  }: Partial<Loads> & { rate?: number; availability?: Record<string, number> } = {},
) => {
  const loaded = loadedWith(mesh, { door: rate }, { front: 0.1, worker: 0.1 }, more)
  const report = comprehensive(loaded, { availability })
  return report.score.terms.find(({ name }) => name === 'loss')
}

describe('loss', () => {
  it('is not that a door does not answer: who calls is told', () => {
    expect(lossOf(shop([letters]), { availability: { api: 0.9, queue: 0.9 } })?.demand).toBeCloseTo(0, 9)
  })

  it('is not what a dead letter queue keeps', () => {
    const given = { availability: { function: 0.9 }, failures: new Map([['worker', 0.5]]) }
    expect(lossOf(shop([letters]), given)?.demand).toBeCloseTo(0, 9)
  })

  it('is what expires where it waits before it is dead-lettered: two of five receives within 60 s', () => {
    const brief = queueNode('orders', { visibility: 30, maxReceiveCount: 5, retention: 60 })
    const { nodes, ...rest } = shop([letters])
    const mesh = { ...rest, nodes: nodes.map((each) => (each.id === 'orders' ? brief : each)) }
    const given = { availability: { function: 1, table: 1 }, failures: new Map([['worker', 0.3]]) }
    expect(lossOf(mesh, given)?.demand).toBeCloseTo(0.3 ** 2, 9)
  })

  it('is what an outage outlasts and nothing keeps: all but 240 of 600 s, with five receives 60 s apart', () => {
    const term = lossOf(shop(), { availability: { function: 0.98, table: 0.97 } })
    expect(term?.demand).toBeCloseTo(1 - (1 - 0.02 * 0.6) * (1 - 0.03 * 0.6), 9)
    expect(term?.says).toBe('t to worker: an outage of 600 s outlasts its attempts, and nothing keeps it')
  })

  it('is what fails at every attempt and nothing keeps: qⁿ', () => {
    const term = lossOf(shop(), {
      failures: new Map([['worker', 0.5]]),
      availability: { function: 1, table: 1 },
    })
    expect(term?.demand).toBeCloseTo(0.5 ** 5, 9)
    expect(term?.says).toBe(
      't on the way from door to worker: refused, given up or expired, and kept nowhere',
    )
  })

  it('is not what fails in a run that a pipe waits for: its message goes back to where it was', () => {
    const mesh = meshFrom(
      [
        queueNode('source', { maxReceiveCount: 3 }),
        queueNode('letters', { deadLetters: true }),
        node('pipe', 'pipe', { enrichment: 'run' }),
        node('workflow', 'run', { flavour: 'EXPRESS' }),
        node('task', 'task', { workflow: 'run', catches: false }),
        functionNode('price'),
        queueNode('end'),
      ],
      [
        poll('source', 'pipe'),
        element('dead-letter', 'source', 'letters'),
        invoke('pipe', 'run'),
        invoke('run', 'task'),
        invoke('task', 'price'),
        send('pipe', 'end'),
      ],
    )
    const loaded = loadedWith(mesh, { source: 1 }, { price: 0.1 }, { failures: new Map([['price', 0.1]]) })
    const { score } = comprehensive(loaded, { availability: { function: 0.9 } })
    expect(score.terms.find(({ name }) => name === 'loss')?.demand).toBe(0)
  })

  it('is what the door refuses under the load: Erlang B of 10 servers offered 10', () => {
    expect(lossOf(shop([letters]), { rate: 100 })?.demand).toBeCloseTo(0.2146, 4)
  })

  it.each([
    ['front', 1],
    ['worker', 0],
  ])('is all that %s refuses, which is switched off, but what a dead letter queue keeps', (name, demand) => {
    const whole = shop([letters])
    const nodes = whole.nodes.map((each) =>
      each.id === name ? node('function', name, { reserved: 0 }) : each,
    )
    const loaded = loadedWith({ ...whole, nodes }, { door: 1 }, { front: 0.1, worker: 0.1 })
    const { score, static: steady } = comprehensive(loaded)
    expect(score.terms.find((term) => term.name === 'loss')?.demand).toBe(demand)
    expect(steady.unavailable).toMatchObject([
      { at: name, why: 'its reserved concurrency is 0: all that comes is throttled' },
    ])
  })

  it.each([
    ['STANDARD', 0],
    ['EXPRESS', 0.25],
  ] as const)('of a run of a %s state machine that fails for good', (flavour, demand) => {
    const mesh = meshFrom(
      [
        queueNode('orders'),
        node('workflow', 'machine', { flavour }),
        node('task', 'step', { workflow: 'machine' }),
        functionNode('worker', [servers(10)]),
        queueNode('letters', { deadLetters: true }),
      ],
      [
        element('delivery', 'orders', 'machine'),
        element('invoke', 'machine', 'step'),
        invoke('step', 'worker', 2),
        letters,
      ],
    )
    const loaded = loadedWith(mesh, { orders: 1 }, { worker: 0.1 }, { failures: new Map([['worker', 0.5]]) })
    const availability = { workflow: 1, function: 1, queue: 1 }
    const { terms } = comprehensive(loaded, { availability }).score
    expect(terms.find(({ name }) => name === 'loss')?.demand).toBeCloseTo(demand, 9)
  })

  const sure = { api: 1, bus: 1, function: 1, queue: 1, rule: 1, table: 1, workflow: 1 }
  const sdk = { attempts: 3, interval: 0.1, backoff: 2, jitter: true, from: 'sdk-attempts' }
  const written = (ratio: number, more: readonly MeshElement[] = []) => {
    const { nodes, elements } = shop(more)
    return meshFrom(
      nodes.map((one) =>
        one.id === 'books' ? node('table', 'books', {}, [tokens(ratio, 0, 'refuse', 'writes')]) : one,
      ),
      elements.map((one) =>
        one.to === 'books' ? element('call', 'worker', 'books', { ratio, retry: sdk }) : one,
      ),
    )
  }

  it.each([
    ['each writes and nothing keeps what fails', written(1), 0.75],
    ['each writes twice', written(2), 0.75],
    ['every other writes', written(0.5), 0.375],
    ['a dead letter queue keeps what fails', written(1, [letters]), 0],
  ])('of a table that is asked for 4 times what it lets in, when %s', (_, mesh, demand) => {
    expect(lossOf(mesh, { rate: 4, availability: sure })?.demand).toBeCloseTo(demand, 9)
  })

  it.each([
    ['who calls from outside', apiNode('door'), [invoke('door', 'front')], 1, 0.5],
    ['who calls from outside, whatever the SDK tries', apiNode('door'), [invoke('door', 'front')], 3, 0.5],
    ['a queue without dead letters', queueNode('door'), [element('poll', 'door', 'front')], 3, 0.5],
    [
      'a queue with dead letters',
      queueNode('door'),
      [element('poll', 'door', 'front'), element('dead-letter', 'door', 'letters')],
      3,
      0,
    ],
  ])('of PutEvents at twice the rate, behind %s', (_, door, elements, attempts, demand) => {
    const mesh = meshFrom(
      [
        door,
        functionNode('front'),
        node('bus', 'bus', {}, [tokens(5, 5)]),
        queueNode('letters', { deadLetters: true }),
      ],
      [element('call', 'front', 'bus', { retry: { ...sdk, attempts } }), ...elements],
    )
    expect(lossOf(mesh, { rate: 10, availability: sure })?.demand).toBeCloseTo(demand, 9)
  })

  it.each([
    [true, 0],
    [false, 0.75],
  ])('of StartExecution at four times the rate by a rule; kept what fails: %s', (kept, demand) => {
    const mesh = meshFrom(
      [node('rule', 'door'), node('workflow', 'machine', {}, [tokens(1, 1)])],
      [element('delivery', 'door', 'machine', { kept, retry: { ...sdk, attempts: 186 } })],
    )
    expect(lossOf(mesh, { rate: 4, availability: sure })?.demand).toBeCloseTo(demand, 9)
  })

  it('is what an API refuses that is asked for more than its rate', () => {
    const mesh = meshFrom(
      [apiNode('door', [tokens(5, 10)]), functionNode('front')],
      [invoke('door', 'front')],
    )
    const term = lossOf(mesh, { rate: 10, availability: sure })
    expect(term?.demand).toBeCloseTo(0.5, 9)
    expect(term?.says).toBe('t on the way from door to front: refused, given up or expired, and kept nowhere')
  })

  const worker = functionNode('worker', [servers(10, 'refuse')])
  const pushed = (kept: boolean) => element('delivery', 'door', 'worker', { kept })
  it.each([
    [
      'a queue whose poll has no more servers',
      queueNode('door'),
      functionNode('worker'),
      poll('door', 'worker', [servers(10)]),
      0.375,
    ],
    ['a queue whose function refuses', queueNode('door'), worker, poll('door', 'worker'), 0],
    [
      'a stream',
      node('stream', 'door'),
      functionNode('worker'),
      poll('door', 'worker', [servers(10)]),
      0.375,
    ],
    ['an event of Lambda without a destination', node('bus', 'door'), worker, pushed(false), 0.375],
    [
      'a service that is asked',
      apiNode('door'),
      serviceNode('worker', [servers(10)]),
      invoke('door', 'worker'),
      0.375,
    ],
    ['an event of Lambda with one', node('bus', 'door'), worker, pushed(true), 0],
  ])(
    'is what %s never gets to before its time is over, of 40/s before 25/s',
    (_, door, target, way, demand) => {
      const mesh = meshFrom(
        [door, target, queueNode('letters', { deadLetters: true })],
        [way, element('dead-letter', 'door', 'letters')],
      )
      const { terms } = comprehensive(loadedWith(mesh, { door: 40 }, { worker: 0.4 }), {
        availability: { ...sure, stream: 1 },
      }).score
      expect(terms.find(({ name }) => name === 'loss')?.demand).toBeCloseTo(demand, 9)
    },
  )

  it('is what a door refuses, though nobody knows which way the rest goes', () => {
    const mesh = meshFrom(
      [node('stream', 'door', {}, [tokens(10, 0, 'refuse', 'messages')]), functionNode('front')],
      [element('poll', 'door', 'front', { filtered: true })],
    )
    expect(lossOf(mesh, { rate: 15, availability: { ...sure, stream: 1 } })?.demand).toBeCloseTo(1 / 3, 9)
  })
})
