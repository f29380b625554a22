import { describe, expect, it } from 'vitest'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { byHttp, push } from '../../test/arrivals.ts'
import { routeOf, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { Emission, HandlerAny } from '../event/handler.ts'
import { consume } from './consume.ts'

const route = routeOf('analyze')
const analyzed: Emission = { type: repositoryAnalyzed, data: repositoryAnalyzed.example }
const nothing: HandlerAny = async () => []
const throws =
  (error: unknown): HandlerAny =>
  async () => {
    throw error
  }

/** A world in which these events are recorded and wait on the queue of `analyze`. */
async function pushed(...events: ReturnType<typeof push>[]) {
  const w = world()
  await w.record(...events.map((event) => byHttp(event)))
  return w
}

describe('a batch', () => {
  it('hands over events of one partition key one after the other, others side by side', async () => {
    const keyed = (id: string, partitionkey: string) => push(id, { partitionkey })
    const w = await pushed(
      keyed('a1', 'a'),
      keyed('b1', 'b'),
      keyed('a2', 'a'),
      keyed('b2', 'b'),
      keyed('a3', 'a'),
    )
    const running = new Map<string, number>()
    const order: string[] = []
    let most = 0
    await w.handle('analyze', async ({ event: { id, partitionkey } }) => {
      running.set(partitionkey, (running.get(partitionkey) ?? 0) + 1)
      expect(running.get(partitionkey)).toBe(1)
      most = Math.max(
        most,
        [...running.values()].reduce((sum, one) => sum + one, 0),
      )
      await new Promise((resolve) => setTimeout(resolve, 2))
      order.push(id)
      running.set(partitionkey, 0)
      return []
    })
    expect(order.filter((id) => id.startsWith('a'))).toEqual(['a1', 'a2', 'a3'])
    expect(order.filter((id) => id.startsWith('b'))).toEqual(['b1', 'b2'])
    expect(most).toBe(2)
  })

  it('answers in order, each for itself: one failure or piece of garbage is nobody else’s', async () => {
    const w = await pushed(push('a'), push('b'), push('c'))
    const [a = '', b = '', c = ''] = w.stores.queues.take('analyze')
    const garbage = [
      '',
      '{',
      'null',
      '7',
      '{"event":{}}',
      JSON.stringify({ ...JSON.parse(a), replay: undefined }),
    ]
    const messages = [a, ...garbage, b, c].map((body) => ({ body, receiveCount: 1 }))
    const handler: HandlerAny = async ({ event }) => {
      if (event.id === 'b') throw new Failure('NotFound', 'no b')
      return []
    }
    const outcomes = (await consume(route, handler, messages, w.deps)).map(({ outcome }) => outcome)
    expect(outcomes).toEqual(['done', ...garbage.map(() => 'unreadable'), 'dead', 'done'])
  })

  it('gives up at once what emits more than a message can carry, and sends what its neighbours emit', async () => {
    const w = await pushed(push('a'), push('b'))
    const tooMuch = { ...repositoryAnalyzed.example, branch: 'x'.repeat(1_048_576) }
    const consumed = await w.handle('analyze', async ({ event }) => [
      event.id === 'a' ? { ...analyzed, data: tooMuch } : analyzed,
    ])
    expect(consumed.map(({ outcome }) => outcome)).toEqual(['dead', 'done'])
    expect(consumed[0]?.reason).toMatch(
      /^repository\.analyzed has \d+ bytes as a message, at most \d+ can be sent$/,
    )
    expect(w.stores.queues.take('record')).toHaveLength(1)
  })

  it('leaves garbage on the queue until it is a dead letter: it has no identity to mark', async () => {
    const w = world()
    const consumed = await consume(route, nothing, [{ body: 'x', receiveCount: 1 }], w.deps)
    expect(consumed).toEqual([{ outcome: 'unreadable', again: 60, reason: 'not a delivery of ours' }])
    expect(w.calls).toEqual([])
  })

  it('runs a delivery once that lies in it ten times, as when a webhook came ten times at once', async () => {
    const w = world()
    await w.record(...Array.from({ length: 10 }, () => byHttp(push())))
    await Promise.all(Array.from({ length: 9 }, () => w.one(byHttp(push()))))
    let runs = 0
    const consumed = await w.handle('analyze', async () => {
      runs++
      return [analyzed]
    })
    expect(runs).toBe(1)
    expect(consumed.map(({ outcome }) => outcome)).toEqual([
      'done',
      ...Array.from({ length: 9 }, () => 'already'),
    ])
    expect(w.stores.queues.take('record')).toHaveLength(1)
  })

  it('does not run a delivery that lies in it twice and was done by somebody else, whichever message comes first', async () => {
    const w = await pushed(push())
    await w.one(byHttp(push()))
    const { project, source, id } = w.events()[0]?.event ?? { project: '', source: '', id: '' }
    const done = { state: 'done', attempts: 1, started: 't', changed: 't', emitted: [] } as const
    await w.stores.history.mark({ project, source, id, subscriber: 'analyze', replay: '' }, done)
    let runs = 0
    const consumed = await w.handle('analyze', async () => {
      runs++
      return []
    })
    expect([runs, consumed.map(({ outcome }) => outcome)]).toEqual([0, ['already', 'already']])
  })

  it('tries all messages of one delivery again when it fails', async () => {
    const w = world()
    await w.one(byHttp(push()))
    await w.one(byHttp(push()))
    const consumed = await w.handle('analyze', throws(new Error('not now')))
    expect(consumed.map(({ outcome, again }) => [outcome, again !== undefined])).toEqual([
      ['retrying', true],
      ['retrying', true],
    ])
  })

  it('of nothing is nothing', async () => {
    const w = world()
    expect(await consume(route, nothing, [], w.deps)).toEqual([])
    expect(w.calls).toEqual([])
  })
})
