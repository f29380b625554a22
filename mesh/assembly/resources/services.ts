import { append } from '../../append.ts'
import type { Law } from '../../model.ts'
import { keyIn } from '../draft/arns.ts'
import { nodesAt } from '../draft/deliver.ts'
import { base, type Draft, type Handler, join, numberAt, ofType, put } from '../draft/draft.ts'
import { once } from '../draft/retries.ts'
import { at, isRecord, type Json, listOf, textOf } from '../json.ts'
import { atOnceOf } from '../producers/declared.ts'
import type { Resource } from '../resolve/scope.ts'
import { tokensIn } from '../resolve/tokens.ts'

export const serviceHandlers: Record<string, Handler> = {
  'AWS::ECS::Service': { node: service },
  'AWS::ECS::TaskDefinition': { node: taskDefinition },
  'AWS::ElasticLoadBalancingV2::LoadBalancer': { node: balancer },
  'AWS::ElasticLoadBalancingV2::Listener': { link: (...of) => listen(...of, 'DefaultActions') },
  'AWS::ElasticLoadBalancingV2::ListenerRule': { link: (...of) => listen(...of, 'Actions') },
}

const keyAt = (properties: Json, ...path: string[]): string | undefined =>
  keyIn(textOf(at(properties, ...path)) ?? '')

function service(draft: Draft, resource: Resource, properties: Json) {
  const scaled = scalingOf(draft, resource)
  const desired = numberAt(draft, resource, properties, ['DesiredCount']) ?? scaled?.least ?? 1
  const atOnce = atOnceOf(resource)
  // how many requests a task handles at once no template says: without that it has no law
  const laws = atOnce === undefined ? [] : lawsOf(draft, scaled, desired, atOnce)
  put(draft, {
    ...{ ...base(resource), kind: 'service', laws },
    settings: {
      desired,
      ...(scaled?.least !== undefined && { least: scaled.least }),
      ...(scaled?.most !== undefined && { most: scaled.most }),
    },
  })
  const definition = keyAt(properties, 'TaskDefinition')
  const groups = listOf(at(properties, 'LoadBalancers')).map((balancer) => keyAt(balancer, 'TargetGroupArn'))
  for (const key of [definition, ...groups]) if (key !== undefined) append(draft.means, key, resource.key)
}

/** As many at once as its tasks handle together, of which in each cooldown one more comes at the least. */
function lawsOf(
  { constant }: Draft,
  scaled: ReturnType<typeof scalingOf>,
  desired: number,
  atOnce: number,
): Law[] {
  const most = (scaled?.most ?? desired) * atOnce
  if (most === 0) return []
  const cooldown = constant('ecs-scale-out-cooldown')
  const perMinute = (60 * atOnce) / (scaled?.cooldown ?? cooldown.value)
  const from = scaled?.cooldown === undefined ? cooldown.from : 'template'
  return [
    { law: 'servers', servers: most, over: 'wait', from: 'declared' },
    ...(scaled?.most === undefined
      ? []
      : [{ law: 'scaling' as const, initial: desired * atOnce, perMinute, most, from }]),
  ]
}

function scalingOf(draft: Draft, { key }: Resource) {
  const target = ofType(draft, 'AWS::ApplicationAutoScaling::ScalableTarget').find(({ properties }) =>
    tokensIn(textOf(at(properties, 'ResourceId')) ?? '').some((token) => token.key === key),
  )
  if (target === undefined) return undefined
  const number = (name: string) => numberAt(draft, target.resource, target.properties, [name])
  const most = number('MaxCapacity')
  const policies = ofType(draft, 'AWS::ApplicationAutoScaling::ScalingPolicy').flatMap(
    ({ resource, properties }) => {
      const path = ['TargetTrackingScalingPolicyConfiguration', 'ScaleOutCooldown']
      const own = keyAt(properties, 'ScalingTargetId') === target.resource.key
      return own ? (numberAt(draft, resource, properties, path, { least: 1 }) ?? []) : []
    },
  )
  const cooldown = policies.length === 0 ? undefined : Math.min(...policies)
  return { least: number('MinCapacity'), most: most !== undefined && most > 0 ? most : undefined, cooldown }
}

/** What no service runs is run by a workflow or a rule: a service of none. */
function taskDefinition(draft: Draft, resource: Resource) {
  const run = ofType(draft, 'AWS::ECS::Service').some(
    ({ properties }) => keyAt(properties, 'TaskDefinition') === resource.key,
  )
  if (!run) put(draft, { ...base(resource), kind: 'service', settings: { desired: 0 }, laws: [] })
}

function balancer(draft: Draft, resource: Resource, properties: Json) {
  const attributes = listOf(at(properties, 'LoadBalancerAttributes'))
  const idle = attributes.find((attribute) => at(attribute, 'Key') === 'idle_timeout.timeout_seconds')
  const timeout = isRecord(idle) ? numberAt(draft, resource, idle, ['Value']) : undefined
  put(draft, {
    ...{ ...base(resource), kind: 'api', laws: [] },
    settings: { protocol: 'HTTP', timeout: timeout ?? draft.constant('elb-timeout').value },
  })
}

/** From the balancer to what is in the groups that a listener or a rule of one forwards to. */
function listen(draft: Draft, resource: Resource, properties: Json, member: 'DefaultActions' | 'Actions') {
  const listener = keyAt(properties, 'ListenerArn')
  const own =
    listener === undefined
      ? { resource, properties }
      : ofType(draft, 'AWS::ElasticLoadBalancingV2::Listener').find(
          (other) => other.resource.key === listener,
        )
  const from = own && keyAt(own.properties, 'LoadBalancerArn')
  const api = from === undefined ? undefined : draft.nodes.get(from)
  if (api?.kind !== 'api') return
  const groups = listOf(at(properties, member)).flatMap((action) => [
    keyAt(action, 'TargetGroupArn'),
    ...listOf(at(action, 'ForwardConfig', 'TargetGroups')).map((group) => keyAt(group, 'TargetGroupArn')),
  ])
  for (const group of new Set(groups)) {
    const of = {
      from: api.id,
      types: null,
      provenance: 'template' as const,
      laws: [],
      timeout: api.settings.timeout,
    }
    for (const to of group === undefined
      ? []
      : [...(draft.means.get(group) ?? []), ...functionsIn(draft, group)])
      join(draft, { ...of, kind: 'invoke', to, retry: once('template') })
  }
}

const functionsIn = (draft: Draft, group: string): string[] =>
  ofType(draft, 'AWS::ElasticLoadBalancingV2::TargetGroup').flatMap(({ resource, properties }) =>
    resource.key === group && at(properties, 'TargetType') === 'lambda'
      ? listOf(at(properties, 'Targets')).flatMap((target) =>
          nodesAt(draft, resource, target, ['Id'], 'lambda'),
        )
      : [],
  )
