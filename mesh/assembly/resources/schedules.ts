import type { Law, NodeOf } from '../../model.ts'
import { deliver, keepLetters, nodesAt, typeAt } from '../draft/deliver.ts'
import { base, type Draft, type Handler, join, numberAt, put, sharedIn, unresolved } from '../draft/draft.ts'
import { givingUp, isEnabled, keepsPlace, latency, once, pushed, sdkRetry } from '../draft/retries.ts'
import { at, entriesOf, type Json, listOf, textOf } from '../json.ts'
import type { Resource } from '../resolve/scope.ts'
import { schedule } from './events.ts'
import { shardLaws } from './shards.ts'

export const schedulerHandlers: Record<string, Handler> = {
  'AWS::Scheduler::Schedule': { node: scheduled, link: linkSchedule },
  'AWS::Pipes::Pipe': { node: pipe, link: linkPipe },
}

function scheduled(draft: Draft, resource: Resource, properties: Json) {
  const { value, from } = draft.constant('scheduler-invocations', resource.stack.region)
  const shared = sharedIn(draft, 'scheduler-invocations', resource.stack)
  const law: Law = {
    law: 'tokens',
    rate: value,
    burst: value,
    unit: 'deliveries',
    over: 'delay',
    shared,
    from,
  }
  const expression = textOf(at(properties, 'ScheduleExpression')) ?? ''
  schedule(draft, resource, expression, isEnabled(draft, resource, properties, 'State'), [law])
}

/** What the Scheduler calls by itself: `arn:aws:scheduler:::aws-sdk:sqs:sendMessage`, and what of its input says on what. */
const universal: Readonly<Record<string, string>> = {
  ...{ sqs: 'QueueUrl', sns: 'TopicArn', sfn: 'StateMachineArn', lambda: 'FunctionName' },
  ...{ eventbridge: 'EventBusName', kinesis: 'StreamName', dynamodb: 'TableName', s3: 'Bucket' },
}

function linkSchedule(draft: Draft, resource: Resource, properties: Json) {
  const from = resource.key
  const target = at(properties, 'Target') ?? {}
  const policy = pushed(draft, resource, target, ['RetryPolicy'])
  const path = ['DeadLetterConfig', 'Arn']
  const kept = keepLetters(draft, { from, of: 'delivery', resource, properties: target, path })
  const arn = textOf(at(target, 'Arn')) ?? ''
  const [, service] = /:scheduler:::aws-sdk:([^:]+):/.exec(arn) ?? []
  const task = ['EcsParameters', 'TaskDefinitionArn']
  const to =
    service === undefined
      ? nodesAt(draft, resource, target, at(target, ...task) === undefined ? ['Arn'] : task)
      : namedByInput(draft, resource, target, service)
  if (service !== undefined && to.length === 0) unresolved(draft, `${resource.place.path}.Target.Arn`, arn)
  const puts = typeAt(target, 'EventBridgeParameters', 'DetailType')
  for (const id of to) deliver(draft, { from, to: id, ...policy, kept, puts })
}

function namedByInput(draft: Draft, resource: Resource, target: Json, service: string): string[] {
  const member = universal[service.toLowerCase()]
  const input = textOf(at(target, 'Input')) ?? '{}'
  const [, value] = new RegExp(`"${member}"\\s*:\\s*"([^"]+)"`).exec(input) ?? []
  const of = service === 'sfn' ? 'states' : service === 'eventbridge' ? 'events' : service
  return value === undefined ? [] : nodesAt(draft, resource, { Input: value }, ['Input'], of)
}

function pipe(draft: Draft, resource: Resource) {
  const { value, from } = draft.constant('pipe-concurrency', resource.stack.region)
  const shared = sharedIn(draft, 'pipe-concurrency', resource.stack)
  const law: Law = { law: 'servers', servers: value, over: 'wait', shared, from }
  put(draft, { ...base(resource), kind: 'pipe', settings: {}, laws: [law] })
}

const isExpress = ({ settings }: NodeOf<'workflow'>): boolean => settings.flavour === 'EXPRESS'

/** A pipe polls its source, asks its enrichment, and calls its target; what fails goes back to the source. */
function linkPipe(draft: Draft, resource: Resource, properties: Json) {
  const { key } = resource
  const parameters = at(properties, 'SourceParameters')
  // of the source's own kind: the one beside the filters
  const own = entriesOf(parameters).find(([member]) => member !== 'FilterCriteria')?.[1]
  const batch = numberAt(draft, resource, own ?? {}, ['BatchSize'], { least: 1, whole: true })
  const window = numberAt(draft, resource, own ?? {}, ['MaximumBatchingWindowInSeconds'])
  const enabled = isEnabled(draft, resource, properties, 'DesiredState')
  for (const from of nodesAt(draft, resource, properties, ['Source'])) {
    const source = draft.nodes.get(from)
    const queue = source?.kind === 'queue'
    const { value } = draft.constant(queue ? 'lambda-sqs-batch' : 'lambda-stream-batch')
    join(draft, {
      ...{ kind: 'poll', from, to: key, types: null, provenance: 'template' },
      laws: queue
        ? [latency(draft, source.settings.fifo ? 'sqs-fifo' : 'sqs')]
        : shardLaws(draft, resource, own ?? {}, source),
      ...{ batch: batch ?? value, window: window ?? 0, partialBatch: queue, enabled },
      filtered: listOf(at(parameters, 'FilterCriteria', 'Filters')).length > 0,
      ...(keepsPlace(source) && {
        ...givingUp(draft, resource, own ?? {}, []),
        bisect: at(own, 'OnPartialBatchItemFailure') === 'AUTOMATIC_BISECT',
      }),
    })
    for (const member of ['DynamoDBStreamParameters', 'KinesisStreamParameters']) {
      const path = ['SourceParameters', member, 'DeadLetterConfig', 'Arn']
      keepLetters(draft, { from, of: 'poll', resource, properties, path })
    }
  }
  linkEnrichment(draft, resource, properties)
  linkTarget(draft, resource, properties)
}

function linkEnrichment(draft: Draft, resource: Resource, properties: Json) {
  const of = { from: resource.key, types: null, provenance: 'template' as const, laws: [] }
  for (const to of nodesAt(draft, resource, properties, ['Enrichment'])) {
    const node = draft.nodes.get(to)
    const timeout =
      node?.kind === 'function' ? node.settings.timeout : draft.constant('states-express-timeout').value
    join(draft, { ...of, kind: 'invoke', to, retry: once('template'), timeout })
    const pipe = draft.nodes.get(resource.key)
    if (pipe?.kind === 'pipe') pipe.settings.enrichment = to
  }
}

function linkTarget(draft: Draft, resource: Resource, properties: Json) {
  const of = { from: resource.key, types: null, provenance: 'template' as const, laws: [] }
  const put = typeAt(properties, 'TargetParameters', 'EventBridgeEventBusParameters', 'DetailType')
  for (const to of nodesAt(draft, resource, properties, ['Target'])) {
    const node = draft.nodes.get(to)
    // functions and express machines are waited for, unless the pipe is told to fire and forget
    const waits = !/FIRE_AND_FORGET/.test(JSON.stringify(at(properties, 'TargetParameters') ?? {}))
    const handler = node?.kind === 'function' || (node?.kind === 'workflow' && isExpress(node))
    if (handler && waits)
      join(draft, {
        ...{ ...of, kind: 'invoke', to, retry: once('template') },
        timeout: node.settings.timeout ?? draft.constant('states-express-timeout').value,
      })
    else
      join(draft, {
        ...of,
        types: node?.kind === 'bus' && put !== undefined ? [put] : null,
        kind: 'call',
        to,
        action: '*',
        carries: true,
        per: null,
        ratio: 1,
        retry: sdkRetry(draft),
      })
  }
}
