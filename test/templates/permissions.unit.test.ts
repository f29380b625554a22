import { beforeAll, describe, expect, test } from 'vitest'
import type { Bodies, Ephemeral, History, Memory, Queues, Workflows } from '../../core/ports.ts'
import { routes } from '../../events/routes.ts'
import { functionNames } from '../../infra/bundle.ts'
import { type Call, callsOfFunctions } from './calls.ts'
import { mapped, ofType, type Resource, type Synthesized, synthesized, target } from './synthesize.ts'

/**
 * What each method of a port asks of AWS (adapters/aws), as `<action> <resource>`. Batches and transactions of DynamoDB
 * are granted by what is in them: an INSERT is PartiQLInsert, a Put in a transaction PutItem.
 */
const history = 'table/loadpath-prod-history'
const memory = 'table/loadpath-prod-memory'
const dynamodb = (table: string, ...actions: string[]) =>
  actions.map((action) => `dynamodb:${action} arn::dynamodb:::${table}`)
const asks = (table: string, index: string) => dynamodb(`${table}/index/${index}`, 'Query')
const body = { get: 's3:GetObject', put: 's3:PutObject' }
const bodies = (...actions: string[]) => [
  ...actions.map((action) => `${action} arn::s3:::loadpath-prod-bodies--/*`),
  's3:ListBucket arn::s3:::loadpath-prod-bodies--',
]
const machine = 'arn::states:::stateMachine:loadpath-prod-test-and-validate'
const run = 'arn::states:::execution:loadpath-prod-test-and-validate:*'

type Asked<Port> = Record<keyof Port & string, readonly string[]>
const asked = {
  history: {
    putPage: dynamodb(history, 'PutItem'),
    insertEvents: dynamodb(history, 'PartiQLInsert'),
    getEvents: dynamodb(history, 'BatchGetItem'),
    fate: dynamodb(history, 'Query'),
    sourcesOf: dynamodb(history, 'Query'),
    getDeliveries: dynamodb(history, 'BatchGetItem'),
    insertDeliveries: dynamodb(history, 'BatchGetItem', 'PartiQLInsert'),
    mark: [
      ...dynamodb(history, 'BatchGetItem', 'PutItem', 'Query', 'UpdateItem'),
      ...bodies(body.get, body.put),
    ],
    note: dynamodb(history, 'UpdateItem'),
    quarantine: dynamodb(history, 'PutItem'),
    getQuarantined: dynamodb(history, 'BatchGetItem'),
    pages: dynamodb(history, 'Query'),
    openDeliveries: [...asks(history, 'open'), ...dynamodb(history, 'BatchGetItem')],
    openMarks: asks(history, 'open'),
    quarantined: [...asks(history, 'open'), ...dynamodb(history, 'BatchGetItem')],
    story: asks(history, 'trace'),
  } satisfies Asked<History>,
  memory: {
    get: dynamodb(memory, 'GetItem'),
    // with a mark it writes to the history too, and whoever has one marks there in other ways anyway
    commit: dynamodb(memory, 'PutItem'),
    list: [...asks(memory, 'list'), ...dynamodb(memory, 'BatchGetItem')],
    outbox: dynamodb(memory, 'Query'),
    removeFromOutbox: dynamodb(memory, 'BatchWriteItem'),
    staleOutbox: asks(memory, 'list'),
  } satisfies Asked<Memory>,
  ephemeral: {
    putIfAbsent: dynamodb('table/loadpath-prod-ephemeral', 'GetItem', 'PutItem'),
  } satisfies Asked<Ephemeral>,
  bodies: { get: bodies(body.get), put: bodies(body.put) } satisfies Asked<Bodies>,
  workflows: {
    start: [`states:StartExecution ${machine}`],
    stop: [`states:StopExecution ${run}`],
    describe: [`states:DescribeExecution ${run}`],
    succeedTask: [`states:SendTaskSuccess ${machine}`],
  } satisfies Asked<Workflows>,
  queues: { send: ['sqs:SendMessage'], depth: ['sqs:GetQueueAttributes'] } satisfies Asked<Queues>,
  '': {
    topicPublisher: ['sns:Publish loadpath-prod-notifications'],
    busPublisher: ['events:PutEvents loadpath-prod-events'],
    secretReader: ['secretsmanager:GetSecretValue /loadpath/prod/webhook-secret'],
    // granted with the rest of what a mapping needs
    setVisibility: [],
  },
}
const table: Record<string, Record<string, readonly string[]>> = asked

/** Which queues: the port's methods take any, so it is said by the module that calls them. */
const subscribers: string[] = routes.map(({ subscriber }) => subscriber)
const workflows: string[] = routes.flatMap(({ subscriber, kind }) => (kind === 'workflow' ? subscriber : []))
const queuesOf: Record<string, readonly string[]> = {
  'core/send.ts': subscribers,
  'core/consume.ts': ['record'],
  'core/ingest.ts': ['record'],
  'core/sweep-timeline.ts': subscribers,
  'api/start-run.ts': ['record', ...workflows],
  'api/health.ts': ['record', ...subscribers],
}

const isOfState = (name: string) =>
  routes.some(({ subscriber, effect }) => subscriber === name && effect === 'state')

function asksFor(name: string, { module, port, method }: Call): readonly string[] {
  const known = table[port]?.[method]
  // start-workflow has a list of workflows beside the port
  if (known === undefined && port === 'workflows' && method === 'find') return []
  if (known === undefined)
    throw new Error(`${name}: ${module} calls ${port}.${method}: write it into the table`)
  // only a route of effect state is given a memory to commit to
  if (module === 'core/consume.ts' && port === 'memory' && !isOfState(name)) return []
  if (port !== 'queues') return known
  const to = queuesOf[module]
  if (to === undefined) throw new Error(`${module} calls queues.${method}: say here which queues it means`)
  return to.flatMap((queue) => known.map((action) => `${action} loadpath-prod-${queue}`))
}

/** What Lambda itself asks of the role: to write the log, and to read what it runs the function for. */
function asksOfLambda(stage: Synthesized, name: string, id: string): string[] {
  const { Properties } = new Map(stage.both).get(id) ?? {}
  const log = `/aws/lambda/loadpath-prod-${name}`
  const own = ofType(stage, 'AWS::Lambda::EventSourceMapping')
    .map(([, mapping]) => mapping.Properties)
    .filter((mapping) => mapped(stage, mapping).function.Properties === Properties)
  const mappings = own.flatMap(({ EventSourceArn, StartingPosition }) =>
    StartingPosition === undefined
      ? [
          'ChangeMessageVisibility',
          'DeleteMessage',
          'GetQueueAttributes',
          'GetQueueUrl',
          'ReceiveMessage',
        ].map((action) => `sqs:${action} ${nameOf(stage, EventSourceArn)}`)
      : [
          'dynamodb:ListStreams *',
          ...['DescribeStream', 'GetRecords', 'GetShardIterator'].map(
            (action) => `dynamodb:${action} ${nameOf(stage, EventSourceArn)}`,
          ),
        ],
  )
  const tracing = Properties?.TracingConfig?.Mode === 'Active'
  return [
    `logs:CreateLogStream ${log}`,
    `logs:PutLogEvents ${log}`,
    ...mappings,
    ...(tracing ? ['xray:PutTelemetryRecords *', 'xray:PutTraceSegments *'] : []),
  ]
}

/** What is under the customer key is asked of it by whoever reads and writes it, in their own name. */
const kms: readonly [RegExp, string[]][] = [
  // a function's variables
  [/^logs:CreateLogStream/, ['Decrypt']],
  [/^dynamodb:/, ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'ReEncryptFrom', 'ReEncryptTo']],
  [/^(sqs:SendMessage|s3:PutObject|sns:Publish)/, ['Decrypt', 'GenerateDataKey']],
  [/^(sqs:ReceiveMessage|s3:GetObject|secretsmanager:)/, ['Decrypt']],
]
const asksOfKey = (asked: readonly string[]) =>
  asked.flatMap((one) =>
    kms.flatMap(([what, actions]) =>
      what.test(one) ? actions.map((action) => `kms:${action} /loadpath/prod/key`) : [],
    ),
  )

// ---- what the template grants ------------------------------------------------------------------

// biome-ignore lint/suspicious/noExplicitAny: templates at any depth
function nameOf(stage: Synthesized, arn: any): string {
  if (typeof arn === 'string') return arn
  if (arn['Fn::Join']) return arn['Fn::Join'][1].map((part: unknown) => nameOf(stage, part)).join('')
  if (arn.Ref?.startsWith('AWS::')) return ''
  const parameter = { ...stage.state.Parameters, ...stage.app.Parameters }[arn.Ref]
  if (parameter) return parameter.Default ?? ''
  const { Properties = {} } = new Map(stage.both).get(target(arn)) ?? {}
  const { QueueName, TopicName, LogGroupName, FunctionName, Name } = Properties
  const name = QueueName ?? TopicName ?? LogGroupName ?? FunctionName ?? Name
  if (name === undefined) throw new Error(`no name for ${JSON.stringify(arn)}`)
  return name
}

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])

function grantedTo(stage: Synthesized, role: string): string[] {
  const own = ofType(stage, 'AWS::IAM::Policy').filter(([, { Properties }]) =>
    Properties.Roles.some((one: { Ref: string }) => one.Ref === role),
  )
  const statements = own.flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
  expect(statements.map(({ Effect }) => Effect)).not.toContain('Deny')
  return statements.flatMap(({ Action, Resource }) =>
    list<string>(Action).flatMap((action) =>
      list(Resource).map((resource) => `${action} ${nameOf(stage, resource)}`),
    ),
  )
}

const sorted = (all: readonly string[]) => [...new Set(all)].sort()

const variants = {
  plain: synthesized({ stage: 'prod' }),
  encrypted: synthesized({ stage: 'prod', cmk: 'on' }),
  traced: synthesized({ stage: 'prod', xray: 'on' }),
}

let calls = new Map<string, Call[]>()
beforeAll(async () => {
  calls = await callsOfFunctions()
})

describe.each(Object.entries(variants))('%s', (variant, stage) => {
  const functions = new Map(
    ofType(stage, 'AWS::Lambda::Function').map(([id, { Properties }]) => [Properties.FunctionName, id]),
  )
  const get = (id: string): Resource => new Map(stage.both).get(id) ?? { Type: 'nothing', Properties: {} }

  test.each(functionNames())('%s may do what it does, and nothing else', (name) => {
    const id = functions.get(`loadpath-prod-${name}`) ?? ''
    const needed = [
      ...(calls.get(name) ?? []).flatMap((call) => asksFor(name, call)),
      ...asksOfLambda(stage, name, id),
    ]
    const role = target(get(id).Properties.Role)
    expect(get(role).Properties.ManagedPolicyArns).toBeUndefined()
    expect(sorted(grantedTo(stage, role))).toEqual(
      sorted(variant === 'encrypted' ? [...needed, ...asksOfKey(needed)] : needed),
    )
  })

  test('a workflow invokes its functions, emits, logs, and does nothing else', () => {
    const [[, { Properties }]] = ofType(stage, 'AWS::StepFunctions::StateMachine') as [[string, Resource]]
    const granted = sorted(grantedTo(stage, target(Properties.RoleArn)))
    const steps = ['collect-facts', 'evaluate-gate', 'request-approval']
    expect(granted.filter((one) => !/^(logs|xray):\w+ \*$/.test(one))).toEqual(
      sorted([
        ...steps.map((name) => `lambda:InvokeFunction loadpath-prod-${name}`),
        'sqs:SendMessage loadpath-prod-record',
        ...(variant === 'encrypted'
          ? ['kms:Decrypt /loadpath/prod/key', 'kms:GenerateDataKey /loadpath/prod/key']
          : []),
      ]),
    )
    expect(granted.some((one) => one.startsWith('xray:'))).toBe(variant === 'traced')
    expect(Properties.TracingConfiguration.Enabled).toBe(variant === 'traced')
  })
})

test('the calls are read off the bundles: some that are known, and none of what others call', () => {
  const of = (name: string) => (calls.get(name) ?? []).map(({ port, method }) => `${port}.${method}`)
  expect(of('api')).toEqual(expect.arrayContaining(['queues.depth', 'workflows.stop', 'history.story']))
  expect(of('api')).not.toContain('history.mark')
  expect(of('notify')).toContain('.topicPublisher')
  expect(of('evaluate-gate')).toEqual([])
})
