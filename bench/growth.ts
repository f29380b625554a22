import { randomUUID } from 'node:crypto'
import { s3Bodies } from '../adapters/aws/bodies.ts'
import { connect } from '../adapters/aws/clients.ts'
import { dynamoHistory } from '../adapters/aws/history.ts'
import { dynamoLanes } from '../adapters/aws/lanes.ts'
import { dynamoMemory } from '../adapters/aws/memory.ts'
import { sqsQueues } from '../adapters/aws/queues.ts'
import { stepFunctions } from '../adapters/aws/workflows.ts'
import { fateOf } from '../core/books/fate.ts'
import { consume } from '../core/consume/consume.ts'
import { record } from '../core/gate/record.ts'
import { openDeliveries } from '../core/open-deliveries.ts'
import { sweep } from '../core/sweep/sweep.ts'
import { deploymentFailed } from '../events/deployment.failed.ts'
import type { Route } from '../events/route.ts'
import { createQueue, createTable, drain } from '../test/aws-resources.ts'
import { ownEndpoint } from '../test/endpoint/own.ts'
import { metered } from './cost/meter.ts'

/**
 * What grows and what stays flat: the calls of AWS that one operation makes, and the units it pays, with a history a
 * hundred times as long and with ten times the subscribers. Usage: npm run bench:growth [-- events]
 */
const most = Number(process.argv[2] ?? 100_000)
process.env.AWS_ACCESS_KEY_ID ||= 'test'
process.env.AWS_SECRET_ACCESS_KEY ||= 'test'
process.env.AWS_REGION ||= 'us-east-1'
const endpoint = await ownEndpoint()
const plain = connect({ endpoint: endpoint.url })

const route = (subscriber: string): Route => ({
  subscriber,
  kind: 'function',
  types: [deploymentFailed],
  effect: 'outside',
  batch: 10,
  concurrency: 10,
  attempts: 1,
  timeout: 10,
  emits: [],
})

async function stand(subscribers: number) {
  const meter = metered(plain)
  const { aws } = meter
  let shift = -3 * 3_600_000
  const clock = () => new Date(Date.now() + shift).toISOString()
  const [table, memoryTable] = [await createTable(plain, 'history'), await createTable(plain, 'memory')]
  const urls = await Promise.all(Array.from({ length: subscribers }, () => createQueue(plain)))
  const nameOf = (url: string) => url.slice(url.lastIndexOf('/') + 1)
  const prefix = (urls[0] ?? '').slice(0, (urls[0] ?? '').lastIndexOf('/') + 1)
  const bodies = s3Bodies({ aws, bucket: 'bench' })
  const options = { aws, table, retentionOf: () => 'project' as const, bodies, clock }
  // all take the type, the event is for one: the others stand beside it in the table of routes
  const routes = urls.map((url, n) =>
    n === 0 ? route(nameOf(url)) : { ...route(nameOf(url)), types: [`other.${n}`] },
  )
  const deps = {
    history: dynamoHistory(options),
    lanes: dynamoLanes(options),
    memory: dynamoMemory({ aws, table: memoryTable, clock, history: options }),
    queues: sqsQueues({ aws, prefix, ordered: () => false }),
    bodies,
    clock,
    random: Math.random,
    routes,
    workflows: stepFunctions({ aws, prefix: '' }),
  }
  const [first] = routes
  const [url] = urls
  if (first === undefined || url === undefined) throw new Error('no subscriber')

  async function put(count: number): Promise<string[]> {
    const ids: string[] = []
    for (let left = count; left > 0; left -= 100) {
      const batch = Array.from({ length: Math.min(100, left) }, () => {
        const id = randomUUID()
        ids.push(id)
        const event = { specversion: '1.0', id, source: '/bench', type: deploymentFailed.type }
        return { ...event, data: deploymentFailed.example }
      })
      const received = clock()
      const arrival = {
        door: 'http',
        project: 'main',
        actor: 'user:bench',
        received,
        ifInvalid: 'answer',
      } as const
      await record(
        batch.map((event) => ({ ...arrival, raw: '', content: { kind: 'incoming', event } as const })),
        deps,
      )
    }
    return ids
  }
  async function handle(fails = false) {
    const messages = (await drain(plain, url ?? '')).map(({ body }) => ({ body, receiveCount: 1 }))
    const handler = async () => {
      if (fails) throw new Error('not today')
      return []
    }
    for (let from = 0; from < messages.length; from += 10)
      await consume(first ?? route(''), handler, messages.slice(from, from + 10), deps)
  }
  /** Calls and units of one operation. */
  async function measure(action: () => Promise<unknown>): Promise<string> {
    const before = new Map(meter.counts)
    await action()
    const grown = (wanted: (name: string) => boolean) =>
      [...meter.counts].reduce(
        (sum, [name, count]) => (wanted(name) ? sum + count - (before.get(name) ?? 0) : sum),
        0,
      )
    const calls = grown(
      (name) => name === 'dynamodb calls' || name.startsWith('sqs.') || name.startsWith('s3.'),
    )
    return `${calls} / ${grown((name) => name.startsWith('write:'))} / ${grown((name) => name.startsWith('read:'))}`
  }
  const hour = () => clock().slice(0, 13)
  return {
    put,
    handle,
    measure,
    deps,
    subscriber: first.subscriber,
    hour,
    later: (milliseconds: number) => {
      shift += milliseconds
    },
  }
}

type Stand = Awaited<ReturnType<typeof stand>>

/** The operations, each on a stand that has its history already. */
async function operations(s: Stand, hour: string): Promise<Record<string, string>> {
  const { deps } = s
  const results: Record<string, string> = {}
  let ids: string[] = []
  results['record and send 10 events'] = await s.measure(async () => {
    ids = await s.put(10)
  })
  results['handle 10 events'] = await s.measure(() => s.handle())
  const identity = { project: 'main', source: '/bench', id: ids[0] ?? '' }
  results['why: the fate of one event'] = await s.measure(() => fateOf(deps, identity))
  results['25 pages of the timeline, of the busiest hour'] = await s.measure(() =>
    deps.history.pages({ project: 'main', hour, shard: 0, limit: 25 }),
  )
  results['the first 50 dead letters'] = await s.measure(() =>
    openDeliveries({ project: 'main', subscriber: s.subscriber, state: 'dead', limit: 50 }, deps.history),
  )
  s.later(20 * 60_000)
  await sweep('main', deps, 600)
  results['a pass of the sweep with nothing new'] = await s.measure(() => sweep('main', deps, 600))
  return results
}

async function withHistory(events: number, subscribers: number) {
  const s = await stand(subscribers)
  const hour = s.hour()
  // a tenth of them dead
  await s.put(events / 10)
  await s.handle(true)
  await s.put(events - events / 10)
  await s.handle()
  // the sweep has been through all of it, as it has in an installation that runs
  s.later(20 * 60_000)
  for (let pass = 0; pass < 50; pass++) await sweep('main', s.deps, 600)
  s.later(2 * 3_600_000)
  return operations(s, hour)
}

try {
  const small = await withHistory(most / 100, 7)
  const long = await withHistory(most, 7)
  const wide = await withHistory(most / 100, 70)
  console.log('Calls / write units / read units of one operation; a tenth of the history is dead.\n')
  console.log(
    `| operation | ${most / 100} events, 7 subscribers | ${most} events | 70 subscribers |\n|---|---|---|---|`,
  )
  for (const [name, count] of Object.entries(small))
    console.log(`| ${name} | ${count} | ${long[name]} | ${wide[name]} |`)
} finally {
  await endpoint.stop()
}
