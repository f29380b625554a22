import { describe, expect, it } from 'vitest'
import { event, ports, stored } from '../../test/fates.ts'
import { dataOf } from '../event/body.ts'
import { runName } from '../identity.ts'
import { findIdentity, why } from './fate.ts'

const push = event('push', { source: 'gh', type: 'github.push' })
const analyzed = event('a1', {
  source: '/loadpath/analyze-push',
  type: 'repository.analyzed',
  correlationid: 'push',
  cause: { source: 'gh', id: 'push', by: 'analyze-push' },
})
const gate = event('g1', {
  source: '/loadpath/test-and-validate',
  type: 'quality-gate.evaluated',
  correlationid: 'push',
  cause: { source: 'gh', id: 'push', by: 'test-and-validate' },
})
const done = { state: 'done', attempts: 1, started: 't', changed: 't', emitted: [] } as const

describe('findIdentity', () => {
  const two = ports([stored(event('1', { source: 'a' })), stored(event('1', { source: 'b' }))])

  it('finds the source of an id', async () => {
    expect(await findIdentity(ports([stored(push)]), 'main', 'push', undefined)).toEqual({
      project: 'main',
      source: 'gh',
      id: 'push',
    })
  })

  it('asks which, when several sources sent it', async () => {
    await expect(findIdentity(two, 'main', '1', undefined)).rejects.toMatchObject({
      code: 'Conflict',
      faults: [{ expected: 'a' }, { expected: 'b' }],
    })
    expect(await findIdentity(two, 'main', '1', 'b')).toMatchObject({ source: 'b' })
  })

  it('finds nothing of another project', async () => {
    await expect(findIdentity(two, 'other', '1', undefined)).rejects.toMatchObject({ code: 'NotFound' })
  })
})

describe('why', () => {
  it('shows an expected subscriber without a delivery as waiting, and what each emitted', async () => {
    const known = ports([
      stored(push, {
        expects: ['analyze-push', 'test-and-validate', 'notify'],
        deliveries: [
          { subscriber: 'analyze-push', replay: '', ...done, emitted: ['a1', 'a2'] },
          { subscriber: 'test-and-validate', replay: '', ...done },
        ],
      }),
      stored(analyzed),
      stored(gate),
    ])
    const told = await why(known, { project: 'main', source: 'gh', id: 'push' })
    expect(told.deliveries.map(({ subscriber, state, expected }) => [subscriber, state, expected])).toEqual([
      ['analyze-push', 'done', true],
      ['notify', 'waiting', true],
      ['test-and-validate', 'done', true],
    ])
    expect(told.deliveries.map(({ emitted }) => emitted.map(({ id, type }) => [id, type]))).toEqual([
      [
        ['a1', 'repository.analyzed'],
        ['a2', undefined],
      ],
      [],
      [['g1', 'quality-gate.evaluated']],
    ])
    expect(told.event).not.toHaveProperty('data')
    expect(told.truncated).toBe(false)
  })

  it('names the newest attempt of a run', async () => {
    const identity = { project: 'main', source: 'gh', id: 'push' }
    const first = runName(identity, 'test-and-validate', '', 1)
    const second = runName(identity, 'test-and-validate', '', 2)
    const run = (name: string, attempt: number, status: string) => ({
      project: 'main',
      kind: 'run',
      name: `test-and-validate/${name}`,
      version: 1,
      value: {
        workflow: 'test-and-validate',
        run: name,
        status,
        started: '2026-01-01T12:00:00.000Z',
        attempt,
        replay: '',
      },
    })
    const delivery = { subscriber: 'test-and-validate', replay: '', ...done, run: first }
    const events = [stored(push, { expects: ['test-and-validate'], deliveries: [delivery] })]
    const records = [run(first, 1, 'failed'), run(second, 2, 'running')]
    expect((await why(ports(events), identity)).deliveries[0]?.run).toEqual({
      workflow: 'test-and-validate',
      run: first,
      attempt: 1,
      status: 'starting',
    })
    expect((await why(ports(events, records), identity)).deliveries[0]?.run).toMatchObject({
      run: second,
      attempt: 2,
      status: 'running',
    })
  })

  it('counts what only names its subscriber to the live delivery, not to replays', async () => {
    const live = { subscriber: 'test-and-validate', replay: '', ...done }
    const known = ports([stored(push, { deliveries: [live, { ...live, replay: 'r1' }] }), stored(gate)])
    const told = await why(known, { project: 'main', source: 'gh', id: 'push' })
    expect(
      told.deliveries.map(({ replay, expected, emitted }) => [replay, expected, emitted.length]),
    ).toEqual([
      ['', false, 1],
      ['r1', false, 0],
    ])
  })

  it('counts to a replay what that says it emitted', async () => {
    const live = { subscriber: 'analyze-push', replay: '', ...done, emitted: ['a1'] }
    const known = ports([
      stored(push, { deliveries: [live, { ...live, replay: 'r1', emitted: ['a2'] }] }),
      stored(analyzed),
      stored({ ...analyzed, id: 'a2' }),
    ])
    const told = await why(known, { project: 'main', source: 'gh', id: 'push' })
    expect(told.deliveries.map(({ replay, emitted }) => [replay, emitted.map(({ id }) => id)])).toEqual([
      ['', ['a1']],
      ['r1', ['a2']],
    ])
  })

  it('knows nothing of an event that was not recorded', async () => {
    await expect(why(ports([]), { project: 'main', source: 'gh', id: 'push' })).rejects.toMatchObject({
      code: 'NotFound',
    })
  })
})

describe('dataOf', () => {
  const bodies = (known: Record<string, string>) => ({
    get: async (key: string) => (key in known ? Buffer.from(known[key] ?? '') : undefined),
  })
  const large = event('1', { dataref: 'project/main/x/y' })

  it('takes a large body from the bucket', async () => {
    expect(await dataOf(large, bodies({ 'project/main/x/y': '{"a":1}' }))).toEqual({ a: 1 })
    expect(await dataOf(large, bodies({}))).toBeUndefined()
  })

  it('answers what lies in the event itself', async () => {
    expect(await dataOf(event('1', { data: 'x' }), bodies({}))).toBe('x')
  })
})
