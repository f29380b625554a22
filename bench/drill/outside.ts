import * as z from 'zod'
import type { Aws } from '../../adapters/aws/clients.ts'

/** The outside count: tables and topic read by plain AWS calls, without a line of the code under test. */

const scanned = z.object({
  Items: z.array(
    z.object({
      pk: z.object({ S: z.string() }),
      sk: z.object({ S: z.string() }),
      state: z.object({ S: z.string() }).optional(),
    }),
  ),
  LastEvaluatedKey: z.unknown().optional(),
})

export type Counted = {
  /** ids of events in the history table */
  events: Set<string>
  /** `<subscriber> <id>` -> state */
  deliveries: Map<string, string>
  /** texts in quarantine, of whomever */
  quarantined: number
}

/** Of events whose source is `source`. */
export async function countTable(aws: Aws, table: string, source: string): Promise<Counted> {
  const counted: Counted = { events: new Set(), deliveries: new Map(), quarantined: 0 }
  let from: unknown
  do {
    const { Items, LastEvaluatedKey } = scanned.parse(
      await aws.call('dynamodb', 'Scan', {
        TableName: table,
        ProjectionExpression: '#pk, #sk, #state',
        ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk', '#state': 'state' },
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      }),
    )
    for (const { pk, sk, state } of Items) {
      const id = pk.S.slice(pk.S.indexOf('#') + 1)
      const [kind, ...rest] = sk.S.split('#')
      if (kind === 'quarantine') counted.quarantined++
      else if (kind === 'event' && rest[0] === source) counted.events.add(id)
      else if (kind === 'delivery' && rest[2] === source)
        counted.deliveries.set(`${rest[0]} ${id}`, state?.S ?? '')
    }
    from = LastEvaluatedKey
  } while (from !== undefined)
  return counted
}

const queueUrl = z.object({ QueueUrl: z.string() })
const attributes = z.object({ Attributes: z.object({ QueueArn: z.string() }) })
const received = z.object({
  Messages: z.array(z.object({ Body: z.string(), ReceiptHandle: z.string() })).default([]),
})
const notification = z.object({
  MessageAttributes: z.object({ idempotencykey: z.object({ Value: z.string() }) }),
})

const subscribed = /<SubscriptionArn>([^<]+)</

/** A queue of our own on the notification topic: each message that `notify` sends to the outside lands there. */
export async function listen(aws: Aws, topic: string): Promise<{ queue: string; subscription: string }> {
  const { QueueUrl } = queueUrl.parse(await aws.call('sqs', 'CreateQueue', { QueueName: 'drill' }))
  const { Attributes } = attributes.parse(
    await aws.call('sqs', 'GetQueueAttributes', { QueueUrl, AttributeNames: ['QueueArn'] }),
  )
  const answer = await aws.form('sns', {
    Action: 'Subscribe',
    Version: '2010-03-31',
    TopicArn: topic,
    Protocol: 'sqs',
    Endpoint: Attributes.QueueArn,
  })
  return { queue: QueueUrl, subscription: subscribed.exec(answer)?.[1] ?? '' }
}

export async function stopListening(
  aws: Aws,
  { queue, subscription }: { queue: string; subscription: string },
): Promise<void> {
  await aws.form('sns', { Action: 'Unsubscribe', Version: '2010-03-31', SubscriptionArn: subscription })
  await aws.call('sqs', 'DeleteQueue', { QueueUrl: queue })
}

/** Takes what has come, and counts it by idempotency key; a queue that is left to grow answers ever more slowly. */
export async function hear(aws: Aws, QueueUrl: string, keys: Map<string, number>): Promise<number> {
  const { Messages } = received.parse(
    await aws.call('sqs', 'ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 }),
  )
  for (const { Body } of Messages) {
    const key = notification.parse(JSON.parse(Body)).MessageAttributes.idempotencykey.Value
    keys.set(key, (keys.get(key) ?? 0) + 1)
  }
  if (Messages.length > 0)
    await aws.call('sqs', 'DeleteMessageBatch', {
      QueueUrl,
      Entries: Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
    })
  return Messages.length
}
