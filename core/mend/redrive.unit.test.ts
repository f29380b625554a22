// Longer than 300 lines: the whole life of one kind of job, on one world.

import { beforeEach, describe, expect, it, test } from 'vitest'
import { failing, type MendWorld, mendWorld } from '../../test/mending.ts'
import { nothing } from '../../test/sweeping.ts'
import { unreadable } from '../../test/unreadable.ts'
import { minutes, noon, seconds } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import { batchesPerAttempt, pause, resume, stop } from '../job/job.ts'
import { countOpen } from '../sweep/sweep-open.ts'
import { sweepStuck } from '../sweep/sweep-stuck.ts'
import { dropOpen } from './drop.ts'
import { groupOpen } from './open-groups.ts'
import { settledBy } from './redrive-following.ts'

const many = (n: number, name = 'p') =>
  Array.from({ length: n }, (_, index) => `${name}${String(index).padStart(2, '0')}`)

let w: MendWorld
beforeEach(() => {
  w = mendWorld()
})

const handled = () => w.handle('analyze', nothing)

describe('a redrive', () => {
  it('sends what is dead to the subscriber that failed, and to no other, and says how it went', async () => {
    await w.died(many(25))
    const { id, input } = await w.ask()
    await w.run(input, handled)
    expect(await w.job(id)).toMatchObject({ state: 'done', counts: { matched: 25, sent: 25, done: 25 } })
    expect(w.deliveries().map(({ state }) => state)).toEqual(many(25).map(() => 'done'))
    expect(w.taken('validate')).toEqual([])
    expect(await w.told('event.redriven')).toEqual([
      {
        actor: 'user:ann',
        data: {
          job: id,
          subscriber: 'analyze',
          state: 'dead',
          counts: { matched: 25, sent: 25, done: 25 },
        },
      },
    ])
  })

  it('is told of when it is asked for: who, what', async () => {
    await w.ask({ reason: 'branch', type: 'github.push' })
    expect(await w.told('redrive.requested')).toMatchObject([
      { actor: 'user:ann', data: { subscriber: 'analyze', state: 'dead', rate: 10, reason: 'branch' } },
    ])
  })

  it('keeps the identity, and says who sent it again', async () => {
    await w.died(['p'])
    const { id, input } = await w.ask()
    await w.batch(input)
    expect(await w.mark('p')).toMatchObject({
      state: 'retrying',
      resumed: 1,
      reason: `sent again by user:ann, job ${id}`,
    })
    const [body] = w.stores.queues.take('analyze')
    expect(JSON.parse(body ?? '')).toMatchObject({ event: { id: 'p' }, replay: '', resent: true })
  })

  it('does not go beyond its rate', async () => {
    await w.died(many(60))
    const { input } = await w.ask({}, { rate: 4 })
    const sent: number[] = []
    const began = Date.parse(w.clock())
    w.instead('queues', 'send', (real) => async (queue, messages) => {
      if (queue === 'analyze') for (const _ of messages) sent.push(Date.parse(w.clock()) - began)
      return real(queue, messages)
    })
    await w.run(input, handled)
    expect(sent).toHaveLength(60)
    for (const from of sent)
      expect(sent.filter((at) => at >= from && at < from + 5 * seconds).length).toBeLessThanOrEqual(24)
    expect(sent.at(-1)).toBeLessThan(20 * seconds)
  })

  it('leaves what died after it was asked for, what it has sent itself among it', async () => {
    await w.died(many(3))
    const { id, input } = await w.ask({}, { stopAfter: 100 })
    w.advance(seconds)
    await w.died(['later'])
    await w.run(input, () => w.handle('analyze', failing('still bad')))
    expect((await w.job(id)).counts).toEqual({ matched: 3, sent: 3, died: 3 })
    expect(await w.mark('later')).toMatchObject({ state: 'dead', reason: 'no such branch' })
  })

  it('waits for what it has sent, and no longer than ten minutes', async () => {
    await w.died(many(3))
    const { id, input } = await w.ask()
    const began = Date.parse(w.clock())
    await w.run(input)
    expect(await w.job(id)).toMatchObject({ state: 'done', counts: { sent: 3, unsettled: 3 } })
    const minutesWaited = (Date.parse(w.clock()) - began) / minutes
    expect(minutesWaited).toBeGreaterThan(9)
    expect(minutesWaited).toBeLessThan(11)
  })

  it('counts what was parked again', async () => {
    await w.died(many(2))
    const { id, input } = await w.ask()
    await w.run(input, async () => {
      for (const name of many(2)) {
        const mark = await w.mark(name)
        if (mark?.state === 'retrying')
          await w.stores.history.mark(w.keyOf(name), { ...mark, state: 'parked', changed: w.clock() })
      }
    })
    expect((await w.job(id)).counts).toEqual({ matched: 2, sent: 2, parked: 2 })
  })

  it('skips a subscriber that is in no route any more, and what was never recorded', async () => {
    await w.died(['p'])
    const dead = { state: 'dead' as const, attempts: 1, started: noon, changed: noon, emitted: [] }
    await w.stores.history.mark(w.keyOf('p', 'gone'), dead)
    await w.stores.history.mark(w.keyOf('never'), dead)
    const { id, input } = await w.ask({}, { subscriber: 'all', subscribers: ['gone', 'analyze'] })
    await w.run(input, handled)
    expect((await w.job(id)).counts).toEqual({ matched: 3, skipped: 2, sent: 1, done: 1 })
    expect(await w.mark('p', 'gone')).toMatchObject({ state: 'dead' })
  })

  it('sends each delivery of one event to the subscriber that has it dead', async () => {
    await w.died(['p'])
    const dead = { state: 'dead' as const, attempts: 1, started: noon, changed: noon, emitted: [] }
    await w.stores.history.mark(w.keyOf('p', 'validate'), dead)
    await w.stores.history.mark(w.keyOf('p', 'tell'), { ...dead, state: 'done' })
    const { input } = await w.ask({}, { subscribers: ['analyze', 'validate', 'tell'] })
    await w.batch(input)
    expect([w.taken('analyze'), w.taken('validate'), w.taken('tell')]).toEqual([['p'], ['p'], []])
  })
})

describe('what is meant by a redrive', () => {
  beforeEach(() => w.died(many(4), (id) => (id === 'p01' ? 'fetch failed' : 'no such branch')))

  const matched = async (selection: Parameters<typeof w.ask>[0]) => {
    const { input } = await w.ask(selection)
    await w.batch(input)
    return w.taken('analyze')
  }

  test.each([
    ['everything', {}, many(4)],
    ['a reason', { reason: 'FETCH' }, ['p01']],
    ['a pattern', { reason: 'NO*such' }, ['p00', 'p02', 'p03']],
    ['a type', { type: 'github.push' }, many(4)],
    ['another type', { type: 'test.completed' }, []],
    ['since', { since: '2026-01-01T12:00:02.000Z' }, ['p02', 'p03']],
    ['until', { until: '2026-01-01T12:00:01.000Z' }, ['p00', 'p01']],
    ['its data', { where: [{ path: 'repository.full_name', value: 'Codertocat/Hello-World' }] }, many(4)],
    ['other data', { where: [{ path: 'repository.full_name', value: 'other' }] }, []],
    ['what is no text', { where: [{ path: 'data.forced', value: 'false' }] }, many(4)],
    [
      'all of several',
      {
        where: [
          { path: 'forced', value: 'false' },
          { path: 'commits.0.message', value: 'x' },
        ],
      },
      [],
    ],
    ['what is not there', { where: [{ path: 'constructor.name', value: 'Object' }] }, []],
  ])('%s', async (_, selection, ids) => {
    expect(await matched(selection)).toEqual(ids)
  })
})

describe('a redrive of which the same failure comes back', () => {
  it('is stopped, and says by what', async () => {
    await w.died(many(50))
    const { id, input } = await w.ask({}, { rate: 2, stopAfter: 5 })
    let n = 0
    await w.run(input, () => w.handle('analyze', failing(`still down, ask again in ${++n} s`)))
    const job = await w.job(id)
    expect(job).toMatchObject({ state: 'stopped', ended: w.clock() })
    expect(job.reason).toMatch(
      /^\d+ of those that were sent died again of the same: still down, ask again in 1 s$/,
    )
    expect(job.counts.sent).toBeLessThan(25)
    expect(w.deliveries().filter(({ reason }) => reason === 'no such branch').length).toBeGreaterThan(20)
    expect(await w.told('event.redriven')).toMatchObject([{ data: { stopped: job.reason } }])
  })

  it.each([1, 5, 10])(
    'has sent no more than the %d that it stops after, at whatever rate',
    async (stopAfter) => {
      await w.died(many(60))
      const { id, input } = await w.ask({}, { rate: 1000, stopAfter })
      const pausing = async (milliseconds: number) => {
        w.advance(milliseconds)
        await w.handle('analyze', failing('still down'))
      }
      expect(await w.batch(input, { pause: pausing })).toEqual({ state: 'ended', wait: 0 })
      expect(await w.job(id)).toMatchObject({
        state: 'stopped',
        counts: { sent: stopAfter, died: stopAfter },
      })
    },
  )

  it('is sent on after a batch where nothing has been heard of the first, or at once when one is handled', async () => {
    await w.died(many(60))
    const { id, input } = await w.ask({}, { rate: 1000, stopAfter: 5 })
    await w.batch(input)
    expect((await w.job(id)).counts.sent).toBe(5)
    await w.batch(input)
    expect((await w.job(id)).counts.sent).toBe(60)
    w = mendWorld()
    await w.died(many(60))
    const other = await w.ask({}, { rate: 1000, stopAfter: 5 })
    const pausing = async (milliseconds: number) => {
      w.advance(milliseconds)
      await handled()
    }
    await w.batch(other.input, { pause: pausing })
    expect((await w.job(other.id)).counts.sent).toBe(60)
  })

  it('goes on where the failures differ', async () => {
    const words = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
    await w.died(many(10))
    const { id, input } = await w.ask({}, { rate: 1, stopAfter: 2 })
    let n = 0
    await w.run(input, () => w.handle('analyze', failing(words[Math.floor(n++ / 2)] ?? 'eleven')))
    expect((await w.job(id)).state).toBe('stopped')
    w = mendWorld()
    await w.died(words)
    const other = await w.ask({}, { rate: 1, stopAfter: 2 })
    await w.run(other.input, () =>
      w.handle('analyze', async ({ event }) =>
        failing(words[(words.indexOf(event.id) + 1) % words.length] ?? '')({} as never, undefined),
      ),
    )
    expect(await w.job(other.id)).toMatchObject({ state: 'done', counts: { died: 10 } })
  })
})

describe('a redrive that somebody holds up', () => {
  it('ends its run when it is paused, and goes on in the next attempt', async () => {
    await w.died(many(30))
    const { id, input } = await w.ask({}, { rate: 2 })
    expect(await w.batch(input)).toEqual({ state: 'more', wait: 0 })
    await w.changeJob(id, pause)
    expect(await w.batch(input)).toEqual({ state: 'ended', wait: 0 })
    expect((await w.job(id)).counts.sent).toBe(10)
    await w.changeJob(id, (job) => resume(job, w.clock))
    expect(await w.batch(input)).toEqual({ state: 'ended', wait: 0 })
    expect(w.taken('analyze')).toHaveLength(10)
    await w.run({ ...input, attempt: 2 }, handled)
    expect((await w.job(id)).counts).toMatchObject({ matched: 30, sent: 30 })
    expect((await w.job(id)).state).toBe('done')
  })

  it('sends nothing more once it is stopped', async () => {
    await w.died(many(30))
    const { id, input } = await w.ask({}, { rate: 2 })
    await w.batch(input)
    await w.changeJob(id, (job) => stop(job, 'enough', w.clock))
    await w.run(input)
    expect(w.taken('analyze')).toHaveLength(10)
    expect(await w.job(id)).toMatchObject({ state: 'stopped', reason: 'enough' })
  })

  it('is paused in the middle of a batch', async () => {
    await w.died(many(30))
    const { id, input } = await w.ask({}, { rate: 2 })
    const pausing = async (milliseconds: number) => {
      w.advance(milliseconds)
      await w.changeJob(id, (job) => (job.state === 'running' ? pause(job) : undefined))
    }
    await w.batch(input, { pause: pausing })
    expect(w.taken('analyze')).toHaveLength(2)
    expect(await w.job(id)).toMatchObject({ state: 'paused', counts: { matched: 2, sent: 2 } })
  })

  it('ends its run before that has no room left, though every other batch is tried nine times', () => {
    const [entries, perTry] = [10, 3]
    expect(batchesPerAttempt * (entries + (8 * perTry) / 2)).toBeLessThan(25_000)
  })

  it('is paused while it asks for the next attempt, and goes on in the one after', async () => {
    await w.died(many(3))
    const { id, input } = await w.ask()
    await w.changeJob(id, (job) => ({ ...job, batches: batchesPerAttempt }))
    const send: typeof w.deps.queues.send = async (queue, messages) => {
      await w.changeJob(id, pause)
      return w.deps.queues.send(queue, messages)
    }
    expect(await w.batch(input, { queues: { ...w.deps.queues, send } })).toEqual({ state: 'ended', wait: 0 })
    expect(await w.job(id)).toMatchObject({ state: 'paused', attempt: 2 })
    expect(await w.batch({ ...input, attempt: 2 })).toEqual({ state: 'ended', wait: 0 })
    await w.changeJob(id, (job) => resume(job, w.clock))
    await w.run({ ...input, attempt: 3 }, handled)
    expect(await w.job(id)).toMatchObject({ state: 'done', attempt: 3, counts: { sent: 3 } })
  })

  it('asks for the next attempt when its run has no room left', async () => {
    await w.died(many(3))
    const { id, input } = await w.ask()
    await w.changeJob(id, (job) => ({ ...job, batches: batchesPerAttempt }))
    expect(await w.batch(input)).toEqual({ state: 'ended', wait: 0 })
    const [frame] = w.stores.queues.take('redrive').map((body) => JSON.parse(body))
    expect(frame).toMatchObject({ attempt: 2, replay: '', event: { id: input.event.id } })
    // the job is the next run's before that has begun: nobody takes it for interrupted
    expect(await w.job(id)).toMatchObject({ attempt: 2, batches: 0, attempted: w.clock() })
    expect(await w.batch(input)).toEqual({ state: 'ended', wait: 0 })
    await w.run({ ...input, attempt: 2 }, handled)
    expect(await w.job(id)).toMatchObject({ state: 'done', attempt: 2, counts: { sent: 3 } })
    expect(await w.batch(input)).toEqual({ state: 'ended', wait: 0 })
  })
})

describe('what goes wrong', () => {
  it('puts back what the queue did not take, says so, and sends it in the batch that is run again', async () => {
    await w.died(many(5))
    const { id, input } = await w.ask()
    const before = await w.mark('p02')
    w.instead('queues', 'send', (real) => async (queue, messages) => {
      if (queue !== 'analyze') return real(queue, messages)
      await real(
        queue,
        messages.filter((_, index) => index !== 2),
      )
      return [{ index: 2, error: new Error('throttled') }]
    })
    await expect(w.batch(input)).rejects.toThrow('throttled')
    w.mend()
    // the next message must not have the name of one that the queue may know
    expect(await w.mark('p02')).toEqual({ ...before, resumed: 1 })
    await w.run(input, handled)
    expect(await w.job(id)).toMatchObject({ state: 'done', counts: { matched: 5, sent: 5, done: 5 } })
  })

  it('counts what somebody else has sent meanwhile as already done', async () => {
    await w.died(many(3))
    const { id, input } = await w.ask()
    w.instead('history', 'transition', (real) => async (change) => {
      if (change.key.id === 'p01') await w.stores.history.mark(change.key, { ...change.next, state: 'done' })
      return real(change)
    })
    await w.run(input, handled)
    expect((await w.job(id)).counts).toEqual({ matched: 3, sent: 2, already: 1, done: 2 })
  })

  it('counts what somebody has dropped meanwhile as already done', async () => {
    await w.died(many(3))
    const { id, input } = await w.ask()
    w.failing('history', 'transition')
    await expect(w.batch(input)).rejects.toThrow('down')
    w.mend()
    const mark = await w.mark('p01')
    if (mark === undefined) return expect.fail('a mark')
    await w.stores.history.mark(w.keyOf('p01'), { ...mark, state: 'dropped' })
    await w.run(input, handled)
    expect((await w.job(id)).counts).toEqual({ matched: 3, sent: 2, already: 1, done: 2 })
  })

  it('counts what newer code wrote as unreadable, and sends the others', async () => {
    await w.died(many(5))
    const { id, input } = await w.ask()
    w.instead('history', 'getEvents', unreadable('p01'))
    await w.run(input, handled)
    expect((await w.job(id)).counts).toEqual({ matched: 5, sent: 4, unreadable: 1, done: 4 })
  })

  it('sends the others where a mark itself was written by newer code', async () => {
    await w.died(many(5))
    const { id, input } = await w.ask()
    w.instead('history', 'getDeliveries', unreadable('p01'))
    await w.run(input, handled)
    expect((await w.job(id)).counts).toMatchObject({ matched: 4, sent: 4, unreadable: 1 })
    const query = { project: 'main', subscribers: ['analyze'], state: 'dead' as const, from: undefined }
    const { unreadable: unread } = await groupOpen({ ...query, selection: {}, before: w.clock() }, w.deps)
    expect(unread).toMatchObject([{ subscriber: 'analyze', id: 'p01' }])
  })

  it('leaves and counts what has lost its body where that would have to tell', async () => {
    await w.died(many(2))
    const where = [{ path: 'forced', value: 'false' }]
    w.instead(
      'history',
      'getEvents',
      (real) => async (identities) =>
        (await real(identities)).map((stored) => {
          if (stored?.event.id !== 'p01') return stored
          const { data: _, ...event } = stored.event
          return { ...stored, event: { ...event, dataref: 'gone' } }
        }),
    )
    const query = { project: 'main', subscribers: ['analyze'], state: 'dead' as const, from: undefined }
    const found = await groupOpen({ ...query, selection: { where }, before: w.clock() }, w.deps)
    expect(found).toMatchObject({ groups: [{ count: 1 }], unreadable: [{ id: 'p01' }] })
    const { id, input } = await w.ask({ where })
    await w.run(input, handled)
    expect((await w.job(id)).counts).toMatchObject({ matched: 1, unreadable: 1, done: 1 })
  })

  it('groups by what reasons have in common beside the ids of their events, and stops by it', async () => {
    const ids = ['-dash', '50%', 'a?b#c', 'x'.repeat(256), 'poison-0']
    const gone = (id: string) => `the body of event ${id} is gone`
    await w.died(ids, gone)
    const query = { project: 'main', subscribers: ['analyze'], state: 'dead' as const, from: undefined }
    const { groups } = await groupOpen({ ...query, selection: {}, before: w.clock() }, w.deps)
    expect(groups).toMatchObject([{ like: 'the body of event # is gone', count: 5 }])
    const { likes } = await settledBy(
      'main',
      ids.map((id) => ({ ...w.keyOf(id), was: '' })),
      w.stores.history,
    )
    expect(Object.values(likes({}))).toMatchObject([{ count: 5 }])
  })

  it('leaves and counts what newer code wrote where its data would have to tell', async () => {
    await w.died(many(3))
    const where = [{ path: 'forced', value: 'false' }]
    const { id, input } = await w.ask({ where })
    w.instead('history', 'getEvents', unreadable('p01'))
    await w.run(input, handled)
    expect((await w.job(id)).counts).toEqual({ matched: 2, sent: 2, unreadable: 1, done: 2 })
    expect(await w.mark('p01')).toMatchObject({ state: 'dead' })
    const query = { project: 'main', subscribers: ['analyze'], state: 'dead' as const, from: undefined }
    const rest = { ...query, selection: { where }, before: w.clock() }
    const { groups, unreadable: unread } = await groupOpen(rest, w.deps)
    expect([groups, unread]).toMatchObject([[], [{ subscriber: 'analyze', id: 'p01' }]])
    const dropped = await dropOpen(rest, { by: 'user:ann' }, w.deps)
    expect(dropped).toMatchObject({ dropped: 0, unreadable: 1 })
  })

  it('refuses an event that asks for nothing', async () => {
    await expect(w.batch({ attempt: 1, event: { ...(await w.ask()).input.event, id: 'x' } })).rejects.toThrow(
      Failure,
    )
  })

  /** Every call of a port once: the run dies there, with or without the effect of the call, and another goes on. */
  it('sends everything once and counts it right, wherever a run crashes', async () => {
    const crashed: number[] = []
    for (const withEffect of [false, true])
      for (let n = 1; ; n++) {
        w = mendWorld()
        await w.died(many(5))
        const { id, input } = await w.ask({}, { rate: 3 })
        w.crashAt(n, withEffect)
        const died = await w.batch(input).catch(() => 'crashed')
        if (died !== 'crashed') break
        w.mend()
        crashed.push(n)
        await w.run(input, handled)
        const sent = w.stores.queues.take('analyze')
        expect(sent, `crash at ${n}`).toEqual([])
        const job = await w.job(id)
        expect(job, `crash at ${n}`).toMatchObject({ state: 'done', counts: { matched: 5 } })
        const { counts } = job
        expect((counts.sent ?? 0) + (counts.already ?? 0), `crash at ${n}`).toBe(5)
        // what was reopened and not sent is the sweep's to send
        w.advance(20 * minutes)
        await sweepStuck('main', await countOpen('main', ['analyze'], w.deps), w.deps)
        await handled()
        expect(w.deliveries().map(({ state }) => state)).toEqual(many(5).map(() => 'done'))
        expect(await w.told('event.redriven')).toHaveLength(1)
      }
    expect(crashed.length).toBeGreaterThan(40)
  })

  it('sends nothing twice when two runs do the same batch', async () => {
    await w.died(many(20))
    const { input } = await w.ask({}, { rate: 20 })
    await Promise.allSettled([w.batch(input), w.batch(input)])
    const sent = w.taken('analyze')
    expect(sent.toSorted()).toEqual(many(20))
  })
})
