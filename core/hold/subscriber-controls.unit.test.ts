// Longer than 300 lines: the whole life of a circuit over several processes, on one world.
import { beforeEach, describe, expect, it } from 'vitest'
import { minutes, type World, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import { outboxFrame } from '../frame.ts'
import { jobOf } from '../job/job.ts'
import type { Controls } from './control.ts'
import { controlOf, controlRecord } from './control.ts'
import { pause, resume } from './pause.ts'
import { subscriberControls } from './subscriber-controls.ts'

let w: World
let ids: number
let unwritten: unknown[]
beforeEach(() => {
  w = world()
  ids = 0
  unwritten = []
})

const seconds = 1000
const newId = () => `id${String(++ids).padStart(14, '0')}`

/** Another process of the same subscriber. */
const process = (subscriber = 'tell', quiet = false): Controls =>
  subscriberControls({
    ...w.deps,
    newId,
    subscriber,
    quiet,
    onFailure: (error) => void unwritten.push(error),
  })

const keyOf = (id: string, replay = '') => ({ project: 'main', source: 's', id, subscriber: 'tell', replay })
const failed = (id: string, error: unknown = new Error(`no answer from host ${id} in 3000 ms`)) => ({
  key: keyOf(id),
  error,
})
const report = (
  controls: Controls,
  results: Partial<Parameters<Controls['report']>[2]>,
  downstream = '',
  project = 'main',
) => controls.report(project, downstream, { succeeded: 0, failed: [], probed: false, ...results })

const recordNow = async (subscriber = 'tell', project = 'main') =>
  w.stores.memory.get(controlRecord(project, subscriber))
const stateNow = async (subscriber = 'tell', project = 'main') =>
  controlOf(await recordNow(subscriber, project))
const told = () =>
  w.stores.memory.all().outbox.map(({ frame }) => {
    const { event, actor } = outboxFrame.parse(frame)
    return { type: event.type, data: event.data, actor }
  })
const typesTold = () => told().map(({ type }) => type)
const jobs = () =>
  w.stores.memory.all().records.flatMap((record) => (record.kind === 'job' ? [jobOf(record)] : []))

/** Five events fail alike, one after the other. */
async function breakDown(controls: Controls, downstream = '', from = 0): Promise<void> {
  for (let n = from; n < from + 5; n++) await report(controls, { failed: [failed(`e${n}`)] }, downstream)
}

describe('a circuit', () => {
  it('opens when five events fail alike, with its event, and parks', async () => {
    const one = process()
    for (let n = 0; n < 4; n++) await report(one, { failed: [failed(`e${n}`)] })
    expect(await one.mayRun('main', '')).toEqual({ run: true })
    await report(one, { failed: [failed('e4')] })
    expect(await one.mayRun('main', '')).toEqual({
      run: false,
      reason: expect.stringMatching(/^circuit open since 2026.*: Error: no answer from host e# in # ms$/),
    })
    expect(told()).toEqual([
      {
        type: 'circuit.opened',
        actor: 'system',
        data: {
          subscriber: 'tell',
          downstream: '',
          reason: 'Error: no answer from host e# in # ms',
          alike: 5,
          failed: 5,
          succeeded: 0,
          probeAt: '2026-01-01T12:00:30.000Z',
        },
      },
    ])
    expect(unwritten).toEqual([])
  })

  it('opens in one batch as well', async () => {
    const one = process()
    await report(one, { succeeded: 4, failed: [0, 1, 2, 3, 4].map((n) => failed(`e${n}`)) })
    expect(await one.mayRun('main', '')).toMatchObject({ run: false })
  })

  it('opens once, however many processes see it at once, and all of them park', async () => {
    const processes = Array.from({ length: 20 }, () => process())
    for (const one of processes) await one.mayRun('main', '')
    await Promise.all(processes.map((one, n) => report(one, { failed: [failed(`e${n}`)] })))
    await Promise.all(processes.map((one, n) => report(one, { failed: [failed(`f${n}`)] })))
    expect(typesTold()).toEqual(['circuit.opened'])
    expect(unwritten).toEqual([])
    w.advance(5 * seconds)
    for (const one of processes) expect(await one.mayRun('main', '')).toMatchObject({ run: false })
  })

  it('is not opened by one poisoned event that is tried five times, in one process or in many', async () => {
    const one = process()
    for (let n = 0; n < 5; n++) await report(one, { failed: [failed('poison', new Error(`try ${n}`))] })
    for (let n = 0; n < 5; n++) await report(process(), { failed: [failed('poison', new Error('try'))] })
    expect(typesTold()).toEqual([])
  })

  it('is not opened by failures that are not alike', async () => {
    const one = process()
    const words = ['ant', 'bee', 'cat', 'dog', 'eel']
    for (const word of words) await report(one, { failed: [failed(word, new TypeError(word))] })
    expect(typesTold()).toEqual([])
  })

  it('is not opened by one failure in a hundred, nor by one in four', async () => {
    for (const share of [100, 4]) {
      const processes = Array.from({ length: 10 }, () => process())
      for (let n = 0; n < 2000; n++) {
        const one = processes[n % 10]
        if (one === undefined) throw new Error('no process')
        // shifted, or one process would see all the failures
        const fails = (n + Math.floor(n / 100)) % share === 0
        await report(one, fails ? { failed: [failed(`${share}-${n}`)] } : { succeeded: 1 })
        if (n % 10 === 9) w.advance(200)
      }
    }
    expect(typesTold()).toEqual([])
  })

  it('opens within seconds after a busy time', async () => {
    const processes = Array.from({ length: 10 }, () => process())
    for (let n = 0; n < 100; n++) {
      for (const one of processes) await report(one, { succeeded: 10 })
      w.advance(100)
    }
    let rounds = 0
    while (typesTold().length === 0 && rounds < 100) {
      for (const [n, one] of processes.entries()) await report(one, { failed: [failed(`r${rounds}-${n}`)] })
      w.advance(100)
      rounds++
    }
    expect(rounds).toBeLessThan(20)
  })

  it('is not opened by what is the event’s fault, or nobody’s', async () => {
    const errors = [
      new Failure('Invalid', 'no repository'),
      new Failure('Busy', 'others changed it'),
      new Failure('NewerVersion', 'written by newer code'),
    ]
    const one = process()
    for (const error of errors)
      for (let n = 0; n < 10; n++) await report(one, { failed: [failed(`${error.code}-${n}`, error)] })
    expect(typesTold()).toEqual([])
    for (let n = 0; n < 5; n++)
      await report(one, { failed: [failed(`u${n}`, new Failure('Unavailable', 'no answer'))] })
    expect(typesTold()).toEqual(['circuit.opened'])
  })

  it('counts within a minute only', async () => {
    const one = process()
    for (let n = 0; n < 8; n++) {
      await report(one, { failed: [failed(`e${n}`)] })
      w.advance(20 * seconds)
    }
    expect(typesTold()).toEqual([])
  })

  it('is of one project, one subscriber and one downstream', async () => {
    const one = process()
    await breakDown(one, 'api.example')
    expect(await one.mayRun('main', 'api.example')).toMatchObject({
      run: false,
      reason: expect.stringContaining('circuit of api.example open since'),
    })
    expect(await one.mayRun('main', 'other.example')).toEqual({ run: true })
    expect(await one.mayRun('other', 'api.example')).toEqual({ run: true })
    expect(await process('shop').mayRun('main', 'api.example')).toEqual({ run: true })
  })

  it('of who is told of circuits opens and closes without an event', async () => {
    const one = process('tell', true)
    await breakDown(one)
    expect(await one.mayRun('main', '')).toMatchObject({ run: false })
    w.advance(30 * seconds)
    expect(await one.mayRun('main', '')).toEqual({ run: true, probe: true })
    await report(one, { succeeded: 1, probed: true })
    expect((await stateNow()).circuits).toEqual([])
    expect(typesTold()).toEqual(['redrive.requested'])
  })

  it('that could not be written down is opened by the next failure', async () => {
    const one = process()
    w.failing('memory', 'commit')
    await breakDown(one)
    expect(unwritten).toEqual([new Error('down')])
    w.mend()
    expect(typesTold()).toEqual([])
    await report(one, { failed: [failed('e5')] })
    expect(typesTold()).toEqual(['circuit.opened'])
  })

  it('that cannot be counted is told of and harms nobody', async () => {
    w.failing('ephemeral', 'tally')
    await report(process(), { failed: [failed('e1')] })
    expect(unwritten).toEqual([new Error('down')])
  })
})

describe('the probe', () => {
  let one: Controls
  beforeEach(async () => {
    one = process()
    await breakDown(one)
    w.advance(30 * seconds)
  })

  it('is one, however many ask at once', async () => {
    const asked = await Promise.all(Array.from({ length: 20 }, () => process().mayRun('main', '')))
    expect(asked.filter(({ run }) => run)).toEqual([{ run: true, probe: true }])
    expect((await stateNow()).circuits).toMatchObject([{ state: 'half-open', probes: 1 }])
  })

  it('is one among those that one process asks for at once', async () => {
    const asked = await Promise.all(Array.from({ length: 10 }, () => one.mayRun('main', '')))
    expect(asked.filter(({ run }) => run)).toHaveLength(1)
  })

  it('that succeeds closes, with its event and what sends the parked, in one commit', async () => {
    await one.mayRun('main', '')
    await report(one, { succeeded: 1, probed: true })
    expect(await one.mayRun('main', '')).toEqual({ run: true })
    const [job] = jobs()
    expect(job).toMatchObject({
      kind: 'redrive',
      subscriber: 'tell',
      by: 'system',
      rate: 50,
      state: 'running',
    })
    expect(told().slice(1)).toMatchObject([
      {
        type: 'circuit.closed',
        data: { subscriber: 'tell', downstream: '', probes: 1, because: 'a probe succeeded', job: job?.id },
      },
      {
        type: 'redrive.requested',
        data: { job: job?.id, subscriber: 'tell', state: 'parked', rate: 50 },
      },
    ])
  })

  it('that fails is followed by the next after a longer pause', async () => {
    await one.mayRun('main', '')
    await report(one, { failed: [failed('e9')], probed: true })
    w.advance(59 * seconds)
    expect(await one.mayRun('main', '')).toMatchObject({ run: false })
    w.advance(1 * seconds)
    expect(await one.mayRun('main', '')).toEqual({ run: true, probe: true })
    expect(typesTold()).toEqual(['circuit.opened'])
  })

  it('that nobody hears of is given up after a minute', async () => {
    await one.mayRun('main', '')
    w.advance(59 * seconds)
    expect(await process().mayRun('main', '')).toMatchObject({ run: false })
    w.advance(1 * seconds)
    expect(await process().mayRun('main', '')).toEqual({ run: true, probe: true })
  })

  it('of an event that is at fault itself says nothing: the next one tries', async () => {
    await one.mayRun('main', '')
    await report(one, { failed: [failed('bad', new Failure('Invalid', 'no'))], probed: true })
    expect((await stateNow()).circuits).toMatchObject([{ state: 'open', probes: 0 }])
    expect(await one.mayRun('main', '')).toEqual({ run: true, probe: true })
  })

  it('is heard of late: a circuit that was closed meanwhile stays closed, and closes once', async () => {
    const slow = process()
    await slow.mayRun('main', '')
    w.advance(60 * seconds)
    await one.mayRun('main', '')
    await Promise.all([one, slow].map((each) => report(each, { succeeded: 1, probed: true })))
    expect(typesTold().filter((type) => type === 'circuit.closed')).toHaveLength(1)
    expect(jobs()).toHaveLength(1)
  })

  it('whose success could not be written down is tried again', async () => {
    await one.mayRun('main', '')
    w.failing('memory', 'commit')
    await report(one, { succeeded: 1, probed: true })
    expect(unwritten).toHaveLength(1)
    w.mend()
    w.advance(60 * seconds)
    expect(await one.mayRun('main', '')).toEqual({ run: true, probe: true })
  })

  it('asks for nothing to be sent that is paused: it would be parked again', async () => {
    await one.mayRun('main', '')
    const command = { project: 'main', subscriber: 'tell', by: 'user:k' }
    await pause(command, { ...w.deps, newId })
    await report(one, { succeeded: 1, probed: true })
    expect(typesTold()).toEqual(['circuit.opened', 'subscriber.paused', 'circuit.closed'])
    expect(jobs()).toEqual([])
  })
})

describe('what flaps', () => {
  it('is tried ever more rarely, and does not open on failures from before', async () => {
    const one = process()
    const opened: number[] = []
    for (let n = 0; n < 4; n++) {
      await breakDown(one, '', n * 10)
      const [circuit] = (await stateNow()).circuits
      if (circuit === undefined) throw new Error('it did not open')
      opened.push((Date.parse(circuit.probeAt) - Date.parse(circuit.since)) / seconds)
      w.advance(Date.parse(circuit.probeAt) - Date.parse(w.clock()))
      expect(await one.mayRun('main', '')).toEqual({ run: true, probe: true })
      await report(one, { succeeded: 1, probed: true })
      await report(one, { failed: [failed(`after${n}`)] })
      expect((await stateNow()).circuits).toEqual([])
    }
    expect(opened).toEqual([30, 60, 120, 240])
  })
})

describe('what controls cost', () => {
  it('is one read in five seconds for a project, however many ask', async () => {
    const one = process()
    const reads = () => w.calls.filter((call) => call === 'memory.get').length
    await Promise.all(Array.from({ length: 10 }, () => one.mayRun('main', '')))
    await one.mayRun('main', '')
    expect(reads()).toBe(1)
    w.advance(4999)
    await one.mayRun('main', '')
    expect(reads()).toBe(1)
    w.advance(1)
    await one.mayRun('main', '')
    expect(reads()).toBe(2)
  })

  it('is nothing else while all goes well', async () => {
    const one = process()
    for (let n = 0; n < 100; n++) {
      await one.mayRun('main', '')
      await report(one, { succeeded: 10 })
    }
    expect(w.calls).toEqual(['memory.get'])
  })
})

describe('while memory does not answer', () => {
  const command = { project: 'main', subscriber: 'tell', by: 'user:k' }

  it('what was not known to be held back runs, and that is told; a second later it is asked again', async () => {
    const one = process()
    await pause(command, { ...w.deps, newId })
    w.failing('memory', 'get')
    const unsure = { run: true, unsure: { error: new Error('down') } }
    expect(await one.mayRun('main', '')).toEqual(unsure)
    expect(await one.mayRun('main', '')).toEqual(unsure)
    expect(unwritten).toEqual([new Error('down')])
    w.mend()
    w.advance(1 * seconds)
    expect(await one.mayRun('main', '')).toMatchObject({ run: false })
  })

  it('what was known to be held back still is', async () => {
    const one = process()
    await pause(command, { ...w.deps, newId })
    expect(await one.mayRun('main', '')).toMatchObject({ run: false })
    w.failing('memory', 'get')
    for (let n = 0; n < 3; n++) {
      w.advance(10 * minutes)
      expect(await one.mayRun('main', '')).toMatchObject({ run: false })
    }
    w.mend()
    await resume({ ...command, rate: 50, circuits: false }, { ...w.deps, newId })
    w.advance(1 * seconds)
    expect(await one.mayRun('main', '')).toEqual({ run: true })
  })

  it('nothing claims to be the probe of a circuit that is open', async () => {
    const one = process()
    await breakDown(one)
    w.failing('memory', 'get')
    w.advance(30 * seconds)
    expect(await one.mayRun('main', '')).toMatchObject({ run: false })
    w.mend()
    w.advance(1 * seconds)
    expect(await one.mayRun('main', '')).toEqual({ run: true, probe: true })
  })
})

describe('a pause', () => {
  const command = { project: 'main', subscriber: 'tell', by: 'user:k' }

  it('holds back within five seconds, and lets go within one', async () => {
    const one = process()
    expect(await one.mayRun('main', '')).toEqual({ run: true })
    await pause({ ...command, reason: 'a move' }, { ...w.deps, newId })
    w.advance(5 * seconds)
    expect(await one.mayRun('main', '')).toEqual({
      run: false,
      reason: 'paused by user:k at 2026-01-01T12:00:00.000Z: a move',
    })
    await resume({ ...command, rate: 50, circuits: false }, { ...w.deps, newId })
    w.advance(1 * seconds)
    expect(await one.mayRun('main', '')).toEqual({ run: true })
  })

  it('lets no probe through', async () => {
    const one = process()
    await breakDown(one)
    await pause(command, { ...w.deps, newId })
    w.advance(10 * minutes)
    expect(await one.mayRun('main', '')).toMatchObject({
      run: false,
      reason: expect.stringMatching(/^paused/),
    })
  })
})
