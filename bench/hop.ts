import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import * as z from 'zod'
import { deploymentFailed } from '../events/deployment.failed.ts'
import { createStack, deleteStack } from '../test/endpoint/stack.ts'
import { runningSystem } from './running.ts'

/**
 * From the sending of an event to the beginning of its handling, at 16 events a second on the running local system:
 * over HTTP, by PutEvents, and beside them a bare queue with a bare function on the same endpoint, in many short turns,
 * of which each is compared with the bare one beside it. Usage: npm run bench:hop [-- events]
 */
const events = Number(process.argv[2] ?? 320)
const perSecond = 16
/** a second each */
const turns = Math.ceil(events / perSecond)
const { up, settings, config, aws } = await runningSystem()

// the bare hop: a queue, a function that writes down when it was called for what
const name = `bare-${randomUUID().slice(0, 8)}`
await createStack(up.endpoint, name, {
  Resources: {
    queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: name, VisibilityTimeout: 60 } },
    role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: name,
        AssumeRolePolicyDocument: {
          Statement: [
            { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
          ],
        },
      },
    },
    function: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: name,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Timeout: 10,
        Role: { 'Fn::GetAtt': ['role', 'Arn'] },
        Code: {
          ZipFile:
            'exports.handler = async ({ Records }) => { const at = Date.now(); for (const { body } of Records) console.log(JSON.stringify({ bare: JSON.parse(body).id, at })) }',
        },
      },
    },
    mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': ['queue', 'Arn'] },
        FunctionName: { Ref: 'function' },
        BatchSize: 10,
      },
    },
  },
})

const sent: Record<'bare' | 'http' | 'bus', Map<string, { at: number; turn: number }>> = {
  bare: new Map(),
  http: new Map(),
  bus: new Map(),
}
const queueUrl = `${config.queuePrefix.slice(0, config.queuePrefix.lastIndexOf('/') + 1)}${name}`

const send = {
  async bare(id: string) {
    await aws.call('sqs', 'SendMessage', { QueueUrl: queueUrl, MessageBody: JSON.stringify({ id }) })
  },
  async http(id: string, event: object) {
    const response = await fetch(`${up.api}/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${up.apiKey}`, 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify(event),
    })
    if (response.status !== 202) throw new Error(`${id}: ${response.status} ${await response.text()}`)
  },
  async bus(_: string, event: object) {
    const Detail = JSON.stringify(event)
    const entry = {
      EventBusName: config.inboxBus,
      Source: 'bench',
      DetailType: deploymentFailed.type,
      Detail,
    }
    await aws.call('events', 'PutEvents', { Entries: [entry] })
  },
} as const

/** So many at a steady rate, not waiting for one before the next. */
async function run(way: keyof typeof sent, count: number, turn?: number): Promise<void> {
  const pending: Promise<void>[] = []
  for (let n = 0; n < count; n++) {
    const id = randomUUID()
    const base = { specversion: '1.0', id, source: '/bench/hop', type: deploymentFailed.type }
    if (turn !== undefined) sent[way].set(id, { at: Date.now(), turn })
    pending.push(send[way](id, { ...base, data: deploymentFailed.example }))
    await sleep(1000 / perSecond)
  }
  await Promise.all(pending)
}

for (const way of ['bare', 'http', 'bus'] as const) await run(way, 32)
for (let turn = 0; turn < turns; turn++)
  for (const way of ['bare', 'http', 'bus'] as const) await run(way, perSecond, turn)
await sleep(5_000)

// when each was handled
const logs = new CloudWatchLogsClient(settings)
const line = z.object({ bare: z.string(), at: z.number() })
const handled = new Map<string, number>()
let nextToken: string | undefined
do {
  const page = await logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}`, nextToken }))
  for (const { message = '' } of page.events ?? [])
    for (const text of message.split('\n').filter((one) => one.startsWith('{"bare"'))) {
      const { bare, at } = line.parse(JSON.parse(text))
      handled.set(bare, at)
    }
  nextToken = page.nextToken
} while (nextToken !== undefined)
const item = z.object({ Item: z.object({ started: z.object({ S: z.string() }) }).optional() })
for (const id of [...sent.http.keys(), ...sent.bus.keys()]) {
  const Key = { pk: { S: `main#${id}` }, sk: { S: 'delivery#notify##/bench/hop' } }
  const { Item } = item.parse(await aws.call('dynamodb', 'GetItem', { TableName: config.historyTable, Key }))
  if (Item) handled.set(id, Date.parse(Item.started.S))
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN
const times = (way: keyof typeof sent, only?: number) =>
  [...sent[way]].flatMap(([id, { at, turn }]) => {
    const then = handled.get(id)
    return then === undefined || (only !== undefined && turn !== only) ? [] : [then - at]
  })
console.log('| way | counted | p50, ms | p99, ms | p50, times the bare hop |\n|---|---|---|---|---|')
for (const way of ['bare', 'http', 'bus'] as const) {
  const own = times(way)
  const [p50, p99] = [quantile(own, 0.5), quantile(own, 0.99)]
  const ratios = Array.from(
    { length: turns },
    (_, turn) => quantile(times(way, turn), 0.5) / quantile(times('bare', turn), 0.5),
  )
  console.log(
    `| ${way} | ${own.length} of ${sent[way].size} | ${p50} | ${p99} | ${quantile(ratios, 0.5).toFixed(1)} |`,
  )
}
await deleteStack(up.endpoint, name)
