import type { Law } from '../../model.ts'
import { deliver, nodesAt } from '../draft/deliver.ts'
import { base, type Draft, type Handler, numberAt, put } from '../draft/draft.ts'
import { defaultBus } from '../draft/find.ts'
import { once } from '../draft/retries.ts'
import { at, type Json, listOf, textOf } from '../json.ts'
import type { Resource } from '../resolve/scope.ts'

export const storeHandlers: Record<string, Handler> = {
  'AWS::DynamoDB::Table': { node: table },
  'AWS::DynamoDB::GlobalTable': { node: table },
  'AWS::Kinesis::Stream': { node: stream },
  'AWS::S3::Bucket': {
    node: bucket,
    link: (draft, resource, properties) =>
      notify(draft, resource, resource.key, at(properties, 'NotificationConfiguration')),
  },
  // the CDK sets notifications by a resource of its own: the listener's permission must be there first
  'Custom::S3BucketNotifications': {
    link: (draft, resource, properties) => {
      for (const from of nodesAt(draft, resource, properties, ['BucketName'], 's3'))
        notify(draft, resource, from, at(properties, 'NotificationConfiguration'))
    },
  },
}

function table(draft: Draft, resource: Resource, properties: Json) {
  const { constant } = draft
  const onDemand = textOf(at(properties, 'BillingMode')) === 'PAY_PER_REQUEST'
  if (onDemand) {
    const limit = (name: string, constantName: string): Law => {
      const own =
        numberAt(draft, resource, properties, ['OnDemandThroughput', name]) ??
        numberAt(draft, resource, properties, ['WriteOnDemandThroughputSettings', name])
      const { value, from } = constant(constantName)
      const unit = name === 'MaxWriteRequestUnits' ? 'writes' : 'reads'
      const rate = own !== undefined && own > 0 ? own : value
      return { law: 'tokens', rate, burst: 0, unit, over: 'refuse', from: own === rate ? 'template' : from }
    }
    const laws = [
      limit('MaxWriteRequestUnits', 'dynamodb-new-table-writes'),
      limit('MaxReadRequestUnits', 'dynamodb-new-table-reads'),
    ]
    put(draft, { ...base(resource), kind: 'table', settings: { billing: 'on-demand' }, laws })
    return
  }
  const least = constant('dynamodb-provisioned')
  const units = (of: 'Write' | 'Read') => {
    const settings = `${of}ProvisionedThroughputSettings`
    const number = (...path: string[]) => numberAt(draft, resource, properties, path)
    // of a GlobalTable writes are given once and reads for each replica; what scales by itself counts at its least
    const own =
      number('ProvisionedThroughput', `${of}CapacityUnits`) ??
      number(settings, `${of}CapacityAutoScalingSettings`, 'MinCapacity') ??
      number('Replicas', '0', settings, `${of}CapacityUnits`) ??
      number('Replicas', '0', settings, `${of}CapacityAutoScalingSettings`, 'MinCapacity')
    return own !== undefined && own > 0 ? { value: own, from: 'template' } : least
  }
  const burst = constant('dynamodb-burst').value
  const [writes, reads] = [units('Write'), units('Read')]
  const law = ({ value, from }: typeof writes, unit: string): Law => ({
    ...{ law: 'tokens', rate: value, burst: value * burst, unit, over: 'refuse', from },
  })
  put(draft, {
    ...{ ...base(resource), kind: 'table', laws: [law(writes, 'writes'), law(reads, 'reads')] },
    settings: { billing: 'provisioned', readUnits: reads.value, writeUnits: writes.value },
  })
}

function stream(draft: Draft, resource: Resource, properties: Json) {
  const { constant } = draft
  const onDemand = textOf(at(properties, 'StreamModeDetails', 'StreamMode')) === 'ON_DEMAND'
  const given = numberAt(draft, resource, properties, ['ShardCount'], { least: 1, whole: true })
  // provisioned is what it is when nothing is said, of one shard
  const shards = onDemand
    ? undefined
    : (given ?? (at(properties, 'ShardCount') === undefined ? 1 : undefined))
  const hours = numberAt(draft, resource, properties, ['RetentionPeriodHours'])
  const record = constant('kinesis-shard-records')
  const whole = constant('kinesis-on-demand-records')
  const { rate, from } =
    shards === undefined
      ? { rate: whole.value, from: whole.from }
      : { rate: shards * record.value, from: record.from }
  put(draft, {
    ...{ ...base(resource), kind: 'stream' },
    settings: {
      ...(shards !== undefined && { shards }),
      retention: hours === undefined ? constant('kinesis-retention').value : hours * 3600,
    },
    laws: [{ law: 'tokens', rate, burst: 0, unit: 'messages', over: 'refuse', from }],
  })
}

/** Of writes S3 limits a prefix, and no template says how many of these there are. */
function bucket(draft: Draft, resource: Resource) {
  put(draft, { ...base(resource), kind: 'bucket', settings: {}, laws: [] })
}

/** Member of a notification configuration -> the members that may name the listener, of the bucket or of the CDK. */
const listeners: Readonly<Record<string, string[]>> = {
  LambdaConfigurations: ['Function'],
  LambdaFunctionConfigurations: ['LambdaFunctionArn'],
  QueueConfigurations: ['Queue', 'QueueArn'],
  TopicConfigurations: ['Topic', 'TopicArn'],
}

function notify(draft: Draft, resource: Resource, from: string, configuration: Json | undefined) {
  const { value, from: constantName } = draft.constant('s3-notification-retries')
  const retry = { ...once(constantName), attempts: value + 1 }
  for (const [member, names] of Object.entries(listeners))
    for (const listener of listOf(at(configuration, member))) {
      const events = listOf(at(listener, 'Events') ?? at(listener, 'Event'))
      const types = events.flatMap((event) => textOf(event) ?? []).toSorted()
      for (const name of names)
        for (const to of nodesAt(draft, resource, listener, [name]))
          deliver(draft, { from, to, types, retry, maxAge: 0, kept: false })
    }
  const bridge = at(configuration, 'EventBridgeConfiguration')
  if (bridge === undefined || at(bridge, 'EventBridgeEnabled') === false) return
  const to = defaultBus(draft, resource.stack)
  deliver(draft, { from, to, retry, maxAge: 0, kept: false })
}
