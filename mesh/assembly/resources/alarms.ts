import { keyIn } from '../draft/arns.ts'
import { type Draft, type Handler, ofType } from '../draft/draft.ts'
import { isEnabled } from '../draft/retries.ts'
import { at, flagOf, isRecord, type Json, listOf, textOf, textsOf } from '../json.ts'
import type { Resource } from '../resolve/scope.ts'
import { tokensIn } from '../resolve/tokens.ts'

export const alarmHandlers: Record<string, Handler> = {
  'AWS::CloudWatch::Alarm': { link: watch },
}

/** Dimension -> the service whose names it has. */
const dimensions: Readonly<Record<string, string>> = {
  QueueName: 'sqs',
  FunctionName: 'lambda',
  TopicName: 'sns',
  TableName: 'dynamodb',
  StateMachineArn: 'states',
  // rules go by reference only: a bus may have the same name
  RuleName: 'rule',
  EventBusName: 'events',
  StreamName: 'kinesis',
  BucketName: 's3',
  ApiId: 'execute-api',
  ApiName: 'execute-api',
  ServiceName: 'ecs',
  PipeName: 'pipes',
  LoadBalancer: 'elasticloadbalancing',
}

/** Every metric that an alarm looks at, also inside of maths, under the node that its dimensions name. */
function watch(draft: Draft, resource: Resource, properties: Json) {
  noteTopics(draft, resource, properties)
  if (!tells(draft, resource, properties)) return
  const metrics = [
    properties,
    ...listOf(at(properties, 'Metrics')).map((query) => at(query, 'MetricStat', 'Metric')),
  ]
  for (const metric of metrics) {
    const name = textOf(at(metric, 'MetricName'))
    if (name === undefined) continue
    for (const dimension of listOf(at(metric, 'Dimensions'))) {
      if (!isRecord(dimension)) continue
      const service = dimensions[textOf(dimension.Name) ?? '']
      const value = textOf(dimension.Value)
      if (service === undefined || value === undefined) continue
      for (const id of named(draft, resource, service, value)) {
        const known = draft.watched.get(id) ?? new Set<string>()
        draft.watched.set(id, known.add(name))
      }
    }
  }
}

/** The topics that it tells; one whose actions are off tells none. */
function noteTopics(draft: Draft, resource: Resource, properties: Json) {
  if (flagOf(at(properties, 'ActionsEnabled')) === false) return
  for (const member of ['AlarmActions', 'OKActions', 'InsufficientDataActions'])
    for (const action of textsOf(at(properties, member)))
      for (const id of named(draft, resource, 'sns', action)) draft.told.add(id)
}

/**
 * Whether somebody is told: by actions of its own, by those of an alarm that is made of it, or by a rule for the changes of
 * alarms. One without any, and one whose actions are off, tells nobody.
 */
function tells(draft: Draft, { key, logicalId }: Resource, properties: Json): boolean {
  const name = textOf(at(properties, 'AlarmName')) ?? logicalId
  const isPartOf = (rule: string): boolean =>
    tokensIn(rule).some((token) => token.key === key) ||
    rule.includes(`"${name}"`) ||
    rule.includes(`:${name}`)
  return (
    acts(properties) ||
    ofType(draft, 'AWS::CloudWatch::CompositeAlarm').some(
      (whole) => acts(whole.properties) && isPartOf(textOf(at(whole.properties, 'AlarmRule')) ?? ''),
    ) ||
    ofType(draft, 'AWS::Events::Rule').some(
      (rule) =>
        textsOf(at(rule.properties, 'EventPattern', 'source')).includes('aws.cloudwatch') &&
        isEnabled(draft, rule.resource, rule.properties, 'State'),
    )
  )
}

/** What only a deployment knows counts as an action. */
const acts = (properties: Json): boolean =>
  flagOf(at(properties, 'ActionsEnabled')) !== false && listOf(at(properties, 'AlarmActions')).length > 0

/** What no assembly has may be watched all the same: nothing is made of it. */
function named(draft: Draft, { stack }: Resource, service: string, value: string): string[] {
  const key = keyIn(value)
  const last = value.split(':').at(-1) ?? value
  const ids = key === undefined ? (draft.byName.get(`${service}:${last}`) ?? []) : [key]
  const nodes = ids.filter((id) => draft.nodes.has(id))
  const near = nodes.filter((id) => draft.nodes.get(id)?.stack === stack.name)
  return near.length > 0 ? near : nodes
}
