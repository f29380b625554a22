import { describe, expect, it } from 'vitest'
import { noting, pushed, replayWorld } from '../../test/replaying.ts'
import { minutes } from '../../test/world.ts'
import { changeJob, pause, stop } from '../job/job.ts'

describe('a replay that is interrupted', () => {
  it('by a person: goes on where it was, sending nothing meanwhile', async () => {
    const w = replayWorld()
    const ids = await pushed(w, 30)
    const id = await w.replay('analyze', { type: 'github.push' }, 2)
    const again = noting()
    await w.batch(id)
    await changeJob('main', id, w.stores.memory, pause)
    expect(await w.batch(id)).toEqual({ state: 'ended', wait: 0 })
    expect(await w.stores.queues.depth('analyze')).toBe(10)
    await w.resume(id)
    const job = await w.run(id, () => w.handle('analyze', again.handler))
    expect(again.ids()).toEqual(ids)
    expect(job).toMatchObject({ state: 'done', attempt: 2, counts: { sent: 30, done: 30 } })
  })

  it('for good: sends no more', async () => {
    const w = replayWorld()
    await pushed(w, 30)
    const id = await w.replay('analyze', { type: 'github.push' }, 2)
    await w.batch(id)
    await changeJob('main', id, w.stores.memory, (job) => stop(job, 'enough', w.clock))
    expect(await w.batch(id)).toEqual({ state: 'ended', wait: 0 })
    expect(await w.job(id)).toMatchObject({ state: 'stopped', counts: { sent: 10 } })
    expect(await w.stores.queues.depth('analyze')).toBe(10)
  })

  it('by a queue that does not take it: what was not taken is sent by the next batch', async () => {
    const w = replayWorld()
    const ids = await pushed(w, 5)
    const id = await w.replay('analyze', { type: 'github.push' })
    w.instead('queues', 'send', (real) => async (queue, messages) => {
      await real(queue, messages.slice(0, 2))
      return messages.slice(2).map((_, n) => ({ index: n + 2, error: new Error('throttled') }))
    })
    await expect(w.batch(id)).rejects.toThrow('throttled')
    w.mend()
    const again = noting()
    const job = await w.run(id, () => w.handle('analyze', again.handler))
    expect(again.ids().toSorted()).toEqual(ids)
    expect(job.counts).toMatchObject({ sent: 5, done: 5 })
  })

  it('by a loss on the way: what has no mark and lies in no queue is sent again', async () => {
    const w = replayWorld()
    const ids = await pushed(w, 5)
    const id = await w.replay('analyze', { type: 'github.push' })
    await w.batch(id)
    w.stores.queues.take('analyze', 3)
    const again = noting()
    const job = await w.run(id, () => w.handle('analyze', again.handler))
    expect(again.ids().toSorted()).toEqual(ids)
    expect(job).toMatchObject({ state: 'done', counts: { done: 5 } })
  })

  it('by a subscriber that does not come: is done after a while, and says what is open', async () => {
    const w = replayWorld()
    await pushed(w, 3)
    const id = await w.replay('analyze', { type: 'github.push' })
    const began = Date.parse(w.clock())
    const job = await w.run(id, async () => undefined)
    expect(job).toMatchObject({ state: 'done', counts: { sent: 3, open: 3 } })
    const took = Date.parse(w.clock()) - began
    expect(took).toBeGreaterThan(15 * minutes)
    expect(took).toBeLessThan(18 * minutes)
  })

  it('two runs of it at once count nothing twice', async () => {
    const w = replayWorld()
    await pushed(w, 8)
    const id = await w.replay('analyze', { type: 'github.push' })
    const again = noting()
    const both = await Promise.allSettled([w.batch(id), w.batch(id)])
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true)
    const job = await w.run(id, () => w.handle('analyze', again.handler))
    expect(new Set(again.ids()).size).toBe(8)
    expect(again.ids()).toHaveLength(8)
    expect(job.counts).toMatchObject({ matched: 8, sent: 8, done: 8 })
  })

  it('at any call of a port, with or without effect: finishes after resume with every event once', async () => {
    let calls = 0
    for (const withEffect of [false, true])
      for (let n = 1; ; n++) {
        const w = replayWorld()
        const since = w.clock()
        const ids = await pushed(w, 12)
        const id = await w.replay('analyze', { since }, 1)
        const again = noting()
        const handle = () => w.handle('analyze', again.handler)
        w.crashAt(n, withEffect)
        const crashed = await w.run(id, handle).then(
          () => false,
          () => true,
        )
        if (!crashed) {
          calls = n
          break
        }
        w.mend()
        const { state } = await w.job(id)
        if (state === 'running') await w.resume(id)
        const job = state === 'running' ? await w.run(id, handle) : await w.job(id)
        expect(again.ids().toSorted(), `crash at ${n}`).toEqual(ids.toSorted())
        expect(job, `crash at ${n}`).toMatchObject({
          state: 'done',
          counts: { matched: 12, sent: 12, done: 12 },
        })
        expect(w.told('replay.completed'), `crash at ${n}`).toHaveLength(1)
      }
    expect(calls).toBeGreaterThan(30)
  })
})
