import { beforeEach, describe, expect, it } from 'vitest'
import { byHttp, emit, push, queued } from '../../test/arrivals.ts'
import { nothing, swept, taken, unsent, wholePass } from '../../test/sweeping.ts'
import { hours, minutes, routeOf, type World, world } from '../../test/world.ts'
import type { HandlerAny } from '../event/handler.ts'
import { sweep } from './sweep.ts'

let w: World
beforeEach(async () => {
  w = world()
  // a first pass says where the timeline begins
  await swept(w)
})

describe('an event that was recorded and never sent', () => {
  it('is left alone while it may be on its way: 15 minutes', async () => {
    await unsent(w, 'a')
    w.advance(14 * minutes)
    expect(await swept(w)).toMatchObject({ resent: 0 })
    w.advance(2 * minutes)
    expect(await swept(w)).toMatchObject({ resent: 2 })
    expect([taken(w, 'analyze'), taken(w, 'validate')]).toEqual([['a'], ['a']])
  })

  it('is sent again marked as such, so that its consumer reads the mark', async () => {
    await unsent(w, 'a')
    w.advance(16 * minutes)
    await swept(w)
    expect(JSON.parse(w.stores.queues.take('analyze')[0] ?? '')).toMatchObject({ resent: true, replay: '' })
  })

  it('is sent again once: the next pass has gone on', async () => {
    await unsent(w, 'a')
    w.advance(16 * minutes)
    await swept(w)
    taken(w, 'analyze')
    for (let passes = 0; passes < 3; passes++) {
      w.advance(minutes)
      expect(await swept(w)).toMatchObject({ resent: 0 })
    }
    expect(taken(w, 'analyze')).toEqual([])
  })

  it('is sent only to those that have no delivery', async () => {
    await w.one(byHttp(push('a')))
    await w.handle('analyze', nothing)
    taken(w, 'validate')
    w.advance(16 * minutes)
    await swept(w)
    expect([taken(w, 'analyze'), taken(w, 'validate')]).toEqual([[], ['a']])
  })

  it('is not sent to whoever has given it up', async () => {
    await w.one(byHttp(push('a')))
    const fails: HandlerAny = async () => Promise.reject(new Error('not now'))
    for (const name of ['analyze', 'validate']) await w.handle(name, fails, 3)
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ resent: 0, behind: 0 })
  })

  it('is left to what looks after open deliveries where somebody is retrying it', async () => {
    await w.one(byHttp(push('a')))
    await w.handle('validate', nothing)
    await w.handle('analyze', async () => Promise.reject(new Error('not now')))
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ resent: 0, behind: 0 })
    expect(taken(w, 'analyze')).toEqual([])
  })

  it('whatever was cut off in the gate, all that is in history is handled in the end', async () => {
    const batch = () => [byHttp(push('a')), queued(emit({ source: 's', id: 'p' }))]
    const calls = await (async () => {
      const whole = world()
      await whole.record(...batch())
      return whole.calls.length
    })()
    for (const withEffect of [false, true])
      for (let at = 1; at <= calls; at++) {
        const crashed = world()
        await swept(crashed)
        crashed.crashAt(at, withEffect)
        await crashed.record(...batch())
        crashed.mend()
        for (const name of ['analyze', 'validate', 'tell']) await crashed.handle(name, nothing)
        crashed.advance(16 * minutes)
        await swept(crashed)
        for (const name of ['analyze', 'validate', 'tell']) await crashed.handle(name, nothing)
        const expected = crashed
          .events()
          .flatMap(({ event, expects }) => expects.map((name) => `${event.id} ${name}`))
        expect(
          crashed
            .deliveries()
            .map(({ id, subscriber, state }) => `${id} ${subscriber}${state === 'done' ? '' : state}`)
            .sort(),
        ).toEqual(expected.sort())
      }
  })
})

describe('a backlog is not a loss', () => {
  it('nothing is sent to a queue that is not empty; its subscriber is behind, and the others are not held up', async () => {
    await w.one(byHttp(push('waits')))
    taken(w, 'validate')
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ resent: 1, behind: 1 })
    expect(taken(w, 'validate')).toEqual(['waits'])
    expect(taken(w, 'analyze')).toEqual(['waits'])
  })

  it('once it is empty what is behind is gone back to, however far the timeline went on meanwhile', async () => {
    await unsent(w, 'lost')
    await w.stores.queues.send('analyze', ['a backlog'])
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ behind: 1 })
    for (let passes = 0; passes < 3; passes++) {
      w.advance(hours)
      expect(await swept(w)).toMatchObject({ behind: 1 })
    }
    w.stores.queues.take('analyze')
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ resent: 1, behind: 0 })
    expect(taken(w, 'analyze')).toEqual(['lost'])
  })

  it('what was lost first is gone back to, however much was lost after it', async () => {
    w.deps.routes = [routeOf('analyze')]
    await w.stores.queues.send('analyze', ['a backlog'])
    for (const id of ['a', 'b', 'c', 'd']) {
      await unsent(w, id)
      w.advance(id === 'a' ? minutes : 16 * minutes)
      await swept(w)
    }
    w.stores.queues.take('analyze')
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ behind: 0 })
    expect(taken(w, 'analyze').sort()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('what was handled meanwhile is not sent', async () => {
    await w.one(byHttp(push('slow')))
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ behind: 2 })
    await w.handle('analyze', nothing)
    await w.handle('validate', nothing)
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ resent: 0, behind: 0 })
    expect(taken(w, 'analyze')).toEqual([])
  })

  it('older than what a queue keeps it is lost for sure, and sent in spite of the backlog', async () => {
    await unsent(w, 'old')
    await w.stores.queues.send('analyze', ['a backlog'])
    w.advance(96 * hours + minutes)
    await swept(w)
    expect(w.stores.queues.take('analyze').length).toBe(2)
  })

  it('the depth is read once a pass: what the pass sends does not count as a backlog', async () => {
    await unsent(w, 'a', 'b', 'c')
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ resent: 6, behind: 0 })
    expect(w.calls.filter((call) => call === 'queues.depth analyze')).toHaveLength(1)
  })
})

describe('when something fails in a pass', () => {
  it('a send: its subscriber is behind and gone back to', async () => {
    await unsent(w, 'a')
    w.advance(16 * minutes)
    w.failing('queues', 'send')
    expect(await swept(w)).toMatchObject({ resent: 0, behind: 2 })
    w.mend()
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ resent: 2, behind: 0 })
  })

  it('the depth of one queue: its subscriber is behind and gone back to, the others go on, and it is told once', async () => {
    await unsent(w, 'a', 'b')
    w.advance(16 * minutes)
    w.instead('queues', 'depth', (real) => async (queue) => {
      if (queue === 'analyze') throw new Error('throttled')
      return real(queue)
    })
    const { swept: found, failures } = await sweep('main', w.deps, 40)
    expect(found).toMatchObject({ resent: 2, missing: 4, behind: 1, lagMinutes: 0 })
    expect(failures).toMatchObject([{ message: 'throttled' }])
    expect([taken(w, 'analyze'), taken(w, 'validate').length]).toEqual([[], 2])
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ resent: 0, behind: 1, failures: [{ message: 'throttled' }] })
    w.mend()
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ resent: 2, behind: 0, failures: [] })
    expect(taken(w, 'analyze').sort()).toEqual(['a', 'b'])
  })

  it('anything else: the cursor stays, so the next pass begins where this one did', async () => {
    await unsent(w, 'a')
    w.advance(16 * minutes)
    w.failing('history', 'fate')
    await expect(swept(w)).rejects.toThrow('down')
    w.mend()
    expect(await swept(w)).toMatchObject({ resent: 2 })
  })

  it('two passes at once: the cursor of one of them stands, and nothing is left out', async () => {
    await unsent(w, 'a')
    w.advance(16 * minutes)
    await Promise.all([swept(w), swept(w)])
    expect(new Set(taken(w, 'analyze'))).toEqual(new Set(['a']))
    const cursor = await w.stores.memory.get({ project: 'main', kind: 'cursor', name: 'sweep' })
    expect(cursor?.version).toBe(2)
  })
})

describe('whom an event expects', () => {
  it('a name in no route any more has a dead delivery, whatever lies on its old queue', async () => {
    await unsent(w, 'a')
    await w.stores.queues.send('analyze', ['a backlog'])
    w.deps.routes = [routeOf('validate')]
    w.advance(16 * minutes)
    await swept(w)
    expect(w.deliveries()).toMatchObject([
      { subscriber: 'analyze', state: 'dead', reason: expect.stringMatching(/^no such subscriber/) },
    ])
    expect(taken(w, 'validate')).toEqual(['a'])
  })

  it('a name that was in a route for a moment only leaves no delivery that is tried for ever', async () => {
    await w.one(byHttp(push('a')))
    await w.handle('analyze', async () => Promise.reject(new Error('not now')))
    w.deps.routes = [routeOf('validate')]
    w.advance(16 * minutes)
    await wholePass(w)
    expect(w.deliveries()).toMatchObject([{ subscriber: 'analyze', state: 'dead' }])
  })

  it('a name that is behind and then gone is gone back to as well', async () => {
    await unsent(w, 'a')
    await w.stores.queues.send('analyze', ['a backlog'])
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ behind: 1 })
    w.deps.routes = [routeOf('validate')]
    w.advance(minutes)
    expect(await swept(w)).toMatchObject({ behind: 0 })
    expect(w.deliveries()).toMatchObject([{ subscriber: 'analyze', state: 'dead' }])
  })

  it('entries that came to nothing, and those of another page, are skipped', async () => {
    w.failing('history', 'insertEvents')
    await w.one(byHttp(push('a')))
    w.mend()
    w.advance(minutes)
    await unsent(w, 'a')
    w.advance(16 * minutes)
    expect(await swept(w)).toMatchObject({ resent: 2, pages: 2 })
    expect(taken(w, 'analyze')).toEqual(['a'])
  })
})
