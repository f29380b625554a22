// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
import { expect, it } from 'vitest'
import { elementIn, elementsIn, lambda, meshIn, nodeIn, queue } from '../../../test/mesh-in-template.ts'
import { dynamic } from '../../dynamic/dynamic.ts'
import { load } from '../../load.ts'
import { noLoads } from '../../loads.ts'
import { analyseStatic } from '../../static/analyse.ts'

const cluster = {
  C: { Type: 'AWS::ECS::Cluster' },
  T: { Type: 'AWS::ECS::TaskDefinition', Properties: { TaskRoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] } } },
  Role: {
    Type: 'AWS::IAM::Role',
    Properties: {
      Policies: [
        {
          PolicyDocument: {
            Statement: [
              {
                Effect: 'Allow',
                Action: ['sqs:ReceiveMessage', 'sqs:DeleteMessage'],
                Resource: { 'Fn::GetAtt': ['In', 'Arn'] },
              },
              { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: { 'Fn::GetAtt': ['Out', 'Arn'] } },
            ],
          },
        },
      ],
    },
  },
  S: {
    Type: 'AWS::ECS::Service',
    Properties: {
      TaskDefinition: { Ref: 'T' },
      DesiredCount: 3,
      LoadBalancers: [{ TargetGroupArn: { Ref: 'G' } }],
    },
  },
  Scaled: {
    Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
    Properties: { MinCapacity: 2, MaxCapacity: 8, ResourceId: { 'Fn::Sub': 'service/${C}/${S.Name}' } },
  },
  LB: {
    Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
    Properties: { LoadBalancerAttributes: [{ Key: 'idle_timeout.timeout_seconds', Value: '15' }] },
  },
  L: {
    Type: 'AWS::ElasticLoadBalancingV2::Listener',
    Properties: {
      LoadBalancerArn: { Ref: 'LB' },
      DefaultActions: [{ Type: 'forward', TargetGroupArn: { Ref: 'G' } }],
    },
  },
  LR: {
    Type: 'AWS::ElasticLoadBalancingV2::ListenerRule',
    Properties: {
      ListenerArn: { Ref: 'L' },
      Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: { Ref: 'FG' } }] } }],
    },
  },
  G: { Type: 'AWS::ElasticLoadBalancingV2::TargetGroup' },
  FG: {
    Type: 'AWS::ElasticLoadBalancingV2::TargetGroup',
    Properties: { TargetType: 'lambda', Targets: [{ Id: { 'Fn::GetAtt': ['F', 'Arn'] } }] },
  },
  ...{ F: lambda, In: queue, Out: queue },
}

it('a service runs tasks, more when it scales, one in each cooldown, each as many requests as somebody says', () => {
  const mesh = meshIn({ ...cluster, S: { ...cluster.S, Metadata: { mesh: { atOnce: 50 } } } })
  const { settings, laws } = nodeIn(mesh, 'service', 'S')
  expect(settings).toEqual({ desired: 3, least: 2, most: 8 })
  expect(laws).toEqual([
    { law: 'servers', servers: 400, over: 'wait', from: 'declared' },
    { law: 'scaling', initial: 150, perMinute: 10, most: 400, from: 'ecs-scale-out-cooldown' },
  ])
  expect(mesh.unknown).toEqual([])
  expect(() => meshIn({ F: { ...lambda, Metadata: { mesh: { atOnce: 1 } } } })).toThrow(
    /Resources\.F\.Metadata\.mesh\.atOnce: a AWS::Lambda::Function runs no tasks/,
  )
})

it('of a service of which nobody says so, no analysis claims a limit or a backlog, and each says that', () => {
  const mesh = meshIn(cluster)
  expect(nodeIn(mesh, 'service', 'S').laws).toEqual([])
  const loaded = load(mesh, {
    ...noLoads,
    arrivals: new Map([['s/LB', new Map([['x', 200]])]]),
    sends: [{ from: 's/LB', to: 's/S', type: 'x', per: null, ratio: 1, reads: false, measured: false }],
    service: new Map([['s/S', { mean: 0.1, scv: 1, batch: undefined }]]),
  })
  const unavailable = expect.objectContaining({
    at: 's/S',
    why: expect.stringContaining('how many requests a task handles at once'),
  })
  expect(analyseStatic(loaded).unavailable).toContainEqual(unavailable)
  const { limits, unavailable: unheld } = dynamic(loaded, { shape: 'step', factor: 10 })
  expect(limits.filter(({ at }) => at === 's/S')).toEqual([])
  expect(unheld).toContainEqual(unavailable)
})

it('a balancer invokes services and functions', () => {
  const mesh = meshIn(cluster)
  expect(elementsIn(mesh, 'invoke').map(({ from, to, timeout }) => [from, to, timeout])).toEqual([
    ['s/LB', 's/F', 15],
    ['s/LB', 's/S', 15],
  ])
})

it('its role says what it sends and what it empties', () => {
  const mesh = meshIn(cluster)
  expect(elementIn(mesh, 'call', 'S', 'Out')).toMatchObject({ provenance: 'inferred', carries: true })
  expect(elementIn(mesh, 'poll', 'In', 'S').provenance).toBe('inferred')
})

it('a task that no service runs is one that runs when it is called', () => {
  const mesh = meshIn({
    T: { Type: 'AWS::ECS::TaskDefinition' },
    R: {
      Type: 'AWS::Events::Rule',
      Properties: {
        ScheduleExpression: 'rate(1 day)',
        Targets: [
          {
            Arn: 'arn:aws:ecs:eu-west-1:111111111111:cluster/c',
            EcsParameters: { TaskDefinitionArn: { Ref: 'T' } },
          },
        ],
      },
    },
  })
  expect(nodeIn(mesh, 'service', 'T').settings).toEqual({ desired: 0 })
  expect(elementIn(mesh, 'delivery', 'R', 'T').kept).toBe(false)
})
