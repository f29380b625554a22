import { ArnFormat, Fn, type Stack } from 'aws-cdk-lib'
import type { EventBus } from 'aws-cdk-lib/aws-events'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import type { TableName, tables } from '../../adapters/aws/tables.ts'
import type { Variable } from '../../adapters/environment.ts'
import { named, type Stage } from '../stages.ts'
import { acknowledge, acknowledgeParameterArn } from './acknowledge.ts'
import type { Conditions, Grant } from './house-function.ts'
import type { HouseQueue } from './house-queue.ts'

type TableAction =
  | 'BatchGetItem'
  | 'BatchWriteItem'
  | 'DeleteItem'
  | 'GetItem'
  | 'PartiQLInsert'
  | 'PutItem'
  | 'Query'
  | 'UpdateItem'

/** Those that name their items: without a key in the request ForAllValues would hold of nothing, and allow it. */
type KeyedAction = 'BatchGetItem' | 'DeleteItem' | 'GetItem' | 'PutItem'

/** A table of the state stack, by its name: no stack exports to another. */
export function table<Name extends TableName>(stack: Stack, stage: Stage, name: Name, variable: Variable) {
  const tableName = named(stage, name)
  const arn = stack.formatArn({ service: 'dynamodb', resource: 'table', resourceName: tableName })
  type Index = keyof (typeof tables)[Name]['indexes'] & string
  const allow =
    (actions: readonly TableAction[], conditions?: Conditions): Grant =>
    (fn) => {
      fn.allow(
        actions.map((action) => `dynamodb:${action}`),
        [arn],
        conditions,
      )
      fn.set(variable, tableName)
    }
  const may = (...actions: TableAction[]) => allow(actions)
  /** nothing but items whose partition key is like one of these */
  const mayOnly = (keys: readonly string[], ...actions: KeyedAction[]) =>
    allow(actions, { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } })
  const ask =
    (...indexes: Index[]): Grant =>
    (fn) =>
      fn.allow(
        ['dynamodb:Query'],
        indexes.map((index) => `${arn}/index/${index}`),
      )
  return { tableName, arn, may, mayOnly, ask }
}

/** The bucket of the state stack, by its name. */
export function bodies(stack: Stack, stage: Stage, key: IKey | undefined) {
  const bucketName = named(stage, `bodies-${stack.account}-${stack.region}`)
  const bucket: IBucket = Bucket.fromBucketAttributes(stack, 'bodies', { bucketName, encryptionKey: key })
  const allow =
    (actions: string[]): Grant =>
    (fn) => {
      fn.allow(actions, [bucket.arnForObjects('*')])
      // without it a body that is gone answers 403, which looks like a fault of ours
      fn.allow(['s3:ListBucket'], [bucket.bucketArn])
      fn.set('BUCKET', bucketName)
      acknowledge(
        fn.role,
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::${bucketPattern(stage)}/*]`,
        'the names of bodies are hashes of what is sent',
      )
    }
  return {
    bucketName,
    arn: bucket.bucketArn,
    read: allow(['s3:GetObject']),
    write: allow(['s3:GetObject', 's3:PutObject']),
    /** where Lambda puts what it gives up, under `aws/lambda/`, with the write grant of the function */
    failures: { bind: () => ({ destination: bucket.bucketArn }) },
  }
}

const bucketPattern = (stage: Stage) => named(stage, 'bodies-<AWS::AccountId>-<AWS::Region>')

/** Sending and measuring. A queue's URL is QUEUE_PREFIX plus its name, on whatever endpoint the stage is. */
export function queues(stage: Stage, record: HouseQueue) {
  const beforeName = Fn.select(0, Fn.split(named(stage, 'record'), record.queue.queueUrl))
  const prefix = Fn.join('', [beforeName, named(stage, '')])
  const allow =
    (action: string) =>
    (...to: readonly HouseQueue[]): Grant =>
    (fn) => {
      fn.allow(
        [action],
        to.map(({ queue }) => queue.queueArn),
      )
      fn.set('QUEUE_PREFIX', prefix)
    }
  return { prefix, send: allow('sqs:SendMessage'), measure: allow('sqs:GetQueueAttributes') }
}

/** Starting, watching and stopping runs of these workflows, and answering those that `wait` for that. */
export function machines(
  stack: Stack,
  stage: Stage,
  workflows: readonly string[],
  wait: (workflow: string) => boolean,
) {
  const arn = (resource: 'stateMachine' | 'execution', ...name: string[]) =>
    stack.formatArn({
      service: 'states',
      resource,
      resourceName: name.join(':'),
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    })
  const prefix = arn('stateMachine', named(stage, ''))
  const machineArn = (name: string) => arn('stateMachine', named(stage, name))
  const arns = workflows.map(machineArn)
  const onMachines =
    (actions: string[], on = arns): Grant =>
    (fn) => {
      fn.allow(actions, on)
      fn.set('STATE_MACHINE_PREFIX', prefix)
    }
  const onRuns =
    (actions: string[], on: readonly string[], why: string): Grant =>
    (fn) => {
      fn.allow(
        actions,
        on.map((name) => arn('execution', named(stage, name), '*')),
      )
      fn.set('STATE_MACHINE_PREFIX', prefix)
      for (const name of on)
        acknowledge(
          fn.role,
          `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:${named(stage, name)}:*]`,
          why,
        )
    }
  return {
    prefix,
    arns,
    start: onMachines(['states:StartExecution']),
    /** those of workflows that left the routes as well: their runs may be open still */
    watch: onRuns(['states:DescribeExecution'], ['*'], 'runs outlive the routes to their workflows'),
    stop: onRuns(
      ['states:StopExecution'],
      workflows,
      'the names of runs are hashes of the events that start them',
    ),
    /** answering a task token names no resource but the machine that waits */
    answer: onMachines(['states:SendTaskSuccess'], workflows.filter(wait).map(machineArn)),
  }
}

export const publish =
  (topic: Topic): Grant =>
  (fn) => {
    fn.allow(['sns:Publish'], [topic.topicArn])
    fn.set('NOTIFICATION_TOPIC_ARN', topic.topicArn)
  }

export const putEvents =
  (bus: EventBus): Grant =>
  (fn) => {
    fn.allow(['events:PutEvents'], [bus.eventBusArn])
    fn.set('EVENTS_BUS', bus.eventBusName)
  }

export const webhookSecret =
  (arn: string): Grant =>
  (fn) => {
    fn.allow(['secretsmanager:GetSecretValue'], [arn])
    fn.set('WEBHOOK_SECRET_ARN', arn)
    acknowledgeParameterArn(fn.role)
  }

export const accountProjects =
  (stage: Stage): Grant =>
  (fn) =>
    fn.set('ACCOUNT_PROJECTS', JSON.stringify(stage.projects))

/** Reading the templates of these stacks, whichever of that name is deployed. */
export const templates =
  (stack: Stack, names: readonly string[]): Grant =>
  (fn) => {
    const stackArn = (name: string) =>
      stack.formatArn({ service: 'cloudformation', resource: 'stack', resourceName: `${name}/*` })
    fn.allow(['cloudformation:GetTemplate'], names.map(stackArn))
    fn.set('STACKS', names.join(','))
    for (const name of names)
      acknowledge(
        fn.role,
        `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/${name}/*]`,
        'behind the name of a stack stands an id that CloudFormation makes anew for each',
      )
  }

export const metrics: Grant = (fn) => {
  fn.allow(['cloudwatch:GetMetricStatistics'], ['*'])
  acknowledge(fn.role, 'AwsSolutions-IAM5[Resource::*]', 'metrics are read of no resource in particular')
}
