import { describe, expect, it } from 'vitest'
import { told } from '../../test/arrivals.ts'
import { routeOf, type World, world } from '../../test/world.ts'
import type { OutboxItem } from '../ports.ts'
import { relay } from './relay.ts'

const item = (partitionkey: string, sequence: number, index = 0, event = {}): OutboxItem => ({
  project: 'main',
  partitionkey,
  sequence,
  index,
  frame: told({ step: index, ...event }, { partitionkey, sequence }),
})

async function waiting(...outbox: OutboxItem[]): Promise<World> {
  const w = world()
  await w.stores.memory.commit({ writes: [], outbox })
  return w
}

const keys = (...partitionkeys: string[]) =>
  partitionkeys.map((partitionkey) => ({ project: 'main', partitionkey }))
const sent = (w: World) =>
  w.stores.queues.take('tell').map((body) => {
    const { partitionkey, sequence } = JSON.parse(body).event
    return `${partitionkey}/${sequence}`
  })
const left = (w: World) =>
  w.stores.memory.all().outbox.map(({ partitionkey, sequence }) => `${partitionkey}/${sequence}`)

/** A gate that does not take events of this key and sequence. */
const refusing = (w: World, partitionkey: string, sequence: number) =>
  w.instead('history', 'insertEvents', (real) => async (events) => {
    const refuses = ({ event }: (typeof events)[number]) =>
      event.partitionkey === partitionkey && event.sequence === sequence
    const verdicts = await real(events.filter((one) => !refuses(one)))
    return events.map((one) =>
      refuses(one)
        ? { verdict: 'failed', error: new Error('no') }
        : (verdicts.shift() ?? { verdict: 'exists' }),
    )
  })

describe('the relay', () => {
  it('sends what waits of a key in its sequence, and removes it', async () => {
    const w = await waiting(item('a', 10), item('a', 2, 1), item('a', 2, 0), item('a', 1))
    expect(await relay(keys('a'), w.deps)).toMatchObject({ stayed: 0 })
    expect(w.events().map(({ event }) => event.sequence)).toEqual([1, 2, 2, 10])
    expect(sent(w)).toEqual(['a/1', 'a/2', 'a/2', 'a/10'])
    expect(left(w)).toEqual([])
  })

  it('never sends two of a key at once', async () => {
    const w = await waiting(item('a', 1), item('a', 2), item('b', 1))
    const batches: string[][] = []
    w.instead('queues', 'send', (real) => async (queue, bodies) => {
      batches.push(bodies.map((body) => JSON.parse(String(body)).event.partitionkey))
      return real(queue, bodies)
    })
    await relay(keys('a', 'b'), w.deps)
    expect(batches).toEqual([['a', 'b'], ['a']])
  })

  it('stops a key at the first that does not get through; the other keys go on', async () => {
    const w = await waiting(item('a', 1), item('a', 2), item('a', 3), item('b', 1), item('b', 2))
    refusing(w, 'a', 2)
    const { stayed, outcomes } = await relay(keys('a', 'b'), w.deps)
    expect(stayed).toBe(1)
    expect(outcomes.filter(({ status }) => status === 'unavailable')).toHaveLength(1)
    expect(left(w)).toEqual(['a/2', 'a/3'])
    expect(sent(w).sort()).toEqual(['a/1', 'b/1', 'b/2'])
    w.mend()
    await relay(keys('a'), w.deps)
    expect(sent(w)).toEqual(['a/2', 'a/3'])
  })

  it('keeps what is recorded but not sent: the same again sends it', async () => {
    const w = await waiting(item('a', 1))
    w.failing('queues', 'send')
    expect(await relay(keys('a'), w.deps)).toMatchObject({ stayed: 1 })
    expect(left(w)).toEqual(['a/1'])
    w.mend()
    expect(await relay(keys('a'), w.deps)).toMatchObject({ stayed: 0, outcomes: [{ status: 'known' }] })
    expect(sent(w)).toEqual(['a/1'])
  })

  it('keeps what other code expects and has not sent, while a deployment may go on: the next would pass it', async () => {
    const w = await waiting(item('a', 1), item('a', 2))
    const [older, newer] = [w.deps.routes, [...w.deps.routes, { ...routeOf('tell'), subscriber: 'coming' }]]
    w.deps.routes = newer
    w.failing('queues', 'send')
    await relay(keys('a'), w.deps)
    w.mend()
    w.deps.routes = older
    expect(await relay(keys('a'), w.deps)).toMatchObject({ stayed: 1 })
    expect(left(w)).toEqual(['a/1', 'a/2'])
    w.deps.routes = newer
    expect(await relay(keys('a'), w.deps)).toMatchObject({ stayed: 0 })
    expect(w.stores.queues.take('coming')).toHaveLength(2)
  })

  it('lets pass what is in quarantine: it would never get through, and others wait behind it', async () => {
    const w = await waiting(item('a', 1, 0, { data: { wrong: true } }), item('a', 2))
    expect(await relay(keys('a'), w.deps)).toMatchObject({
      stayed: 0,
      outcomes: [{ status: 'quarantined' }, { status: 'recorded' }],
    })
    expect(left(w)).toEqual([])
  })

  it('is woken ten times for one key and sends once', async () => {
    const w = await waiting(item('a', 1))
    await relay(keys(...Array.from({ length: 10 }, () => 'a')), w.deps)
    expect(sent(w)).toEqual(['a/1'])
  })

  it('twice at the same time records once', async () => {
    const w = await waiting(item('a', 1), item('a', 2))
    await Promise.all([relay(keys('a'), w.deps), relay(keys('a'), w.deps)])
    expect(w.events()).toHaveLength(2)
    expect(left(w)).toEqual([])
  })

  it('woken for nothing does nothing', async () => {
    const w = await waiting()
    expect(await relay(keys('a'), w.deps)).toEqual({ outcomes: [], stayed: 0 })
    expect(w.calls).toEqual(['memory.outbox'])
  })
})

describe('the relay never throws: what it cannot send stays', () => {
  it('when one key cannot be read: the others go, and the failure is told', async () => {
    const w = await waiting(item('a', 1), item('b', 1))
    w.instead('memory', 'outbox', (real) => async (project, key) => {
      if (key === 'a') throw new Error('throttled')
      return real(project, key)
    })
    const { outcomes, stayed } = await relay(keys('a', 'b'), w.deps)
    expect(stayed).toBe(1)
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['recorded', 'unavailable'])
    expect(left(w)).toEqual(['a/1'])
  })

  it('when what was sent cannot be removed: it is sent again, in order, and known', async () => {
    const w = await waiting(item('a', 1), item('a', 2))
    w.failing('memory', 'removeFromOutbox')
    expect(await relay(keys('a'), w.deps)).toMatchObject({ stayed: 1, outcomes: [{ status: 'unavailable' }] })
    w.mend()
    await relay(keys('a'), w.deps)
    expect(w.events().map(({ event }) => event.sequence)).toEqual([1, 2])
    expect(left(w)).toEqual([])
  })

  it('at any point of a crash, and the next time it finishes: each event once, in order', async () => {
    const items = [item('a', 1), item('a', 2), item('b', 1)]
    const whole = await waiting(...items)
    await relay(keys('a', 'b'), whole.deps)
    for (const withEffect of [false, true])
      for (let at = 1; at <= whole.calls.length; at++) {
        const w = await waiting(...items)
        w.crashAt(at, withEffect)
        await relay(keys('a', 'b'), w.deps)
        w.mend()
        await relay(keys('a', 'b'), w.deps)
        expect(left(w)).toEqual([])
        expect(
          w
            .events()
            .filter(({ event }) => event.partitionkey === 'a')
            .map(({ event }) => event.sequence),
        ).toEqual([1, 2])
        expect([...new Set(sent(w))].sort()).toEqual(['a/1', 'a/2', 'b/1'])
      }
  })
})
