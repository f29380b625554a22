import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Aws } from '../adapters/aws/clients.ts'
import { type Keys, type TableDescription, type TableName, tables } from '../adapters/aws/tables.ts'

/** Tables, queues and machines of a test's own on the endpoint, from the description that infra deploys. */
const schema = ({ pk, sk }: Keys) => [
  { AttributeName: pk, KeyType: 'HASH' },
  ...(sk === undefined ? [] : [{ AttributeName: sk, KeyType: 'RANGE' }]),
]

const throughput = { BillingMode: 'PAY_PER_REQUEST' }

/** Answers the name of a fresh, empty table. */
export async function createTable(aws: Aws, table: TableName): Promise<string> {
  const { keys, indexes }: TableDescription = tables[table]
  const name = `${table}-${randomUUID()}`
  const names = [keys, ...Object.values(indexes)].flatMap(({ pk, sk }) =>
    sk === undefined ? [pk] : [pk, sk],
  )
  await aws.call('dynamodb', 'CreateTable', {
    TableName: name,
    ...throughput,
    KeySchema: schema(keys),
    AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    ...(Object.keys(indexes).length === 0
      ? {}
      : {
          GlobalSecondaryIndexes: Object.entries(indexes).map(([IndexName, { projection, ...index }]) => ({
            IndexName,
            KeySchema: schema(index),
            Projection: { ProjectionType: projection },
          })),
        }),
  })
  return name
}

const queue = z.object({ QueueUrl: z.string() })

/** Answers the URL of a fresh queue. */
export const createQueue = async (aws: Aws, { ordered = false } = {}): Promise<string> => {
  const name = `queue-${randomUUID()}`
  const options = ordered
    ? { QueueName: `${name}.fifo`, Attributes: { FifoQueue: 'true' } }
    : { QueueName: name }
  return queue.parse(await aws.call('sqs', 'CreateQueue', options)).QueueUrl
}

const received = z.object({
  Messages: z
    .array(
      z.object({
        Body: z.string(),
        ReceiptHandle: z.string(),
        MessageAttributes: z.record(z.string(), z.object({ StringValue: z.string() })).optional(),
      }),
    )
    .optional(),
})

/** Takes everything off a queue: the bodies, and what their attribute `queue` says. */
export async function drain(aws: Aws, url: string): Promise<{ body: string; queue: string | undefined }[]> {
  const all: { body: string; queue: string | undefined }[] = []
  for (;;) {
    const { Messages = [] } = received.parse(
      await aws.call('sqs', 'ReceiveMessage', {
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
      }),
    )
    if (Messages.length === 0) return all
    for (const { Body, ReceiptHandle, MessageAttributes } of Messages) {
      all.push({ body: Body, queue: MessageAttributes?.queue?.StringValue })
      await aws.call('sqs', 'DeleteMessage', { QueueUrl: url, ReceiptHandle })
    }
  }
}
