// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arnOf, lambda, meshIn, queue } from '../../test/mesh-in-template.ts'
import { MeshError } from '../faults.ts'
import { constants } from '../laws/constants.ts'
import { load } from '../load.ts'
import { meshDocument } from '../model.ts'
import { analyseStatic } from '../static/analyse.ts'
import { meshOf, type Options } from './mesh-of.ts'
import { assemblyOf } from './read/read.ts'
import { isIgnored } from './resources/ignored.ts'

const at = (path: string, resource: object = queue) => ({ ...resource, Metadata: { 'aws:cdk:path': path } })
const names = (resources: object) =>
  Object.fromEntries(meshIn(resources).nodes.map(({ id, name }) => [id.replace('s/', ''), name]))

describe('names', () => {
  it('are what says something, without what only says of what kind it is', () => {
    expect(
      names({
        A: at('app/record-queue/queue/Resource'),
        B: at('app/record/function/Resource', lambda),
        C: at('app/Orders/Resource'),
        D: at('app/Web/Service/Service'),
      }),
    ).toEqual({
      ...{ A: 'record-queue', B: 'record', C: 'Orders', D: 'Web' },
    })
  })

  it('have as much with them as it takes to be the only one', () => {
    expect(
      names({
        A: at('app/one/Dlq/Resource'),
        B: at('app/two/Dlq/Resource'),
        C: at('app/x/Resource'),
        D: at('app/x/function/Resource', lambda),
      }),
    ).toEqual({
      ...{ A: 'one/Dlq', B: 'two/Dlq', C: 'app/x', D: 'x/function' },
    })
  })

  it('are logical ids where nothing says more', () => {
    expect(names({ Q: queue, F: lambda })).toEqual({ Q: 'Q', F: 'F' })
  })
})

const system = {
  Bus: { Type: 'AWS::Events::EventBus' },
  Rule: {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventBusName: { Ref: 'Bus' },
      EventPattern: { source: ['a'] },
      Targets: [{ Arn: arnOf('Q'), DeadLetterConfig: { Arn: arnOf('D') } }, { Arn: arnOf('F') }],
    },
  },
  Q: { ...queue, Properties: { RedrivePolicy: { deadLetterTargetArn: arnOf('D'), maxReceiveCount: 3 } } },
  D: queue,
  F: { ...lambda, Properties: { Role: arnOf('R') } },
  M: {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { EventSourceArn: arnOf('Q'), FunctionName: { Ref: 'F' } },
  },
  R: {
    Type: 'AWS::IAM::Role',
    Properties: {
      Policies: [
        {
          PolicyDocument: {
            Statement: [
              {
                Effect: 'Allow',
                Action: ['events:PutEvents', 'sqs:SendMessage'],
                Resource: [{ 'Fn::GetAtt': ['Bus', 'Arn'] }, arnOf('Q'), '*'],
              },
            ],
          },
        },
      ],
    },
  },
  X: { Type: 'AWS::Mystery::Thing' },
}

describe('the document', () => {
  it('is the same whatever the order of the resources', () => {
    const expected = JSON.stringify(meshIn(system))
    fc.assert(
      fc.property(
        fc.shuffledSubarray(Object.entries(system), { minLength: Object.keys(system).length }),
        (entries) => {
          expect(JSON.stringify(meshIn(Object.fromEntries(entries)))).toBe(expected)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('has nodes at both ends of each element, and each id once', () => {
    const { nodes, elements } = meshDocument.parse(meshIn(system))
    const ids = new Set(nodes.map(({ id }) => id))
    for (const { from, to } of elements) expect([ids.has(from), ids.has(to)]).toEqual([true, true])
    expect(new Set(elements.map(({ id }) => id)).size).toBe(elements.length)
    expect(ids.size).toBe(nodes.length)
  })

  it('says of each law where its number is from', () => {
    const known = ['template', ...constants.map(({ name }) => name)]
    const { nodes, elements } = meshIn(system)
    for (const { from } of [...nodes, ...elements].flatMap(({ laws }) => laws)) expect(known).toContain(from)
  })

  it('lists what it does not know, and nothing that carries no messages', () => {
    const mesh = meshIn({
      ...system,
      P: { Type: 'AWS::SQS::QueuePolicy' },
      L: { Type: 'AWS::Logs::LogGroup' },
      C: { Type: 'Custom::S3AutoDeleteObjects', Properties: { ServiceToken: 'x' } },
      'Fn::ForEach::Queues': ['N', ['a'], {}],
    })
    expect(mesh.unknown).toEqual([
      { type: 'AWS::Mystery::Thing', paths: ['s/X'] },
      { type: 'Fn::ForEach', paths: ['s/Fn::ForEach::Queues'] },
    ])
    expect([isIgnored('AWS::IAM::Role'), isIgnored('AWS::IAMX::Role'), isIgnored('Custom::Mine')]).toEqual([
      true,
      false,
      false,
    ])
  })

  it('is made of whatever a template holds, or refused with a MeshError', () => {
    const types = [
      'AWS::SQS::Queue',
      'AWS::Events::Rule',
      'AWS::Lambda::EventSourceMapping',
      'AWS::StepFunctions::StateMachine',
      'AWS::SNS::Subscription',
      'AWS::ApiGateway::Method',
      'AWS::Pipes::Pipe',
      'AWS::ECS::Service',
      'AWS::CloudWatch::Alarm',
      'AWS::Scheduler::Schedule',
      'AWS::DynamoDB::Table',
      'AWS::S3::Bucket',
      'AWS::IAM::Role',
    ]
    const members = [
      'Arn',
      'Targets',
      'EventBusName',
      'FunctionName',
      'RedrivePolicy',
      'DefinitionString',
      'TopicArn',
      'Endpoint',
      'Integration',
      'Uri',
      'Target',
      'Source',
      'Metrics',
      'Dimensions',
      'Policies',
      'Role',
      'ScheduleExpression',
      'NotificationConfiguration',
      'LoadBalancers',
      'BatchSize',
      'EventPattern',
      'RestApiId',
      'EventSourceArn',
    ]
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(
          null,
          true,
          0,
          5,
          '',
          'x',
          '*',
          'arn:aws:sqs:r:a:n',
          'A',
          'rate(1 day)',
          '{"States":{}}',
        ),
        fc.constantFrom<unknown>(
          { Ref: 'X' },
          arnOf('Y'),
          { 'Fn::Sub': '${Z.Arn}' },
          { 'Fn::If': [1] },
          { 'Fn::Join': 5 },
          { 'Fn::Select': ['x', []] },
        ),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...members), tie('any'), { maxKeys: 5 }),
      ),
    })).any
    const resource = fc.record({ Type: fc.constantFrom(...types), Properties: value })
    fc.assert(
      fc.property(fc.record({ A: resource, B: resource, C: resource }), (resources) => {
        try {
          meshDocument.parse(
            meshIn({ ...resources, X: queue, Y: lambda, Z: { Type: 'AWS::DynamoDB::Table' } }),
          )
        } catch (error) {
          expect(error).toBeInstanceOf(MeshError)
          // in the template, not in what was made of it
          expect(String(error)).toMatch(/^MeshError: s: (Resources|Conditions)\.[ABC]/)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

describe('a template that names no region', () => {
  const resources = { B: { Type: 'AWS::Events::EventBus' }, A: { Type: 'AWS::ApiGatewayV2::Api' } }
  const limits = (options: Options) => {
    const { nodes, stacks } = meshIn(resources, {}, options)
    const rates = nodes.flatMap(({ laws }) => laws.flatMap((law) => (law.law === 'tokens' ? [law.rate] : [])))
    return { rates, stacks }
  }

  it('has the least limits of all regions, or those of the region that is said', () => {
    expect(limits({})).toEqual({ rates: [2500, 400], stacks: [{ name: 's', region: null }] })
    expect(limits({ region: 'us-east-1' })).toEqual({
      ...{ rates: [10_000, 10_000], stacks: [{ name: 's', region: 'us-east-1', assumed: true }] },
    })
    expect(analyseStatic(load(meshIn(resources))).assumptions.join()).toMatch(/s: no region .* the least/)
    expect(analyseStatic(load(meshIn(resources, {}, { region: 'eu-west-1' }))).assumptions.join()).toMatch(
      /in eu-west-1.*s: no region in the template, taken as eu-west-1/,
    )
  })

  it('is refused a region that is none', () => {
    expect(() => limits({ region: 'europe' })).toThrow(/region: europe is none of AWS: give one such as/)
  })
})

it('accounts share no limits and no default bus with each other, where it is known that there are several', () => {
  const template = {
    Resources: {
      F: lambda,
      R: { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: ['a'] }, Targets: [] } },
    },
  }
  const shared = (...accounts: (string | null)[]) => {
    const all = accounts.map((account, place) => {
      const { stacks, ...more } = assemblyOf(`s${place}`, template)
      return { ...more, stacks: stacks.map((stack) => ({ ...stack, region: 'eu-west-1', account })) }
    })
    const { nodes } = meshOf(all)
    const names = nodes.flatMap(({ laws }) => laws.flatMap((law) => ('shared' in law ? [law.shared] : [])))
    const buses = nodes.flatMap(({ id, kind }) => (kind === 'bus' ? [id] : []))
    return [...new Set([...names.filter((name) => name?.startsWith('lambda-concurrency')), ...buses])]
  }
  expect(shared('1', '2')).toEqual([
    ...['lambda-concurrency/1.eu-west-1', 'lambda-concurrency/2.eu-west-1'],
    ...['external/default-bus.1.eu-west-1', 'external/default-bus.2.eu-west-1'],
  ])
  expect(shared('1', '1')).toEqual(['lambda-concurrency/eu-west-1', 'external/default-bus.eu-west-1'])
  expect(shared('1', null)).toEqual(['lambda-concurrency/eu-west-1', 'external/default-bus.eu-west-1'])
})

it('what calls a function and is not modelled is listed, and only then', () => {
  const named = arnOf('F')
  const of = (type: string, properties: object) => ({ Type: `AWS::${type}`, Properties: properties })
  const mesh = meshIn({
    F: lambda,
    Pool: of('Cognito::UserPool', { LambdaConfig: { PreSignUp: named } }),
    Plain: of('Cognito::UserPool', {}),
    Filter: of('Logs::SubscriptionFilter', { LogGroupName: 'x', FilterPattern: '', DestinationArn: named }),
    Group: of('Logs::LogGroup', {}),
    Asks: of('ApiGatewayV2::Authorizer', { AuthorizerType: 'REQUEST', AuthorizerUri: named }),
    Reads: of('ApiGatewayV2::Authorizer', { AuthorizerType: 'JWT', JwtConfiguration: {} }),
    Old: of('ApiGateway::Authorizer', { Type: 'TOKEN', AuthorizerUri: named }),
  })
  expect(mesh.unknown).toEqual([
    { type: 'AWS::ApiGateway::Authorizer', paths: ['s/Old'] },
    { type: 'AWS::ApiGatewayV2::Authorizer', paths: ['s/Asks'] },
    { type: 'AWS::Cognito::UserPool', paths: ['s/Pool'] },
    { type: 'AWS::Logs::SubscriptionFilter', paths: ['s/Filter'] },
  ])
})
