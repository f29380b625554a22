import { describe, expect, test } from 'vitest'
import { variables } from '../../adapters/environment.ts'
import { functionNames } from '../../infra/bundle.ts'
import { ofType, type Resource, synthesized, target } from './synthesize.ts'

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

const queues = ofType(prod, 'AWS::SQS::Queue')
const functions = ofType(prod, 'AWS::Lambda::Function')
const rules = ofType(prod, 'AWS::Events::Rule')
const mappings = ofType(prod, 'AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => Properties)
const queueMappings = mappings.filter(
  (mapping) => get(target(mapping.EventSourceArn)).Type === 'AWS::SQS::Queue',
)
/** what a mapping invokes: the one that its name refers to, however it is put together */
const invokedBy = (mapping: Resource['Properties']): Resource =>
  get(/"Ref":"(\w+)"/.exec(JSON.stringify(mapping.FunctionName))?.[1] ?? '')
const functionOf = (mapping: Resource['Properties']): Resource => {
  const invoked = invokedBy(mapping)
  return invoked.Type === 'AWS::Lambda::Alias' ? get(target(invoked.Properties.FunctionName)) : invoked
}

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
    expect(sources.length).toBe(queues.length - 2)
    for (const [, { Properties }] of sources) {
      const dead = get(target(Properties.RedrivePolicy.deadLetterTargetArn)).Properties
      expect(dead.MessageRetentionPeriod).toBeGreaterThan(Properties.MessageRetentionPeriod)
    }
  })

  test('take no message over a plain connection, and the record queue none but from our roles and EventBridge', () => {
    const policies = ofType(prod, 'AWS::SQS::QueuePolicy').map(([, { Properties }]) => Properties)
    for (const [id] of queues) {
      const policy = policies.find((one) => one.Queues.some((queue: { Ref: string }) => queue.Ref === id))
      expect(JSON.stringify(policy)).toContain('"aws:SecureTransport":"false"')
    }
    const [record] = named('AWS::SQS::Queue', 'loadpath-prod-record')
    const statements = policies.find((one) => one.Queues[0].Ref === record)?.PolicyDocument.Statement
    const denied = statements.find((one: { Sid?: string }) => one.Sid === 'OnlyOurRolesAndEventBridge')
    expect(denied).toMatchObject({ Effect: 'Deny', Action: 'sqs:SendMessage', Principal: { AWS: '*' } })
    expect(denied.Condition.Bool).toEqual({ 'aws:PrincipalIsAWSService': 'false' })
    const roles = denied.Condition.ArnNotEquals['aws:PrincipalArn'].map(target)
    for (const role of roles) expect(get(role).Type).toBe('AWS::IAM::Role')
    const machine = ofType(prod, 'AWS::StepFunctions::StateMachine').map(([, one]) =>
      target(one.Properties.RoleArn),
    )
    expect(roles).toEqual(expect.arrayContaining(machine))
    const allowed = statements.filter((one: { Effect: string }) => one.Effect === 'Allow')
    for (const one of allowed) {
      expect(one.Principal).toEqual({ Service: 'events.amazonaws.com' })
      expect(get(target(one.Condition.ArnEquals['aws:SourceArn'])).Type).toBe('AWS::Events::Rule')
    }
  })
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
    for (const [, { Properties }] of [
      ...ofType(local, 'AWS::Lambda::Function'),
      ...ofType(synthesized({ stage: 'prod', reserved: 'off' }), 'AWS::Lambda::Function'),
    ])
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

  test('record and relay move by a canary that our alarms roll back, and mappings follow it', () => {
    const deployments = ofType(prod, 'AWS::CodeDeploy::DeploymentGroup')
    expect(deployments).toHaveLength(2)
    for (const [, { Properties }] of deployments) {
      expect(Properties.AlarmConfiguration.Alarms).toHaveLength(3)
      expect(Properties.AutoRollbackConfiguration).toMatchObject({ Enabled: true })
    }
    for (const name of ['record', 'relay']) {
      const [, { Properties }] = named('AWS::Lambda::Function', `loadpath-prod-${name}`)
      const own = mappings.filter((one) => functionOf(one).Properties === Properties)
      expect(own.map((one) => invokedBy(one).Type)).toEqual(['AWS::Lambda::Alias'])
    }
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

  test('lets EventBridge write to queues and alarms to the topic: without, events are lost in silence', () => {
    const statements = keys[0]?.[1].Properties.KeyPolicy.Statement
    for (const service of ['events.amazonaws.com', 'cloudwatch.amazonaws.com']) {
      const granted = statements.find(
        (one: { Principal: { Service?: string } }) => one.Principal.Service === service,
      )
      expect(granted?.Action).toEqual(expect.arrayContaining(['kms:Decrypt', 'kms:GenerateDataKey']))
    }
  })

  test("no queue has AWS's own KMS key, to which EventBridge cannot be let", () => {
    for (const of of [prod, local, encrypted])
      for (const [, { Properties }] of ofType(of, 'AWS::SQS::Queue'))
        expect(Properties.KmsMasterKeyId).not.toBe('alias/aws/sqs')
  })
})
