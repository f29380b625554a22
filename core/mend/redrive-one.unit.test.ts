import { beforeEach, describe, expect, it } from 'vitest'
import { failing, type MendWorld, mendWorld } from '../../test/mending.ts'
import { nothing } from '../../test/sweeping.ts'
import { minutes, noon } from '../../test/world.ts'
import { pause } from '../hold/pause.ts'
import { countOpen } from '../sweep/sweep-open.ts'
import { sweepStuck } from '../sweep/sweep-stuck.ts'
import { redriveEvent } from './redrive-one.ts'

let w: MendWorld
beforeEach(async () => {
  w = mendWorld()
  await w.died(['p'])
})

const redrive = (subscriber: string | undefined = 'analyze', by = 'user:ann') =>
  redriveEvent(w.keyOf('p'), { subscriber }, by, w.deps)

describe('the redrive of one event', () => {
  it('sends it to the subscriber that failed, at once, and tells who did it', async () => {
    expect(await redrive()).toEqual([
      { subscriber: 'analyze', replay: '', outcome: 'sent', state: 'retrying' },
    ])
    const others = w.deps.routes.flatMap(({ subscriber }) => (subscriber === 'analyze' ? [] : [subscriber]))
    expect(others.length).toBeGreaterThan(1)
    expect(others.flatMap(w.taken)).toEqual([])
    expect(await w.handle('analyze', nothing)).toMatchObject([{ outcome: 'done' }])
    expect(await w.told('event.redriven')).toEqual([
      {
        actor: 'user:ann',
        data: {
          subscriber: 'analyze',
          replay: '',
          state: 'dead',
          reason: 'no such branch',
          event: { source: 'https://github.com/octo/hello', id: 'p', type: 'github.push' },
        },
      },
    ])
  })

  it('says that it will be parked where its subscriber is paused', async () => {
    await pause(
      { project: 'main', subscriber: 'analyze', by: 'user:bob', reason: 'a move' },
      { ...w.deps, newId: () => 'n' },
    )
    expect(await redrive()).toMatchObject([
      {
        outcome: 'sent',
        detail: expect.stringMatching(/^paused by user:bob at .*: a move; it will be parked/),
      },
    ])
  })

  it('is known the second time, whatever has become of it', async () => {
    await redrive()
    expect(await redrive()).toMatchObject([{ outcome: 'already', state: 'retrying' }])
    await w.handle('analyze', nothing)
    expect(await redrive()).toMatchObject([{ outcome: 'already', state: 'done' }])
    expect(w.taken('analyze')).toEqual([])
    expect(await w.told('event.redriven')).toHaveLength(1)
  })

  it('is done by one of two who ask at once', async () => {
    const both = await Promise.all([redrive('analyze', 'user:ann'), redrive('analyze', 'user:bob')])
    expect(
      both
        .flat()
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual(['already', 'sent'])
    expect(w.taken('analyze')).toEqual(['p'])
    expect(await w.told('event.redriven')).toHaveLength(1)
  })

  it('is not done by who saw it before a job could not send it and put it back: that sending has its name', async () => {
    const { input } = await w.ask()
    w.instead('queues', 'send', (real) => async (queue, messages) => {
      if (queue === 'analyze') throw new Error('the answer got lost')
      return real(queue, messages)
    })
    w.instead('memory', 'commit', (real) => async (change) => {
      // between what somebody else has read and what they write of it
      if (change.transition?.key.id === 'p') await expect(w.batch(input)).rejects.toThrow('got lost')
      return real(change)
    })
    expect(await redrive()).toMatchObject([{ outcome: 'already', state: 'dead' }])
    expect(await w.mark('p')).toMatchObject({ state: 'dead', resumed: 1 })
    w.mend()
    expect(await redrive()).toMatchObject([{ outcome: 'sent' }])
    expect(await w.mark('p')).toMatchObject({ state: 'retrying', resumed: 2 })
  })

  it('is tried again where another transaction was in the way, and refused as busy where one always is', async () => {
    const real = w.stores.memory.commit
    let refusals = 9
    w.instead(
      'memory',
      'commit',
      () => async (change) => (refusals-- > 0 ? 'version conflict' : real(change)),
    )
    await expect(redrive()).rejects.toMatchObject({ code: 'Busy' })
    expect(await redrive()).toMatchObject([{ outcome: 'sent', state: 'retrying' }])
    expect(await w.told('event.redriven')).toHaveLength(1)
  })

  it('may be done again when it died again, and each is told of', async () => {
    for (const _ of [1, 2, 3]) {
      expect(await redrive()).toMatchObject([{ outcome: 'sent' }])
      w.advance(1)
      await w.handle('analyze', failing('still'))
    }
    expect(await w.told('event.redriven')).toHaveLength(3)
  })

  it('goes to each subscriber that has it dead, and to no other', async () => {
    const dead = { state: 'dead' as const, attempts: 1, started: noon, changed: noon, emitted: [] }
    await w.stores.history.mark(w.keyOf('p', 'validate'), dead)
    await w.stores.history.mark(w.keyOf('p', 'tell'), { ...dead, state: 'done' })
    const all = await redriveEvent(w.keyOf('p'), {}, 'user:ann', w.deps)
    expect(all.map(({ subscriber, outcome }) => [subscriber, outcome])).toEqual([
      ['analyze', 'sent'],
      ['validate', 'sent'],
    ])
    expect([w.taken('analyze'), w.taken('validate'), w.taken('tell')]).toEqual([['p'], ['p'], []])
  })

  it('is refused where nobody would take it, where there is no such delivery, and where there is no event', async () => {
    const dead = { state: 'dead' as const, attempts: 1, started: noon, changed: noon, emitted: [] }
    await w.stores.history.mark(w.keyOf('p', 'gone'), dead)
    await expect(redrive('gone')).rejects.toThrow('gone is in no route any more')
    await expect(redrive('tell')).rejects.toThrow('no delivery to tell')
    await w.stores.history.mark(w.keyOf('never'), dead)
    const never = redriveEvent(w.keyOf('never'), {}, 'user:ann', w.deps)
    await expect(never).rejects.toThrow('was never recorded')
    expect(w.deliveries().map(({ state }) => state)).toEqual(['dead', 'dead', 'dead'])
  })

  it('says when the queue did not take it; the sweep sends it then', async () => {
    w.failing('queues', 'send', new Error('throttled'))
    expect(await redrive()).toMatchObject([{ outcome: 'delayed', detail: 'Error: throttled' }])
    w.mend()
    expect(await redrive()).toMatchObject([{ outcome: 'already', state: 'retrying' }])
    w.advance(16 * minutes)
    await sweepStuck('main', await countOpen('main', ['analyze'], w.deps), w.deps)
    expect(await w.handle('analyze', nothing)).toMatchObject([{ outcome: 'done' }])
  })

  it('sends it as its replay had it', async () => {
    const key = { ...w.keyOf('p'), replay: 'r1' }
    const dead = { state: 'dead' as const, attempts: 1, started: noon, changed: noon, emitted: [] }
    await w.stores.history.mark(key, { ...dead, replayed: 'emit' })
    await redriveEvent(w.keyOf('p'), { replay: 'r1' }, 'user:ann', w.deps)
    const [frame] = w.stores.queues.take('analyze').map((body) => JSON.parse(body))
    expect(frame).toMatchObject({ replay: 'r1', emit: true, resent: true })
  })
})
