import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { connect, forFunctions } from '../adapters/aws/clients.ts'
import { dynamoHistory } from '../adapters/aws/history.ts'
import { inMemoryBodies } from '../adapters/in-memory/bodies.ts'
import { type BalancePlace, balanceSlice } from '../core/books/balance.ts'
import { added, emptySheet } from '../core/books/balance-sheet.ts'
import { patience } from '../core/gate/missing.ts'
import { record } from '../core/gate/record.ts'
import { deploymentFailed } from '../events/deployment.failed.ts'
import type { Route } from '../events/route.ts'
import { metered } from './cost/meter.ts'
import { callMs, memoryGb, prices } from './cost/prices.ts'

/**
 * What the books of an hour of a million events cost, and how long they take: requests and read units by the event, and
 * processor time of this side, against a table that answers at once. Two subscribers, both done; 1 KB an event.
 * Usage: node bench/books.ts [events]
 */
const events = Number(process.argv[2] ?? 20_000)
process.env.AWS_ACCESS_KEY_ID ||= 'x'
process.env.AWS_SECRET_ACCESS_KEY ||= 'x'
process.env.AWS_REGION ||= 'us-east-1'
const table = spawn(process.execPath, [join(import.meta.dirname, 'books', 'table.ts')])
const [address] = await once(table.stdout, 'data')
const plain = connect({ ...forFunctions, endpoint: String(address).trim() })

const names = ['one', 'two']
const routes = names.map(
  (subscriber): Route => ({
    subscriber,
    kind: 'function',
    types: [deploymentFailed],
    effect: 'outside',
    batch: 10,
    concurrency: 10,
    attempts: 3,
    timeout: 10,
    emits: [],
  }),
)
/** Lambda gives a whole processor at 1,769 MB. */
const vcpu = (memoryGb * 1024) / 1769
const begin = Date.parse('2026-01-01T12:00:00.000Z')
const data = { ...deploymentFailed.example, reason: 'x'.repeat(850) }

/** Requests, read units, and milliseconds of processor time, for each event. */
async function measure(perPage: number, hour: number) {
  let now = begin + hour * 3_600_000
  const clock = () => new Date(now).toISOString()
  const meter = metered(plain)
  const options = { table: 'history', retentionOf: () => 'project' as const, bodies: inMemoryBodies(), clock }
  const history = dynamoHistory({ ...options, aws: plain })
  const queues = { send: async () => [], depth: async () => 0 }
  const deps = { history, queues, bodies: inMemoryBodies(), clock, random: Math.random, routes }
  const project = `p${perPage}-${hour}`
  for (let from = 0; from < events; from += perPage) {
    now += Math.floor((3_500_000 * perPage) / events)
    const arrivals = Array.from({ length: perPage }, (_, n) => {
      const event = {
        specversion: '1.0',
        id: `e${from + n}`,
        source: 'urn:bench',
        type: deploymentFailed.type,
        data,
      }
      const content = { kind: 'incoming', event } as const
      return {
        door: 'http',
        project,
        actor: 'user:bench',
        received: clock(),
        raw: '',
        ifInvalid: 'answer',
        content,
      } as const
    })
    await record(arrivals, deps)
    const mark = { state: 'done', attempts: 1, started: clock(), changed: clock(), emitted: [] } as const
    const marks = arrivals.flatMap(({ content: { event } }) =>
      names.map((subscriber) => ({
        ...mark,
        retention: 'project' as const,
        project,
        source: 'urn:bench',
        id: event.id,
        subscriber,
        replay: '',
      })),
    )
    await history.insertDeliveries(marks)
  }
  now += 3_600_000
  const reading = dynamoHistory({ ...options, aws: meter.aws })
  const since = new Date(begin + hour * 3_600_000).toISOString()
  const query = { project, since, until: clock(), patience }
  let sheet = emptySheet()
  let place: BalancePlace | undefined
  const began = process.cpuUsage()
  do {
    const slice = await balanceSlice(
      query,
      place,
      { ...deps, history: reading, clock: () => new Date(now).toISOString() },
      3600,
    )
    sheet = added(sheet, slice.sheet)
    place = slice.next
  } while (place !== undefined)
  const { user, system } = process.cpuUsage(began)
  if (sheet.total.done !== events * names.length)
    throw new Error(`books are wrong: ${JSON.stringify(sheet.total)}`)
  const units = [...meter.counts].reduce(
    (sum, [name, count]) => (name.startsWith('read') ? sum + count : sum),
    0,
  )
  return {
    requests: (meter.counts.get('dynamodb calls') ?? 0) / events,
    units: units / events,
    cpuMs: (user + system) / 1000 / events,
  }
}

try {
  const million = 1_000_000
  console.log(
    '| events to a page | requests | read units | processor | reads | function | in all | time, 4 side by side |',
  )
  console.log('|---|---|---|---|---|---|---|---|')
  await measure(100, 0)
  for (const [hour, perPage] of [100, 10, 1].entries()) {
    const each = await measure(perPage, (hour + 1) * 24)
    const reads = each.units * prices.read
    // 50 reads are under way at once, and each takes a while: whichever of the two is longer is paid for
    const millis = Math.max(each.cpuMs / vcpu, (each.requests * callMs) / 50)
    const seconds = (million / 1000) * millis
    const lambda = seconds * memoryGb * prices.lambdaSecond
    const row = [
      perPage,
      (each.requests * million).toFixed(0),
      (each.units * million).toFixed(0),
      `${(each.cpuMs * 1000).toFixed(0)} s`,
      `$${reads.toFixed(3)}`,
      `$${lambda.toFixed(3)}`,
      `$${(reads + lambda).toFixed(3)}`,
      `${(seconds / 4 / 60).toFixed(1)} min`,
    ]
    console.log(`| ${row.join(' | ')} |`)
  }
} finally {
  table.kill()
}
