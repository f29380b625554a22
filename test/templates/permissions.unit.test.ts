// Longer than 300 lines: the tables of what each call needs, beside the one test that holds grants against them.
import { beforeAll, describe, expect, test } from 'vitest'
import { eventKey } from '../../adapters/aws/history-items.ts'
import { laneKey } from '../../adapters/aws/lane-items.ts'
import { outboxPk, recordKey } from '../../adapters/aws/memory-items.ts'
import { approvalRecord } from '../../core/domain/approval.ts'
import { runRecord } from '../../core/domain/run.ts'
import { keyRecord } from '../../core/gate/access.ts'
import { controlRecord } from '../../core/hold/control.ts'
import { jobRecord } from '../../core/job/job.ts'
import type { Lanes } from '../../core/lane/lane.ts'
import type { Bodies, Ephemeral, History, Memory, Queues, Stacks, Workflows } from '../../core/ports.ts'
import type { Route } from '../../events/route.ts'
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
const ephemeral = 'table/loadpath-prod-ephemeral'
const dynamodb = (table: string, ...actions: string[]) =>
  actions.map((action) => `dynamodb:${action} arn::dynamodb:::${table}`)
const asks = (table: string, index: string) => dynamodb(`${table}/index/${index}`, 'Query')
const body = { get: 's3:GetObject', put: 's3:PutObject' }
const bodies = (...actions: string[]) => [
  ...actions.map((action) => `${action} arn::s3:::loadpath-prod-bodies--/*`),
  's3:ListBucket arn::s3:::loadpath-prod-bodies--',
]
const routed: readonly Route[] = routes
const workflows = routed.flatMap(({ subscriber, kind }) => (kind === 'workflow' ? subscriber : []))
const onMachines = (action: string) =>
  workflows.map((name) => `states:${action} arn::states:::stateMachine:loadpath-prod-${name}`)
const onRuns = (action: string) =>
  workflows.map((name) => `states:${action} arn::states:::execution:loadpath-prod-${name}:*`)

/** Writing a mark: it reads what it replaces, and keeps or lets go of its event and that one's body. */
const marks = [
  ...dynamodb(history, 'BatchGetItem', 'PutItem', 'Query', 'UpdateItem'),
  ...bodies(body.get, body.put),
]

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
    mark: marks,
    transition: marks,
    note: dynamodb(history, 'UpdateItem'),
    quarantine: dynamodb(history, 'PutItem'),
    settleQuarantined: dynamodb(history, 'UpdateItem'),
    getQuarantined: dynamodb(history, 'BatchGetItem'),
    pages: dynamodb(history, 'Query'),
    openMarks: asks(history, 'open'),
    quarantined: [...asks(history, 'open'), ...dynamodb(history, 'BatchGetItem')],
    story: asks(history, 'trace'),
    byKey: asks(history, 'order'),
  } satisfies Asked<History>,
  lanes: {
    lane: dynamodb(history, 'GetItem'),
    wait: marks,
    waiting: dynamodb(history, 'Query'),
    release: dynamodb(history, 'UpdateItem'),
    leave: dynamodb(history, 'DeleteItem'),
    open: dynamodb(history, 'Query', 'UpdateItem'),
    closed: [...asks(history, 'open'), ...dynamodb(history, 'BatchGetItem')],
  } satisfies Asked<Lanes>,
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
    putIfAbsent: dynamodb(ephemeral, 'GetItem', 'PutItem'),
    tally: dynamodb(ephemeral, 'GetItem', 'PutItem', 'UpdateItem'),
  } satisfies Asked<Ephemeral>,
  bodies: { get: bodies(body.get), put: bodies(body.put) } satisfies Asked<Bodies>,
  workflows: {
    start: onMachines('StartExecution'),
    stop: onRuns('StopExecution'),
    // of any workflow of the stage: a run may outlive the route to its workflow
    describe: ['states:DescribeExecution arn::states:::execution:loadpath-prod-*:*'],
    // the only one that waits for anybody
    succeedTask: ['states:SendTaskSuccess arn::states:::stateMachine:loadpath-prod-test-and-validate'],
  } satisfies Asked<Workflows>,
  stacks: {
    template: ['State', 'App'].map(
      (name) => `cloudformation:GetTemplate arn::cloudformation:::stack/Loadpath-prod-${name}/*`,
    ),
  } satisfies Asked<Stacks>,
  queues: { send: ['sqs:SendMessage'], depth: ['sqs:GetQueueAttributes'] } satisfies Asked<Queues>,
  '': {
    topicPublisher: ['sns:Publish loadpath-prod-notifications'],
    busPublisher: ['events:PutEvents loadpath-prod-events'],
    secretReader: ['secretsmanager:GetSecretValue /loadpath/prod/webhook-secret'],
    metricTimes: ['cloudwatch:GetMetricStatistics *'],
    // granted with the rest of what a mapping needs
    setVisibility: [],
  },
}
const table: Record<string, Record<string, readonly string[]>> = asked

/** Of history one item alone is read and deleted by its key. */
const ofLanes = (action: string) =>
  /^dynamodb:(Get|Delete)Item arn::dynamodb:::table\/loadpath-prod-history$/.test(action)
    ? `${action} where the key is like lane~*`
    : action

/** What each module reads and changes of memory where no more is granted: for consumers of effect outside, and the mesh. */
const ofMemory: Record<string, readonly string[]> = {
  // where the effect is state
  'core/consume/handle.ts': [],
  'core/consume/shadow.ts': [],
  'core/hold/subscriber-controls.ts': ['*#control#*', '*#job#*', 'outbox#*'],
  'core/domain/start-run.ts': ['*#run#*'],
  'core/domain/answer-approval.ts': ['*#approval#*'],
  'core/mesh/validate.ts': ['*#mesh#*', 'outbox#*'],
  // a list of projects, whose records are read by their keys
  'core/gate/access.ts': ['*#project#*'],
}

/** What each workflow invokes. */
const steps: Record<string, readonly string[]> = {
  'test-and-validate': ['collect-facts', 'evaluate-gate', 'request-approval'],
  redrive: ['redrive-batch'],
  replay: ['replay-batch'],
}

/** Which queues: the port's methods take any, so it is said by the module that calls them. */
const queueOf = ({ subscriber, ordered }: Route) => (ordered ? `${subscriber}.fifo` : subscriber)
const subscribers = routed.map(queueOf)
const inOrder = subscribers.filter((name) => name.endsWith('.fifo'))
const queuesOf: Record<string, readonly string[]> = {
  'core/gate/send.ts': subscribers,
  'core/consume/handle.ts': ['record'],
  'core/gate/ingest.ts': ['record'],
  'core/gate/missing.ts': subscribers,
  'core/sweep/sweep-stuck.ts': subscribers,
  'core/job/job-batch.ts': ['redrive', 'replay'],
  'core/replay/replay-pass.ts': subscribers,
  'core/lane/lane.ts': inOrder,
  'core/lane/released.ts': inOrder,
  'api/start-run.ts': ['record', ...workflows],
  'api/health.ts': ['record', ...subscribers],
  'api/subscribers.ts': subscribers,
}

const routeOf = (name: string) => routed.find(({ subscriber }) => subscriber === name)
/** What consume is part of: it knows more than each of them is given. */
const isConsumer = (name: string) => name === 'start-workflow' || routeOf(name)?.kind === 'function'
/** The gate remembers names of former subscribers, but where nobody gives it a memory. */
const withoutMemory = ['record', 'ingest', 'dead-letter']

function asksFor(name: string, { module, port, method }: Call): readonly string[] {
  const known = table[port]?.[method]
  // a list or a map may have the name of a port
  if (known === undefined && (method in Array.prototype || method in Map.prototype)) return []
  if (known === undefined)
    throw new Error(`${name}: ${module} calls ${port}.${method}: write it into the table`)
  if (module === 'core/gate/subscribers.ts' && port === 'memory' && withoutMemory.includes(name)) return []
  const inLane = port === 'lanes' || module === 'core/lane/lane.ts'
  // only an ordered route is given lanes, and sends nowhere but into its own
  if (inLane && isConsumer(name) && !routeOf(name)?.ordered) return []
  const isNarrow = name === 'validate-mesh' || (isConsumer(name) && routeOf(name)?.effect !== 'state')
  if (port === 'memory' && isNarrow) {
    const keys = ofMemory[module]
    if (keys === undefined) throw new Error(`${module} calls memory.${method}: say here of which keys`)
    const narrowed = (action: string, key: string) =>
      action.includes('/index/') ? action : `${action} where the key is like ${key}`
    return keys.flatMap((key) => known.map((action) => narrowed(action, key)))
  }
  if (port !== 'queues') return known.map(ofLanes)
  const to = inLane && isConsumer(name) ? [`${name}.fifo`] : queuesOf[module]
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
  return statements.flatMap(({ Action, Resource, Condition }) => {
    const keys = list<string>(Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ?? [])
    return list<string>(Action).flatMap((action) =>
      list(Resource).flatMap((resource) => {
        const granted = `${action} ${nameOf(stage, resource)}`
        return keys.length === 0 ? [granted] : keys.map((key) => `${granted} where the key is like ${key}`)
      }),
    )
  })
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

  test.each(workflows)(
    'the workflow %s invokes its functions, emits what its route says, logs, and does nothing else',
    (name) => {
      const [[, { Properties }]] = ofType(stage, 'AWS::StepFunctions::StateMachine').filter(
        ([, one]) => one.Properties.StateMachineName === `loadpath-prod-${name}`,
      ) as [[string, Resource]]
      const granted = sorted(grantedTo(stage, target(Properties.RoleArn)))
      const emits = (routeOf(name)?.emits ?? []).length > 0
      expect(granted.filter((one) => !/^(logs|xray):\w+ \*$/.test(one))).toEqual(
        sorted([
          ...(steps[name] ?? []).map((step) => `lambda:InvokeFunction loadpath-prod-${step}`),
          ...(emits ? ['sqs:SendMessage loadpath-prod-record'] : []),
          ...(variant === 'encrypted'
            ? ['kms:Decrypt /loadpath/prod/key', 'kms:GenerateDataKey /loadpath/prod/key']
            : []),
        ]),
      )
      expect(granted.some((one) => one.startsWith('xray:'))).toBe(variant === 'traced')
      expect(Properties.TracingConfiguration.Enabled).toBe(variant === 'traced')
    },
  )
})

/** A pattern of IAM, in which `*` is anything. */
const like = (pattern: string, key: string) => new RegExp(`^${pattern.split('*').join('.*')}$`, 's').test(key)

test('a handler of effect outside reaches what holds it back, and neither keys nor tokens', () => {
  const keys = ofMemory['core/hold/subscriber-controls.ts'] ?? []
  const reaches = (pk: string) => keys.some((pattern) => like(pattern, pk))
  expect(reaches(recordKey(controlRecord('main', 'notify')).pk)).toBe(true)
  expect(reaches(recordKey(jobRecord('main', 'j')).pk)).toBe(true)
  expect(reaches(outboxPk('main', 'subscriber/notify'))).toBe(true)
  for (const other of [keyRecord('k'), approvalRecord('main', 'a'), runRecord('main', 'w', 'r')])
    expect(reaches(recordKey(other).pk)).toBe(false)
  expect(reaches(recordKey({ project: 'main', kind: 'repository', name: 'octo/control' }).pk)).toBe(false)
  expect(like('*#approval#*', recordKey(approvalRecord('main', 'a')).pk)).toBe(true)
  expect(like('*#run#*', recordKey(runRecord('main', 'w', 'r')).pk)).toBe(true)
})

test('what is deleted of history are lanes', () => {
  const lane = { project: 'main', subscriber: 's', replay: '', partitionkey: 'p' }
  expect(laneKey(lane)).toMatchObject({ pk: { S: expect.stringMatching(/^lane~/) } })
  expect(like('lane~*', eventKey({ project: 'main', source: '/lane~', id: 'lane~' }).pk)).toBe(false)
})

test('the calls are read off the bundles: some that are known, and none of what others call', () => {
  const of = (name: string) => (calls.get(name) ?? []).map(({ port, method }) => `${port}.${method}`)
  expect(of('api')).toEqual(expect.arrayContaining(['queues.depth', 'workflows.stop', 'history.story']))
  expect(of('api')).not.toContain('workflows.start')
  expect(of('notify')).toContain('.topicPublisher')
  expect(of('evaluate-gate')).toEqual([])
})
