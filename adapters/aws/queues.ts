import * as z from 'zod'
import type { Queues } from '../../core/ports.ts'
import { batches } from './batches.ts'
import type { Aws } from './clients.ts'

/** Each message's attribute: its name, type and value. */
const attributeBytes = 64
const sizeOf = (body: string): number => Buffer.byteLength(body) + attributeBytes

const sent = z.object({
  Failed: z
    .array(
      z.object({
        Id: z.string(),
        Code: z.string(),
        Message: z.string().optional(),
        SenderFault: z.boolean().optional(),
      }),
    )
    .default([]),
})

const depths = z.object({
  Attributes: z.object({
    ApproximateNumberOfMessages: z.coerce.number(),
    ApproximateNumberOfMessagesNotVisible: z.coerce.number(),
    ApproximateNumberOfMessagesDelayed: z.coerce.number(),
  }),
})

/** Queues in SQS; a queue's URL is `prefix` and its name. Each message says in an attribute whose it is. */
export function sqsQueues({ aws, prefix }: { aws: Aws; prefix: string }): Queues {
  async function sendBatch(queue: string, batch: readonly { index: number; item: string }[]) {
    try {
      const answer = await aws.call('sqs', 'SendMessageBatch', {
        QueueUrl: prefix + queue,
        Entries: batch.map(({ index, item }) => ({
          Id: String(index),
          MessageBody: item,
          MessageAttributes: { queue: { DataType: 'String', StringValue: queue } },
        })),
      })
      return sent.parse(answer).Failed.map(({ Id, Code, Message }) => ({
        index: Number(Id),
        error: new Error(`${Code}: ${Message ?? 'not sent'}`),
      }))
    } catch (error) {
      return batch.map(({ index }) => ({ index, error }))
    }
  }

  return {
    async send(queue, bodies) {
      const failures = await Promise.all(batches(bodies, sizeOf).map((batch) => sendBatch(queue, batch)))
      return failures.flat().sort((a, b) => a.index - b.index)
    },

    async depth(queue) {
      const answer = await aws.call('sqs', 'GetQueueAttributes', {
        QueueUrl: prefix + queue,
        AttributeNames: Object.keys(depths.shape.Attributes.shape),
      })
      return Object.values(depths.parse(answer).Attributes).reduce((sum, count) => sum + count, 0)
    },
  }
}
