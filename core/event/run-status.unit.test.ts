import { describe, expect, it } from 'vitest'
import { queued, runInput, status } from '../../test/arrivals.ts'
import { noon, world } from '../../test/world.ts'
import type { RunDescription } from '../ports.ts'
import { runStatus, statusOf } from './run-status.ts'

const input = runInput('shop')
const framed = (detail: Record<string, unknown> = {}) =>
  queued(status({ input: JSON.stringify(input), ...detail }))

const outcomeOf = async (detail: Record<string, unknown>) => world().one(framed(detail))
const eventOf = async (detail: Record<string, unknown>) => {
  const outcome = await outcomeOf(detail)
  if (!('event' in outcome)) throw new Error(JSON.stringify(outcome))
  return outcome.event
}

describe('a status that Step Functions tells', () => {
  it.each([
    ['RUNNING', 'workflow.started', undefined],
    ['SUCCEEDED', 'workflow.succeeded', undefined],
    ['FAILED', 'workflow.failed', undefined],
    ['TIMED_OUT', 'workflow.failed', 'States.Timeout'],
    ['ABORTED', 'workflow.failed', 'Aborted'],
  ])('%s is %s', async (name, type, error) => {
    const event = await eventOf({ status: name })
    expect(event).toMatchObject({
      type,
      id: `validate/run-1/${name}`,
      source: '/loadpath/step-functions',
      door: 'states',
    })
    expect((event.data as { error?: string }).error).toBe(error)
  })

  it('belongs to the project and story of the event that started the run', async () => {
    expect(await eventOf({})).toMatchObject({
      project: 'shop',
      correlationid: 'story',
      causationid: 'push-1',
      cause: { source: 'https://github.com/octo/hello', id: 'push-1', by: 'validate' },
      hops: 4,
      traceparent: input.event.traceparent,
      partitionkey: 'run/validate/run-1',
    })
  })

  it('says of which replay the run is, if of one', async () => {
    const told = await eventOf({ input: JSON.stringify({ ...input, replay: 'r1' }) })
    expect(told.cause).toEqual({
      ...{ source: 'https://github.com/octo/hello', id: 'push-1', by: 'validate', replay: 'r1' },
    })
    expect((await eventOf({})).cause).not.toHaveProperty('replay')
  })

  it('at the 16th hop is told all the same: an end must not get lost', async () => {
    expect(
      (await eventOf({ input: JSON.stringify({ ...input, event: { ...input.event, hops: 16 } }) })).hops,
    ).toBe(16)
  })

  it.each([
    ['nothing', null],
    ['no JSON', '{'],
    ['a number', '7'],
    ['an input of somebody’s own', '{"repository":"octo/hello"}'],
    ['half of ours', JSON.stringify({ ...input, event: { project: 'shop' } })],
  ])('of a run that was started by hand with %s is a story of its own in main', async (_, given) => {
    const event = await eventOf({ input: given })
    expect(event).toMatchObject({ project: 'main', correlationid: 'validate/run-1/SUCCEEDED', hops: 0 })
    expect(event.cause).toBeUndefined()
  })

  it('tells start, end, error and a cause that is cut to what a person reads', async () => {
    expect((await eventOf({ status: 'FAILED', error: 'Boom', cause: 'x'.repeat(9000) })).data).toEqual({
      workflow: 'validate',
      run: 'run-1',
      arn: 'arn:aws:states:us-east-1:111122223333:execution:loadpath-dev-validate:run-1',
      started: '2026-01-01T11:59:51.000Z',
      ended: '2026-01-01T11:59:59.000Z',
      error: 'Boom',
      cause: 'x'.repeat(2000),
    })
  })

  it('twice is recorded once', async () => {
    const w = world()
    expect((await w.record(framed(), framed())).map((outcome) => outcome.status)).toEqual([
      'recorded',
      'known',
    ])
  })

  it('of each kind is an event of its own', async () => {
    const w = world()
    await w.record(framed({ status: 'RUNNING', stopDate: null }), framed())
    expect(w.events().map(({ event }) => event.type)).toEqual(['workflow.started', 'workflow.succeeded'])
  })

  it.each([
    ['a status that there is not yet', { status: 'PENDING_REDRIVE' }, 'event.detail.status'],
    ['no name', { name: undefined }, 'event.detail.name'],
    ['a start that is no number', { startDate: 'today' }, 'event.detail.startDate'],
  ])('with %s is quarantined, saying where', async (_, detail, path) => {
    expect(await outcomeOf(detail)).toMatchObject({
      status: 'quarantined',
      reason: 'unreadable',
      faults: [{ path }],
    })
  })

  it.each([[{ startDate: 1e300 }], [{ stopDate: -1e300 }]])(
    'with the impossible time %o is quarantined',
    async (detail) => {
      expect(await outcomeOf(detail)).toMatchObject({ status: 'quarantined', reason: 'unreadable' })
    },
  )
})

describe('the same told by the sweep, from a description of the execution', () => {
  const description: RunDescription = {
    workflow: 'validate',
    name: 'run-1',
    arn: 'arn:aws:states:us-east-1:111122223333:execution:loadpath-dev-validate:run-1',
    status: 'SUCCEEDED',
    started: new Date(Date.parse(noon) - 9000).toISOString(),
    ended: new Date(Date.parse(noon) - 1000).toISOString(),
    input,
    output: { any: 'thing' },
  }
  const described = (given: Partial<RunDescription>) =>
    ({ ...framed(), content: { kind: 'described', run: statusOf({ ...description, ...given }) } }) as const

  it.each([
    ['RUNNING', { stopDate: null }, {}],
    ['SUCCEEDED', {}, {}],
    ['FAILED', { error: 'Boom', cause: 'why' }, { error: 'Boom', cause: 'why' }],
    ['TIMED_OUT', {}, {}],
    ['ABORTED', { error: 'Stopped', cause: 'by me' }, { error: 'Stopped', cause: 'by me' }],
  ] as const)('%s is known: same identity, same content', async (name, detail, given) => {
    const w = world()
    expect(await w.one(framed({ status: name, ...detail }))).toMatchObject({ status: 'recorded' })
    expect(await w.one(described({ status: name, ...given }))).toMatchObject({ status: 'known' })
    expect(w.events()).toHaveLength(1)
    expect(runStatus(status({ status: name, input: JSON.stringify(input), ...detail }).event)).toEqual(
      statusOf({ ...description, status: name, ...given }),
    )
  })

  it('of a run with an input of somebody’s own is known, too', async () => {
    const w = world()
    await w.one(framed({ input: '{"a":1}' }))
    expect(await w.one({ ...described({ input: { a: 1 } }), project: 'main' })).toMatchObject({
      status: 'known',
    })
  })
})
