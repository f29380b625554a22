import type { Law } from '../../model.ts'
import { deliver, keepLetters, nodesAt } from '../draft/deliver.ts'
import { base, type Draft, type Handler, numberAt, put, sharedIn, unresolved } from '../draft/draft.ts'
import { external, find } from '../draft/find.ts'
import { latency } from '../draft/retries.ts'
import { at, entriesOf, flagOf, isRecord, type Json, listOf, textOf, textsOf } from '../json.ts'
import { typesOf } from '../producers/declared.ts'
import type { Resource } from '../resolve/scope.ts'

export const topicHandlers: Record<string, Handler> = {
  'AWS::SNS::Topic': { node: topic, link: inline },
  'AWS::SNS::Subscription': {
    link: (draft, resource, properties) => {
      for (const from of nodesAt(draft, resource, properties, ['TopicArn'], 'sns'))
        subscribe(draft, resource, properties, from)
    },
  },
}

function topic(draft: Draft, resource: Resource, properties: Json) {
  const fifo = flagOf(at(properties, 'FifoTopic')) === true
  // one that has its throughput by group takes as much as standard ones
  const ordered = fifo && at(properties, 'FifoThroughputScope') !== 'MessageGroup'
  const { value, from } = ordered
    ? draft.constant('sns-fifo')
    : draft.constant('sns-publish', resource.stack.region)
  const shared = ordered ? {} : { shared: sharedIn(draft, 'sns-publish', resource.stack) }
  const law: Law = {
    law: 'tokens',
    rate: value,
    burst: value,
    unit: 'messages',
    over: 'refuse',
    ...shared,
    from,
  }
  put(draft, { ...base(resource), kind: 'topic', settings: { fifo }, laws: [law] })
}

function inline(draft: Draft, resource: Resource, properties: Json) {
  for (const subscription of listOf(at(properties, 'Subscription')))
    subscribe(draft, resource, subscription, resource.key)
}

function subscribe(draft: Draft, resource: Resource, properties: Json, from: string) {
  const path = ['RedrivePolicy', 'deadLetterTargetArn']
  const kept = keepLetters(draft, { from, of: 'delivery', resource, properties, path })
  const types = typesOf(resource)
  const taken = types === null ? asked(properties) : { types }
  for (const to of subscribers(draft, resource, properties)) {
    const { retry, maxAge } = retried(draft, resource, properties)
    const laws = [latency(draft, 'sns')]
    deliver(draft, { from, to, ...taken, retry, maxAge, kept, laws })
  }
}

/** Mail, messages and phones are people: each protocol one node outside. */
function subscribers(draft: Draft, resource: Resource, properties: Json): string[] {
  const protocol = textOf(at(properties, 'Protocol')) ?? ''
  const endpoint = textOf(at(properties, 'Endpoint'))
  if (/^(email|email-json|sms|application)$/.test(protocol)) return [external(draft, protocol)]
  const where = { at: `${resource.place.path}.Endpoint`, stack: resource.stack, service: protocol }
  if (endpoint !== undefined) return find(draft, endpoint, where)
  unresolved(draft, where.at, 'a subscription without an endpoint')
  return []
}

function retried(draft: Draft, resource: Resource, properties: Json) {
  const { constant } = draft
  const protocol = textOf(at(properties, 'Protocol')) ?? ''
  const policy = at(properties, 'DeliveryPolicy', 'healthyRetryPolicy')
  if (/^https?$/.test(protocol)) {
    const retries = constant('sns-http-retries')
    const own = isRecord(policy) ? numberAt(draft, resource, policy, ['numRetries']) : undefined
    const wait = isRecord(policy) ? numberAt(draft, resource, policy, ['minDelayTarget']) : undefined
    const interval = wait ?? constant('sns-http-interval').value
    return {
      retry: {
        ...{ attempts: (own ?? retries.value) + 1, interval, backoff: 1, jitter: false },
        from: own === undefined ? retries.from : 'template',
      },
      maxAge: constant('sns-http-max-age').value,
    }
  }
  const managed = /^(sqs|lambda|firehose)$/.test(protocol)
  const retries = constant(managed ? 'sns-retries' : 'sns-other-retries')
  const [interval, maxDelay] = [constant('sns-interval').value, constant('sns-max-delay').value]
  return {
    retry: { attempts: retries.value + 1, interval, backoff: 2, maxDelay, jitter: true, from: retries.from },
    maxAge: constant(managed ? 'sns-max-age' : 'sns-other-max-age').value,
  }
}

/** A filter by an attribute whose name says type, with exact values, is a filter by event type; any other asks for more. */
function asked(properties: Json): { types: string[] | null; filtered?: boolean } {
  const members = entriesOf(at(properties, 'FilterPolicy'))
  const [name, values] =
    members.find(([of]) => ['type', 'eventType', 'event_type', 'detail-type'].includes(of)) ?? []
  const exact = listOf(values).every((value) => typeof value === 'string')
  const types = name !== undefined && exact && values !== undefined ? textsOf(values).toSorted() : null
  const more = members.length > (types === null ? 0 : 1)
  return { types, ...(more && { filtered: true }) }
}
