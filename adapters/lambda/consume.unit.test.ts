import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Failure } from '../../core/errors.ts'
import type { HandlerAny } from '../../core/event/handler.ts'
import type { Controls } from '../../core/hold/control.ts'
import { byHttp, push } from '../../test/arrivals.ts'
import { asked, aws, context, here, lines, received, setEnvironment } from '../../test/lambdas.ts'
import { laneWorld, nameOf } from '../../test/lanes.ts'
import { routeOf } from '../../test/world.ts'
import type { Hide } from './hide.ts'

vi.mock('./ports.ts', async () => (await import('../../test/lambdas.ts')).ports)

let handleBatch: typeof import('./consume.ts').handleBatch
let hide: typeof import('./hide.ts').hide
beforeAll(async () => {
  setEnvironment()
  handleBatch = (await import('./consume.ts')).handleBatch
  hide = (await import('./hide.ts')).hide
})

let count = 0
beforeEach(() => {
  asked.length = 0
  here.deps.random = () => 0.5
})
afterEach(() => {
  here.mend()
  here.stores.queues.take('analyze')
})

/** Events that are recorded now and handed over to `handler`, and what that comes to. */
async function handed(handler: HandlerAny, { events = 1, receiveCount = 1, more = [] as string[] } = {}) {
  await here.record(...Array.from({ length: events }, () => byHttp(push(`p${count++}`))))
  const bodies = [...here.stores.queues.take('analyze'), ...more]
  return lines(() =>
    handleBatch(
      routeOf('analyze'),
      handler,
      { ...here.deps, hide },
      received('analyze', bodies, receiveCount),
      context,
    ),
  )
}

const works: HandlerAny = async () => []
const fails: HandlerAny = async () => {
  throw new Error('not now')
}

describe('a batch of a route’s queue', () => {
  it('that is handled is taken off the queue, and told in one line', async () => {
    const { answer, lines } = await handed(works, { events: 2 })
    expect(answer).toEqual({ batchItemFailures: [] })
    expect(asked).toEqual([])
    expect(lines).toMatchObject([
      {
        level: 'INFO',
        function: 'fn',
        requestId: 'request-1',
        stage: 'test',
        subscriber: 'analyze',
        Handled: 2,
        Already: 0,
        Failed: 0,
        Dead: 0,
      },
    ])
  })

  it('keeps on it what failed, and that alone, hidden for as long as its backoff says', async () => {
    const odd: HandlerAny = async ({ event }) => {
      if (Number(event.id.slice(1)) % 2 === 1) throw new Error('not now')
      return []
    }
    count += count % 2
    const { answer, lines } = await handed(odd, { events: 3, receiveCount: 2 })
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }] })
    expect(asked).toEqual([
      {
        operation: 'ChangeMessageVisibility',
        input: {
          QueueUrl: 'https://sqs/loadpath-test-analyze',
          ReceiptHandle: 'handle-1',
          VisibilityTimeout: 2,
        },
      },
    ])
    expect(lines).toMatchObject([
      {
        level: 'WARN',
        Handled: 2,
        Failed: 1,
        failures: [{ outcome: 'retrying', project: 'main', id: expect.any(String), again: 2 }],
      },
    ])
  })

  it('takes off it what is dead, and warns', async () => {
    const { answer, lines } = await handed(fails, { receiveCount: 3 })
    expect(answer).toEqual({ batchItemFailures: [] })
    expect(lines).toMatchObject([
      { level: 'WARN', Dead: 1, failures: [{ outcome: 'dead', reason: 'Error: not now' }] },
    ])
  })

  it('counts apart from failures what others have kept from being tried: that is no attempt', async () => {
    const loses: HandlerAny = async () => {
      throw new Failure('Busy', 'others changed it')
    }
    const { answer, lines } = await handed(loses)
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] })
    expect(lines).toMatchObject([{ Failed: 0, Contended: 1, failures: [{ outcome: 'retrying' }] }])
    expect((await handed(fails)).lines[0]).not.toHaveProperty('Contended')
  })

  it('keeps on it what is no message of ours: the queue makes it a dead letter', async () => {
    const { answer, lines } = await handed(works, { more: ['garbage'] })
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }] })
    expect(lines).toMatchObject([{ Handled: 1, Failed: 1, failures: [{ outcome: 'unreadable' }] }])
  })

  it('that could not be hidden comes again all the same, and that is said', async () => {
    aws.call.mockRejectedValueOnce(new Error('no such queue'))
    const { answer, lines } = await handed(fails)
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] })
    expect(lines).toContainEqual({
      level: 'WARN',
      message: 'visibility not set',
      queue: 'analyze',
      reason: 'Error: no such queue',
    })
  })

  it('shows where an event does not fit, and nothing of what is in it', async () => {
    const faults = [{ path: 'data.ref', expected: 'a branch', got: '"hunter2"' }]
    const refuses: HandlerAny = async () => {
      throw new Failure('Invalid', 'no push', { faults })
    }
    const { text, lines } = await handed(refuses)
    expect(lines).toMatchObject([{ failures: [{ reason: 'no push; data.ref: expected a branch' }] }])
    expect(text).not.toContain('hunter2')
    expect(here.deliveries().at(-1)?.reason).toContain('hunter2')
  })
})

it('what is parked is taken off the queue, and counted', async () => {
  await here.record(byHttp(push('parked-1')))
  const controls: Controls = {
    mayRun: async () => ({ run: false, reason: 'paused by user:k1' }),
    report: async () => undefined,
  }
  const { answer, lines: told } = await lines(() =>
    handleBatch(
      routeOf('analyze'),
      works,
      { ...here.deps, controls, hide },
      received('analyze', here.stores.queues.take('analyze')),
      context,
    ),
  )
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(told).toMatchObject([{ level: 'INFO', Handled: 0, Failed: 0, Parked: 1 }])
  expect(told[0]).not.toHaveProperty('Held')
})

it('what is held in order stays on the queue for just as long as what holds it, and none other', async () => {
  const w = laneWorld()
  await w.declared('a1', 'a2', 'b1', 'a3')
  const hidden: [string, number][] = []
  const later: Hide = async (_, { messageId }, seconds) => void hidden.push([messageId, seconds])
  const handler: HandlerAny = async (handled) => {
    if (nameOf(handled) === 'a2') throw new Error('not now')
    return []
  }
  const { answer, lines: told } = await lines(() =>
    handleBatch(
      w.route,
      handler,
      { ...w.deps, random: () => 0.99, hide: later },
      received('line.fifo', w.stores.queues.take('line')),
      context,
    ),
  )
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }, { itemIdentifier: 'm3' }] })
  expect(hidden).toEqual([
    ['m1', 2],
    ['m3', 2],
  ])
  expect(told).toMatchObject([{ Handled: 2, Failed: 1, Held: 1, failures: [{ outcome: 'retrying' }] }])
})

it('a function of a route handles its queue', async () => {
  const { consume } = await import('./consume.ts')
  const ids: string[] = []
  const handler = consume(routeOf('analyze'), () => async ({ event }: { event: { id: string } }) => {
    ids.push(event.id)
    return []
  })
  await here.one(byHttp(push('by-route')))
  const { answer } = await lines(() =>
    handler(received('analyze', here.stores.queues.take('analyze')), context),
  )
  expect([answer, ids]).toEqual([{ batchItemFailures: [] }, ['by-route']])
})
