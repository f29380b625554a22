import { beforeEach, describe, expect, it } from 'vitest'
import { byHttp, push } from '../../test/arrivals.ts'
import { laneWorld } from '../../test/lanes.ts'
import { dies, nothing, relayAll, taken, unsent } from '../../test/sweeping.ts'
import { hours, minutes, routeOf, type World, world } from '../../test/world.ts'
import { mendMissing } from './balance-mend.ts'

const source = 'https://github.com/octo/hello'

let w: World
beforeEach(() => {
  w = world()
})

let ids = 0
const withIds = <Deps>(deps: Deps) => ({ ...deps, newId: () => `mend${++ids}` })

const mend = async (...names: [id: string, subscriber: string][]) => {
  const asked = names.map(([id, subscriber]) => ({ source, id, subscriber }))
  const answers = await mendMissing('main', asked, 'user:ann', withIds(w.deps))
  expect(answers.map(({ outcome: _, detail: __, ...name }) => name)).toEqual(asked)
  return answers.map(({ outcome, detail }) => (detail === undefined ? outcome : `${outcome} ${detail}`))
}

describe('what the books named', () => {
  it('is sent on to that subscriber alone, marked as sent before', async () => {
    await unsent(w, 'a', 'b')
    expect(await mend(['a', 'analyze'], ['b', 'analyze'])).toEqual(['sent', 'sent'])
    const [message] = w.stores.queues.take('analyze', 1)
    expect(JSON.parse(message ?? '')).toMatchObject({ resent: true, replay: '', event: { id: 'a' } })
    expect([taken(w, 'analyze'), taken(w, 'validate')]).toEqual([['b'], []])
  })

  it('and sent meanwhile lies in its queue: it is not sent twice', async () => {
    await unsent(w, 'a')
    expect(await mend(['a', 'analyze'])).toEqual(['sent'])
    expect(await mend(['a', 'analyze'])).toEqual(['in flight'])
    w.advance(97 * hours)
    expect(await mend(['a', 'analyze'])).toEqual(['sent'])
  })

  it('is told of with who had it sent, once for all of it, and only where something was to be done', async () => {
    await unsent(w, 'a', 'b')
    await mend(['a', 'analyze'], ['b', 'analyze'], ['a', 'tell'], ['nothing', 'analyze'])
    await mend(['a', 'analyze'])
    await relayAll(w)
    expect(
      w
        .events()
        .flatMap(({ event: { type, data, actor } }) => (type === 'books.mended' ? [{ data, actor }] : [])),
    ).toEqual([
      {
        actor: 'user:ann',
        data: {
          mend: `mend${ids}`,
          deliveries: [
            { source, id: 'a', subscriber: 'analyze' },
            { source, id: 'b', subscriber: 'analyze' },
          ],
        },
      },
    ])
  })

  it('is not sent where nobody could be told of it', async () => {
    await unsent(w, 'a')
    w.failing('memory', 'commit')
    await expect(mend(['a', 'analyze'])).rejects.toThrow('down')
    expect(taken(w, 'analyze')).toEqual([])
  })

  it('has come to something: nothing is sent', async () => {
    await w.record(...['a', 'b'].map((id) => byHttp(push(id))))
    const [first = '', second = ''] = w.stores.queues.take('analyze')
    await w.stores.queues.send('analyze', [first])
    await w.handle('analyze', nothing)
    await w.stores.queues.send('analyze', [second])
    await w.handle('analyze', dies)
    expect(await mend(['a', 'analyze'], ['b', 'analyze'])).toEqual(['already done', 'already dead'])
    expect(taken(w, 'analyze')).toEqual([])
  })

  it('and is retrying with nothing in the queue is sent', async () => {
    await w.one(byHttp(push('a')))
    await w.handle('analyze', async () => Promise.reject(new Error('not now')))
    expect(await mend(['a', 'analyze'])).toEqual(['sent'])
    await w.handle('analyze', nothing)
    expect(await mend(['a', 'analyze'])).toEqual(['already done'])
  })

  it('is sent to a queue that keeps order, though that has seen it a moment ago', async () => {
    const lanes = laneWorld()
    await lanes.declared('a1')
    const { project, source: of, id } = lanes.key('a1')
    for (let time = 0; time < 2; time++) {
      expect(lanes.waiting().splice(0)).toHaveLength(1)
      const missing = [{ source: of, id, subscriber: 'line' }]
      const answers = await mendMissing(project, missing, 'user:ann', withIds(lanes.deps))
      expect(answers).toMatchObject([{ outcome: 'sent' }])
      lanes.advance(1000)
    }
    expect(lanes.waiting()).toHaveLength(1)
  })

  it('and was sent again long after its event came may lie in its queue', async () => {
    await unsent(w, 'a')
    w.advance(5 * 24 * hours)
    const mark = {
      state: 'retrying' as const,
      attempts: 1,
      started: w.clock(),
      changed: w.clock(),
      emitted: [],
    }
    const key = { project: 'main', source, id: 'a', subscriber: 'analyze', replay: '' }
    await w.stores.history.mark(key, mark)
    await w.stores.queues.send('analyze', ['a'])
    expect(await mend(['a', 'analyze'])).toEqual(['in flight'])
  })

  it('for nobody in the routes has a dead mark', async () => {
    await unsent(w, 'a')
    w.deps.routes = [routeOf('validate')]
    expect(await mend(['a', 'analyze'])).toEqual(['dead'])
    expect(w.deliveries()).toMatchObject([{ subscriber: 'analyze', state: 'dead' }])
  })

  it('is not there, or expects somebody else: that is said, each for itself', async () => {
    await unsent(w, 'a')
    expect(await mend(['nothing', 'analyze'], ['a', 'tell'], ['a', 'validate'])).toEqual([
      'no such event',
      'not expected',
      'sent',
    ])
  })

  it('cannot be sent or looked up: that is said, and it can be asked again', async () => {
    await unsent(w, 'a')
    w.failing('queues', 'send')
    expect(await mend(['a', 'analyze'])).toEqual(['failed Error: down'])
    w.mend()
    w.failing('history', 'fate')
    expect(await mend(['a', 'analyze'])).toEqual(['failed Error: down'])
    w.mend()
    w.advance(minutes)
    expect(await mend(['a', 'analyze'])).toEqual(['sent'])
  })
})
