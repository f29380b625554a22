// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
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

describe('a queue', () => {
  it('has the defaults of CloudFormation', () => {
    expect(nodeIn(meshIn({ Q: queue }), 'queue', 'Q').settings).toEqual({
      visibility: 30,
      retention: 345_600,
      delay: 0,
      fifo: false,
      deadLetters: false,
    })
  })

  it('says where letters go, as an object or as JSON', () => {
    const of = (RedrivePolicy: unknown) =>
      meshIn({ D: queue, Q: { ...queue, Properties: { VisibilityTimeout: '90', RedrivePolicy } } })
    const mesh = of({ deadLetterTargetArn: arnOf('D'), maxReceiveCount: '4' })
    expect(elementIn(mesh, 'dead-letter', 'Q', 'D').of).toBe('poll')
    expect(nodeIn(mesh, 'queue', 'Q').settings).toMatchObject({ visibility: 90, maxReceiveCount: 4 })
    expect(nodeIn(mesh, 'queue', 'D').settings.deadLetters).toBe(true)
    const text = of({ 'Fn::Sub': '{"deadLetterTargetArn":"${D.Arn}","maxReceiveCount":2}' })
    expect(elementIn(text, 'dead-letter', 'Q', 'D').of).toBe('poll')
    expect(nodeIn(text, 'queue', 'Q').settings.maxReceiveCount).toBe(2)
  })

  it.each(['{maxReceiveCount: 2}', '5', 'a', 7])(
    'with the redrive policy %j is an error that says where',
    (RedrivePolicy) => {
      expect(() => meshIn({ Q: { ...queue, Properties: { RedrivePolicy } } })).toThrow(
        /s: Resources\.Q\.Properties\.RedrivePolicy: expected an object or its JSON, not/,
      )
    },
  )

  it('whose redrive policy only a deployment knows has none, and that is listed', () => {
    const mesh = meshIn(
      { Q: { ...queue, Properties: { RedrivePolicy: { Ref: 'P' } } } },
      { Parameters: { P: { Type: 'String' } } },
    )
    expect(nodeIn(mesh, 'queue', 'Q').settings).not.toHaveProperty('maxReceiveCount')
    expect(mesh.unresolved).toMatchObject([{ at: 's/Q.RedrivePolicy' }])
  })

  it('in order has a limit, higher in its high mode', () => {
    const of = (more: object) =>
      nodeIn(meshIn({ Q: { ...queue, Properties: { FifoQueue: true, ...more } } }), 'queue', 'Q').laws
    expect(of({})).toContainEqual({
      law: 'tokens',
      rate: 300,
      burst: 300,
      unit: 'requests',
      over: 'refuse',
      from: 'sqs-fifo',
    })
    expect(of({ FifoThroughputLimit: 'perMessageGroupId' })).toContainEqual(
      expect.objectContaining({ rate: 2400, from: 'sqs-fifo-high' }),
    )
  })

  it.each([
    ['soon', /s: Resources\.Q\.Properties\.VisibilityTimeout: expected a number of at least 0, not "soon"/],
    [-1, /expected a number of at least 0, not -1/],
    [{ a: 1 }, /not \{"a":1\}/],
  ])('with a wrong number %j is an error that says where', (VisibilityTimeout, says) => {
    expect(() => meshIn({ Q: { ...queue, Properties: { VisibilityTimeout } } })).toThrow(says)
  })

  it('whose number only a deployment knows has the default, and the number is listed', () => {
    const mesh = meshIn(
      { Q: { ...queue, Properties: { VisibilityTimeout: { Ref: 'P' } } } },
      { Parameters: { P: { Type: 'Number' } } },
    )
    expect(nodeIn(mesh, 'queue', 'Q').settings.visibility).toBe(30)
    expect(mesh.unresolved).toEqual([{ at: 's/Q.VisibilityTimeout', reference: '${parameter P of s}' }])
  })
})

describe('an event source', () => {
  const mapping = (properties: object) => ({
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: { FunctionName: { Ref: 'F' }, ...properties },
  })

  it('polls a queue: as many batches at once as it may, five at first', () => {
    const mesh = meshIn({ Q: queue, F: lambda, M: mapping({ EventSourceArn: arnOf('Q') }) })
    const poll = elementIn(mesh, 'poll', 'Q', 'F')
    expect(poll).toMatchObject({ batch: 10, window: 0, partialBatch: false, filtered: false, enabled: true })
    expect(poll.laws).toEqual([
      { law: 'servers', servers: 1250, over: 'wait', from: 'lambda-sqs-most' },
      { law: 'scaling', initial: 5, perMinute: 300, most: 1250, from: 'lambda-sqs-per-minute' },
      { law: 'latency', p50: 0.016, p99: 0.105, from: 'latency-sqs-p50' },
    ])
  })

  it('says what of it is not the default', () => {
    const given = {
      ...{ EventSourceArn: arnOf('Q'), BatchSize: 5, MaximumBatchingWindowInSeconds: 2, Enabled: 'false' },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      FilterCriteria: { Filters: [{ Pattern: '{}' }] },
      ScalingConfig: { MaximumConcurrency: 2 },
    }
    const poll = elementIn(meshIn({ Q: queue, F: lambda, M: mapping(given) }), 'poll', 'Q', 'F')
    expect(poll).toMatchObject({ batch: 5, window: 2, partialBatch: true, filtered: true, enabled: false })
    expect(poll.laws.slice(0, 2)).toMatchObject([
      { servers: 2, from: 'template' },
      { initial: 2, most: 2 },
    ])
  })

  it('is on where only a deployment knows, which is listed', () => {
    const mesh = meshIn(
      { Q: queue, F: lambda, M: mapping({ EventSourceArn: arnOf('Q'), Enabled: { Ref: 'On' } }) },
      { Parameters: { On: { Type: 'String' } } },
    )
    expect(elementIn(mesh, 'poll', 'Q', 'F').enabled).toBe(true)
    expect(mesh.unresolved).toMatchObject([{ at: 's/M.Enabled' }])
  })

  it('with pollers of its own grows faster and further', () => {
    const given = {
      EventSourceArn: arnOf('Q'),
      ProvisionedPollerConfig: { MinimumPollers: 4, MaximumPollers: 50 },
    }
    expect(
      elementIn(meshIn({ Q: queue, F: lambda, M: mapping(given) }), 'poll', 'Q', 'F').laws.slice(0, 2),
    ).toMatchObject([
      { servers: 500, from: 'template' },
      { initial: 40, perMinute: 1000, most: 500 },
    ])
    const usual = { EventSourceArn: arnOf('Q'), ProvisionedPollerConfig: { MinimumPollers: 4 } }
    expect(
      elementIn(meshIn({ Q: queue, F: lambda, M: mapping(usual) }), 'poll', 'Q', 'F').laws[0],
    ).toMatchObject({ servers: 2000, from: 'lambda-poller-maximum' })
  })

  it('polls streams by their shards, and keeps what it gives up', () => {
    const mesh = meshIn({
      D: queue,
      F: lambda,
      T: { Type: 'AWS::DynamoDB::Table', Properties: { BillingMode: 'PAY_PER_REQUEST' } },
      K: { Type: 'AWS::Kinesis::Stream', Properties: { ShardCount: 3 } },
      MT: mapping({
        EventSourceArn: { 'Fn::GetAtt': ['T', 'StreamArn'] },
        ParallelizationFactor: 2,
        DestinationConfig: { OnFailure: { Destination: arnOf('D') } },
      }),
      MK: mapping({ EventSourceArn: arnOf('K'), ParallelizationFactor: 10, BatchSize: 7 }),
    })
    expect(elementIn(mesh, 'poll', 'T', 'F')).toMatchObject({
      batch: 100,
      laws: [{ servers: 8, keyed: true }, { law: 'latency' }],
    })
    expect(elementIn(mesh, 'poll', 'K', 'F')).toMatchObject({
      batch: 7,
      laws: [{ servers: 30, keyed: true, from: 'template' }, { law: 'latency' }],
    })
    expect(elementIn(mesh, 'dead-letter', 'T', 'D').of).toBe('poll')
  })

  it('of a stream says when a record is given up', () => {
    const of = (given: object) =>
      elementIn(
        meshIn(
          {
            F: lambda,
            K: {
              Type: 'AWS::Kinesis::Stream',
              Properties: { StreamModeDetails: { StreamMode: 'ON_DEMAND' } },
            },
            M: mapping({ EventSourceArn: arnOf('K'), ...given }),
          },
          { Parameters: { Most: { Type: 'Number' } } },
        ),
        'poll',
        'K',
        'F',
      )
    // neither is not before it expires: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
    expect(of({})).toMatchObject({
      attempts: null,
      maxAge: null,
      bisect: false,
      laws: [{ servers: 4, keyed: true }, { law: 'latency' }],
    })
    expect(of({ MaximumRetryAttempts: -1, MaximumRecordAgeInSeconds: -1 })).toMatchObject({
      ...{ attempts: null, maxAge: null },
    })
    expect(
      of({
        ...{ MaximumRetryAttempts: 0, MaximumRecordAgeInSeconds: 3600, BisectBatchOnFunctionError: 'true' },
        Enabled: false,
      }),
    ).toMatchObject({ attempts: 1, maxAge: 3600, bisect: true, enabled: false })
    const later = of({ MaximumRetryAttempts: { Ref: 'Most' } })
    expect(later.attempts).toBeUndefined()
    expect(later.maxAge).toBeNull()
    // a queue has receives of its own
    const queued = meshIn({ Q: queue, F: lambda, M: mapping({ EventSourceArn: arnOf('Q') }) })
    expect(Object.keys(elementIn(queued, 'poll', 'Q', 'F'))).not.toContain('attempts')
    expect(() => of({ MaximumRetryAttempts: -2 })).toThrow(/MaximumRetryAttempts: expected a whole number/)
  })

  it('may have its source outside', () => {
    const own = {
      SelfManagedEventSource: { Endpoints: { KafkaBootstrapServers: ['k.example.com:9092'] } },
      Topics: ['orders'],
    }
    const managed = {
      EventSourceArn: 'arn:aws:kafka:eu-west-1:111111111111:cluster/c/1',
      Topics: ['payments'],
    }
    const mesh = meshIn({ F: lambda, A: mapping(own), B: mapping(managed) })
    expect(elementsIn(mesh, 'poll').map(({ from }) => from)).toEqual([
      'external/kafka:orders',
      'external/kafka:payments',
    ])
  })

  it('of a queue that is elsewhere has batches of a queue, and its own limits', () => {
    const mesh = meshIn({
      F: lambda,
      M: mapping({
        EventSourceArn: 'arn:aws:sqs:eu-west-1:111111111111:far',
        ScalingConfig: { MaximumConcurrency: 3 },
      }),
    })
    const poll = elementIn(mesh, 'poll', 'external/sqs:far', 'F')
    expect(poll.batch).toBe(10)
    expect(poll.laws).toMatchObject([{ servers: 3, from: 'template' }, { most: 3 }, { law: 'latency' }])
  })

  it('may name its function by an alias, by name or by part of an ARN', () => {
    const resources = (FunctionName: unknown) => ({
      Q: queue,
      F: { ...lambda, Properties: { FunctionName: 'work' } },
      V: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'F' } } },
      A: { Type: 'AWS::Lambda::Alias', Properties: { FunctionName: { Ref: 'F' }, Name: 'live' } },
      M: mapping({ EventSourceArn: arnOf('Q'), FunctionName }),
    })
    const named = { 'Fn::Select': [6, { 'Fn::Split': [':', { Ref: 'A' }] }] }
    const names = [
      { 'Fn::Join': ['', [named, ':live']] },
      { Ref: 'A' },
      { Ref: 'V' },
      'work',
      'work:live',
      '111111111111:function:work',
      'arn:aws:lambda:eu-west-1:111111111111:function:work:live',
      { 'Fn::Join': [':', [arnOf('F'), 'live']] },
    ]
    for (const name of names) expect(elementIn(meshIn(resources(name)), 'poll', 'Q', 'F').enabled).toBe(true)
  })
})
