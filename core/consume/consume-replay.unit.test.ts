import { describe, expect, it } from 'vitest'
import { buildStatusChanged } from '../../events/build.status-changed.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { byHttp, push, queued, tests } from '../../test/arrivals.ts'
import { routeOf, type World, world } from '../../test/world.ts'
import type { Change, Emission, HandlerAny } from '../event/handler.ts'
import type { DeliveryFrame } from '../frame.ts'
import { consume } from './consume.ts'
import { shadowOf } from './shadow.ts'

const analyzed = { type: repositoryAnalyzed, data: repositoryAnalyzed.example } satisfies Emission
const nothing: HandlerAny = async () => []

/** A world in which one event is recorded, and its message taken off the queue of a subscriber. */
async function recorded(subscriber: 'analyze' | 'validate' | 'count') {
  const w = world()
  await w.one(byHttp(subscriber === 'count' ? tests() : push()))
  const [body = ''] = w.stores.queues.take(subscriber)
  const handed = async (handler: HandlerAny, frame: Partial<DeliveryFrame> = {}, receiveCount = 1) => {
    w.calls.length = 0
    const message = { body: JSON.stringify({ ...JSON.parse(body), ...frame }), receiveCount }
    const [consumed] = await consume(routeOf(subscriber), handler, [message], w.deps)
    return consumed
  }
  return { ...w, handed }
}

const markOf = (w: World, replay: string) => w.deliveries().find((mark) => mark.replay === replay)

/** What lies on the record queue goes through the gate. */
async function gate(w: World): Promise<string[]> {
  const statuses: string[] = []
  for (const body of w.stores.queues.take('record')) statuses.push((await w.one(queued(body))).status)
  return statuses
}

describe('a replay', () => {
  it('is a delivery of its own, beside the live one', async () => {
    const w = await recorded('analyze')
    await w.handed(nothing)
    expect(await w.handed(nothing, { replay: 'r1' })).toMatchObject({
      outcome: 'done',
      key: { replay: 'r1' },
    })
    expect(w.deliveries().map(({ replay }) => replay)).toEqual(['', 'r1'])
    expect(await w.handed(nothing, { replay: 'r1' })).toMatchObject({ outcome: 'already' })
  })

  it('acts under another idempotency key', async () => {
    const w = await recorded('analyze')
    const keys: string[] = []
    const handler: HandlerAny = async ({ idempotencyKey }) => {
      keys.push(idempotencyKey)
      return []
    }
    await w.handed(handler)
    await w.handed(handler, { replay: 'r1' })
    expect(new Set(keys).size).toBe(2)
  })

  it('sends nothing of what it emits, and has nothing to say when all of it is in history', async () => {
    const w = await recorded('analyze')
    await w.handed(async () => [analyzed])
    await gate(w)
    await w.handed(async () => [analyzed], { replay: 'r1' })
    expect(w.calls).not.toContain('queues.send record')
    expect(markOf(w, 'r1')).toMatchObject({ state: 'done', emitted: [] })
    expect(markOf(w, 'r1')?.notes).toBeUndefined()
  })

  it('notes what it would emit otherwise, by type and id, without what is in it', async () => {
    const w = await recorded('analyze')
    await w.handed(async () => [analyzed])
    await gate(w)
    const [id] = markOf(w, '')?.emitted ?? []
    const other: Emission = { type: repositoryAnalyzed, data: { ...repositoryAnalyzed.example, risk: 99 } }
    await w.handed(async () => [other, analyzed], { replay: 'r1' })
    expect(markOf(w, 'r1')?.notes).toEqual([
      `would emit repository.analyzed ${id}: with other content than is in history`,
      expect.stringMatching(/^would emit repository\.analyzed [0-9a-f-]{36}: it is not in history$/),
    ])
    expect(w.stores.queues.take('record')).toEqual([])
  })

  it('compares what would arrive: a member that is undefined is none', async () => {
    const w = await recorded('analyze')
    await w.handed(async () => [analyzed])
    await gate(w)
    const same = { ...analyzed, data: { ...analyzed.data, nothing: undefined } } as Emission
    await w.handed(async () => [same], { replay: 'r1' })
    expect(markOf(w, 'r1')?.notes).toBeUndefined()
  })

  it('is tried again when history cannot be asked', async () => {
    const w = await recorded('analyze')
    w.failing('history', 'getEvents')
    expect(await w.handed(async () => [analyzed], { replay: 'r1' })).toMatchObject({ outcome: 'retrying' })
    w.mend()
    expect(await w.handed(async () => [analyzed], { replay: 'r1' }, 2)).toMatchObject({ outcome: 'done' })
    expect(markOf(w, 'r1')?.notes).toHaveLength(1)
  })

  it('that means to emit does so anew, under ids of its own, and once however often it runs', async () => {
    const w = await recorded('analyze')
    await w.handed(async () => [analyzed])
    await gate(w)
    w.crashAt(3, false)
    await w.handed(async () => [analyzed], { replay: 'r1', emit: true })
    w.mend()
    await w.handed(async () => [analyzed], { replay: 'r1', emit: true }, 2)
    expect(await gate(w)).toEqual(['recorded', 'known'])
    const [live, replayed] = [markOf(w, ''), markOf(w, 'r1')]
    expect(replayed).toMatchObject({ state: 'done', emitted: [expect.any(String)], replayed: 'emit' })
    expect(replayed?.emitted).not.toEqual(live?.emitted)
    expect(w.events().find(({ event }) => event.id === replayed?.emitted[0])?.event.cause).toMatchObject({
      id: 'push-1',
      by: 'analyze',
    })
  })

  it('of a workflow is another run, as ever', async () => {
    const w = await recorded('validate')
    expect(await w.handed(nothing, { replay: 'r1' })).toMatchObject({ outcome: 'done' })
    expect(markOf(w, 'r1')).toMatchObject({ run: expect.stringMatching(/^[0-9a-f]{32}$/) })
  })
})

const counter = { project: 'main', kind: 'counter', name: 'all' }
const counts: HandlerAny = async (_, memory): Promise<Change> => {
  const version = ((await memory?.get(counter))?.version ?? 0) + 1
  return {
    writes: [{ ...counter, version, value: version, place: { list: 'counters', order: 'all' } }],
    emits: [{ type: buildStatusChanged, data: buildStatusChanged.example }],
    sequence: version,
  }
}

describe('a subscriber that keeps state', () => {
  it('is not replayed: what is live would be changed by what is past', async () => {
    const w = await recorded('count')
    expect(await w.handed(counts, { replay: 'r1' })).toMatchObject({
      outcome: 'dead',
      reason: 'count keeps state: it is rebuilt, not replayed',
    })
    expect(w.stores.memory.all().records).toEqual([])
  })

  it('is rebuilt apart from what is live, and tells nobody', async () => {
    const w = await recorded('count')
    await w.handed(counts)
    const told = w.stores.memory.all().outbox.length
    const rebuild = { replay: 'r1', rebuild: true }
    expect(await w.handed(counts, rebuild)).toMatchObject({ outcome: 'done' })
    expect(w.stores.memory.all().outbox).toHaveLength(told)
    expect(await w.stores.memory.get(counter)).toMatchObject({ version: 1 })
    expect(await shadowOf(w.stores.memory, 'r1').get(counter)).toMatchObject({ version: 1, value: 1 })
    expect(markOf(w, 'r1')).toMatchObject({ state: 'done', emitted: [], replayed: 'rebuild' })
    expect(w.calls.filter((call) => call === 'memory.commit')).toHaveLength(1)
  })

  it('is rebuilt once for each event, however often it is received', async () => {
    const w = await recorded('count')
    const rebuild = { replay: 'r1', rebuild: true }
    await Promise.all([w.handed(counts, rebuild), w.handed(counts, rebuild)])
    expect(await w.handed(counts, rebuild, 2)).toMatchObject({ outcome: 'already' })
    expect(await shadowOf(w.stores.memory, 'r1').get(counter)).toMatchObject({ version: 1 })
  })

  it('is rebuilt while it is paused', async () => {
    const w = await recorded('count')
    const message = { ...w.events()[0], replay: 'r1', rebuild: true }
    const controls = {
      mayRun: async () => ({ run: false as const, reason: 'rebuild r1' }),
      report: async () => expect.fail('a rebuild says nothing of what is live'),
    }
    const body = JSON.stringify(message)
    const consumed = await consume(routeOf('count'), counts, [{ body, receiveCount: 1 }], {
      ...w.deps,
      controls,
    })
    expect(consumed).toMatchObject([{ outcome: 'done' }])
  })

  it('without state is replayed, and not rebuilt', async () => {
    const w = await recorded('analyze')
    expect(await w.handed(nothing, { replay: 'r1', rebuild: true })).toMatchObject({
      outcome: 'dead',
      reason: 'analyze keeps no state: it is replayed, not rebuilt',
    })
  })
})
