import { expect, it } from 'vitest'
import { arnOf, elementIn, lambda, meshIn, nodeIn, queue } from '../../../test/mesh-in-template.ts'
import { loadedWith } from '../../../test/meshes.ts'
import { dynamic } from '../../dynamic/dynamic.ts'
import { findingsOf } from '../../findings/findings.ts'
import { load } from '../../load.ts'
import { noLoads, parseLoads } from '../../loads.ts'
import { nonlinear } from '../../nonlinear/nonlinear.ts'
import { analyseStatic } from '../../static/analyse.ts'

const of = (properties: object, more: object = {}) =>
  meshIn({ F: { ...lambda, Properties: properties }, ...more })

it('a function shares what the account has', () => {
  const { settings, laws } = nodeIn(of({}), 'function', 'F')
  expect(settings).toEqual({ timeout: 3, memory: 128 })
  expect(laws).toEqual([
    {
      law: 'servers',
      servers: 1000,
      over: 'refuse',
      shared: 'lambda-concurrency/region',
      from: 'lambda-concurrency',
    },
    {
      law: 'tokens',
      rate: 10_000,
      burst: 0,
      unit: 'synchronous requests',
      over: 'refuse',
      shared: 'lambda-requests/region',
      from: 'lambda-requests-per-environment',
    },
    { law: 'scaling', initial: 1000, perMinute: 6000, most: 1000, from: 'lambda-scaling-step' },
  ])
})

it('begins with so many more at once than run, beyond what is provisioned', () => {
  const { laws } = nodeIn(of({ ReservedConcurrentExecutions: 5000 }), 'function', 'F')
  expect(laws[2]).toMatchObject({ law: 'scaling', initial: 1000, ahead: 1000, perMinute: 6000, most: 5000 })
})

it('what is reserved is its own; of none it has no limit to be held against, for it never runs', () => {
  const { laws } = nodeIn(
    of({ ReservedConcurrentExecutions: 5, Timeout: 60, MemorySize: 512 }),
    'function',
    'F',
  )
  expect(laws).toMatchObject([{ servers: 5, from: 'template' }, { rate: 50 }, { initial: 5, most: 5 }])
  expect(laws[0]).not.toHaveProperty('shared')
  expect(nodeIn(of({ ReservedConcurrentExecutions: 0 }), 'function', 'F').laws).toEqual([])
})

it.each([
  [900, 100],
  [400, 600],
  [980, 100],
])('of what the account has, others may reserve %d: %d are left', (reserved, left) => {
  const other = { ...lambda, Properties: { ReservedConcurrentExecutions: reserved / 2 } }
  const { laws } = nodeIn(of({}, { A: other, B: other }), 'function', 'F')
  expect(laws).toMatchObject([
    { servers: left, shared: 'lambda-concurrency/region', from: 'lambda-concurrency' },
    { rate: 10 * left },
    { initial: left, most: left },
  ])
})

it.each([
  [
    'T',
    'AWS::SNS::Topic',
    {
      Type: 'AWS::SNS::Subscription',
      Properties: { TopicArn: { Ref: 'T' }, Protocol: 'lambda', Endpoint: arnOf('F') },
    },
  ],
  [
    'Q',
    'AWS::SQS::Queue',
    {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: arnOf('Q'), FunctionName: { Ref: 'F' } },
    },
  ],
])('its requests are limited where somebody waits for them: of what comes by %s, a %s', (from, Type, way) => {
  const mesh = of({ ReservedConcurrentExecutions: 10 }, { [from]: { Type }, Way: way })
  const loaded = load(mesh, {
    ...noLoads,
    arrivals: new Map([[`s/${from}`, new Map([['x', 200]])]]),
    service: new Map([['s/F', { mean: 0.02, scv: 1, batch: undefined }]]),
  })
  const waits = from === 'Q'
  const { stresses } = analyseStatic(loaded)
  expect(stresses.filter(({ unit }) => unit === 'synchronous requests')).toMatchObject([
    { at: 's/F', demand: waits ? 200 : 0, limit: 100 },
  ])
  const high = findingsOf(loaded).filter(({ rule, at }) => rule === 'over-utilised' && at === 's/F')
  expect(high).toHaveLength(waits ? 1 : 0)
  const { limits } = dynamic(loaded, { shape: 'step', factor: 1.1 })
  expect(limits.filter(({ at, law }) => at === 's/F' && law === 'tokens')).toHaveLength(waits ? 1 : 0)
  // 10 at once of 20 ms are 500 a second
  const site = nonlinear(loaded).sites.find(({ at }) => at === 's/F')
  expect(site?.capacity).toBe(waits ? 100 : 500)
})

it('aliases keep environments warm', () => {
  const alias = (n: number) => ({
    Type: 'AWS::Lambda::Alias',
    Properties: {
      FunctionName: { Ref: 'F' },
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: n },
    },
  })
  expect(nodeIn(of({}, { A: alias(3), B: alias(4) }), 'function', 'F').settings.provisioned).toBe(7)
})

it.each(['Alias', 'Version'])(
  'what an %s has provisioned is not for others: demand beyond it is theirs together',
  (type) => {
    const warm = { ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 850 } }
    const mesh = of(
      {},
      { G: lambda, V: { Type: `AWS::Lambda::${type}`, Properties: { FunctionName: { Ref: 'F' }, ...warm } } },
    )
    const stress = (f: number, g = 200) => {
      const loaded = loadedWith(mesh, { 's/F': f, 's/G': g }, { 's/F': 1, 's/G': 1 })
      const pool = analyseStatic(loaded).stresses.find(({ name }) => name.startsWith('lambda-concurrency'))
      return [pool?.demand, pool?.limit, pool?.safety]
    }
    expect(stress(0)).toEqual([200, 150, 0.75])
    // F: 400 of its own 850, which it uses up at 2.125 times the load
    expect(stress(400)).toEqual([200, 150, 0.75])
    // by hand: F's own are used up at 850 / 800, and 900 k - 850 = 150 from there on
    expect(stress(800, 100)).toEqual([100, 150, 1000 / 900])
    expect(stress(900, 100)).toEqual([150, 150, 1])
    const reserved = { Type: 'AWS::Lambda::Function', Properties: { ReservedConcurrentExecutions: 900 } }
    expect(nodeIn(of({}, { G: reserved }), 'function', 'F').laws[0]).toMatchObject({ servers: 100 })
  },
)

it('what fails asynchronously goes where the function says, what goes well too', () => {
  const mesh = of(
    { DeadLetterConfig: { TargetArn: arnOf('D') } },
    {
      ...{ D: queue, E: queue, S: queue },
      T: { Type: 'AWS::SNS::Topic' },
      Sub: {
        Type: 'AWS::SNS::Subscription',
        Properties: { TopicArn: { Ref: 'T' }, Protocol: 'lambda', Endpoint: arnOf('F') },
      },
      C: {
        Type: 'AWS::Lambda::EventInvokeConfig',
        Properties: {
          ...{ FunctionName: { Ref: 'F' }, MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 300 },
          DestinationConfig: {
            OnFailure: { Destination: arnOf('E') },
            OnSuccess: { Destination: arnOf('S') },
          },
        },
      },
    },
  )
  expect(elementIn(mesh, 'dead-letter', 'F', 'D').of).toBe('async')
  expect(elementIn(mesh, 'dead-letter', 'F', 'E').of).toBe('async')
  expect(elementIn(mesh, 'delivery', 'F', 'S').types).toEqual(['Lambda Function Invocation Result - Success'])
  expect(elementIn(mesh, 'delivery', 'T', 'F')).toMatchObject({
    retry: { attempts: 2, from: 'template' },
    maxAge: 300,
    kept: true,
  })
})

it('whoever waits for a function, its destination is not told', () => {
  const made = (more: object) =>
    of(
      {},
      {
        ...{ S: queue, Q: queue },
        M: {
          Type: 'AWS::Lambda::EventSourceMapping',
          Properties: { EventSourceArn: arnOf('Q'), FunctionName: { Ref: 'F' } },
        },
        C: {
          Type: 'AWS::Lambda::EventInvokeConfig',
          Properties: {
            FunctionName: { Ref: 'F' },
            DestinationConfig: { OnSuccess: { Destination: arnOf('S') } },
          },
        },
        ...more,
      },
    ).elements.filter(({ from }) => from === 's/F')
  expect(made({})).toEqual([])
  const rule = {
    Type: 'AWS::Events::Rule',
    Properties: { EventPattern: { source: ['a'] }, Targets: [{ Arn: arnOf('F') }] },
  }
  expect(made({ R: rule })).toMatchObject([{ kind: 'delivery', to: 's/S', filtered: true }])
})

it('a dead-letter queue of its own keeps what fails asynchronously too', () => {
  const rule = {
    Type: 'AWS::Events::Rule',
    Properties: { EventPattern: { source: ['a'] }, Targets: [{ Arn: arnOf('F') }] },
  }
  const mesh = of({ DeadLetterConfig: { TargetArn: arnOf('D') } }, { D: queue, R: rule })
  expect(elementIn(mesh, 'delivery', 'R', 'F').kept).toBe(true)
})

const ruleOn = (more: object) => ({
  Type: 'AWS::Events::Rule',
  Properties: { EventBusName: { Ref: 'B' }, Targets: [{ Arn: arnOf('D') }], ...more },
})
const failed = ['Lambda Function Invocation Result - Failure']
it.each<[string, string, object, boolean]>([
  ['a topic that nobody subscribes to', 'T', {}, false],
  [
    'a topic with a subscription',
    'T',
    {
      Sub: {
        Type: 'AWS::SNS::Subscription',
        Properties: { TopicArn: { Ref: 'T' }, Protocol: 'email', Endpoint: 'a@example.com' },
      },
    },
    true,
  ],
  ['a bus without a rule', 'B', {}, false],
  ['a bus with a rule for it', 'B', { R: ruleOn({ EventPattern: { 'detail-type': failed } }) }, true],
  ['a bus with a rule for others', 'B', { R: ruleOn({ EventPattern: { 'detail-type': ['other'] } }) }, false],
  [
    'a bus whose rule is off',
    'B',
    { R: ruleOn({ EventPattern: { 'detail-type': failed }, State: 'DISABLED' }) },
    false,
  ],
  [
    'a bus with an archive',
    'B',
    { A: { Type: 'AWS::Events::Archive', Properties: { SourceArn: arnOf('B') } } },
    true,
  ],
])('what fails asynchronously and is told to %s', (_, to, more, kept) => {
  const mesh = of(
    {},
    {
      ...{ D: queue, T: { Type: 'AWS::SNS::Topic' }, B: { Type: 'AWS::Events::EventBus' } },
      Ask: {
        Type: 'AWS::SNS::Topic',
        Properties: { Subscription: [{ Protocol: 'lambda', Endpoint: arnOf('F') }] },
      },
      C: {
        Type: 'AWS::Lambda::EventInvokeConfig',
        Properties: {
          FunctionName: { Ref: 'F' },
          DestinationConfig: { OnFailure: { Destination: to === 'T' ? { Ref: to } : arnOf(to) } },
        },
      },
      ...more,
    },
  )
  expect(elementIn(mesh, 'delivery', 'Ask', 'F').kept).toBe(kept)
  expect(elementIn(mesh, 'dead-letter', 'F', to).unheard).toBe(kept ? undefined : true)
  // 30 of a hundred attempts fail, three are made
  const loads = {
    version: 1,
    arrivals: { Ask: { x: 1 } },
    service: { F: { mean: 0.1 } },
    failures: { F: 0.3 },
  }
  const loaded = load(mesh, parseLoads('rates.json', loads, mesh))
  expect(analyseStatic(loaded).paths.find(({ nodes }) => nodes.at(-1) === 's/F')?.lost).toBeCloseTo(
    kept ? 0 : 0.3 ** 3,
    9,
  )
  expect(findingsOf(loaded).filter(({ rule }) => rule === 'async-without-destination')).toHaveLength(
    kept ? 0 : 1,
  )
})

it('an address of its own is an api', () => {
  const mesh = of(
    { Timeout: 20 },
    { U: { Type: 'AWS::Lambda::Url', Properties: { TargetFunctionArn: arnOf('F'), AuthType: 'NONE' } } },
  )
  expect(nodeIn(mesh, 'api', 'U').settings.protocol).toBe('HTTP')
  expect(elementIn(mesh, 'invoke', 'U', 'F').timeout).toBe(20)
})

it('what only deployments run is no part of the mesh', () => {
  const mesh = meshIn({
    F: lambda,
    G: lambda,
    C: { Type: 'Custom::Own', Properties: { ServiceToken: arnOf('F') } },
  })
  expect(mesh.nodes.map(({ id }) => id)).toEqual(['s/G'])
  expect(mesh.unknown).toEqual([{ type: 'Custom::Own', paths: ['s/C'] }])
})
