import { describe, expect, it } from 'vitest'
import { buildStatusChanged } from '../../events/build.status-changed.ts'
import { byHttp, tests } from '../../test/arrivals.ts'
import { noon, routeOf, type World, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { Change, HandlerAny } from '../event/handler.ts'
import { relay } from '../gate/relay.ts'
import { consume } from './consume.ts'

const route = routeOf('count')
const record = { project: 'main', kind: 'counter', name: 'all' }
const changed = { type: buildStatusChanged, data: buildStatusChanged.example } as const

/** Counts events in one record, and tells of each. */
const counts: HandlerAny = async (_, memory): Promise<Change> => {
  const current = await memory?.get(record)
  const version = (current?.version ?? 0) + 1
  return { writes: [{ ...record, version, value: { count: version } }], emits: [changed], sequence: version }
}
const counted = async (w: World) => (await w.stores.memory.get(record))?.value

async function tested(...ids: string[]) {
  const w = world()
  await w.record(...(ids.length === 0 ? ['tests-1'] : ids).map((id) => byHttp(tests(id))))
  const bodies = w.stores.queues.take('count')
  w.calls.length = 0
  const handed = (handler: HandlerAny, receiveCount = 1) =>
    consume(
      route,
      handler,
      bodies.map((body) => ({ body, receiveCount })),
      w.deps,
    )
  return { ...w, handed }
}

const outboxOf = (w: World) => w.stores.memory.all().outbox

describe('effect state', () => {
  it('commits change, what it tells and the mark in one call', async () => {
    const w = await tested()
    expect(await w.handed(counts)).toMatchObject([{ outcome: 'done' }])
    expect(w.calls).toEqual(['memory.get', 'memory.commit'])
    expect(await counted(w)).toEqual({ count: 1 })
    expect(outboxOf(w)).toMatchObject([{ project: 'main', sequence: 1, index: 0 }])
    expect(w.deliveries()).toMatchObject([{ subscriber: 'count', state: 'done', attempts: 1, started: noon }])
  })

  it('what it tells has the id that its mark names, once the relay has sent it', async () => {
    const w = await tested()
    await w.handed(counts)
    const [{ partitionkey } = { partitionkey: '' }] = outboxOf(w)
    await relay([{ project: 'main', partitionkey }], w.deps)
    const told = w.events().find(({ event }) => event.door === 'outbox')?.event
    expect(w.deliveries()).toMatchObject([{ emitted: [told?.id] }])
    expect(told).toMatchObject({
      cause: { id: 'tests-1', by: 'count' },
      correlationid: 'tests-1',
      hops: 1,
      sequence: 1,
    })
  })

  it('is exactly once for one message in two consumers at the same time', async () => {
    const w = await tested()
    const outcomes = await Promise.all([w.handed(counts), w.handed(counts)])
    expect(
      outcomes
        .flat()
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual(['already', 'done'])
    expect(await counted(w)).toEqual({ count: 1 })
    expect(outboxOf(w)).toHaveLength(1)
  })

  it('is exactly once for each of four events that change one record at the same time', async () => {
    const ids = Array.from({ length: 4 }, (_, n) => `t${n}`)
    const w = world()
    await w.record(...ids.map((id) => byHttp(tests(id, { partitionkey: id }))))
    const outcomes = await w.handle('count', counts)
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(ids.map(() => 'done'))
    expect(await counted(w)).toEqual({ count: 4 })
    expect(
      outboxOf(w)
        .map(({ sequence }) => sequence)
        .sort(),
    ).toEqual([1, 2, 3, 4])
  })

  it('decides again after a lost race, on what is there then', async () => {
    const w = await tested()
    let lost = 0
    const racing: HandlerAny = async (handled, memory) => {
      const change = await counts(handled, memory)
      if (lost++ < 3) {
        const there = await w.stores.memory.get(record)
        const version = (there?.version ?? 0) + 1
        await w.stores.memory.commit({
          writes: [{ ...record, version, value: { count: version } }],
          outbox: [],
        })
      }
      return change
    }
    expect(await w.handed(racing)).toMatchObject([{ outcome: 'done' }])
    expect(await counted(w)).toEqual({ count: 4 })
  })

  it('is tried again later when it loses every race', async () => {
    const w = await tested()
    w.instead('memory', 'commit', () => async () => 'version conflict')
    expect(await w.handed(counts)).toMatchObject([
      { outcome: 'retrying', reason: 'others changed what count changes 5 times meanwhile: try again' },
    ])
    expect(w.calls.filter((call) => call === 'memory.commit')).toHaveLength(5)
    expect(w.deliveries()).toMatchObject([{ state: 'retrying' }])
    w.mend()
    expect(await w.handed(counts, 2)).toMatchObject([{ outcome: 'done' }])
  })

  it.each([false, true])(
    'after a crash in the commit (with effect: %s) is done once, and known as such',
    async (withEffect) => {
      const w = await tested()
      w.crashAt(2, withEffect)
      expect(await w.handed(counts)).toMatchObject([{ outcome: 'retrying' }])
      w.mend()
      expect(await w.handed(counts, 2)).toMatchObject([{ outcome: withEffect ? 'already' : 'done' }])
      expect(await counted(w)).toEqual({ count: 1 })
      expect(outboxOf(w)).toHaveLength(1)
    },
  )

  it('a failing commit whose effect was there is not marked as failed: done is final', async () => {
    const w = await tested()
    w.instead('memory', 'commit', (real) => async (change) => {
      await real(change)
      throw new Error('timeout')
    })
    expect(await w.handed(counts)).toMatchObject([{ outcome: 'retrying' }])
    expect(w.deliveries()).toMatchObject([{ state: 'done' }])
  })

  it('does not need its first mark read: the transaction refuses what is done', async () => {
    const w = await tested()
    await w.handed(counts)
    w.calls.length = 0
    expect(await w.handed(counts)).toMatchObject([{ outcome: 'already' }])
    expect(w.calls).toEqual(['memory.get', 'memory.commit'])
  })

  it('without a change is done, by its mark alone', async () => {
    const w = await tested()
    expect(await w.handed(async () => undefined)).toMatchObject([{ outcome: 'done' }])
    expect(w.calls).toEqual(['history.insertDeliveries'])
    expect(w.deliveries()).toMatchObject([{ state: 'done', emitted: [] }])
  })
})

describe('a change that cannot be', () => {
  it('that tells what the gate would refuse is dead before anything is written', async () => {
    const w = await tested()
    const bad: HandlerAny = async (handled, memory) => {
      const change = (await counts(handled, memory)) as Change
      return { ...change, emits: [{ ...changed, data: { ...changed.data, to: 'purple' } as never }] }
    }
    expect(await w.handed(bad)).toMatchObject([
      { outcome: 'dead', reason: expect.stringContaining('data.to: expected') },
    ])
    expect(await counted(w)).toBeUndefined()
    expect(outboxOf(w)).toEqual([])
  })

  it('of too many items is dead: it would never fit a transaction', async () => {
    const w = await tested()
    const many: HandlerAny = async (handled, memory) => {
      const change = (await counts(handled, memory)) as Change
      const branch = (n: number) => ({ ...changed, data: { ...changed.data, branch: `b${n}` } })
      return { ...change, emits: Array.from({ length: 120 }, (_, n) => branch(n)) }
    }
    expect(await w.handed(many)).toMatchObject([
      { outcome: 'dead', reason: expect.stringContaining('100 items') },
    ])
  })

  it('that are emissions without a change, is tried again and never half done', async () => {
    const w = await tested()
    expect(await w.handed(async () => [changed])).toMatchObject([{ outcome: 'retrying' }])
    expect(w.stores.queues.take('record')).toEqual([])
  })

  it('because of what is in memory: hopeless is dead, without a trace of the change', async () => {
    const w = await tested()
    const refuses: HandlerAny = async () => {
      throw new Failure('Conflict', 'it was decided otherwise')
    }
    expect(await w.handed(refuses)).toMatchObject([{ outcome: 'dead', reason: 'it was decided otherwise' }])
  })

  it('of a subscriber of which nobody knows whether it is paused is not run on a guess', async () => {
    const w = world()
    await w.one(byHttp(tests()))
    const messages = w.stores.queues.take('count').map((body) => ({ body, receiveCount: 1 }))
    const unsure = { error: new Error('no memory') }
    const controls = { mayRun: async () => ({ run: true, unsure }) as const, report: async () => undefined }
    const consumed = await consume(route, counts, messages, { ...w.deps, controls })
    expect(consumed).toMatchObject([{ outcome: 'retrying', reason: 'Error: no memory' }])
    expect(w.stores.memory.all().records).toEqual([])
  })

  it('of a subscriber without memory is tried again: the deployment is wrong, not the event', async () => {
    const w = world()
    await w.one(byHttp(tests()))
    const messages = w.stores.queues.take('count').map((body) => ({ body, receiveCount: 1 }))
    const consumed = await consume(route, counts, messages, { ...w.deps, memory: undefined })
    expect(consumed).toMatchObject([{ outcome: 'retrying', reason: expect.stringContaining('no memory') }])
  })
})
