import * as z from 'zod'
import { connect, forFunctions } from '../../adapters/aws/clients.ts'

/**
 * What a function would do that promises nothing: each message into a table as it came, overwriting, and on to one
 * queue. No check, no identity, no page, no verdict.
 */
const aws = connect(forFunctions)
const { HISTORY_TABLE = '', QUEUE_PREFIX = '' } = process.env

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size))

const envelope = z.object({ id: z.string(), detail: z.unknown() })

export const handler = async ({ Records }: { Records: readonly { body: string }[] }) => {
  const events = Records.map(({ body }) => envelope.parse(JSON.parse(body)))
  await Promise.all(
    chunks(events, 25).map((chunk) =>
      aws.call('dynamodb', 'BatchWriteItem', {
        RequestItems: {
          [HISTORY_TABLE]: chunk.map(({ id, detail }) => ({
            PutRequest: { Item: { pk: { S: id }, sk: { S: 'event' }, event: { S: JSON.stringify(detail) } } },
          })),
        },
      }),
    ),
  )
  await Promise.all(
    chunks(events, 10).map((chunk) =>
      aws.call('sqs', 'SendMessageBatch', {
        QueueUrl: `${QUEUE_PREFIX}notify`,
        Entries: chunk.map(({ detail }, index) => ({
          Id: String(index),
          MessageBody: JSON.stringify({ event: detail }),
        })),
      }),
    ),
  )
  return { batchItemFailures: [] }
}
