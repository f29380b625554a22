import type { Law } from '../../model.ts'
import { keepLetters, nodesAt } from '../draft/deliver.ts'
import { type Draft, type Handler, join, numberAt, unresolved } from '../draft/draft.ts'
import { external } from '../draft/find.ts'
import { functionOf, givingUp, isEnabled, keepsPlace, latency } from '../draft/retries.ts'
import { at, flagOf, isRecord, type Json, listOf, textOf, textsOf } from '../json.ts'
import { typesOf } from '../producers/declared.ts'
import type { Resource } from '../resolve/scope.ts'
import { shardLaws } from './shards.ts'

export const sourceHandlers: Record<string, Handler> = {
  'AWS::Lambda::EventSourceMapping': { link },
}

function link(draft: Draft, resource: Resource, properties: Json) {
  const to = functionOf(draft, resource, properties)
  if (to === undefined) return
  const where = resource.place.path
  const from = polled(draft, resource, properties)
  if (from.length === 0) unresolved(draft, where, 'an event source that is not known')
  for (const id of from) {
    const node = draft.nodes.get(id)
    const { value } = draft.constant(
      node?.kind === 'queue' || isOutsideQueue(id) ? 'lambda-sqs-batch' : 'lambda-stream-batch',
    )
    const number = (name: string, least = 0) =>
      numberAt(draft, resource, properties, [name], { least, whole: true })
    const path = ['DestinationConfig', 'OnFailure', 'Destination']
    keepLetters(draft, { from: id, of: 'poll', resource, properties, path })
    join(draft, {
      ...{ kind: 'poll', from: id, to, types: typesOf(resource), provenance: 'template' },
      laws: pollingLaws(draft, resource, properties, id),
      batch: number('BatchSize', 1) ?? value,
      window: number('MaximumBatchingWindowInSeconds') ?? 0,
      partialBatch: textsOf(at(properties, 'FunctionResponseTypes')).includes('ReportBatchItemFailures'),
      filtered: listOf(at(properties, 'FilterCriteria', 'Filters')).length > 0,
      enabled: isEnabled(draft, resource, properties, 'Enabled'),
      ...(keepsPlace(node) && {
        ...givingUp(draft, resource, properties, []),
        ...bisecting(at(properties, 'BisectBatchOnFunctionError') ?? false),
      }),
    })
  }
}

/** undefined: a deployment decides. */
function bisecting(value: Json): { bisect?: boolean } {
  const bisect = flagOf(value)
  return bisect === undefined ? {} : { bisect }
}

/** Clusters of Kafka, brokers and databases are outside, each topic of them one. */
function polled(draft: Draft, resource: Resource, properties: Json): string[] {
  const topics = textsOf(at(properties, 'Topics') ?? at(properties, 'Queues'))
  const own = textsOf(at(properties, 'SelfManagedEventSource', 'Endpoints', 'KafkaBootstrapServers'))
  const arn = textOf(at(properties, 'EventSourceArn'))
  if (own.length > 0)
    return (topics.length > 0 ? topics : own).map((topic) => external(draft, `kafka:${topic}`))
  const broker = arn !== undefined && topics.length > 0
  return broker
    ? topics.map((topic) => external(draft, `${/:mq:/.test(arn) ? 'mq' : 'kafka'}:${topic}`))
    : nodesAt(draft, resource, properties, ['EventSourceArn'])
}

const isOutsideQueue = (id: string): boolean => id.startsWith('external/sqs:')

function pollingLaws(draft: Draft, resource: Resource, properties: Json, source: string): Law[] {
  const node = draft.nodes.get(source)
  if (node?.kind === 'queue') return queueLaws(draft, resource, properties, node.settings.fifo)
  if (isOutsideQueue(source)) return queueLaws(draft, resource, properties, source.endsWith('.fifo'))
  return shardLaws(draft, resource, properties, node)
}

function queueLaws(draft: Draft, resource: Resource, properties: Json, fifo: boolean): Law[] {
  const { constant } = draft
  const most = numberAt(draft, resource, properties, ['ScalingConfig', 'MaximumConcurrency'], { least: 1 })
  const way = latency(draft, fifo ? 'sqs-fifo' : 'sqs')
  const pollers = at(properties, 'ProvisionedPollerConfig')
  if (isRecord(pollers)) {
    const each = constant('lambda-poller-concurrency').value
    const count = (name: string) => numberAt(draft, resource, properties, ['ProvisionedPollerConfig', name])
    const [least, maximum] = [count('MinimumPollers'), count('MaximumPollers')]
    const usual = constant('lambda-poller-maximum')
    const top = (maximum ?? usual.value) * each
    const growth = constant('lambda-poller-per-minute')
    const initial = (least ?? constant('lambda-poller-minimum').value) * each
    return [
      { law: 'servers', servers: top, over: 'wait', from: maximum === undefined ? usual.from : 'template' },
      { law: 'scaling', initial, perMinute: growth.value, most: top, from: growth.from },
      way,
    ]
  }
  const limit = constant('lambda-sqs-most')
  const growth = constant('lambda-sqs-per-minute')
  const servers = most ?? limit.value
  return [
    { law: 'servers', servers, over: 'wait', from: most === undefined ? limit.from : 'template' },
    {
      ...{ law: 'scaling', initial: Math.min(servers, constant('lambda-sqs-initial').value) },
      ...{ perMinute: growth.value, most: servers, from: growth.from },
    },
    way,
  ]
}
