import { describe, expect, it } from 'vitest'
import type { Route } from '../../events/route.ts'
import { byHttp, push } from '../../test/arrivals.ts'
import { routeOf, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import type { Controls } from '../hold/control.ts'
import { subscriberControls } from '../hold/subscriber-controls.ts'
import { consume } from './consume.ts'

type Answer = Awaited<ReturnType<Controls['mayRun']>>
type Report = { project: string; downstream: string } & Parameters<Controls['report']>[2]

const run: Answer = { run: true }
const paused: Answer = { run: false, reason: 'paused by user:k1' }

/** Pushes that are recorded and handed over under controls that answer as they are told, and remember what they hear. */
async function pushed(ids: readonly string[], given: Partial<Route> = {}) {
  const w = world()
  await w.record(...ids.map((id) => byHttp(push(id))))
  const bodies = w.stores.queues.take('analyze')
  const reports: Report[] = []
  const asked: string[] = []
  let answer: (asked: number) => Answer = () => run
  const controls: Controls = {
    async mayRun(project, downstream) {
      asked.push(`${project}/${downstream}`)
      return answer(asked.length)
    },
    async report(project, downstream, results) {
      reports.push({ project, downstream, ...results })
    },
  }
  const handed = (handler: HandlerAny, receiveCount = 1) => {
    w.calls.length = 0
    return consume(
      { ...routeOf('analyze'), ...given },
      handler,
      bodies.map((body) => ({ body, receiveCount })),
      { ...w.deps, controls },
    )
  }
  const answers = (given: (asked: number) => Answer) => {
    answer = given
  }
  return { ...w, handed, answers, reports, asked, controls, bodies }
}

const works: HandlerAny = async () => []
const throws =
  (error: unknown): HandlerAny =>
  async () => {
    throw error
  }
const fails = throws(new Error('no answer'))
const outcomes = (consumed: readonly { outcome: string }[]) => consumed.map(({ outcome }) => outcome)

describe('a delivery that may not run now', () => {
  it('is parked with the reason, not run, and taken off the queue', async () => {
    const w = await pushed(['p1'])
    w.answers(() => paused)
    const consumed = await w.handed(throws(expect.unreachable))
    expect(consumed).toEqual([{ outcome: 'parked', key: expect.objectContaining({ id: 'p1' }) }])
    expect(w.deliveries()).toMatchObject([{ state: 'parked', attempts: 0, reason: 'paused by user:k1' }])
    expect(w.reports).toEqual([])
  })

  it('keeps the attempts that it has had', async () => {
    const w = await pushed(['p1'])
    await w.handed(fails)
    w.answers(() => paused)
    expect(outcomes(await w.handed(works, 2))).toEqual(['parked'])
    expect(w.deliveries()).toMatchObject([{ state: 'parked', attempts: 1 }])
  })

  it('stays on the queue when that cannot be written', async () => {
    const w = await pushed(['p1'])
    w.answers(() => paused)
    w.failing('history', 'transition')
    expect(await w.handed(works)).toMatchObject([{ outcome: 'retrying', again: expect.any(Number) }])
  })

  it('is not parked when it is done, nor asked about', async () => {
    const w = await pushed(['p1'])
    await w.handed(works)
    w.answers(() => paused)
    w.asked.length = 0
    expect(outcomes(await w.handed(works, 2))).toEqual(['already'])
    expect([w.asked, w.deliveries()]).toMatchObject([[], [{ state: 'done' }]])
  })

  it('is not parked over what somebody else has done meanwhile', async () => {
    const w = await pushed(['p1'])
    await w.handed(works)
    w.answers(() => paused)
    expect(outcomes(await w.handed(works))).toEqual(['already'])
  })

  it('is not run on a guess when nobody can say whether it may be', async () => {
    const w = await pushed(['p1'])
    w.answers(() => {
      throw new Error('no memory')
    })
    const consumed = await w.handed(throws(expect.unreachable))
    expect(consumed).toMatchObject([{ outcome: 'retrying', reason: 'Error: no memory' }])
    expect(await w.handed(works, 3)).toMatchObject([{ outcome: 'retrying' }])
  })

  it('of a run that somebody retries is noted where the first is done', async () => {
    const w = world()
    await w.one(byHttp(push()))
    const [body = ''] = w.stores.queues.take('validate')
    const handed = (frame: object, controls?: Controls) =>
      consume(
        routeOf('validate'),
        works,
        [{ body: JSON.stringify({ ...JSON.parse(body), ...frame }), receiveCount: 1 }],
        { ...w.deps, controls },
      )
    await handed({})
    const controls: Controls = { mayRun: async () => paused, report: async () => undefined }
    expect(outcomes(await handed({ attempt: 2, resent: true }, controls))).toEqual(['parked'])
    const [identity] = w.events()
    expect((await w.stores.history.fate(identity?.event ?? expect.fail())).deliveries).toMatchObject([
      { state: 'done', notes: ['attempt 2 of its run was not started: paused by user:k1'] },
    ])
  })
})

describe('what is told of a batch', () => {
  it('is how many succeeded and which failed, once, when it is through', async () => {
    const w = await pushed(['p1', 'p2', 'p3'])
    const error = new Error('no answer')
    await w.handed(async ({ event }) => {
      if (event.id === 'p2') throw error
      return []
    })
    expect(w.reports).toEqual([
      {
        project: 'main',
        downstream: '',
        succeeded: 2,
        failed: [{ key: expect.objectContaining({ id: 'p2' }), error }],
        probed: false,
      },
    ])
  })

  it('is told for each downstream', async () => {
    const w = await pushed(['p1', 'p2', 'q1'], { downstream: ({ id }) => id.slice(0, 1) })
    await w.handed(works)
    expect(w.asked.toSorted()).toEqual(['main/p', 'main/p', 'main/q'])
    expect(w.reports.map(({ downstream, succeeded }) => [downstream, succeeded]).toSorted()).toEqual([
      ['p', 2],
      ['q', 1],
    ])
  })

  it('leaves out what no downstream is to blame for: a body, a queue or a mark of ours', async () => {
    const w = await pushed(['p1'])
    w.failing('history', 'insertDeliveries')
    await w.handed(works)
    expect(w.reports).toMatchObject([{ succeeded: 1, failed: [] }])
  })

  it('says of a probe that it was one, even if nothing came of it', async () => {
    const w = await pushed(['p1'])
    w.answers(() => ({ run: true, probe: true }))
    await w.handed(works)
    expect(w.reports).toMatchObject([{ succeeded: 1, probed: true }])
    w.reports.length = 0
    await w.handed(async () => 7 as never)
    expect(w.reports).toMatchObject([{ succeeded: 0, probed: true }])
  })
})

describe('a last failure', () => {
  it('is reported before it is decided upon: what opens with it is parked, and not dead', async () => {
    const w = await pushed(['p1', 'p2'])
    w.answers(() => (w.reports.length > 0 ? { run: false, reason: 'circuit open' } : run))
    const consumed = await w.handed(fails, 3)
    expect(consumed).toMatchObject([
      { outcome: 'parked', reason: 'Error: no answer' },
      { outcome: 'parked', reason: 'Error: no answer' },
    ])
    expect(w.reports).toHaveLength(1)
    expect(w.deliveries()).toMatchObject([
      { state: 'parked', attempts: 3, reason: 'Error: no answer; circuit open' },
      { state: 'parked', attempts: 3 },
    ])
  })

  it('is death when others run', async () => {
    const w = await pushed(['p1'])
    expect(outcomes(await w.handed(fails, 3))).toEqual(['dead'])
  })

  it('is death when it is hopeless, whatever else is open', async () => {
    const w = await pushed(['p1'])
    w.answers((asked) => (asked > 1 ? paused : run))
    expect(outcomes(await w.handed(throws(new Failure('NotFound', 'gone')), 3))).toEqual(['dead'])
    expect(w.asked).toHaveLength(1)
  })

  it('of one that just may probe is that probe, and failed', async () => {
    const w = await pushed(['p1'])
    w.answers((asked) => (asked === 1 ? run : { run: true, probe: true }))
    expect(outcomes(await w.handed(fails, 3))).toEqual(['parked'])
    expect(w.reports).toMatchObject([
      { failed: [{}], probed: false },
      { failed: [{ error: new Error('no answer') }], probed: true },
    ])
  })

  it('of attempts that crashed each time is parking too, where nothing else runs', async () => {
    const w = await pushed(['p1'])
    w.answers(() => paused)
    expect(outcomes(await w.handed(throws(expect.unreachable), 4))).toEqual(['parked'])
    expect(w.deliveries()).toMatchObject([
      { state: 'parked', attempts: 3, reason: expect.stringContaining('each attempt crashed') },
    ])
  })

  it('that is decided upon late does not keep the others from being handled', async () => {
    const w = world()
    await w.record(...['a', 'b', 'c'].map((id) => byHttp(push(id, { partitionkey: 'one' }))))
    const messages = w.stores.queues.take('analyze').map((body) => ({ body, receiveCount: 3 }))
    const order: string[] = []
    const consumed = await consume(
      routeOf('analyze'),
      async ({ event }) => {
        order.push(event.id)
        if (event.id !== 'c') throw new Error('no answer')
        return []
      },
      messages,
      w.deps,
    )
    expect(outcomes(consumed)).toEqual(['dead', 'dead', 'done'])
    expect(order).toEqual(['a', 'b', 'c'])
  })
})

describe('with the controls of a subscriber', () => {
  it('what needs no memory is handled while that does not answer, at its last attempt too', async () => {
    const w = await pushed(['p1'])
    const controls = subscriberControls({
      memory: w.deps.memory,
      ephemeral: w.deps.ephemeral,
      clock: w.clock,
      newId: () => 'id',
      subscriber: 'analyze',
    })
    w.failing('memory', 'get')
    const messages = w.bodies.map((body) => ({ body, receiveCount: 3 }))
    const deps = { ...w.deps, controls }
    expect(outcomes(await consume(routeOf('analyze'), works, messages, deps))).toEqual(['done'])
  })

  it('a downstream that is dead parks its deliveries, and fills no dead letters', async () => {
    const w = await pushed(Array.from({ length: 10 }, (_, n) => `p${n}`))
    let ids = 0
    const controls = subscriberControls({
      memory: w.deps.memory,
      ephemeral: w.deps.ephemeral,
      clock: w.clock,
      newId: () => `id${ids++}`,
      subscriber: 'analyze',
    })
    let ran = 0
    const handler: HandlerAny = async () => {
      ran++
      throw new Error('no answer')
    }
    for (let receive = 1; receive <= 3; receive++)
      await consume(
        routeOf('analyze'),
        handler,
        w.bodies.map((body) => ({ body, receiveCount: receive })),
        { ...w.deps, controls },
      )
    expect(ran).toBe(10)
    expect(w.deliveries().map(({ state }) => state)).toEqual(Array.from({ length: 10 }, () => 'parked'))
  })
})
