import { beforeEach, describe, expect, it } from 'vitest'
import { eventDeadLettered } from '../events/event.dead-lettered.ts'
import { byHttp, push, queued, told } from '../test/arrivals.ts'
import { hours, minutes, noon, type World, world } from '../test/world.ts'
import { answer, request } from './approval.ts'
import { Failure } from './errors.ts'
import type { HandlerAny } from './handler.ts'
import { relay } from './relay.ts'
import { startRun } from './start-run.ts'
import { sweep } from './sweep.ts'

const nothing: HandlerAny = async () => []
const dies: HandlerAny = async () => {
  throw new Failure('Invalid', 'no good')
}

let w: World
beforeEach(() => {
  w = world()
})

async function pass() {
  const { swept, failures } = await sweep('main', w.deps, 40)
  expect(failures).toEqual([])
  return swept
}

const relayAll = async () => {
  const keys = w.stores.memory.all().outbox
  await relay(keys, w.deps)
}
const eventsOf = (type: string) => w.events().flatMap(({ event }) => (event.type === type ? [event] : []))

describe('what stayed in the outbox', () => {
  beforeEach(() =>
    w.stores.memory.commit({
      writes: [],
      outbox: [
        { project: 'main', partitionkey: 'k', sequence: 3, index: 0, frame: told({}, { partitionkey: 'k' }) },
      ],
    }),
  )

  it('is the stream’s to send for two minutes, and then the sweep’s', async () => {
    w.advance(minutes)
    expect(await pass()).toMatchObject({ relayed: 0 })
    w.advance(2 * minutes)
    expect(await pass()).toMatchObject({ relayed: 1, stayed: 0 })
    expect(w.stores.queues.take('tell')).toHaveLength(1)
    expect(await pass()).toMatchObject({ relayed: 0 })
  })

  it('and stays once more is said so', async () => {
    w.advance(3 * minutes)
    w.failing('queues', 'send')
    expect(await pass()).toMatchObject({ relayed: 0, stayed: 1 })
  })
})

describe('a run whose end nobody told us of', () => {
  const handled = { replay: '', attempt: 1, traceparent: 't', now: noon }
  let run: string

  beforeEach(async () => {
    await w.one(byHttp(push()))
    const event = w.events()[0]?.event
    await startRun('validate', { ...handled, event } as never, w.deps)
    run = w.stores.memory.all().records[0]?.name.split('/')[1] ?? ''
  })

  it('is asked after once it is open for five minutes, and its end is an event', async () => {
    w.stores.workflows.end('validate', run, { output: {} })
    w.advance(4 * minutes)
    expect(await pass()).toMatchObject({ ended: 0 })
    w.advance(2 * minutes)
    expect(await pass()).toMatchObject({ ended: 1 })
    expect(eventsOf('workflow.succeeded')).toMatchObject([
      {
        id: `validate/${run}/SUCCEEDED`,
        data: { workflow: 'validate', run },
        correlationid: 'push-1',
        causationid: 'push-1',
      },
    ])
    expect(w.stores.queues.take('follow')).toHaveLength(1)
  })

  it('is told once, however often it is asked after', async () => {
    w.stores.workflows.end('validate', run, { error: 'Boom', cause: 'why' })
    w.advance(6 * minutes)
    await pass()
    expect(await pass()).toMatchObject({ ended: 0 })
    expect(eventsOf('workflow.failed')).toMatchObject([{ data: { error: 'Boom', cause: 'why' } }])
  })

  it('is left alone while it runs, and when nothing is known of it', async () => {
    w.advance(6 * minutes)
    expect(await pass()).toMatchObject({ ended: 0 })
    w.instead('workflows', 'describe', () => async () => undefined)
    expect(await pass()).toMatchObject({ ended: 0 })
    expect(w.events()).toHaveLength(1)
  })
})

describe('an approval that nobody answered', () => {
  const requestedFor = { source: 's', id: 'push-1', correlationid: 'story', hops: 1 }
  const asked = (approval: string) => ({
    approval,
    workflow: 'validate',
    run: 'r',
    question: 'Deploy?',
    expires: '2026-01-01T13:00:00Z',
    requestedFor,
    token: `token of ${approval}`,
  })
  const ask = async (approval: string) =>
    w.stores.memory.commit({ writes: request('main', asked(approval), undefined)?.writes ?? [], outbox: [] })

  it('expires at its time and not before, and that is told', async () => {
    await ask('a1')
    w.advance(hours)
    expect(await pass()).toMatchObject({ expired: 0 })
    w.advance(minutes)
    expect(await pass()).toMatchObject({ expired: 1 })
    await relayAll()
    expect(eventsOf('approval.decided')).toMatchObject([
      {
        data: { approval: 'a1', decision: 'expired', by: 'system' },
        actor: 'system',
        partitionkey: 'approval/a1',
      },
    ])
    expect(await pass()).toMatchObject({ expired: 0 })
  })

  it('is told within the story that asked, each approval of one event by itself', async () => {
    await ask('a1')
    await ask('a2')
    w.advance(2 * hours)
    expect(await pass()).toMatchObject({ expired: 2 })
    await relayAll()
    const decided = eventsOf('approval.decided')
    expect(decided).toMatchObject([
      { correlationid: 'story', causationid: 'push-1', hops: 2 },
      { correlationid: 'story', causationid: 'push-1', hops: 2 },
    ])
    expect(new Set(decided.map(({ id }) => id)).size).toBe(2)
  })

  it('and was answered in the same moment keeps that answer', async () => {
    await ask('a1')
    const [record] = w.stores.memory.all().records
    w.advance(2 * hours)
    w.instead('memory', 'get', (real) => async (key) => {
      const found = await real(key)
      if (key.kind === 'approval') {
        const change = answer(
          'main',
          { decision: 'approved', by: 'user:k', now: '2026-01-01T12:30:00.000Z' },
          record,
        )
        await w.stores.memory.commit({ writes: change.writes, outbox: [] })
      }
      return found
    })
    expect(await pass()).toMatchObject({ expired: 0 })
    w.mend()
    expect(await w.stores.memory.get({ project: 'main', kind: 'approval', name: 'a1' })).toMatchObject({
      value: { status: 'approved', by: 'user:k' },
    })
  })
})

describe('event.dead-lettered', () => {
  /** Deliveries of these events to a subscriber die, now. */
  async function dead(subscriber: string, ...ids: string[]): Promise<void> {
    await w.record(...ids.map((id) => byHttp(push(id))))
    await w.handle(subscriber, dies)
    for (const name of ['analyze', 'validate']) await w.handle(name, nothing)
  }
  const letters = () =>
    eventsOf('event.dead-lettered').map(({ data }) => eventDeadLettered.schema.parse(data))
  const tell = async () => {
    const { told: count } = await pass()
    await relayAll()
    return count
  }
  beforeEach(tell)

  it('is one per subscriber and minute, with how many and why', async () => {
    w.advance(minutes)
    await dead('analyze', 'a', 'b', 'c')
    w.advance(30_000)
    await dead('validate', 'd')
    await dead('analyze', 'e', 'f', 'g')
    w.advance(2 * minutes)
    expect(await tell()).toBe(2)
    expect(letters().sort((a, b) => (a.subscriber < b.subscriber ? -1 : 1))).toMatchObject([
      { subscriber: 'analyze', minute: '2026-01-01T12:01:00.000Z', count: 6, sample: { length: 5 } },
      { subscriber: 'validate', count: 1, sample: [{ id: 'd', reason: 'no good' }] },
    ])
  })

  it('is told once, whatever the passes', async () => {
    await dead('analyze', 'a')
    for (let passes = 0; passes < 5; passes++) {
      w.advance(30_000)
      await tell()
    }
    expect(letters()).toHaveLength(1)
  })

  it('waits until the minute is over and shows in the index', async () => {
    await dead('analyze', 'a')
    w.advance(minutes)
    expect(await tell()).toBe(0)
    w.advance(minutes)
    expect(await tell()).toBe(1)
  })

  it('is told of every minute, however long nobody swept: what does not fit waits for the next pass', async () => {
    for (let minute = 0; minute < 130; minute++) {
      await dead('analyze', `p${minute}`)
      w.advance(minutes)
    }
    w.advance(minutes)
    const counts = [await tell(), await tell(), await tell()]
    expect(counts).toEqual([90, 40, 0])
    expect(new Set(letters().map(({ minute }) => minute)).size).toBe(130)
  })

  it('is not made of what died while a platform event was handled: that would feed itself', async () => {
    const data = eventDeadLettered.example
    await w.one(queued(told({ type: 'event.dead-lettered', data }, { partitionkey: 'subscriber/x' })))
    for (const type of ['event.x', 'circuit.opened', 'subscriber.paused'])
      await w.one(byHttp({ ...push(type), type, data: {} }))
    await w.handle('tell', dies)
    const marks = w.events().map(({ event: { project, source, id } }) => ({ project, source, id }))
    for (const mark of marks)
      await w.stores.history.mark(
        { ...mark, subscriber: 'tell', replay: '' },
        { state: 'dead', attempts: 1, started: noon, changed: noon, reason: 'x', emitted: [] },
      )
    w.advance(3 * minutes)
    expect(await tell()).toBe(0)
    expect((await pass()).open.tell).toMatchObject({ dead: 4 })
  })

  it('is not lost when it could not be committed', async () => {
    await dead('analyze', 'a')
    w.advance(3 * minutes)
    w.failing('memory', 'commit')
    await sweep('main', w.deps, 40)
    w.mend()
    expect(await tell()).toBe(1)
  })
})

describe('a pass', () => {
  it('counts what is open by subscriber and state, and since when', async () => {
    await w.record(byHttp(push('a')), byHttp(push('b')))
    await w.handle('analyze', dies)
    w.advance(minutes)
    await w.handle('validate', async () => Promise.reject(new Error('not now')))
    const { open } = await pass()
    expect(open.analyze).toEqual({ retrying: 0, parked: 0, dead: 2, oldest: noon })
    expect(open.validate).toEqual({ retrying: 2, parked: 0, dead: 0, oldest: w.clock() })
    expect(open.tell).toEqual({ retrying: 0, parked: 0, dead: 0, oldest: undefined })
  })

  it.each([
    ['history', 'pages'],
    ['memory', 'staleOutbox'],
    ['memory', 'list'],
    ['history', 'openMarks'],
    ['memory', 'commit'],
  ] as const)('goes on with its other parts when %s.%s fails, and tells', async (port, method) => {
    w.failing('queues', 'send')
    await w.one(byHttp(push()))
    w.mend()
    w.advance(20 * minutes)
    w.failing(port, method as never, new Error('broken'))
    const { swept, failures } = await sweep('main', w.deps, 40)
    expect(failures.length).toBeGreaterThan(0)
    expect(failures[0]).toMatchObject({ message: 'broken' })
    if (method !== 'pages') expect(w.stores.queues.take('analyze')).toHaveLength(1)
    if (method !== 'openMarks') expect(Object.keys(swept.open)).toContain('analyze')
  })
})
