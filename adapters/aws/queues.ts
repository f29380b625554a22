import * as z from 'zod'
import type { OrderedMessage, Queues } from '../../core/ports.ts'
import { behindAFailed, messagesFor } from '../message-rules.ts'
import { batches } from './batches.ts'
import type { Aws } from './clients.ts'

export type QueueOptions = {
  aws: Aws
  /** what every queue's URL begins with */
  prefix: string
  /** whether a queue keeps order: a FIFO queue, whose name ends so */
  ordered: (queue: string) => boolean
}

/** A queue's URL is the prefix and its name. */
export const queueUrl = ({ prefix, ordered }: Omit<QueueOptions, 'aws'>, queue: string): string =>
  `${prefix}${queue}${ordered(queue) ? '.fifo' : ''}`

/** Each message's attribute: its name, type and value. */
const attributeBytes = 64
const sizeOf = ({ body }: Outgoing): number => Buffer.byteLength(body) + attributeBytes

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

/** `index`: among all that were given to send. */
type Outgoing = { index: number; body: string; group?: string; dedupe?: string }
type Failure = { index: number; error: unknown }

/** Queues in SQS. Each message says in an attribute whose it is. */
export function sqsQueues({ aws, ...names }: QueueOptions): Queues {
  async function sendBatch(queue: string, batch: readonly Outgoing[]): Promise<Failure[]> {
    try {
      const answer = await aws.call('sqs', 'SendMessageBatch', {
        QueueUrl: queueUrl(names, queue),
        Entries: batch.map(({ index, body, group, dedupe }) => ({
          Id: String(index),
          MessageBody: body,
          MessageAttributes: { queue: { DataType: 'String', StringValue: queue } },
          ...(group === undefined ? {} : { MessageGroupId: group, MessageDeduplicationId: dedupe }),
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

  const sendAll = async (queue: string, messages: readonly Outgoing[]): Promise<Failure[]> => {
    const sendings = batches(messages, sizeOf).map((batch) =>
      sendBatch(
        queue,
        batch.map(({ item }) => item),
      ),
    )
    return (await Promise.all(sendings)).flat()
  }

  /**
   * One of each group at a time: of several in one batch a later one may be taken while an earlier one fails, and then
   * they would change places.
   */
  async function sendInOrder(queue: string, messages: readonly OrderedMessage[]): Promise<Failure[]> {
    const failures: Failure[] = []
    let groups = [
      ...Map.groupBy(
        messages.map((message, index) => ({ ...message, index })),
        ({ group }) => group,
      ).values(),
    ]
    while (groups.length > 0) {
      const failed = await sendAll(
        queue,
        groups.flatMap((group) => group.slice(0, 1)),
      )
      failures.push(...failed)
      const failedNow = new Set(failed.map(({ index }) => index))
      groups = groups.flatMap(([first, ...rest]) => {
        if (first === undefined || rest.length === 0) return []
        if (!failedNow.has(first.index)) return [rest]
        failures.push(...rest.map(({ index, group }) => ({ index, error: behindAFailed(group) })))
        return []
      })
    }
    return failures
  }

  return {
    async send(queue, messages) {
      const sorted = messagesFor(queue, names.ordered(queue), messages)
      const failures =
        'texts' in sorted
          ? await sendAll(
              queue,
              sorted.texts.map((body, index) => ({ index, body })),
            )
          : await sendInOrder(queue, sorted.ordered)
      return failures.sort((a, b) => a.index - b.index)
    },

    async depth(queue) {
      const answer = await aws.call('sqs', 'GetQueueAttributes', {
        QueueUrl: queueUrl(names, queue),
        AttributeNames: Object.keys(depths.shape.Attributes.shape),
      })
      return Object.values(depths.parse(answer).Attributes).reduce((sum, count) => sum + count, 0)
    },
  }
}
