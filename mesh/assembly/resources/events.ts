import { executionChanged } from '../../aws-events.ts'
import { type Law, putEvents } from '../../model.ts'
import { deliver, keepLetters, nodesAt } from '../draft/deliver.ts'
import { base, type Draft, type Handler, join, numberAt, put, sharedIn, unresolved } from '../draft/draft.ts'
import { defaultBus } from '../draft/find.ts'
import { isEnabled, latency, once, pushed } from '../draft/retries.ts'
import { at, entriesOf, isRecord, type Json, listOf, textOf, textsOf } from '../json.ts'
import { typesOf } from '../producers/declared.ts'
import type { Resource } from '../resolve/scope.ts'
import { perSecondOf } from './schedule-rate.ts'

export const eventHandlers: Record<string, Handler> = {
  'AWS::Events::EventBus': { node: bus },
  'AWS::Events::Rule': { node: rule, link: linkRule, settle: settleRule },
  'AWS::Events::ApiDestination': { node: apiDestination },
}

function bus(draft: Draft, resource: Resource) {
  const { value, from } = draft.constant('eventbridge-put-events', resource.stack.region)
  const shared = sharedIn(draft, 'eventbridge-put-events', resource.stack)
  put(draft, {
    ...{ ...base(resource), kind: 'bus', settings: {} },
    laws: [{ law: 'tokens', rate: value, burst: value, unit: putEvents, over: 'refuse', shared, from }],
  })
}

function rule(draft: Draft, resource: Resource, properties: Json) {
  const expression = textOf(at(properties, 'ScheduleExpression'))
  const enabled = isEnabled(draft, resource, properties, 'State')
  const { value, from } = draft.constant('eventbridge-invocations', resource.stack.region)
  const shared = sharedIn(draft, 'eventbridge-invocations', resource.stack)
  const laws: Law[] = [
    { law: 'tokens', rate: value, burst: value, unit: 'deliveries', over: 'delay', shared, from },
  ]
  if (expression !== undefined) {
    schedule(draft, resource, expression, enabled, laws)
    return
  }
  put(draft, { ...base(resource), kind: 'rule', settings: { ...taken(resource, properties), enabled }, laws })
}

/** What is said of a rule is in the place of what its pattern asks for. */
function taken(resource: Resource, properties: Json): ReturnType<typeof asked> {
  const takes = typesOf(resource)
  return takes === null ? asked(at(properties, 'EventPattern')) : { types: takes, narrower: false }
}

/** A node that begins something again and again. An expression that cannot be read counts as never, and is listed. */
export function schedule(
  draft: Draft,
  resource: Resource,
  expression: string,
  enabled: boolean,
  laws: Law[],
) {
  const perSecond = perSecondOf(expression)
  if (perSecond === undefined) unresolved(draft, `${resource.place.path}.ScheduleExpression`, expression)
  put(draft, {
    ...{ ...base(resource), kind: 'schedule', laws },
    settings: { perSecond: perSecond ?? 0, expression, enabled },
  })
}

/**
 * What a pattern takes. A type has one source as a rule: to name both is not to ask for more; to name no type, or to ask
 * about the detail, is.
 */
export function asked(pattern: Json | undefined): { types: string[] | null; narrower: boolean } {
  const members = entriesOf(pattern).filter(([, matchers]) => !takesAll(matchers))
  const named = members.find(([name]) => name === 'detail-type')?.[1]
  const exact = named === undefined ? [] : listOf(named).filter((matcher) => typeof matcher === 'string')
  const types = named !== undefined && exact.length === listOf(named).length ? textsOf(exact) : null
  const more = members.some(([name]) => name !== 'detail-type' && !(types !== null && name === 'source'))
  return { types: types?.toSorted() ?? null, narrower: more || (named !== undefined && types === null) }
}

/** `[{"prefix": ""}]` and their like. */
const takesAll = (matchers: Json): boolean =>
  listOf(matchers).some(
    (matcher) =>
      isRecord(matcher) && (matcher.prefix === '' || matcher.wildcard === '*' || matcher.exists === true),
  )

/** The bus that a rule is on. */
function busesOf(draft: Draft, resource: Resource, properties: Json): string[] {
  const named = nodesAt(draft, resource, properties, ['EventBusName'], 'events')
  return at(properties, 'EventBusName') === undefined ? [defaultBus(draft, resource.stack)] : named
}

function linkRule(draft: Draft, resource: Resource, properties: Json) {
  const { key } = resource
  const node = draft.nodes.get(key)
  if (node?.kind === 'rule') {
    const { types } = taken(resource, properties)
    for (const from of busesOf(draft, resource, properties)) {
      const kept = true
      // a bus and its rules are one service: nothing is lost between them
      deliver(draft, { from, to: key, types, retry: once('template'), maxAge: 0, kept })
    }
    fromServices(draft, resource, properties)
  }
  listOf(at(properties, 'Targets')).forEach((target, index) => {
    const path = ['Targets', String(index)]
    const policy = pushed(draft, resource, target, ['RetryPolicy'])
    const kept = keepLetters(draft, {
      ...{ from: key, of: 'delivery', resource, properties: target },
      path: ['DeadLetterConfig', 'Arn'],
    })
    const task = ['EcsParameters', 'TaskDefinitionArn']
    const to = at(target, ...task) === undefined ? ['Arn'] : task
    for (const id of nodesAt(draft, resource, target, to)) {
      const laws = [latency(draft, 'eventbridge')]
      deliver(draft, { from: key, to: id, ...policy, kept, laws })
    }
    if (!isRecord(target))
      unresolved(draft, `${resource.place.path}.${path.join('.')}`, 'a target that is not known')
  })
}

/** A rule that names buckets whose events come to its bus takes all of their events. */
function settleRule(draft: Draft, resource: Resource, properties: Json) {
  const node = draft.nodes.get(resource.key)
  const { detail, ...pattern } = Object.fromEntries(entriesOf(at(properties, 'EventPattern')))
  const names = at(detail, 'bucket', 'name')
  const asksMore = [detail, at(detail, 'bucket')].some((member) => entriesOf(member).length !== 1)
  if (node?.kind !== 'rule' || names === undefined || asksMore || asked(pattern).narrower) return
  const named = listOf(names).flatMap((name) => nodesAt(draft, resource, { name }, ['name'], 's3'))
  const buses = busesOf(draft, resource, properties)
  const buckets = [...draft.elements.values()].flatMap(({ from, to }) =>
    buses.includes(to) && draft.nodes.get(from)?.kind === 'bucket' ? [from] : [],
  )
  const isWhole = buckets.length > 0 && buckets.every((bucket) => named.includes(bucket))
  const isOurs = named.length > 0 && named.every((bucket) => buckets.includes(bucket))
  if (isWhole || isOurs)
    put(draft, {
      ...node,
      settings: { ...node.settings, narrower: false, ...(!isWhole && { buckets: named }) },
    })
}

/** What AWS itself puts on the default bus about resources of ours, where a rule asks for it. */
function fromServices(draft: Draft, resource: Resource, properties: Json) {
  const pattern = at(properties, 'EventPattern')
  const onDefault = busesOf(draft, resource, properties).filter((id) => id.startsWith('external/default-bus'))
  const sources = textsOf(at(pattern, 'source'))
  for (const to of onDefault) {
    if (!sources.includes('aws.states')) continue
    const machines = listOf(at(pattern, 'detail', 'stateMachineArn')).filter((arn) => typeof arn === 'string')
    const named = machines.flatMap((_, index) =>
      nodesAt(draft, resource, { arn: machines[index] ?? '' }, ['arn'], 'states'),
    )
    const all = [...draft.nodes.values()].flatMap((node) =>
      node.kind === 'workflow' && node.settings.flavour === 'STANDARD' ? [node.id] : [],
    )
    for (const from of machines.length > 0 ? named : all) {
      if (draft.nodes.get(from)?.kind !== 'workflow') continue
      const types = [executionChanged]
      // that it runs, and how it ended; what the run is about does not go on with it
      const says = { carries: true, per: null, ratio: 2, action: 'events:PutEvents', laws: [] }
      const of = { from, to, types, provenance: 'template', retry: once('template') } as const
      join(draft, { kind: 'call', ...of, ...says })
    }
  }
}

/** An address outside that a rule calls: EventBridge paces each by itself, also those of one host. */
function apiDestination(draft: Draft, resource: Resource, properties: Json) {
  const own = numberAt(draft, resource, properties, ['InvocationRateLimitPerSecond'], { least: 1 })
  const { value, from } = draft.constant('apidestination-rate')
  const [rate, says] = own === undefined ? [value, from] : [own, 'template']
  put(draft, {
    ...{ ...base(resource), kind: 'external', settings: {} },
    laws: [{ law: 'tokens', rate, burst: rate, unit: 'requests', over: 'delay', from: says }],
  })
}
