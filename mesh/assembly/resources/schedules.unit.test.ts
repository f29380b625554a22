// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
import { expect, it } from 'vitest'
import { arnOf, elementIn, lambda, meshIn, nodeIn, queue } from '../../../test/mesh-in-template.ts'

const schedule = (Target: object, more: object = {}) => ({
  Type: 'AWS::Scheduler::Schedule',
  Properties: { ScheduleExpression: 'rate(10 minutes)', Target, ...more },
})

it('a schedule pushes as its policy says', () => {
  const mesh = meshIn({
    Q: queue,
    D: queue,
    S: schedule({
      Arn: arnOf('Q'),
      DeadLetterConfig: { Arn: arnOf('D') },
      RetryPolicy: { MaximumRetryAttempts: 0 },
    }),
  })
  expect(nodeIn(mesh, 'schedule', 'S').settings.perSecond).toBeCloseTo(1 / 600, 12)
  expect(elementIn(mesh, 'delivery', 'S', 'Q')).toMatchObject({
    retry: { attempts: 1, from: 'template' },
    kept: true,
  })
  expect(elementIn(mesh, 'dead-letter', 'S', 'D').of).toBe('delivery')
})

it('an expression that cannot be read counts as never, and is listed', () => {
  const mesh = meshIn({
    Q: queue,
    S: schedule({ Arn: arnOf('Q') }, { ScheduleExpression: 'sometimes', State: 'DISABLED' }),
  })
  expect(nodeIn(mesh, 'schedule', 'S').settings).toEqual({
    perSecond: 0,
    expression: 'sometimes',
    enabled: false,
  })
  expect(mesh.unresolved).toEqual([{ at: 's/S.ScheduleExpression', reference: 'sometimes' }])
})

it('may call any API: what its input names is meant', () => {
  const target = {
    Arn: 'arn:aws:scheduler:::aws-sdk:sqs:sendMessage',
    Input: { 'Fn::Sub': '{"QueueUrl":"${Q}","MessageBody":"x"}' },
  }
  expect(elementIn(meshIn({ Q: queue, S: schedule(target) }), 'delivery', 'S', 'Q').kept).toBe(false)
  const mesh = meshIn({ S: schedule({ Arn: 'arn:aws:scheduler:::aws-sdk:ec2:stopInstances', Input: '{}' }) })
  expect(mesh.unresolved).toEqual([
    { at: 's/S.Target.Arn', reference: 'arn:aws:scheduler:::aws-sdk:ec2:stopInstances' },
  ])
})

it('a pipe polls, asks and hands on', () => {
  const pipe = (more: object) => ({
    Type: 'AWS::Pipes::Pipe',
    Properties: { Source: arnOf('Q'), Target: arnOf('B'), Enrichment: arnOf('F'), ...more },
  })
  const parameters = {
    SqsQueueParameters: { BatchSize: 4, MaximumBatchingWindowInSeconds: 1 },
    FilterCriteria: { Filters: [{ Pattern: '{}' }] },
  }
  const mesh = meshIn({
    Q: queue,
    F: lambda,
    B: { Type: 'AWS::Events::EventBus' },
    P: pipe({ SourceParameters: parameters, DesiredState: 'STOPPED' }),
  })
  expect(elementIn(mesh, 'poll', 'Q', 'P')).toMatchObject({
    batch: 4,
    window: 1,
    filtered: true,
    enabled: false,
  })
  expect(elementIn(mesh, 'invoke', 'P', 'F').timeout).toBe(3)
  expect(nodeIn(mesh, 'pipe', 'P').settings.enrichment).toBe(elementIn(mesh, 'invoke', 'P', 'F').to)
  expect(elementIn(mesh, 'call', 'P', 'B')).toMatchObject({ carries: true, ratio: 1 })
})

it('a pipe from a stream says when a record is given up', () => {
  const mesh = meshIn({
    Q: queue,
    T: { Type: 'AWS::DynamoDB::Table' },
    P: {
      Type: 'AWS::Pipes::Pipe',
      Properties: {
        ...{ Source: { 'Fn::GetAtt': ['T', 'StreamArn'] }, Target: arnOf('Q') },
        SourceParameters: {
          FilterCriteria: { Filters: [] },
          DynamoDBStreamParameters: {
            ...{ StartingPosition: 'LATEST', MaximumRetryAttempts: 4 },
            OnPartialBatchItemFailure: 'AUTOMATIC_BISECT',
          },
        },
      },
    },
  })
  expect(elementIn(mesh, 'poll', 'T', 'P')).toMatchObject({ attempts: 5, maxAge: null, bisect: true })
})

it.each([
  ['EXPRESS', {}, 'invoke'],
  ['EXPRESS', { StepFunctionStateMachineParameters: { InvocationType: 'FIRE_AND_FORGET' } }, 'call'],
  ['STANDARD', {}, 'call'],
])(
  'of a machine that is %s and told %j a pipe makes an element %s',
  (StateMachineType, TargetParameters, kind) => {
    const definition = { StartAt: 'End', States: { End: { Type: 'Succeed' } } }
    const mesh = meshIn({
      Q: queue,
      M: {
        Type: 'AWS::StepFunctions::StateMachine',
        Properties: { StateMachineType, DefinitionString: JSON.stringify(definition) },
      },
      P: {
        Type: 'AWS::Pipes::Pipe',
        Properties: { Source: arnOf('Q'), Target: { Ref: 'M' }, TargetParameters },
      },
    })
    expect(mesh.elements.find(({ from, to }) => from === 's/P' && to === 's/M')?.kind).toBe(kind)
  },
)

it.each([
  ['AWS::SQS::Queue', {}, 'latency-sqs-p50'],
  ['AWS::SQS::Queue', { FifoQueue: true }, 'latency-sqs-fifo-p50'],
])('what a %s %j takes on its way to a function it takes on its way to a pipe', (Type, Properties, from) => {
  const pipe = { Type: 'AWS::Pipes::Pipe', Properties: { Source: arnOf('Q'), Target: arnOf('F') } }
  const { laws } = elementIn(meshIn({ F: lambda, Q: { Type, Properties }, P: pipe }), 'poll', 'Q', 'P')
  expect(laws).toMatchObject([{ law: 'latency', from }])
})

it.each([
  ['KinesisStreamParameters', 'AWS::Kinesis::Stream', 'Arn', { ShardCount: 2 }, {}, 2, 'template'],
  [
    ...['KinesisStreamParameters', 'AWS::Kinesis::Stream', 'Arn'],
    ...[{ ShardCount: 2 }, { ParallelizationFactor: 5 }, 10, 'template'],
  ],
  [
    ...['KinesisStreamParameters', 'AWS::Kinesis::Stream', 'Arn'],
    ...[{ StreamModeDetails: { StreamMode: 'ON_DEMAND' } }, {}, 4, 'kinesis-on-demand-records'],
  ],
  [
    ...['DynamoDBStreamParameters', 'AWS::DynamoDB::Table', 'StreamArn'],
    ...[{ BillingMode: 'PAY_PER_REQUEST' }, { ParallelizationFactor: 3 }, 12, 'dynamodb-partition-writes'],
  ],
] as const)(
  'a pipe by its %s polls a %s (%s) with %j and %j as a function would: %d batches at once',
  (member, Type, attribute, Properties, given, servers, from) => {
    const Source = { 'Fn::GetAtt': ['S', attribute] }
    const SourceParameters = { [member]: { StartingPosition: 'LATEST', ...given } }
    const mesh = meshIn({
      ...{ F: lambda, G: lambda, S: { Type, Properties } },
      P: { Type: 'AWS::Pipes::Pipe', Properties: { Source, SourceParameters, Target: arnOf('F') } },
      M: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { EventSourceArn: Source, FunctionName: { Ref: 'G' }, ...given },
      },
    })
    const { laws } = elementIn(mesh, 'poll', 'S', 'P')
    expect(laws[0]).toEqual({ law: 'servers', servers, over: 'wait', keyed: true, from })
    expect(laws).toEqual(elementIn(mesh, 'poll', 'S', 'G').laws)
  },
)
