import { randomUUID } from 'node:crypto'
import { s3Bodies } from '../adapters/aws/bodies.ts'
import { connect } from '../adapters/aws/clients.ts'
import { dynamoEphemeral } from '../adapters/aws/ephemeral.ts'
import { dynamoHistory } from '../adapters/aws/history.ts'
import { dynamoLanes } from '../adapters/aws/lanes.ts'
import { dynamoMemory } from '../adapters/aws/memory.ts'
import { sqsQueues } from '../adapters/aws/queues.ts'
import { stepFunctions } from '../adapters/aws/workflows.ts'
import { consume } from '../core/consume/consume.ts'
import type { Arrival } from '../core/event/arrival.ts'
import { readMessage } from '../core/event/arrival.ts'
import type { HandlerAny } from '../core/event/handler.ts'
import { record } from '../core/gate/record.ts'
import { subscriberControls } from '../core/hold/subscriber-controls.ts'
import { sweep } from '../core/sweep/sweep.ts'
import { deploymentFailed } from '../events/deployment.failed.ts'
import type { Route } from '../events/route.ts'
import { createQueue, createTable, drain } from '../test/aws-resources.ts'
import { ownEndpoint } from '../test/endpoint/own.ts'
import { type Meter, metered } from './cost/meter.ts'
import { callMs, logBytes, memoryGb, prices } from './cost/prices.ts'

/**
 * What a million events of 1 KB cost, everything included: the requests that the real core and the real adapters make
 * against a real endpoint are counted at their one way out, and priced. What AWS itself does around them (the bus, the
 * rule, the pollers of queues, invocations, log lines) is added by its documentation. Usage: npm run bench:cost
 */
process.env.AWS_ACCESS_KEY_ID ||= 'test'
process.env.AWS_SECRET_ACCESS_KEY ||= 'test'
process.env.AWS_REGION ||= 'us-east-1'

const events = 1000
const endpoint = await ownEndpoint()
const plain = connect({ endpoint: endpoint.url })

const route: Route = {
  subscriber: 'handle',
  kind: 'function',
  types: [deploymentFailed],
  effect: 'outside',
  batch: 10,
  concurrency: 10,
  attempts: 5,
  timeout: 10,
  emits: [],
}

/** 1 KB on the wire, envelope and data together. */
function event() {
  const made = {
    specversion: '1.0',
    id: randomUUID(),
    source: '/bench/ci',
    type: deploymentFailed.type,
    data: { ...deploymentFailed.example, reason: '' },
  }
  const filler = Array.from({ length: 30 }, () => randomUUID()).join(' ')
  made.data.reason = filler.slice(0, 1000 - JSON.stringify(made).length)
  return made
}

const fromBus = (detail: ReturnType<typeof event>): Arrival =>
  readMessage(
    JSON.stringify({
      id: detail.id,
      source: 'ci',
      account: '1',
      time: '2026-01-01T12:00:00Z',
      'detail-type': detail.type,
      detail,
    }),
    new Date().toISOString(),
    {},
  )

const fromHttp = (sent: ReturnType<typeof event>): Arrival => ({
  door: 'http',
  project: 'main',
  actor: 'user:bench',
  received: new Date().toISOString(),
  raw: JSON.stringify(sent),
  ifInvalid: 'answer',
  content: { kind: 'incoming', event: sent },
})

type Case = { door: 'PutEvents' | 'HTTP'; batch: number; handled: number; effect: Route['effect'] }

const stateHandler: HandlerAny = async ({ event: { project, id } }) => ({
  writes: [{ project, kind: 'bench', name: id, version: 1, value: { id } }],
  emits: [],
  sequence: 1,
})

const storage = 'a month of keeping them, recoverable to any point in time'

/** Dollars per million events, by what they are paid for. */
async function cost({ door, batch, handled, effect }: Case): Promise<Map<string, number>> {
  const meter: Meter = metered(plain)
  const { aws } = meter
  let shift = 0
  const clock = () => new Date(Date.now() + shift).toISOString()
  const [table, memoryTable] = [await createTable(plain, 'history'), await createTable(plain, 'memory')]
  const queueUrl = await createQueue(plain)
  const bodies = s3Bodies({ aws, bucket: 'bench' })
  const options = { aws, table, retentionOf: () => 'project' as const, bodies, clock }
  const deps = {
    history: dynamoHistory(options),
    lanes: dynamoLanes(options),
    memory: dynamoMemory({ aws, table: memoryTable, clock, history: options }),
    queues: sqsQueues({
      aws,
      prefix: queueUrl.slice(0, queueUrl.lastIndexOf('/') + 1),
      ordered: () => false,
    }),
    bodies,
    clock,
    random: Math.random,
    routes: [{ ...route, effect, subscriber: queueUrl.slice(queueUrl.lastIndexOf('/') + 1) }],
  }
  const [own] = deps.routes
  if (own === undefined) throw new Error('no route')

  let recorders = 0
  for (let sent = 0; sent < events; sent += batch) {
    const arrivals = Array.from({ length: batch }, () =>
      door === 'HTTP' ? fromHttp(event()) : fromBus(event()),
    )
    const outcomes = await record(arrivals, deps)
    if (outcomes.some(({ status }) => status !== 'recorded')) throw new Error(JSON.stringify(outcomes[0]))
    recorders++
  }
  const messages = await drain(plain, queueUrl)
  const ephemeral = dynamoEphemeral({ aws, table: await createTable(plain, 'ephemeral'), clock })
  const { memory } = deps
  const controls = subscriberControls({
    memory,
    ephemeral,
    clock,
    newId: randomUUID,
    subscriber: own.subscriber,
  })
  let handlers = 0
  for (let from = 0; from < messages.length; from += handled) {
    const taken = messages.slice(from, from + handled).map(({ body }) => ({ body, receiveCount: 1 }))
    const done = await consume(own, effect === 'state' ? stateHandler : async () => [], taken, {
      ...deps,
      controls,
    })
    if (done.some(({ outcome }) => outcome !== 'done')) throw new Error(JSON.stringify(done[0]))
    handlers++
  }
  // looked at once, 15 minutes later
  const before = new Map(meter.counts)
  shift = 20 * 60_000
  const { failures } = await sweep('main', { ...deps, workflows: stepFunctions({ aws, prefix: '' }) }, 600)
  if (failures.length > 0) throw failures[0]
  const swept = [...meter.counts].flatMap(([name, count]) =>
    name.startsWith('read:') ? [count - (before.get(name) ?? 0)] : [],
  )

  const perMillion = (count: number, price: number) => (count / events) * price
  const million = new Map<string, number>()
  const pay = (what: string, dollars: number) => million.set(what, (million.get(what) ?? 0) + dollars)
  if (door === 'PutEvents') {
    pay('bus: PutEvents', prices.eventBridge)
    pay(
      'record queue: one send by the rule, receives and deletes by the poller',
      perMillion(events + 2 * recorders, prices.sqs),
    )
  } else pay('HTTP API requests', perMillion(recorders, prices.httpApi))
  for (const [name, count] of before)
    if (name.startsWith('write:')) pay(`DynamoDB ${name}`, perMillion(count, prices.write))
    else if (name.startsWith('read:')) pay(`DynamoDB ${name}`, perMillion(count, prices.read))
  pay(
    'the subscriber’s queue: sends, receives, deletes',
    perMillion((before.get('sqs.SendMessageBatch') ?? 0) + 2 * handlers, prices.sqs),
  )
  pay(
    'sweep: each event looked at once',
    perMillion(
      swept.reduce((a, b) => a + b, 0),
      prices.read,
    ),
  )
  const invocations = recorders + handlers
  pay('Lambda requests', perMillion(invocations, prices.lambdaRequest))
  // page, events, sends one after the other; a handler's marks once; and a quarter of a millisecond an event to think
  const seconds = (recorders * 3 * callMs + handlers * callMs + events * 2 * 0.25) / 1000
  pay('Lambda time', (seconds / events) * memoryGb * prices.lambdaSecond * 1_000_000)
  const lines =
    recorders * (door === 'HTTP' ? logBytes.ingest : logBytes.record) + handlers * logBytes.handler
  pay('log lines, metrics in them', (((lines / events) * 1_000_000) / 1e9) * prices.logs)
  const kept = (((before.get('bytes kept') ?? 0) / events) * 1_000_000) / 1e9
  pay(storage, kept * prices.kept)
  return million
}

const cases: readonly (Case & { name: string })[] = [
  {
    name: 'PutEvents one by one, under load (batches of 10)',
    door: 'PutEvents',
    batch: 10,
    handled: 10,
    effect: 'outside',
  },
  { name: 'PutEvents, a trickle (batches of 1)', door: 'PutEvents', batch: 1, handled: 1, effect: 'outside' },
  { name: 'HTTP in batches of 100', door: 'HTTP', batch: 100, handled: 10, effect: 'outside' },
  { name: 'HTTP one by one', door: 'HTTP', batch: 1, handled: 1, effect: 'outside' },
  { name: 'HTTP in batches of 100, class state', door: 'HTTP', batch: 100, handled: 10, effect: 'state' },
]

/** What shapes that others build pay for an event, by arithmetic with the same prices: nothing of it was run. */
function peers(): Map<string, number> {
  const queue = 1 + 0.1 + 0.1
  const lambda =
    0.1 * prices.lambdaRequest + (0.1 * 2 * callMs * memoryGb * prices.lambdaSecond * 1_000_000) / 1000
  const bare = prices.eventBridge + queue * prices.sqs + lambda + prices.write * 1.1 + 0.05
  return new Map([
    ['bare: bus, rule, queue, function, one item; no record, no trace, no deduplication', bare],
    [
      'the same features with a rule and a queue each for record and handler, two full indexes, and an idempotency layer that writes twice',
      prices.eventBridge + 2 * queue * prices.sqs + 2 * lambda + prices.write * (1 + 2 + 2) + 0.1,
    ],
  ])
}

try {
  for (const { name, ...how } of cases) {
    const million = await cost(how)
    const total = [...million.values()].reduce((a, b) => a + b, 0)
    const month = million.get(storage) ?? 0
    const said = `$${(total - month).toFixed(2)} per million, and $${month.toFixed(2)} for a month of keeping them`
    console.log(`\n### ${name}: ${said}\n\n| what | $ |\n|---|---|`)
    for (const [what, dollars] of million) console.log(`| ${what} | ${dollars.toFixed(3)} |`)
  }
  console.log(
    '\n### Other shapes, by arithmetic with the same prices\n\n| shape | $ per million |\n|---|---|',
  )
  for (const [what, dollars] of peers()) console.log(`| ${what} | ${dollars.toFixed(2)} |`)
} finally {
  await endpoint.stop()
}
