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

describe('a table', () => {
  const of = (type: string, Properties: object) =>
    nodeIn(meshIn({ T: { Type: type, Properties } }), 'table', 'T')

  it('on demand has what a new one takes, or what the template allows it', () => {
    const table = of('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      OnDemandThroughput: { MaxReadRequestUnits: 50 },
    })
    expect(table.settings).toEqual({ billing: 'on-demand' })
    expect(table.laws).toMatchObject([
      { rate: 4000, unit: 'writes', from: 'dynamodb-new-table-writes' },
      { rate: 50, unit: 'reads', from: 'template' },
    ])
  })

  it('provisioned has its units, and what it saved of five minutes', () => {
    const table = of('AWS::DynamoDB::Table', {
      ProvisionedThroughput: { ReadCapacityUnits: 20, WriteCapacityUnits: '10' },
    })
    expect(table.settings).toEqual({ billing: 'provisioned', readUnits: 20, writeUnits: 10 })
    expect(table.laws).toMatchObject([
      { rate: 10, burst: 3000, from: 'template' },
      { rate: 20, burst: 6000 },
    ])
  })

  it('may be global', () => {
    const table = of('AWS::DynamoDB::GlobalTable', {
      BillingMode: 'PROVISIONED',
      WriteProvisionedThroughputSettings: {
        WriteCapacityAutoScalingSettings: { MinCapacity: 3, MaxCapacity: 9 },
      },
      Replicas: [{ Region: 'eu-west-1', ReadProvisionedThroughputSettings: { ReadCapacityUnits: 8 } }],
    })
    expect(table.settings).toEqual({ billing: 'provisioned', readUnits: 8, writeUnits: 3 })
  })
})

it('a stream has its shards, or as many as come', () => {
  const of = (Properties: object) =>
    nodeIn(meshIn({ K: { Type: 'AWS::Kinesis::Stream', Properties } }), 'stream', 'K')
  expect(of({ ShardCount: 4, RetentionPeriodHours: 48 })).toMatchObject({
    settings: { shards: 4, retention: 172_800 },
    laws: [{ rate: 4000 }],
  })
  expect(of({ StreamModeDetails: { StreamMode: 'ON_DEMAND' } }).settings).toEqual({ retention: 86_400 })
})

describe('a bucket tells', () => {
  const bucket = { Type: 'AWS::S3::Bucket' }

  it('by its own configuration', () => {
    const configuration = {
      LambdaConfigurations: [{ Event: 's3:ObjectCreated:*', Function: arnOf('F') }],
      QueueConfigurations: [{ Event: 's3:ObjectRemoved:*', Queue: arnOf('Q') }],
      EventBridgeConfiguration: {},
    }
    const mesh = meshIn({
      F: lambda,
      Q: queue,
      B: { ...bucket, Properties: { NotificationConfiguration: configuration } },
    })
    expect(elementIn(mesh, 'delivery', 'B', 'F')).toMatchObject({
      types: ['s3:ObjectCreated:*'],
      retry: { attempts: 3 },
    })
    expect(elementIn(mesh, 'delivery', 'B', 'Q').types).toEqual(['s3:ObjectRemoved:*'])
    expect(elementIn(mesh, 'delivery', 'B', 'external/default-bus').types).toBeNull()
    // 3,500 writes a second are of a prefix: no finding may be made of them
    expect(nodeIn(mesh, 'bucket', 'B').laws).toEqual([])
  })

  it('by the resource that the CDK sets it with', () => {
    const mesh = meshIn({
      ...{ F: lambda, H: lambda, B: bucket, T: { Type: 'AWS::SNS::Topic' } },
      N: {
        Type: 'Custom::S3BucketNotifications',
        Properties: {
          ...{ ServiceToken: arnOf('H'), BucketName: { Ref: 'B' } },
          NotificationConfiguration: {
            LambdaFunctionConfigurations: [{ Events: ['s3:ObjectCreated:*'], LambdaFunctionArn: arnOf('F') }],
            TopicConfigurations: [
              { Events: ['s3:ObjectCreated:Put', 's3:ObjectCreated:Copy'], TopicArn: { Ref: 'T' } },
            ],
          },
        },
      },
    })
    expect(elementsIn(mesh, 'delivery').map(({ to, types }) => [to, types])).toEqual([
      ['s/F', ['s3:ObjectCreated:*']],
      ['s/T', ['s3:ObjectCreated:Copy', 's3:ObjectCreated:Put']],
    ])
    expect(mesh.nodes.map(({ id }) => id)).not.toContain('s/H')
    expect(mesh.unknown).toEqual([])
  })
})
