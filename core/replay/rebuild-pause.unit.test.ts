// Longer than 300 lines: the pause of a rebuild with all that may come between, over one world.
import { describe, expect, it } from 'vitest'
import { testCompleted } from '../../events/test.completed.ts'
import { byHttp } from '../../test/arrivals.ts'
import {
  handleAll,
  handlers,
  history,
  isPaused,
  live,
  rebuildWorld,
  reportOf,
  something,
} from '../../test/rebuilding.ts'
import type { ReplayWorld } from '../../test/replaying.ts'
import { minutes, seeded } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import { controlOf, controlRecord } from '../hold/control.ts'
import { pause, resume } from '../hold/pause.ts'
import { canonicalJson } from '../identity.ts'
import { changeJob, nextAttempt, pause as pauseJob, stop } from '../job/job.ts'
import { sweep } from '../sweep/sweep.ts'
import { resumeAbandoned, resumeAfter } from './rebuild-pause.ts'

const untilHeld = async (w: ReplayWorld, subscriber = 'track-build'): Promise<string> => {
  const id = await w.rebuild(subscriber)
  const isHeld = async () =>
    controlOf(await w.stores.memory.get(controlRecord('main', subscriber))).rebuild !== undefined
  while (!(await isHeld())) {
    await w.batch(id)
    await handleAll(w)
    w.advance(1000)
  }
  return id
}

describe('what holds a rebuild up', () => {
  it('what cannot be handled anew: nothing is switched, the reason is told, and nothing waits for a person', async () => {
    const w = rebuildWorld()
    await history(w, seeded(10), 20)
    const right = live(w, 'build')
    const failing: HandlerAny = async (handled, memory) => {
      if (handled.replay !== '' && handled.type === 'test.completed')
        throw new Failure('Invalid', 'it cannot')
      return handlers['track-build']?.(handled, memory) ?? []
    }
    const job = await w.run(await w.rebuild('track-build', { switch: true }), () =>
      w.handle('track-build', failing),
    )
    expect(job).toMatchObject({ state: 'stopped', reason: expect.stringContaining('nothing was switched') })
    expect(job.counts.failed).toBeGreaterThan(0)
    expect(reportOf(job).failed[0]).toMatchObject({
      source: '/ci',
      reason: expect.stringContaining('it cannot'),
    })
    expect(live(w, 'build')).toEqual(right)
    expect(await isPaused(w, 'track-build')).toBe(false)
    expect(w.deliveries().filter(({ state }) => state === 'dead')).toEqual([])
    expect(w.told('replay.completed')).toMatchObject([{ state: 'stopped' }])
  })

  const person = { project: 'main', subscriber: 'track-build', by: 'user:k2' }
  const plainly = { ...person, rate: 1, circuits: false }

  it('who resumes the subscriber meanwhile is refused, told by which job, and how to stop it', async () => {
    const w = rebuildWorld()
    await history(w, seeded(11), 20)
    const id = await w.rebuild('track-build', { switch: true })
    const refused: unknown[] = []
    w.instead('memory', 'list', (real) => async (query) => {
      if (query.list.startsWith('shadow/'))
        await resume(plainly, w.deps).catch((error) => refused.push(error))
      return real(query)
    })
    const job = await w.run(id, () => handleAll(w))
    expect(job).toMatchObject({ state: 'done' })
    expect(refused).toEqual(
      refused.map(() =>
        expect.objectContaining({
          code: 'Conflict',
          message: expect.stringContaining(`loadpath jobs stop ${id}`),
        }),
      ),
    )
    expect(refused.length).toBeGreaterThan(0)
    expect(await isPaused(w, 'track-build')).toBe(false)
  })

  it('who resumes all meanwhile resumes the others, and is told by which job it is still held', async () => {
    const w = rebuildWorld()
    await history(w, seeded(11), 10)
    const id = await untilHeld(w)
    await pause({ ...person, subscriber: 'track-run' }, w.deps)
    expect(await resume({ ...plainly, subscriber: 'all' }, w.deps)).toMatchObject([
      { subscriber: 'track-build', changed: false, rebuild: id },
      { subscriber: 'track-run', changed: true },
      { subscriber: 'track-repository', changed: false },
    ])
  })

  it('the sweep, which takes its run for dead and lets the subscriber go amid the switch: the rest is refused', async () => {
    const w = rebuildWorld()
    await history(w, seeded(11), 20)
    const spoilt = w.stores.memory.all().records.filter(({ kind }) => kind === 'build')
    for (const record of spoilt)
      await w.stores.memory.commit({
        writes: [{ ...record, version: record.version + 1, value: {} }],
        outbox: [],
      })
    const id = await w.rebuild('track-build', { switch: true })
    let switched = 0
    w.instead('memory', 'commit', (real) => async (change) => {
      const isSwitch = change.writes.some(({ kind }) => kind === 'build')
      if (isSwitch && ++switched === 2) await resumeAfter('main', await w.job(id), w.deps)
      return real(change)
    })
    const job = await w.run(id, () => handleAll(w))
    expect(job).toMatchObject({ state: 'stopped', reason: expect.stringContaining('was resumed') })
    const left = Object.values(live(w, 'build')).filter(({ value }) => canonicalJson(value) === '{}')
    expect(spoilt.length).toBeGreaterThan(1)
    expect(left).toHaveLength(spoilt.length - 1)
  })

  it('a pause of somebody else stands', async () => {
    const w = rebuildWorld()
    await history(w, seeded(12), 20)
    await pause({ ...person, reason: 'mine' }, w.deps)
    const job = await w.run(await w.rebuild('track-build'), () => handleAll(w))
    expect(job).toMatchObject({ state: 'done' })
    expect(await isPaused(w, 'track-build')).toBe(true)
  })

  it.each(['track-build', 'all'])(
    'so does one (of %s) that comes while it holds the subscriber itself',
    async (subscriber) => {
      const w = rebuildWorld()
      await history(w, seeded(12), 20)
      const id = await untilHeld(w)
      const paused = await pause({ ...person, subscriber, reason: 'mine' }, w.deps)
      expect(paused).toContainEqual(
        expect.objectContaining({
          subscriber: 'track-build',
          changed: true,
          paused: expect.objectContaining({ reason: 'mine' }),
          rebuild: id,
        }),
      )
      expect(await w.run(id, () => handleAll(w))).toMatchObject({ state: 'done' })
      const { paused: standing } = controlOf(await w.stores.memory.get(controlRecord('main', 'track-build')))
      expect(standing).toMatchObject({ by: 'user:k2', reason: 'mine' })
    },
  )

  it('a pause that is taken back meanwhile leaves the subscriber to the rebuild, whichever came first', async () => {
    for (const isFirst of [true, false]) {
      const w = rebuildWorld()
      await history(w, seeded(12), 20)
      if (isFirst) await pause(person, w.deps)
      const id = await untilHeld(w)
      if (!isFirst) await pause(person, w.deps)
      expect(await resume(plainly, w.deps)).toMatchObject([{ changed: true, rebuild: id }])
      expect(await isPaused(w, 'track-build')).toBe(true)
      expect(await w.run(id, () => handleAll(w))).toMatchObject({ state: 'done' })
      expect(await isPaused(w, 'track-build')).toBe(false)
    }
  })

  it('another rebuild of the same subscriber waits until this one lets it go', async () => {
    const w = rebuildWorld()
    await history(w, seeded(12), 20)
    const first = await untilHeld(w)
    const second = await w.rebuild('track-build')
    for (let n = 0; n < 30; n++) {
      const { wait } = await w.batch(second)
      await handleAll(w)
      w.advance(wait * 1000)
    }
    expect(reportOf(await w.job(second)).different).toEqual([])
    expect(await w.job(second)).toMatchObject({ state: 'running' })
    expect(await w.run(first, () => handleAll(w))).toMatchObject({ state: 'done' })
    expect(await w.run(second, () => handleAll(w))).toMatchObject({ state: 'done' })
    expect(await isPaused(w, 'track-build')).toBe(false)
  })

  it('what is dead live is left out of the copy, and comes into the live records when it is sent again', async () => {
    const w = rebuildWorld()
    await history(w, seeded(13), 20)
    const refusing: HandlerAny = () => Promise.reject(new Failure('Invalid', 'no'))
    const random = seeded(14)
    for (let n = 0; n < 5; n++) await something(w, random)
    await w.handle('track-build', refusing)
    await handleAll(w)
    const right = live(w, 'build')
    const job = await w.run(await w.rebuild('track-build', { switch: true }), () => handleAll(w))
    expect(job.counts).toMatchObject({ different: 0 })
    expect(job.counts.left).toBeGreaterThan(0)
    expect(live(w, 'build')).toEqual(right)
  })

  it('is done by a run that has died: the sweep resumes the subscriber, and it goes on when it is resumed', async () => {
    const w = rebuildWorld()
    await history(w, seeded(15), 30)
    const id = await w.rebuild('track-build', { switch: true }, 1)
    for (let batches = 0; !(await isPaused(w, 'track-build')); batches++) {
      expect(batches).toBeLessThan(200)
      const { wait } = await w.batch(id)
      await handleAll(w)
      w.advance(wait * 1000)
    }
    expect(await resumeAbandoned('main', w.deps)).toBe(0)
    w.advance(16 * minutes)
    expect(await resumeAbandoned('main', w.deps)).toBe(1)
    expect(await isPaused(w, 'track-build')).toBe(false)
    await history(w, seeded(16), 5)
    await w.resume(id)
    const job = await w.run(id, () => handleAll(w))
    expect(job).toMatchObject({ state: 'done', counts: { different: 0 } })
    expect(await isPaused(w, 'track-build')).toBe(false)
  })

  it('hands over to its next run, which nobody knows of yet: it is waited for, however long the pause has stood', async () => {
    const w = rebuildWorld()
    await history(w, seeded(15), 10)
    const id = await untilHeld(w)
    w.advance(20 * minutes)
    await changeJob('main', id, w.stores.memory, (job) => nextAttempt(job, w.clock))
    w.advance(14 * minutes)
    expect(await resumeAbandoned('main', w.deps)).toBe(0)
    w.advance(2 * minutes)
    expect(await resumeAbandoned('main', w.deps)).toBe(1)
  })

  it('died while it compared: it goes on from before the pause, with what came since', async () => {
    const w = rebuildWorld()
    await history(w, seeded(15), 30)
    const id = await w.rebuild('track-build', { switch: true })
    w.instead('memory', 'list', (real) => async (query) => {
      if (query.list.startsWith('shadow/')) throw new Error('down')
      return real(query)
    })
    await expect(w.run(id, () => handleAll(w))).rejects.toThrow('down')
    w.mend()
    w.advance(16 * minutes)
    expect(await resumeAbandoned('main', w.deps)).toBe(1)
    await history(w, seeded(16), 5)
    await w.resume(id)
    const job = await w.run(id, () => handleAll(w))
    expect(job).toMatchObject({ state: 'done', counts: { different: 0 } })
    const { sent, matched, done } = job.counts
    expect([sent, done]).toEqual([matched, matched])
  })

  it('what was being handled when it was paused: that is waited for, and not overwritten', async () => {
    const w = rebuildWorld()
    const random = seeded(17)
    await history(w, random, 20)
    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow: HandlerAny = async (handled, memory) => {
      await held
      return handlers['track-build']?.(handled, memory) ?? []
    }
    const data = { ...testCompleted.example, commit: 'slow', branch: 'main' }
    const event = { specversion: '1.0', id: 'slow', source: '/ci', type: testCompleted.type, data }
    await w.record(byHttp(event, { received: w.clock() }))
    const handling = w.handle('track-build', slow)
    const id = await w.rebuild('track-build', { switch: true })
    const job = await w.run(id, async () => {
      await handleAll(w)
      const { rebuild } = controlOf(await w.stores.memory.get(controlRecord('main', 'track-build')))
      // as late as a function may still run
      if (rebuild !== undefined && Date.parse(w.clock()) - Date.parse(rebuild.at) > 9000) {
        release?.()
        await handling
      }
    })
    expect(job).toMatchObject({ state: 'done', counts: { different: 0 } })
    expect(JSON.stringify(live(w, 'build'))).toContain('"slow"')
  })

  it('is stopped by a person: the subscriber is resumed within a minute', async () => {
    const w = rebuildWorld()
    await history(w, seeded(15), 10)
    const id = await w.rebuild('track-build')
    while (!(await isPaused(w, 'track-build'))) {
      await w.batch(id)
      await handleAll(w)
      w.advance(1000)
    }
    await changeJob('main', id, w.stores.memory, (job) => stop(job, 'enough', w.clock))
    const { swept, failures } = await sweep('main', { ...w.deps, ...w.stores }, 10)
    expect({ resumed: swept.resumed, failures }).toEqual({ resumed: 1, failures: [] })
    expect(await isPaused(w, 'track-build')).toBe(false)
    expect(await resumeAbandoned('main', w.deps)).toBe(0)
  })

  it('of a subscriber that has left the routes is ended, and its pause taken back', async () => {
    const w = rebuildWorld()
    await history(w, seeded(15), 10)
    const id = await untilHeld(w)
    await something(w, () => 0.1)
    await handleAll(w)
    expect(w.deliveries().filter(({ state }) => state === 'parked')).not.toEqual([])
    await changeJob('main', id, w.stores.memory, pauseJob)
    const deps = { ...w.deps, routes: w.deps.routes.filter(({ subscriber }) => subscriber !== 'track-build') }
    const { swept, failures } = await sweep('main', deps, 10)
    expect({ resumed: swept.resumed, failures }).toEqual({ resumed: 1, failures: [] })
    expect(await isPaused(w, 'track-build')).toBe(false)
    expect(await w.job(id)).toMatchObject({
      state: 'stopped',
      reason: expect.stringContaining('is in no route any more'),
      ended: w.clock(),
    })
    expect(w.told('replay.completed')).toMatchObject([{ job: id, state: 'stopped' }])
    // nobody takes what would be sent
    expect(w.told('redrive.requested')).toEqual([])
    expect(await resumeAbandoned('main', deps)).toBe(0)
  })

  it('one that cannot be resumed keeps no other from it, and is told of', async () => {
    const w = rebuildWorld()
    await history(w, seeded(15), 10)
    const ids = [await untilHeld(w), await untilHeld(w, 'track-run')]
    for (const id of ids) await changeJob('main', id, w.stores.memory, pauseJob)
    w.instead('memory', 'get', (real) => async (key) => {
      if (key.name === ids[0]) throw new Error('down')
      return real(key)
    })
    await expect(resumeAbandoned('main', w.deps)).rejects.toThrow('down')
    expect(await isPaused(w, 'track-run')).toBe(false)
    w.mend()
    expect(await resumeAbandoned('main', w.deps)).toBe(1)
    expect(await isPaused(w, 'track-build')).toBe(false)
  })

  const spoiltWorld = async () => {
    const w = rebuildWorld()
    const since = w.clock()
    await history(w, seeded(20), 4)
    const right = live(w, 'build')
    for (const record of w.stores.memory.all().records.filter(({ kind }) => kind === 'build'))
      await w.stores.memory.commit({
        writes: [
          { ...record, version: record.version + 1, value: { ...(record.value as object), commits: [] } },
        ],
        outbox: [],
      })
    const id = await w.rebuild('track-build', { switch: true })
    // nobody may ask for this: it spares the test a walk through the empty weeks before
    await changeJob('main', id, w.stores.memory, (job) => ({ ...job, selection: { since, switch: true } }))
    return { w, right, id }
  }

  /** Crashes at its n-th call, is resumed, and ends; false when it has fewer calls. */
  async function crashed(n: number, withEffect: boolean): Promise<boolean> {
    const { w, right, id } = await spoiltWorld()
    w.crashAt(n, withEffect)
    const first = await Promise.allSettled([w.run(id, () => handleAll(w))])
    if (first[0].status === 'fulfilled') return false
    w.mend()
    if ((await w.job(id)).state === 'running') {
      await w.resume(id)
      await w.run(id, () => handleAll(w))
    }
    const { length } = Object.keys(right)
    expect(await w.job(id), `crash at ${n}`).toMatchObject({
      state: 'done',
      counts: { different: length, switched: length },
    })
    expect(live(w, 'build'), `crash at ${n}`).toEqual(right)
    expect(await isPaused(w, 'track-build'), `crash at ${n}`).toBe(false)
    expect(w.told('replay.completed'), `crash at ${n}`).toHaveLength(1)
    return true
  }

  it.each([false, true])(
    'a crash at any call of a port (with effect: %s): ends after resume, all as it shall be',
    async (withEffect) => {
      let calls = 1
      while (await crashed(calls, withEffect)) calls++
      expect(calls).toBeGreaterThan(30)
    },
  )
})
