// Longer than 300 lines: what the tools miss in templates, one test for each promise, over one synthesis.

import { describe, expect, test } from 'vitest'
import { variables } from '../../adapters/environment.ts'
import type { Route } from '../../events/route.ts'
import { routes } from '../../events/routes.ts'
import { functionNames } from '../../infra/bundle.ts'
import { mapped, ofType, type Resource, synthesized, target } from './synthesize.ts'

const prod = synthesized({ stage: 'prod' })
const local = synthesized({ stage: 'local' })
const encrypted = synthesized({ stage: 'prod', cmk: 'on' })
const byId = new Map(prod.both)
const get = (id: string): Resource => byId.get(id) ?? { Type: 'nothing', Properties: {} }
const named = (type: string, name: string, of = prod): [string, Resource] => {
  const found = ofType(of, type).find(([, { Properties }]) =>
    [Properties.FunctionName, Properties.QueueName, Properties.TableName, Properties.Name].includes(name),
  )
  if (!found) throw new Error(`no ${type} ${name}`)
  return found
}
const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])

// biome-ignore lint/suspicious/noExplicitAny: templates at any depth
type Statement = Record<'Sid' | 'Effect' | 'Action' | 'Principal' | 'Resource' | 'Condition', any>

const queues = ofType(prod, 'AWS::SQS::Queue')
const functions = ofType(prod, 'AWS::Lambda::Function')
const rules = ofType(prod, 'AWS::Events::Rule')
const mappings = ofType(prod, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => Properties)
const queueMappings = mappings.filter(
  (mapping) => get(target(mapping.EventSourceArn)).Type === 'AWS::SQS::Queue',
)
const policyOf = (stage: typeof prod, queue: string): Statement[] =>
  ofType(stage, 'AWS::SQS::QueuePolicy').find(([, { Properties }]) => Properties.Queues[0].Ref === queue)?.[1]
    .Properties.PolicyDocument.Statement
/** What lets events in, whose new versions a canary tries. */
const gates = ['record', 'ingest', 'relay']
/** Where an alarm says how long a period is: at its one metric, or at each of several. */
const periodsOf = ({ Properties }: Resource): { Period: number }[] =>
  (Properties.Metrics ?? [{ MetricStat: Properties }]).flatMap(
    (one: { MetricStat?: { Period: number } }) => one.MetricStat ?? [],
  )
const functionOf = (mapping: Resource['Properties']): Resource => mapped(prod, mapping).function

describe('queues', () => {
  test('hide a message for six times what its function may take, and the window', () => {
    expect(queueMappings.length).toBe(queues.length)
    for (const mapping of queueMappings) {
      const { VisibilityTimeout } = get(target(mapping.EventSourceArn)).Properties
      const window = mapping.MaximumBatchingWindowInSeconds ?? 0
      expect(VisibilityTimeout).toBeGreaterThanOrEqual(6 * functionOf(mapping).Properties.Timeout + window)
    }
  })

  test('keep dead letters longer than the letters that may become one: a letter keeps its first time', () => {
    const sources = queues.filter(([, { Properties }]) => Properties.RedrivePolicy !== undefined)
    expect(sources.length).toBe(queues.length - 3)
    for (const [, { Properties }] of sources) {
      const dead = get(target(Properties.RedrivePolicy.deadLetterTargetArn)).Properties
      expect(dead.MessageRetentionPeriod).toBeGreaterThan(Properties.MessageRetentionPeriod)
    }
  })

  test('of ordered routes are FIFO, and so is where their letters go; whoever sends says what is the same', () => {
    const isOrdered = (queue: Resource['Properties']) => queue.FifoQueue === true
    const ordered = queues.filter(([, { Properties }]) => isOrdered(Properties))
    const inOrder = routes.filter((route: Route) => route.ordered).map(({ subscriber }) => subscriber)
    expect(inOrder.length).toBeGreaterThan(0)
    expect(ordered.map(([, { Properties }]) => Properties.QueueName).sort()).toEqual(
      ['dead-letters', ...inOrder].map((name) => `loadpath-prod-${name}.fifo`).sort(),
    )
    for (const [, { Properties }] of ordered)
      expect(Properties).toMatchObject({
        ContentBasedDeduplication: false,
        DeduplicationScope: 'messageGroup',
        FifoThroughputLimit: 'perMessageGroupId',
      })
    for (const [, { Properties }] of queues.filter(([, queue]) => queue.Properties.RedrivePolicy)) {
      const { deadLetterTargetArn, maxReceiveCount } = Properties.RedrivePolicy
      expect(isOrdered(get(target(deadLetterTargetArn)).Properties)).toBe(isOrdered(Properties))
      // what waits behind a failing one is received with it and not run: that must not make a letter of it
      if (isOrdered(Properties)) expect(maxReceiveCount).toBe(1000)
    }
  })

  test('take no message over a plain connection', () => {
    for (const [id] of queues)
      expect(JSON.stringify(policyOf(prod, id))).toContain('"aws:SecureTransport":"false"')
  })

  /** Which rules and roles may send, whoever else in the account may send to any queue. */
  test.each(Object.entries({ prod, encrypted }))(
    '%s: the record queue and the dead letter queues take messages from our roles and rules alone',
    (_, stage) => {
      const ruleNames = (arns: { 'Fn::GetAtt': [string, string] }[]) =>
        arns.map((arn) => new Map(stage.both).get(target(arn))?.Properties.Name).sort()
      const refusals = (name: string) => {
        const statements = policyOf(stage, named('AWS::SQS::Queue', name, stage)[0])
        const of = (sid: string) => statements.find((one) => one.Sid === sid)
        for (const { Sid, Effect, Action, Principal } of statements.filter((one) =>
          one.Sid?.startsWith('Only'),
        ))
          expect({ Sid, Effect, Action, Principal }).toEqual({
            Sid,
            Effect: 'Deny',
            Action: 'sqs:SendMessage',
            Principal: { AWS: '*' },
          })
        for (const one of statements.filter(({ Effect }) => Effect === 'Allow')) {
          expect(one.Principal).toEqual({ Service: 'events.amazonaws.com' })
          expect(one.Condition).toBeDefined()
        }
        return { roles: of('OnlyOurRoles')?.Condition, rules: of('OnlyOurRules')?.Condition }
      }
      const record = refusals('loadpath-prod-record')
      expect(record.roles.Bool).toEqual({ 'aws:PrincipalIsAWSService': 'false' })
      const roles = record.roles.ArnNotEquals['aws:PrincipalArn'].map(target)
      for (const role of roles) expect(new Map(stage.both).get(role)?.Type).toBe('AWS::IAM::Role')
      const emitting = (routes as readonly Route[])
        .filter(({ kind, emits }) => kind === 'workflow' && emits.length > 0)
        .map(({ subscriber }) => `loadpath-prod-${subscriber}`)
      const machines = ofType(stage, 'AWS::StepFunctions::StateMachine')
        .filter(([, { Properties }]) => emitting.includes(Properties.StateMachineName))
        .map(([, { Properties }]) => target(Properties.RoleArn))
      const ofFunctions = ofType(stage, 'AWS::Lambda::Function').flatMap(([, { Properties }]) =>
        Properties.FunctionName === undefined ? [] : [target(Properties.Role)],
      )
      expect(machines).toHaveLength(1)
      expect(roles.sort()).toEqual([...machines, ...ofFunctions].sort())
      expect(record.rules.Bool).toEqual({ 'aws:PrincipalIsAWSService': 'true' })
      const doors = ['loadpath-prod-inbox', 'loadpath-prod-states']
      expect(ruleNames(record.rules.ArnNotEquals['aws:SourceArn'])).toEqual(doors)
      const ofBus = refusals('loadpath-prod-bus-dead-letters')
      expect(ofBus.roles).toEqual({ Bool: { 'aws:PrincipalIsAWSService': 'false' } })
      expect(ruleNames(ofBus.rules.ArnNotEquals['aws:SourceArn'])).toEqual([
        'loadpath-prod-inbox',
        'loadpath-prod-mesh-validation',
        'loadpath-prod-states',
        'loadpath-prod-sweep',
      ])
      for (const name of ['loadpath-prod-dead-letters', 'loadpath-prod-dead-letters.fifo'])
        expect(refusals(name)).toEqual({
          roles: { Bool: { 'aws:PrincipalIsAWSService': 'false' } },
          rules: undefined,
        })
    },
  )
})

describe('functions', () => {
  test('there is one for each folder, on Node 24 and arm64, with a log group that forgets', () => {
    expect(functions.map(([, { Properties }]) => Properties.FunctionName).sort()).toEqual(
      functionNames().map((name) => `loadpath-prod-${name}`),
    )
    for (const [, { Properties }] of functions) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] })
      expect(get(target(Properties.LoggingConfig.LogGroup)).Properties.RetentionInDays).toBe(30)
    }
  })

  test('know only variables that adapters/environment.ts has', () => {
    for (const [, { Properties }] of functions)
      for (const variable of Object.keys(Properties.Environment.Variables))
        expect(variables).toContain(variable)
  })

  test('record, relay and sweep have concurrency of their own, which mappings do not exceed', () => {
    for (const name of ['record', 'relay', 'sweep']) {
      const [, { Properties }] = named('AWS::Lambda::Function', `loadpath-prod-${name}`)
      const reserved = Properties.ReservedConcurrentExecutions
      expect(reserved).toBeGreaterThan(0)
      for (const mapping of queueMappings.filter((one) => functionOf(one).Properties === Properties))
        expect(mapping.ScalingConfig.MaximumConcurrency).toBeLessThanOrEqual(reserved)
    }
  })

  test.each<Record<string, string>>([
    // of a new account's ten, Lambda lets none be set aside
    { stage: 'dev' },
    { stage: 'local' },
    { stage: 'prod', reserved: 'off' },
  ])('%o has none set aside', (context) => {
    for (const [, { Properties }] of ofType(synthesized(context), 'AWS::Lambda::Function'))
      expect(Properties.ReservedConcurrentExecutions).toBeUndefined()
  })

  test('that may send to a queue may be reached again through it: Lambda does not end such loops, hops do', () => {
    const sends = (role: string) =>
      ofType(prod, 'AWS::IAM::Policy').some(
        ([, { Properties }]) =>
          Properties.Roles.some((one: { Ref: string }) => one.Ref === role) &&
          JSON.stringify(Properties.PolicyDocument).includes('sqs:SendMessage'),
      )
    const senders = functions.filter(([, { Properties }]) => sends(target(Properties.Role)))
    expect(senders.length).toBeGreaterThan(10)
    for (const [, { Properties }] of senders) expect(Properties.RecursiveLoop).toBe('Allow')
  })

  test('of a rule have a place for what fails, and so has the rule', () => {
    const async = rules.flatMap(([, { Properties }]) =>
      Properties.Targets.map((one: { Arn: never }) => target(one.Arn)),
    )
    const configured = ofType(prod, 'AWS::Lambda::EventInvokeConfig').map(([, { Properties }]) => Properties)
    for (const id of async.filter((one) => get(one).Type === 'AWS::Lambda::Function')) {
      const config = configured.find(({ FunctionName }) => target(FunctionName) === id)
      expect(config?.DestinationConfig.OnFailure.Destination).toBeDefined()
    }
    for (const [, { Properties }] of rules)
      for (const one of Properties.Targets)
        expect(get(target(one.DeadLetterConfig.Arn)).Type).toBe('AWS::SQS::Queue')
  })

  test('what lets events in moves by a canary that alarms roll back; mappings and the HTTP API follow it', () => {
    const deployments = ofType(prod, 'AWS::CodeDeploy::DeploymentGroup')
    expect(deployments).toHaveLength(gates.length)
    for (const [, { Properties }] of deployments)
      expect(Properties.AutoRollbackConfiguration).toMatchObject({
        Enabled: true,
        Events: expect.arrayContaining(['DEPLOYMENT_STOP_ON_ALARM']),
      })
    for (const name of ['record', 'relay']) {
      const [, { Properties }] = named('AWS::Lambda::Function', `loadpath-prod-${name}`)
      const own = mappings.filter((one) => functionOf(one).Properties === Properties)
      expect(own.map((one) => mapped(prod, one).invoked.Type)).toEqual(['AWS::Lambda::Alias'])
    }
    const doors = ofType(prod, 'AWS::ApiGatewayV2::Route').filter(([, { Properties }]) =>
      / \/(events|webhooks)/.test(Properties.RouteKey),
    )
    expect(doors).toHaveLength(3)
    for (const [, { Properties }] of doors) {
      const [, integration = ''] = /"Ref":"(\w+)"/.exec(JSON.stringify(Properties.Target)) ?? []
      expect(get(target(get(integration).Properties.IntegrationUri)).Type).toBe('AWS::Lambda::Alias')
    }
  })

  test('those alarms hold the entering version against the rest, and stand before traffic moves to it', () => {
    const rings = (name: string) =>
      ofType(prod, 'AWS::CodeDeploy::DeploymentGroup').find(([id]) => id.startsWith(name))?.[1].Properties
        .AlarmConfiguration.Alarms
    for (const name of gates) {
      const [id] = named('AWS::Lambda::Function', `loadpath-prod-${name}`)
      const [alias] = ofType(prod, 'AWS::Lambda::Alias').filter(
        ([, { Properties }]) => target(Properties.FunctionName) === id,
      )
      const entering = alias?.[1].Properties.FunctionVersion
      expect(get(target(entering)).Type).toBe('AWS::Lambda::Version')
      const ids: string[] = rings(name).map((one: { Name: { Ref: string } }) => one.Name.Ref)
      expect(alias?.[1].DependsOn).toEqual(expect.arrayContaining(ids))
      const metrics = ids.flatMap((alarm) => {
        const { Metrics, ...own } = get(alarm).Properties
        return (Metrics ?? [{ MetricStat: { Metric: own } }]).flatMap(
          (one: { MetricStat?: { Metric: object } }) => one.MetricStat?.Metric ?? [],
        )
      })
      const dimensions = metrics.map(({ MetricName, Dimensions }) => [
        MetricName,
        Object.fromEntries(Dimensions.map((one: { Name: string; Value: unknown }) => [one.Name, one.Value])),
      ])
      const all = { function: `loadpath-prod-${name}`, stage: 'prod' }
      const own = { ...all, version: entering }
      expect(dimensions).toEqual([
        [
          'Errors',
          {
            FunctionName: `loadpath-prod-${name}`,
            Resource: `loadpath-prod-${name}:live`,
            ExecutedVersion: entering,
          },
        ],
        ['Accepted', own],
        ['Rejected', own],
        ['Accepted', all],
        ['Rejected', all],
      ])
      // they must have spoken before the five minutes of the canary are over, and silence must not take it back
      for (const alarm of ids)
        expect(get(alarm).Properties).toMatchObject({
          DatapointsToAlarm: 2,
          EvaluationPeriods: 5,
          TreatMissingData: 'notBreaching',
        })
      for (const { Period } of ids.flatMap((alarm) => periodsOf(get(alarm)))) expect(Period).toBe(60)
    }
  })

  test('without the canary a new version takes all at once', () => {
    const off = synthesized({ stage: 'prod', canary: 'off' })
    expect(off.both.filter(([, { Type }]) => /CodeDeploy|Lambda::(Alias|Version)/.test(Type))).toEqual([])
    const names = ofType(off, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties.AlarmName)
    expect(names.filter((name) => name.includes('canary'))).toEqual([])
    expect(
      ofType(synthesized({ stage: 'dev', canary: 'on' }), 'AWS::CodeDeploy::DeploymentGroup'),
    ).toHaveLength(gates.length)
  })
})

test('the outbox stream gives up in the end, in parts, and only new outbox items wake it', () => {
  const streams = mappings.filter((mapping) => mapping.StartingPosition !== undefined)
  expect(streams).toHaveLength(1)
  const [stream] = streams
  expect(stream).toMatchObject({
    ParallelizationFactor: 1,
    BisectBatchOnFunctionError: true,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    DestinationConfig: { OnFailure: { Destination: expect.anything() } },
  })
  expect(stream?.MaximumRetryAttempts).toBeGreaterThan(0)
  expect(stream?.MaximumRecordAgeInSeconds).toBeLessThan(24 * 60 * 60)
  expect(stream?.FilterCriteria.Filters.map((one: { Pattern: string }) => JSON.parse(one.Pattern))).toEqual([
    { eventName: ['INSERT'], dynamodb: { Keys: { pk: { S: [{ prefix: 'outbox#' }] } } } },
  ])
})

test('definitions are JSONata throughout and all they name is put in', () => {
  for (const [, { Properties }] of ofType(prod, 'AWS::StepFunctions::StateMachine')) {
    const definition: string = Properties.DefinitionString
    expect(JSON.parse(definition).QueryLanguage).toBe('JSONata')
    expect(definition).not.toMatch(/"[^"]*\.\$"\s*:/)
    const placeholders = [...definition.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name)
    expect(Object.keys(Properties.DefinitionSubstitutions).sort()).toEqual([...new Set(placeholders)].sort())
    expect(Properties.StateMachineType).toBe('STANDARD')
    expect(Properties.LoggingConfiguration.Level).toBe('ERROR')
  }
})

describe('least privilege', () => {
  /** Actions that AWS lets nobody narrow down to a resource. */
  const unnarrowable = [
    /^xray:/,
    /^logs:(Create|Get|Update|Delete)LogDelivery$|^logs:ListLogDeliveries$|^logs:(Put|Describe)ResourcePolic|^logs:DescribeLogGroups$/,
    /^dynamodb:ListStreams$/,
    /^cloudwatch:GetMetricStatistics$/,
  ]

  test.each(Object.entries({ prod, encrypted, traced: synthesized({ stage: 'prod', xray: 'on' }) }))(
    '%s: no action by a wildcard, no resource `*` but where AWS has no other',
    (_, stage) => {
      const policies = ofType(stage, 'AWS::IAM::Policy')
      expect(policies.length).toBeGreaterThan(10)
      for (const [, { Properties }] of policies)
        for (const { Action, Resource } of Properties.PolicyDocument.Statement) {
          const actions: string[] = list(Action)
          expect(actions.filter((action) => action.includes('*'))).toEqual([])
          if (list(Resource).includes('*'))
            expect(actions.filter((action) => !unnarrowable.some((one) => one.test(action)))).toEqual([])
        }
    },
  )

  test('a function that only computes may write its log and nothing else', () => {
    const [, { Properties }] = named('AWS::Lambda::Function', 'loadpath-prod-evaluate-gate')
    const own = ofType(prod, 'AWS::IAM::Policy').filter(
      ([, policy]) => policy.Properties.Roles[0].Ref === target(Properties.Role),
    )
    expect(
      own.flatMap(([, policy]) =>
        policy.Properties.PolicyDocument.Statement.map((one: { Action: string }) => one.Action),
      ),
    ).toEqual([['logs:CreateLogStream', 'logs:PutLogEvents']])
  })
})

describe('what is kept', () => {
  const tables = ['history', 'memory', 'ephemeral'].map((name) =>
    named('AWS::DynamoDB::Table', `loadpath-prod-${name}`),
  )

  test('history and memory go back to any second; no table is of the kind that rule packs do not see', () => {
    const recovery = tables.map(
      ([, { Properties }]) => Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled,
    )
    expect(recovery).toEqual([true, true, false])
    expect(ofType(prod, 'AWS::DynamoDB::GlobalTable')).toEqual([])
  })

  test('bodies go a little after what refers to them; held ones with what is kept longest', () => {
    const [[, { Properties }]] = ofType(prod, 'AWS::S3::Bucket') as [[string, Resource]]
    const rules: { Prefix?: string; ExpirationInDays?: number; Status: string }[] =
      Properties.LifecycleConfiguration.Rules
    expect(rules.map(({ Status }) => Status)).toEqual(rules.map(() => 'Enabled'))
    const expiry = rules.flatMap(({ Prefix, ExpirationInDays }) =>
      Prefix ? [[Prefix, ExpirationInDays]] : [],
    )
    expect(Object.fromEntries(expiry)).toEqual({
      'service/': 8,
      'project/': 31,
      'ai/': 91,
      'audit/': 401,
      'held/': 401,
      'aws/lambda/': 14,
    })
  })

  test('stays when the stack goes, unless told', () => {
    const kept = (of: typeof prod) =>
      [
        ...ofType(of, 'AWS::DynamoDB::Table'),
        ...ofType(of, 'AWS::S3::Bucket'),
        ...ofType(of, 'AWS::SecretsManager::Secret'),
      ].map(([, { DeletionPolicy }]) => DeletionPolicy)
    expect(kept(prod)).toEqual(Array(5).fill('Retain'))
    expect(kept(synthesized({ stage: 'prod', data: 'destroy' }))).toEqual(Array(5).fill('Delete'))
    expect(kept(local)).toEqual(Array(5).fill('Delete'))
  })
})

describe('one customer key', () => {
  const keys = ofType(encrypted, 'AWS::KMS::Key')

  test('is there when asked for, and only then', () => {
    expect(ofType(prod, 'AWS::KMS::Key')).toEqual([])
    expect(keys).toHaveLength(1)
  })

  test('encrypts each table, bucket, queue, topic, bus, secret, log group and workflow', () => {
    const encryptedBy: Record<string, (properties: Resource['Properties']) => unknown> = {
      'AWS::DynamoDB::Table': ({ SSESpecification }) => SSESpecification.KMSMasterKeyId,
      'AWS::S3::Bucket': ({ BucketEncryption }) =>
        BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.KMSMasterKeyID,
      'AWS::SQS::Queue': ({ KmsMasterKeyId }) => KmsMasterKeyId,
      'AWS::SNS::Topic': ({ KmsMasterKeyId }) => KmsMasterKeyId,
      'AWS::Events::EventBus': ({ KmsKeyIdentifier }) => KmsKeyIdentifier,
      'AWS::SecretsManager::Secret': ({ KmsKeyId }) => KmsKeyId,
      'AWS::Logs::LogGroup': ({ KmsKeyId }) => KmsKeyId,
      'AWS::StepFunctions::StateMachine': ({ EncryptionConfiguration }) => EncryptionConfiguration.KmsKeyId,
      'AWS::Lambda::Function': ({ KmsKeyArn }) => KmsKeyArn,
    }
    for (const [type, keyOf] of Object.entries(encryptedBy)) {
      const found = ofType(encrypted, type)
      expect(found.length).toBeGreaterThan(0)
      for (const [id, { Properties }] of found) expect(keyOf(Properties), `${type} ${id}`).toBeDefined()
    }
  })

  test.each([
    ['events.amazonaws.com', 'rules write to queues', ['kms:Decrypt', 'kms:GenerateDataKey']],
    ['cloudwatch.amazonaws.com', 'alarms write to the topic', ['kms:Decrypt', 'kms:GenerateDataKey']],
    ['delivery.logs.amazonaws.com', 'what a workflow logs is delivered', ['kms:Decrypt']],
  ])('lets %s use it, so that %s: without, it is lost in silence', (service, _, actions) => {
    const statements: Statement[] = keys[0]?.[1].Properties.KeyPolicy.Statement
    const granted = statements.find((one) => one.Principal.Service === service)
    expect(granted?.Effect).toBe('Allow')
    expect(list(granted?.Action)).toEqual(expect.arrayContaining(actions))
    expect(granted?.Condition).toBeDefined()
  })

  test('lets whoever may send to a queue do so: through SQS, and not for some other use', () => {
    const policies = ofType(encrypted, 'AWS::IAM::Policy').map(([, { Properties }]) => Properties)
    const senders = policies.filter((one) => JSON.stringify(one).includes('sqs:SendMessage'))
    expect(senders.length).toBeGreaterThan(10)
    for (const { PolicyName, PolicyDocument } of senders) {
      const usable = (PolicyDocument.Statement as Statement[]).filter(
        ({ Condition = {} }) =>
          Object.keys(Condition).length === 0 ||
          JSON.stringify(Condition).startsWith('{"StringEquals":{"kms:ViaService":{"Fn::Join":["",["sqs."'),
      )
      const actions = usable.flatMap(({ Action }) => list<string>(Action))
      expect(actions, PolicyName).toEqual(expect.arrayContaining(['kms:Decrypt', 'kms:GenerateDataKey']))
    }
  })

  test("no queue has AWS's own KMS key, to which EventBridge cannot be let", () => {
    for (const of of [prod, local, encrypted])
      for (const [, { Properties }] of ofType(of, 'AWS::SQS::Queue'))
        expect(Properties.KmsMasterKeyId).not.toBe('alias/aws/sqs')
  })
})
