import { beforeEach, describe, expect, it } from 'vitest'
import { minutes, testRoutes, type World, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import { outboxFrame } from '../frame.ts'
import { type Circuit, open } from './circuit.ts'
import { type Control, controlOf, controlRecord, controlWrite } from './control.ts'
import { type PauseDeps, pause, resume } from './pause.ts'

let w: World
let deps: PauseDeps
beforeEach(() => {
  w = world()
  let ids = 0
  const fixed = { ...routeNamed('follow'), unpausable: 'it mends the others' }
  deps = {
    ...w.deps,
    newId: () => `id${String(++ids).padStart(14, '0')}`,
    routes: [...testRoutes.filter(({ subscriber }) => subscriber !== 'follow'), fixed],
  }
})

function routeNamed(name: string) {
  const route = testRoutes.find(({ subscriber }) => subscriber === name)
  if (route === undefined) throw new Error(`no route ${name}`)
  return route
}

const me = { project: 'main', subscriber: 'tell', by: 'user:k' }
const plainly = { ...me, rate: 50, circuits: false }
const pausable = ['analyze', 'validate', 'count', 'tell', 'shop']

const stateOf = async (subscriber: string): Promise<Control> =>
  controlOf(await w.stores.memory.get(controlRecord('main', subscriber)))
const told = () =>
  w.stores.memory.all().outbox.map(({ frame, sequence, partitionkey }) => {
    const { event, actor } = outboxFrame.parse(frame)
    return { type: event.type, data: event.data, actor, sequence, partitionkey }
  })
const typesTold = () => told().map(({ type }) => type)

const parked = (subscriber: string, id = 'p') =>
  w.stores.history.mark(
    { project: 'main', source: 's', id, subscriber, replay: '' },
    { state: 'parked', attempts: 1, started: w.clock(), changed: w.clock(), emitted: [] },
  )

/** Opens circuits of these downstreams. */
async function part(subscriber: string, ...downstreams: string[]): Promise<Circuit[]> {
  const record = await w.stores.memory.get(controlRecord('main', subscriber))
  let state = controlOf(record)
  for (const downstream of downstreams)
    state = { ...state, ...open(state, { downstream, reason: 'no answer', now: w.clock() })?.next }
  const write = controlWrite({ project: 'main', subscriber }, record, state)
  await w.stores.memory.commit({ writes: [write], outbox: [] })
  return state.circuits
}

describe('pause', () => {
  it('holds one subscriber back, with who, when and why, and says so', async () => {
    expect(await pause({ ...me, reason: 'a move' }, deps)).toEqual([
      { subscriber: 'tell', changed: true, paused: { by: 'user:k', at: w.clock(), reason: 'a move' } },
    ])
    expect((await stateOf('tell')).paused).toEqual({ by: 'user:k', at: w.clock(), reason: 'a move' })
    expect((await stateOf('shop')).paused).toBeUndefined()
    expect(told()).toEqual([
      {
        type: 'subscriber.paused',
        data: { subscriber: 'tell', reason: 'a move' },
        actor: 'user:k',
        partitionkey: 'control/tell',
        sequence: 1,
      },
    ])
  })

  it('of what is paused already is fine, says by whom, and changes nothing', async () => {
    await pause({ ...me, reason: 'a move' }, deps)
    w.advance(minutes)
    expect(await pause({ ...me, by: 'user:other', reason: 'another' }, deps)).toMatchObject([
      { changed: false, paused: { by: 'user:k', reason: 'a move' } },
    ])
    expect(typesTold()).toEqual(['subscriber.paused'])
  })

  it('of all needs a reason', async () => {
    const failure = await pause({ ...me, subscriber: 'all' }, deps).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'Invalid', faults: [{ path: 'reason' }] })
    expect(w.calls).toEqual([])
  })

  it('of all holds back everyone who can be, each in one commit with its event', async () => {
    await pause(me, deps)
    w.calls.length = 0
    const answer = await pause({ ...me, subscriber: 'all', reason: 'a move' }, deps)
    expect(answer.map(({ subscriber, changed }) => [subscriber, changed])).toEqual(
      pausable.map((name) => [name, name !== 'tell']),
    )
    expect(w.calls.filter((call) => call === 'memory.commit')).toHaveLength(pausable.length - 1)
    expect(typesTold()).toEqual(pausable.map(() => 'subscriber.paused'))
  })

  it('of all is of as many as there may be, and goes on where it failed', async () => {
    const [model] = testRoutes
    if (model === undefined) throw new Error('no route')
    const routes = Array.from({ length: 120 }, (_, n) => ({ ...model, subscriber: `s${n}` }))
    let commits = 0
    w.instead('memory', 'commit', (real) => async (change) => {
      if (++commits === 61) throw new Error('down')
      return real(change)
    })
    const all = () => pause({ ...me, subscriber: 'all', reason: 'a move' }, { ...deps, routes })
    await expect(all()).rejects.toThrow('down')
    expect(typesTold()).toHaveLength(60)
    expect((await all()).filter(({ changed }) => changed)).toHaveLength(60)
    expect(typesTold()).toHaveLength(120)
  })

  it('refuses a name that nobody has, and lists those that there are', async () => {
    const failure = await pause({ ...me, subscriber: 'tel' }, deps).catch((error: unknown) => error)
    expect(failure).toEqual(
      new Failure('NotFound', 'there is no subscriber tel', {
        faults: [
          {
            path: 'path.subscriber',
            expected: 'one of analyze, validate, count, tell, shop, all',
            got: 'tel',
          },
        ],
      }),
    )
    expect(w.calls).toEqual([])
  })

  it('refuses what mends others, and says why', async () => {
    for (const command of [
      pause({ ...me, subscriber: 'follow' }, deps),
      resume({ ...plainly, subscriber: 'follow' }, deps),
    ])
      await expect(command).rejects.toEqual(
        new Failure('Conflict', 'follow is not paused or resumed: it mends the others'),
      )
  })

  it('by two at once is one', async () => {
    const both = await Promise.all(['a', 'b'].map((by) => pause({ ...me, by: `user:${by}` }, deps)))
    const [first, second] = both.flat()
    expect([first?.changed, second?.changed].sort()).toEqual([false, true])
    expect(first?.paused).toEqual(second?.paused)
    expect(typesTold()).toEqual(['subscriber.paused'])
  })

  it('that cannot be committed changes nothing', async () => {
    w.failing('memory', 'commit')
    await expect(pause({ ...me, subscriber: 'all', reason: 'a move' }, deps)).rejects.toThrow('down')
    expect(w.stores.memory.all()).toEqual({ records: [], outbox: [] })
  })

  it('leaves open circuits as they are', async () => {
    await part('tell', 'a')
    await pause(me, deps)
    expect((await stateOf('tell')).circuits).toHaveLength(1)
    await resume(plainly, deps)
    expect((await stateOf('tell')).circuits).toHaveLength(1)
  })
})

describe('resume', () => {
  it('takes the pause back; with nothing parked there is nothing to send', async () => {
    await pause(me, deps)
    expect(await resume(plainly, deps)).toEqual([
      { subscriber: 'tell', changed: true, closed: [], open: [], job: undefined },
    ])
    const record = await w.stores.memory.get(controlRecord('main', 'tell'))
    expect(controlOf(record).paused).toBeUndefined()
    expect(record?.place).toBeUndefined()
    expect(told().at(-1)).toMatchObject({
      type: 'subscriber.resumed',
      data: { subscriber: 'tell', paused: '2026-01-01T12:00:00.000Z', circuits: [] },
      sequence: 2,
    })
  })

  it('asks for what is parked to be sent, at a rate, in the same commit', async () => {
    await pause(me, deps)
    await parked('tell')
    w.calls.length = 0
    const [answer] = await resume({ ...plainly, rate: 5 }, deps)
    expect(w.calls.filter((call) => call === 'memory.commit')).toHaveLength(1)
    const job = answer?.job
    expect(job).toBeDefined()
    expect(told().slice(1)).toMatchObject([
      { type: 'subscriber.resumed', data: { job, rate: 5 }, actor: 'user:k' },
      {
        type: 'redrive.requested',
        data: { job, subscriber: 'tell', state: 'parked', rate: 5 },
        actor: 'user:k',
        partitionkey: `job/${job}`,
      },
    ])
    const jobs = w.stores.memory.all().records.filter(({ kind }) => kind === 'job')
    expect(jobs).toMatchObject([{ value: { id: job, by: 'user:k', rate: 5, state: 'running' } }])
  })

  it('twice resumes and sends once', async () => {
    await pause(me, deps)
    await parked('tell')
    const both = (await Promise.all([resume(plainly, deps), resume(plainly, deps)])).flat()
    expect(both.filter(({ changed }) => changed)).toHaveLength(1)
    expect(typesTold().filter((type) => type === 'redrive.requested')).toHaveLength(1)
  })

  it('of what is not paused says so, and what still holds it back', async () => {
    await part('tell', 'a', 'b')
    expect(await resume(plainly, deps)).toEqual([
      { subscriber: 'tell', changed: false, closed: [], open: ['a', 'b'] },
    ])
    expect(typesTold()).toEqual([])
  })

  it('sends nothing that the open circuit of the whole subscriber would park again', async () => {
    await pause(me, deps)
    await part('tell', '')
    await parked('tell')
    expect(await resume(plainly, deps)).toMatchObject([{ changed: true, open: [''], job: undefined }])
  })

  it('closes circuits by hand, each with its event, and sends what they held back', async () => {
    await part('tell', 'a', 'b')
    await parked('tell')
    const [answer] = await resume({ ...plainly, circuits: true }, deps)
    expect(answer).toMatchObject({ changed: true, closed: ['a', 'b'], open: [] })
    expect((await stateOf('tell')).circuits).toEqual([])
    expect(told()).toMatchObject([
      { type: 'subscriber.resumed', data: { circuits: ['a', 'b'], job: answer?.job } },
      { type: 'circuit.closed', data: { downstream: 'a', because: 'somebody closed it', job: answer?.job } },
      { type: 'circuit.closed', data: { downstream: 'b' } },
      { type: 'redrive.requested' },
    ])
  })

  it('of all resumes each; what was reached stays resumed when it fails in between', async () => {
    await pause({ ...me, subscriber: 'all', reason: 'a move' }, deps)
    let commits = 0
    w.instead('memory', 'commit', (real) => async (change) => {
      if (++commits === 3) throw new Error('down')
      return real(change)
    })
    await expect(resume({ ...plainly, subscriber: 'all' }, deps)).rejects.toThrow('down')
    w.mend()
    const answer = await resume({ ...plainly, subscriber: 'all' }, deps)
    expect(answer.map(({ subscriber, changed }) => [subscriber, changed])).toEqual(
      pausable.map((name, index) => [name, index >= 2]),
    )
    expect(typesTold().filter((type) => type === 'subscriber.resumed')).toHaveLength(pausable.length)
  })
})
