import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { build } from 'esbuild'
import { type TableName, tables } from '../../adapters/aws/tables.ts'
import { emitFrame } from '../../core/frame.ts'
import { type Definition, textOf } from './definition.ts'
import { zipOf } from './zip.ts'

/** What a run of a definition needs, made on the endpoint by API calls, under names of its own. */
export const suffix = randomUUID().slice(0, 8)
const role = 'arn:aws:iam::000000000000:role/test'

const lambda = new LambdaClient({})
const sqs = new SQSClient({})
const states = new SFNClient({})

export async function createTable(name: TableName): Promise<string> {
  const TableName = `${name}-${suffix}`
  const { keys, indexes } = tables[name]
  const all: { pk: string; sk?: string }[] = [keys, ...Object.values(indexes)]
  const schemaOf = ({ pk, sk }: { pk: string; sk?: string }) => [
    { AttributeName: pk, KeyType: 'HASH' as const },
    ...(sk === undefined ? [] : [{ AttributeName: sk, KeyType: 'RANGE' as const }]),
  ]
  await new DynamoDBClient({}).send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: schemaOf(keys),
      GlobalSecondaryIndexes: Object.entries(indexes).map(([IndexName, index]) => ({
        IndexName,
        KeySchema: schemaOf(index),
        Projection: { ProjectionType: index.projection },
      })),
      AttributeDefinitions: [...new Set(all.flatMap(schemaOf).map(({ AttributeName }) => AttributeName))].map(
        (AttributeName) => ({ AttributeName, AttributeType: 'S' as const }),
      ),
    }),
  )
  return TableName
}

/** The real function, bundled as for a deployment; answers its ARN. */
export async function createFunction(name: string, Variables: Record<string, string>): Promise<string> {
  const bundled = await build({
    entryPoints: [join(import.meta.dirname, '..', '..', 'functions', name, 'handler.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  })
  const { FunctionArn } = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: `${name}-${suffix}`,
      Role: role,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Timeout: 30,
      Environment: { Variables },
      Code: { ZipFile: zipOf('index.mjs', bundled.outputFiles[0]?.contents ?? new Uint8Array()) },
    }),
  )
  return FunctionArn ?? ''
}

export type Emitted = ReturnType<typeof emitFrame.parse>['event']

/** Answers the queue's URL, and what takes all that was emitted to it: the events, by their step. */
export async function createQueue(name: string) {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `${name}-${suffix}` }))
  async function take(): Promise<Emitted[]> {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
    )
    if (Messages.length === 0) return []
    const events = Messages.map(({ Body, MessageAttributes }) => {
      if (MessageAttributes?.queue?.StringValue !== 'record') throw new Error('a message without its label')
      return emitFrame.parse(JSON.parse(Body ?? '')).event
    })
    await Promise.all(
      Messages.map(({ ReceiptHandle }) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))),
    )
    return [...events, ...(await take())].sort((a, b) => (String(a.step) < String(b.step) ? -1 : 1))
  }
  return { url: QueueUrl ?? '', take }
}

/** The definition with its placeholders filled in, and not waiting between tries. */
export function filledIn(
  workflow: string,
  values: Readonly<Record<string, string>>,
  change: (definition: Definition) => void = () => undefined,
): string {
  const definition: Definition = JSON.parse(
    textOf(workflow).replaceAll(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? ''),
    (name, value) => (name === 'IntervalSeconds' ? 0 : value),
  )
  change(definition)
  return JSON.stringify(definition)
}

/** Starts the definition and answers the execution's ARN. */
export async function start(definition: string, input: object): Promise<string> {
  const name = randomUUID()
  const { stateMachineArn } = await states.send(
    new CreateStateMachineCommand({ name, definition, roleArn: role }),
  )
  const { executionArn } = await states.send(
    new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
  )
  return executionArn ?? ''
}

export async function ended(executionArn: string) {
  return until(async () => {
    const { status, error, cause } = await states.send(new DescribeExecutionCommand({ executionArn }))
    return status === 'RUNNING' ? undefined : { status, error, cause }
  })
}

/** Asks again until there is an answer; the test's own timeout bounds it. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
