import { beforeEach, describe, expect, it } from 'vitest'
import { byHttp, push, told } from '../../test/arrivals.ts'
import { dies, relayAll, unsent, wholePass } from '../../test/sweeping.ts'
import { hours, minutes, noon, type World, world } from '../../test/world.ts'
import { parted } from '../delivery-key.ts'
import { answer, request } from '../domain/approval.ts'
import { startRun } from '../domain/start-run.ts'
import { sweep } from './sweep.ts'

let w: World
beforeEach(() => {
  w = world()
})

const pass = () => wholePass(w)
const eventsOf = (type: string) => w.events().flatMap(({ event }) => (event.type === type ? [event] : []))

describe('what stayed in the outbox', () => {
  beforeEach(() =>
    w.stores.memory.commit({
      writes: [],
      outbox: [
        { project: 'main', partitionkey: 'k', sequence: 3, index: 0, frame: told({}, { partitionkey: 'k' }) },
      ],
    }),
  )

  it('is the stream’s to send for two minutes, and then the sweep’s', async () => {
    w.advance(minutes)
    expect(await pass()).toMatchObject({ relayed: 0 })
    w.advance(2 * minutes)
    expect(await pass()).toMatchObject({ relayed: 1, stayed: 0 })
    expect(w.stores.queues.take('tell')).toHaveLength(1)
    expect(await pass()).toMatchObject({ relayed: 0 })
  })

  it('of one key is sent in part when it is much: the rest in the next pass, in sequence', async () => {
    const outbox = Array.from({ length: 60 }, (_, n) => ({
      project: 'main',
      partitionkey: 'k',
      sequence: 4 + n,
      index: 0,
      frame: told({ step: n + 1 }, { partitionkey: 'k', sequence: 4 + n }),
    }))
    await w.stores.memory.commit({ writes: [], outbox })
    w.advance(3 * minutes)
    expect(await pass()).toMatchObject({ relayed: 50, stayed: 0 })
    expect(await pass()).toMatchObject({ relayed: 11, stayed: 0 })
    expect(
      w
        .events()
        .map(({ event }) => event.sequence)
        .slice(-60),
    ).toEqual(outbox.map(({ sequence }) => sequence))
  })

  it('and stays once more is said so', async () => {
    w.advance(3 * minutes)
    w.failing('queues', 'send')
    expect(await pass()).toMatchObject({ relayed: 0, stayed: 1 })
  })
})

describe('a run whose end nobody told us of', () => {
  const handled = { replay: '', attempt: 1, traceparent: 't', now: noon }
  let run: string

  beforeEach(async () => {
    await w.one(byHttp(push()))
    const event = w.events()[0]?.event
    await startRun('validate', { ...handled, event } as never, w.deps)
    run = w.stores.memory.all().records[0]?.name.split('/')[1] ?? ''
  })

  it('is asked after once it is open for five minutes, and its end is an event', async () => {
    w.stores.workflows.end('validate', run, { output: {} })
    w.advance(4 * minutes)
    expect(await pass()).toMatchObject({ ended: 0 })
    w.advance(2 * minutes)
    expect(await pass()).toMatchObject({ ended: 1 })
    expect(eventsOf('workflow.succeeded')).toMatchObject([
      {
        id: `validate/${run}/SUCCEEDED`,
        data: { workflow: 'validate', run },
        correlationid: 'push-1',
        causationid: 'push-1',
      },
    ])
    expect(w.stores.queues.take('follow')).toHaveLength(1)
  })

  it('is told once, however often it is asked after', async () => {
    w.stores.workflows.end('validate', run, { error: 'Boom', cause: 'why' })
    w.advance(6 * minutes)
    await pass()
    expect(await pass()).toMatchObject({ ended: 0 })
    expect(eventsOf('workflow.failed')).toMatchObject([{ data: { error: 'Boom', cause: 'why' } }])
  })

  it('is asked after though others cannot be: those are one failure of a pass, and asked after again', async () => {
    const event = w.events()[0]?.event
    for (let attempt = 2; attempt <= 130; attempt++)
      await startRun('validate', { ...handled, attempt, event } as never, w.deps)
    for (const attempt of [1, 2]) await startRun('former', { ...handled, attempt, event } as never, w.deps)
    for (const { kind, name } of w.stores.memory.all().records)
      if (kind === 'run' && name.startsWith('validate/'))
        w.stores.workflows.end('validate', name.replace('validate/', ''), { output: {} })
    w.instead('workflows', 'describe', (real) => async (workflow, name) => {
      if (workflow === 'former') throw new Error('not authorized')
      return real(workflow, name)
    })
    const failed: number[] = []
    for (let passes = 0; passes < 4; passes++) {
      w.advance(6 * minutes)
      failed.push((await sweep('main', w.deps, 40)).failures.length)
    }
    expect(eventsOf('workflow.succeeded')).toHaveLength(130)
    expect(failed).toContain(1)
    expect(Math.max(...failed)).toBe(1)
    w.mend()
    w.advance(6 * minutes)
    await pass()
    await pass()
  })

  it('is left alone while it runs, and when nothing is known of it', async () => {
    w.advance(6 * minutes)
    expect(await pass()).toMatchObject({ ended: 0 })
    w.instead('workflows', 'describe', () => async () => undefined)
    expect(await pass()).toMatchObject({ ended: 0 })
    expect(w.events()).toHaveLength(1)
  })
})

describe('an approval that nobody answered', () => {
  const requestedFor = { source: 's', id: 'push-1', correlationid: 'story', hops: 1 }
  const asked = (approval: string) => ({
    approval,
    workflow: 'validate',
    run: 'r',
    question: 'Deploy?',
    expires: '2026-01-01T13:00:00Z',
    requestedFor,
    token: `token of ${approval}`,
  })
  const ask = async (approval: string) =>
    w.stores.memory.commit({ writes: request('main', asked(approval), undefined)?.writes ?? [], outbox: [] })

  it('expires at its time and not before, and that is told', async () => {
    await ask('a1')
    w.advance(hours)
    expect(await pass()).toMatchObject({ expired: 0 })
    w.advance(minutes)
    expect(await pass()).toMatchObject({ expired: 1 })
    await relayAll(w)
    expect(eventsOf('approval.decided')).toMatchObject([
      {
        data: { approval: 'a1', decision: 'expired', by: 'system' },
        actor: 'system',
        partitionkey: 'approval/a1',
      },
    ])
    expect(await pass()).toMatchObject({ expired: 0 })
  })

  it('is told within the story that asked, each approval of one event by itself', async () => {
    await ask('a1')
    await ask('a2')
    w.advance(2 * hours)
    expect(await pass()).toMatchObject({ expired: 2 })
    await relayAll(w)
    const decided = eventsOf('approval.decided')
    expect(decided).toMatchObject([
      { correlationid: 'story', causationid: 'push-1', hops: 2 },
      { correlationid: 'story', causationid: 'push-1', hops: 2 },
    ])
    expect(new Set(decided.map(({ id }) => id)).size).toBe(2)
  })

  it('and was answered in the same moment keeps that answer', async () => {
    await ask('a1')
    const [record] = w.stores.memory.all().records
    w.advance(2 * hours)
    w.instead('memory', 'get', (real) => async (key) => {
      const found = await real(key)
      if (key.kind === 'approval') {
        const change = answer(
          'main',
          { decision: 'approved', by: 'user:k', now: '2026-01-01T12:30:00.000Z' },
          record,
        )
        await w.stores.memory.commit({ writes: change.writes, outbox: [] })
      }
      return found
    })
    expect(await pass()).toMatchObject({ expired: 0 })
    w.mend()
    expect(await w.stores.memory.get({ project: 'main', kind: 'approval', name: 'a1' })).toMatchObject({
      value: { status: 'approved', by: 'user:k' },
    })
  })
})

describe('a pass', () => {
  it('asks each queue once how much is in it, whatever its parts send meanwhile', async () => {
    await unsent(w, 'lost')
    await w.one(byHttp(push('died')))
    for (const name of ['analyze', 'validate']) await w.handle(name, dies)
    const [mark] = w.deliveries()
    if (mark === undefined) return expect.fail('a delivery')
    const { key, delivery } = parted(mark)
    await w.stores.history.mark({ ...key, id: 'lost' }, { ...delivery, state: 'retrying' })
    w.advance(20 * minutes)
    await pass()
    const asked = w.calls.filter((call) => call === `queues.depth ${mark.subscriber}`)
    expect(asked).toHaveLength(1)
  })

  it.each([
    ['history', 'pages'],
    ['memory', 'staleOutbox'],
    ['memory', 'list'],
    ['history', 'openMarks'],
    ['memory', 'commit'],
  ] as const)('goes on with its other parts when %s.%s fails, and tells', async (port, method) => {
    await w.one(byHttp(push('died')))
    await w.handle('analyze', dies)
    w.failing('queues', 'send')
    await w.one(byHttp(push()))
    w.mend()
    w.advance(20 * minutes)
    w.failing(port, method as never, new Error('broken'))
    const { swept, failures } = await sweep('main', w.deps, 40)
    expect(failures.length).toBeGreaterThan(0)
    expect(failures[0]).toMatchObject({ message: 'broken' })
    if (method !== 'pages') expect(w.stores.queues.take('analyze')).toHaveLength(1)
    if (method !== 'openMarks') expect(swept.open).toMatchObject({ analyze: { dead: 1 } })
    expect(swept.lagMinutes).toBe(method === 'pages' || method === 'commit' ? undefined : 0)
  })
})
