import { beforeEach, describe, expect, it } from 'vitest'
import { byHttp, push } from '../../test/arrivals.ts'
import { wholePass } from '../../test/sweeping.ts'
import { minutes, noon, type World, world } from '../../test/world.ts'
import { consume } from '../consume/consume.ts'
import type { HandlerAny } from '../event/handler.ts'
import { runName } from '../identity.ts'
import { runOf } from './run.ts'
import { startRun } from './start-run.ts'

const identity = { project: 'main', source: 'https://github.com/octo/hello', id: 'push-1' }
const run = runName(identity, 'validate', '', 1)
const record = { project: 'main', kind: 'run', name: `validate/${run}` }

let w: World
let starts: HandlerAny
beforeEach(async () => {
  w = world()
  starts = (handled) => startRun('validate', handled, w.deps)
  await w.one(byHttp(push()))
  w.calls.length = 0
})

describe('an event that is routed to a workflow', () => {
  it('starts a run that is named after it, with what its functions need and without the data', async () => {
    expect(await w.handle('validate', starts)).toMatchObject([{ outcome: 'done' }])
    const described = await w.stores.workflows.describe('validate', run)
    expect(described).toMatchObject({
      status: 'RUNNING',
      input: {
        workflow: 'validate',
        run,
        attempt: 1,
        replay: '',
        event: { ...identity, type: 'github.push', correlationid: 'push-1', hops: 0 },
      },
    })
    expect(JSON.stringify(described?.input)).not.toContain('refs/heads')
  })

  it('has the run noted once it runs, and named in its delivery', async () => {
    await w.handle('validate', starts)
    expect(w.calls).toEqual(['workflows.start', 'memory.get', 'memory.commit', 'history.insertDeliveries'])
    expect(await w.stores.memory.get(record)).toMatchObject({
      value: { status: 'running', started: noon, event: { id: 'push-1' }, attempt: 1 },
      place: { list: 'runs/open' },
    })
    expect(w.deliveries()).toMatchObject([{ run }])
  })

  it('never runs twice: a second start is refused, and that is as good', async () => {
    const [body = ''] = w.stores.queues.take('validate')
    for (let count = 0; count < 3; count++)
      expect(
        await consume(w.deps.routes[1] as never, starts, [{ body, receiveCount: 1 }], w.deps),
      ).toMatchObject([{ outcome: 'done' }])
    expect(w.stores.memory.all().records).toHaveLength(1)
  })

  it.each([1, 2, 3, 4].flatMap((at) => [false, true].map((withEffect) => [at, withEffect] as const)))(
    'after a crash at call %i (with effect: %s) is started once and noted',
    async (at, withEffect) => {
      const [body = ''] = w.stores.queues.take('validate')
      const received = (receiveCount: number) =>
        consume(w.deps.routes[1] as never, starts, [{ body, receiveCount }], w.deps)
      w.crashAt(at, withEffect)
      await received(1)
      w.mend()
      w.advance(minutes)
      await received(2)
      expect(await w.stores.memory.get(record)).toMatchObject({ value: { status: 'running' } })
      expect((await w.stores.workflows.describe('validate', run))?.started).toBeDefined()
      expect(w.deliveries()).toMatchObject([{ state: 'done', run }])
    },
  )

  it('does not reopen the record of a run that has ended meanwhile', async () => {
    const [body = ''] = w.stores.queues.take('validate')
    const received = () => consume(w.deps.routes[1] as never, starts, [{ body, receiveCount: 1 }], w.deps)
    await received()
    const value = { ...((await w.stores.memory.get(record))?.value as object), status: 'succeeded' }
    await w.stores.memory.commit({ writes: [{ ...record, version: 2, value }], outbox: [] })
    await received()
    expect(await w.stores.memory.get(record)).toMatchObject({ version: 2, value: { status: 'succeeded' } })
  })

  it('decides its note again when somebody else wrote at the same time', async () => {
    let lost = 0
    w.instead(
      'memory',
      'commit',
      (real) => async (change) => (lost++ < 3 ? 'version conflict' : real(change)),
    )
    expect(await w.handle('validate', starts)).toMatchObject([{ outcome: 'done' }])
    expect(await w.stores.memory.get(record)).toBeDefined()
  })

  it('is tried again when it loses every race for its note', async () => {
    w.instead('memory', 'commit', () => async () => 'version conflict')
    expect(await w.handle('validate', starts)).toMatchObject([
      { outcome: 'retrying', reason: expect.stringContaining(run) },
    ])
  })

  it('is tried again when Step Functions does not answer', async () => {
    w.failing('workflows', 'start')
    expect(await w.handle('validate', starts)).toMatchObject([{ outcome: 'retrying' }])
    expect(w.stores.memory.all().records).toEqual([])
  })
})

describe('a run that a person retries', () => {
  it('is another run of the same event', async () => {
    const [body = ''] = w.stores.queues.take('validate')
    const again = JSON.stringify({ ...JSON.parse(body), attempt: 2, resent: true })
    const route = w.deps.routes[1] as never
    await consume(route, starts, [{ body, receiveCount: 1 }], w.deps)
    expect(await consume(route, starts, [{ body: again, receiveCount: 1 }], w.deps)).toMatchObject([
      { outcome: 'done' },
    ])
    const second = runName(identity, 'validate', '', 2)
    expect(await w.stores.workflows.describe('validate', second)).toMatchObject({
      input: { attempt: 2, run: second },
    })
    expect(w.stores.memory.all().records).toHaveLength(2)
    expect(w.calls.filter((call) => call === 'workflows.describe')).toEqual([])
  })

  describe('where nobody heard of the one before', () => {
    /** The starts of these attempts have an effect, and no answer. */
    const unanswered = async (...attempts: number[]) => {
      const [body = ''] = w.stores.queues.take('validate')
      const again = (attempt: number) => JSON.stringify({ ...JSON.parse(body), attempt, resent: true })
      const handle = (attempt: number, receiveCount = 1) =>
        consume(w.deps.routes[1] as never, starts, [{ body: again(attempt), receiveCount }], w.deps)
      for (const attempt of attempts) {
        w.instead('workflows', 'start', (real) => async (...args) => {
          await real(...args)
          throw new Error('no answer')
        })
        expect(await handle(attempt, 3)).toMatchObject([{ outcome: 'dead' }])
        w.mend()
        w.advance(minutes)
      }
      return handle
    }
    const noted = async (attempt: number) => {
      const name = runName(identity, 'validate', '', attempt)
      return runOf(await w.stores.memory.get({ ...record, name: `validate/${name}` }))
    }

    it('notes that one too, so that the sweep tells of its end', async () => {
      const handle = await unanswered(1)
      w.stores.workflows.end('validate', run, { output: null })
      expect(await handle(2)).toMatchObject([{ outcome: 'done' }])
      expect(await noted(1)).toMatchObject({ attempt: 1, started: noon, event: { id: 'push-1' } })
      w.advance(6 * minutes)
      await wholePass(w)
      expect(w.events().map(({ event }) => event.id)).toContain(`validate/${run}/SUCCEEDED`)
    })

    it('notes each of several, and asks no further than the last that is known', async () => {
      const handle = await unanswered(1, 2, 3)
      await handle(4)
      for (const attempt of [1, 2, 3, 4]) expect(await noted(attempt)).toMatchObject({ attempt })
      w.calls.length = 0
      await handle(5)
      expect(w.calls.filter((call) => call === 'workflows.describe')).toEqual([])
    })

    it('finds it behind one that never ran', async () => {
      const handle = await unanswered(1)
      w.failing('workflows', 'start')
      await handle(2, 3)
      w.mend()
      await handle(3)
      expect(await noted(1)).toMatchObject({ attempt: 1 })
      expect(await noted(2)).toBeUndefined()
    })

    it('starts nothing as long as it cannot be asked after', async () => {
      const handle = await unanswered(1)
      w.failing('workflows', 'describe')
      expect(await handle(2)).toMatchObject([{ outcome: 'retrying' }])
      w.mend()
      expect(await w.stores.workflows.describe('validate', runName(identity, 'validate', '', 2))).toBe(
        undefined,
      )
    })
  })
})
