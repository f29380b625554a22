import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  arnOf,
  elementIn,
  elementsIn,
  lambda,
  meshIn,
  nodeIn,
  queue,
} from '../../../test/mesh-in-template.ts'
import { load } from '../../load.ts'
import { parseLoads } from '../../loads.ts'
import { ratesOf } from '../../static/rates.ts'
import { asked } from './events.ts'
import { perSecondOf } from './schedule-rate.ts'

describe('a rule', () => {
  const rule = (properties: object) => ({ Type: 'AWS::Events::Rule', Properties: properties })
  const mesh = meshIn({
    Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'b' } },
    Q: queue,
    D: queue,
    F: lambda,
    R: rule({
      EventBusName: { Ref: 'Bus' },
      EventPattern: { source: ['shop'], 'detail-type': ['placed', 'cancelled'] },
      Targets: [
        {
          Id: '0',
          Arn: arnOf('Q'),
          DeadLetterConfig: { Arn: arnOf('D') },
          RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 600 },
        },
        { Id: '1', Arn: arnOf('F'), DeadLetterConfig: { Arn: arnOf('D') } },
      ],
    }),
    Off: rule({
      State: 'DISABLED',
      EventPattern: { source: ['shop'] },
      Targets: [{ Id: '0', Arn: arnOf('Q') }],
    }),
  })

  it('takes from its bus what it names, and from the default bus where it has none', () => {
    expect(nodeIn(mesh, 'rule', 'R').settings).toEqual({
      types: ['cancelled', 'placed'],
      narrower: false,
      enabled: true,
    })
    expect(elementIn(mesh, 'delivery', 'Bus', 'R').types).toEqual(['cancelled', 'placed'])
    expect(nodeIn(mesh, 'rule', 'Off').settings).toEqual({ types: null, narrower: true, enabled: false })
    expect(elementIn(mesh, 'delivery', 'external/default-bus', 'Off').types).toBeNull()
    expect(nodeIn(mesh, 'bus', 'external/default-bus').name).toBe('default-bus')
  })

  it('tries as its policy says, else 185 times in 24 hours, and keeps what it gives up', () => {
    expect(elementIn(mesh, 'delivery', 'R', 'Q')).toMatchObject({
      retry: { attempts: 4, from: 'template' },
      maxAge: 600,
      kept: true,
    })
    expect(elementIn(mesh, 'delivery', 'Off', 'Q')).toMatchObject({
      retry: { attempts: 186, from: 'eventbridge-retries' },
      maxAge: 86_400,
      kept: false,
    })
    expect(elementIn(mesh, 'dead-letter', 'R', 'D').of).toBe('delivery')
    expect(nodeIn(mesh, 'queue', 'D').settings.deadLetters).toBe(true)
  })

  it.each([
    ['ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS', true, []],
    [{ Ref: 'On' }, true, ['s/R.State']],
    ['DISABLED', false, []],
  ])('of state %j is switched on: %s', (State, enabled, unknown) => {
    const given = meshIn({ R: rule({ State, EventPattern: {} }) }, { Parameters: { On: { Type: 'String' } } })
    expect(nodeIn(given, 'rule', 'R').settings.enabled).toBe(enabled)
    expect(given.unresolved.map((one) => one.at)).toEqual(unknown)
  })

  it('invokes a function asynchronously: the function says how often, and its own destination keeps', () => {
    expect(elementIn(mesh, 'delivery', 'R', 'F')).toMatchObject({
      retry: { attempts: 3, interval: 60, backoff: 2, from: 'lambda-async-retries' },
      maxAge: 21_600,
      kept: false,
    })
  })

  it('has the limits of its region', () => {
    const [law] = nodeIn(mesh, 'bus', 'Bus').laws
    expect(law).toMatchObject({ law: 'tokens', rate: 400, shared: 'eventbridge-put-events/region' })
    const own = meshIn(
      { Bus: { Type: 'AWS::Events::EventBus' } },
      {},
      { constants: { 'eventbridge-put-events': 9 } },
    )
    expect(nodeIn(own, 'bus', 'Bus').laws).toMatchObject([{ rate: 9, from: 'eventbridge-put-events' }])
  })

  it('with a schedule is a schedule', () => {
    const scheduled = meshIn({
      F: lambda,
      R: rule({ ScheduleExpression: 'rate(5 minutes)', Targets: [{ Id: '0', Arn: arnOf('F') }] }),
    })
    expect(nodeIn(scheduled, 'schedule', 'R').settings).toMatchObject({ perSecond: 1 / 300, enabled: true })
    expect(elementsIn(scheduled, 'delivery')).toHaveLength(1)
  })

  it('hears what Step Functions puts on the default bus of the machines that it names', () => {
    const machine = {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { DefinitionString: '{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}}' },
    }
    const pattern = { source: ['aws.states'], 'detail-type': ['Step Functions Execution Status Change'] }
    const of = (detail: object) =>
      meshIn({
        A: machine,
        B: machine,
        X: { ...machine, Properties: { ...machine.Properties, StateMachineType: 'EXPRESS' } },
        R: rule({ EventPattern: { ...pattern, ...detail } }),
      })
    const from = (mesh: ReturnType<typeof of>) =>
      elementsIn(mesh, 'call')
        .filter(({ to }) => to === 'external/default-bus')
        .map((element) => element.from)
    expect(from(of({}))).toEqual(['s/A', 's/B'])
    const named = of({ detail: { stateMachineArn: [{ Ref: 'B' }] } })
    expect(from(named)).toEqual(['s/B'])
    expect(elementIn(named, 'call', 'B', 'external/default-bus')).toMatchObject({
      ...{ types: ['Step Functions Execution Status Change'], per: null, ratio: 2 },
    })
  })

  it('calls addresses outside, each at a rate of its own, also of one host', () => {
    const destination = (path: string, rate: unknown) => ({
      Type: 'AWS::Events::ApiDestination',
      Properties: {
        InvocationEndpoint: `https://api.example.com/${path}`,
        InvocationRateLimitPerSecond: rate,
      },
    })
    const called = meshIn(
      {
        C: destination('x', 7),
        D: destination('y', { Ref: 'Rate' }),
        R: rule({
          EventPattern: { source: ['a'] },
          Targets: [
            { Id: '0', Arn: arnOf('C') },
            { Id: '1', Arn: arnOf('D') },
          ],
        }),
      },
      { Parameters: { Rate: { Type: 'Number' } } },
    )
    expect(elementIn(called, 'delivery', 'R', 'C').laws).toHaveLength(1)
    expect(elementIn(called, 'delivery', 'R', 'D').laws).toHaveLength(1)
    expect(nodeIn(called, 'external', 'C').laws).toMatchObject([{ rate: 7, over: 'delay', from: 'template' }])
    expect(nodeIn(called, 'external', 'D').laws).toMatchObject([{ rate: 300, from: 'apidestination-rate' }])
    expect(called.unresolved).toMatchObject([{ at: 's/D.InvocationRateLimitPerSecond' }])
  })
})

it.each([
  ['everything', { source: [{ prefix: '' }] }, { types: null, narrower: false }],
  ['types', { 'detail-type': ['b', 'a'] }, { types: ['a', 'b'], narrower: false }],
  ['types of a source', { source: ['x'], 'detail-type': ['a'] }, { types: ['a'], narrower: false }],
  ['a source', { source: ['x'] }, { types: null, narrower: true }],
  ['part of a type', { 'detail-type': ['a'], detail: { n: [1] } }, { types: ['a'], narrower: true }],
  ['types by prefix', { 'detail-type': [{ prefix: 'a' }] }, { types: null, narrower: true }],
  ['nothing said', undefined, { types: null, narrower: false }],
])('a pattern asks for %s', (_, pattern, says) => {
  expect(asked(pattern)).toEqual(says)
})

describe('expressions', () => {
  const [minute, hour, day] = [60, 3600, 86_400]
  it.each([
    ['rate(1 minute)', 1 / minute],
    ['rate(2 hours)', 1 / (2 * hour)],
    ['rate(1 day)', 1 / day],
    ['cron(0/5 * * * ? *)', 12 / hour],
    ['cron(*/15 9-17 ? * MON-FRI *)', (4 * 9 * 5) / (7 * day)],
    ['cron(0 12 * * ? *)', 1 / day],
    ['cron(0 0 1 * ? *)', 12 / (365.25 * day)],
    ['cron(0 0 L * ? *)', 12 / (365.25 * day)],
    ['cron(0 0 ? * 2#1 *)', 12 / (365.25 * day)],
    ['cron(0 0 ? * 6L *)', 12 / (365.25 * day)],
    ['cron(0 0 ? * L *)', 1 / (7 * day)],
    ['cron(0 0 ? * MON,L,2#1 *)', 2 / (7 * day) + 12 / (365.25 * day)],
    ['cron(0 0 ? * FRI-MON *)', 4 / (7 * day)],
    ['cron(0,30 0 1 JAN,JUL ? *)', 4 / (365.25 * day)],
    ['at(2030-01-01T00:00:00)', 0],
  ])('%s', (expression, perSecond) => {
    expect(perSecondOf(expression)).toBeCloseTo(perSecond, 12)
  })

  it.each([
    'rate(0 minutes)',
    'rate(5 weeks)',
    'cron(1 2 3)',
    'cron(61 * * * ? *)',
    'cron(0 0 * * ? 2020)',
    'daily',
    '',
  ])('%s is none', (expression) => {
    expect(perSecondOf(expression)).toBeUndefined()
  })

  it('never come more often than each minute, nor fail', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('*', '?', '0/7', '1-5', '2,3', 'MON', 'L'), { minLength: 6, maxLength: 6 }),
        (fields) => {
          const perSecond = perSecondOf(`cron(${fields.join(' ')})`)
          return perSecond === undefined || (perSecond >= 0 && perSecond <= 1 / minute + 1e-12)
        },
      ),
    )
  })
})

it('of several buckets each rule takes what its own tell, and of others nobody knows', () => {
  const bucket = {
    Type: 'AWS::S3::Bucket',
    Properties: { NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } } },
  }
  const type = 'Object Created'
  const on = (name: string, to: string) => ({
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: {
        source: ['aws.s3'],
        'detail-type': [type],
        detail: { bucket: { name: [{ Ref: name }] } },
      },
      Targets: [{ Arn: arnOf(to) }],
    },
  })
  const mesh = meshIn({ U: bucket, O: bucket, F: lambda, G: lambda, RU: on('U', 'F'), RO: on('O', 'G') })
  const rates = (arrivals: object) => {
    const sends = [{ from: 'F', to: 'O', type, per: type, ratio: 3 }]
    const loaded = load(mesh, parseLoads('r.yaml', { version: 1, arrivals, sends }, mesh))
    const { rates: found, complete } = ratesOf(loaded)
    const ends = loaded.states.map(({ node: { name } }, state) => [
      name,
      complete[state] ? found[state] : null,
    ])
    return Object.fromEntries(ends.filter(([name]) => name === 'F' || name === 'G'))
  }
  expect(rates({ U: { [type]: 5 } })).toEqual({ F: 5, G: 15 })
  expect(rates({ 'default-bus': { [type]: 5 } })).toEqual({ F: null, G: null })
})

it('a rule that names each bucket whose events come to its bus asks for nothing more', () => {
  const bucket = {
    Type: 'AWS::S3::Bucket',
    Properties: { NotificationConfiguration: { EventBridgeConfiguration: {} } },
  }
  const narrower = (buckets: object, detail: object) => {
    const EventPattern = { source: ['aws.s3'], 'detail-type': ['Object Created'], detail }
    const rule = { Type: 'AWS::Events::Rule', Properties: { EventPattern, Targets: [] } }
    return nodeIn(meshIn({ ...buckets, R: rule }), 'rule', 'R').settings.narrower
  }
  const named = { bucket: { name: [{ Ref: 'B' }] } }
  expect(narrower({ B: bucket }, named)).toBe(false)
  expect(narrower({ B: bucket, C: { Type: 'AWS::S3::Bucket' } }, named)).toBe(false)
  expect(narrower({ B: bucket, C: bucket }, named)).toBe(false)
  expect(narrower({ B: bucket }, { ...named, object: { key: [{ prefix: 'in/' }] } })).toBe(true)
  expect(narrower({ B: bucket }, { bucket: { name: [{ prefix: 'a' }] } })).toBe(true)
})
