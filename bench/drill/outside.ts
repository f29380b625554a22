import { brotliDecompressSync, inflateRawSync } from 'node:zlib'
import * as z from 'zod'
import type { Aws } from '../../adapters/aws/clients.ts'

/** The outside count: tables and topic read by plain AWS calls, by what lies there and not by the code that wrote it. */

const text = z.object({ S: z.string() })
const number = z.object({ N: z.coerce.number() })
const items = z.object({ Items: z.array(z.unknown()), LastEvaluatedKey: z.unknown().optional() })

async function* scan<Item>(aws: Aws, query: Record<string, unknown>, item: z.ZodType<Item>) {
  let from: unknown
  do {
    const more = from === undefined ? {} : { ExclusiveStartKey: from }
    const { Items, LastEvaluatedKey } = items.parse(await aws.call('dynamodb', 'Scan', { ...query, ...more }))
    yield* Items.map((one) => item.parse(one))
    from = LastEvaluatedKey
  } while (from !== undefined)
}

const written = z.object({
  pk: text,
  sk: text,
  state: text.optional(),
  event: z.object({ B: z.string() }).optional(),
})

const body = z.object({ data: z.unknown() })

/** Bodies are deflated, short ones by brotli, whose first three bits are ones. */
function dataIn(packed: string): string {
  const bytes = Buffer.from(packed, 'base64')
  const json = ((bytes[0] ?? 0) & 0b111) === 0b111 ? brotliDecompressSync(bytes) : inflateRawSync(bytes)
  return JSON.stringify(body.parse(JSON.parse(json.toString('utf8'))).data)
}

export type Counted = {
  /** id of each event in the history table -> its data, as JSON */
  events: Map<string, string>
  /** `<subscriber> <id>` -> state */
  deliveries: Map<string, string>
  /** texts in quarantine, of whomever */
  quarantined: number
}

/** Of events whose source is `source`. */
export async function countTable(aws: Aws, table: string, source: string): Promise<Counted> {
  const counted: Counted = { events: new Map(), deliveries: new Map(), quarantined: 0 }
  const query = {
    TableName: table,
    ProjectionExpression: '#pk, #sk, #state, #event',
    ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk', '#state': 'state', '#event': 'event' },
  }
  for await (const { pk, sk, state, event } of scan(aws, query, written)) {
    const id = pk.S.slice(pk.S.indexOf('#') + 1)
    const [kind, ...rest] = sk.S.split('#')
    if (kind === 'quarantine') counted.quarantined++
    else if (kind === 'event' && rest[0] === source) counted.events.set(id, event ? dataIn(event.B) : '')
    else if (kind === 'delivery' && rest[2] === source)
      counted.deliveries.set(`${rest[0]} ${id}`, state?.S ?? '')
  }
  return counted
}

const list = <Item extends z.ZodType>(item: Item) => z.object({ L: z.array(item) })
const map = <Shape extends z.ZodRawShape>(shape: Shape) => z.object({ M: z.object(shape) })
const fact = map({ name: text, tests: map({ passed: number }) })
const build = z.object({
  version: number,
  value: map({ branch: text, commits: list(map({ facts: list(fact) })) }),
})

/** What is known of each branch of a repository: `<branch> <suite>` -> tests passed, and how often that was changed. */
export async function countFacts(
  aws: Aws,
  table: string,
  repository: string,
): Promise<{ facts: Map<string, number>; changes: number }> {
  const facts = new Map<string, number>()
  let changes = 0
  const query = {
    TableName: table,
    FilterExpression: 'begins_with(#pk, :build) AND #sk = :record',
    ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
    ExpressionAttributeValues: { ':build': { S: `main#build#${repository}/` }, ':record': { S: 'record' } },
  }
  for await (const { version, value } of scan(aws, query, build)) {
    changes += version.N
    for (const commit of value.M.commits.L)
      for (const { M } of commit.M.facts.L) facts.set(`${value.M.branch.S} ${M.name.S}`, M.tests.M.passed.N)
  }
  return { facts, changes }
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
