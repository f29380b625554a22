import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { connect } from '../adapters/aws/clients.ts'
import { dynamoHistory } from '../adapters/aws/history.ts'
import { dynamoLanes } from '../adapters/aws/lanes.ts'
import { dynamoMemory } from '../adapters/aws/memory.ts'
import { sqsQueues } from '../adapters/aws/queues.ts'
import { inMemoryBodies } from '../adapters/in-memory/bodies.ts'
import { inMemoryWorkflows } from '../adapters/in-memory/workflows.ts'
import { balanceSlice } from '../core/books/balance.ts'
import { mendMissing } from '../core/books/balance-mend.ts'
import { imbalances } from '../core/books/balance-sheet.ts'
import { consume } from '../core/consume/consume.ts'
import { patience } from '../core/gate/missing.ts'
import { record } from '../core/gate/record.ts'
import { relay } from '../core/gate/relay.ts'
import { quarantineGroups } from '../core/quarantine/quarantine-list.ts'
import { dropQuarantined, releaseQuarantined } from '../core/quarantine/quarantine-mend.ts'
import { settledList } from '../core/quarantine/quarantine-settle.ts'
import { sweep } from '../core/sweep/sweep.ts'
import { sweepState } from '../core/sweep/sweep-log.ts'
import { githubPush } from '../events/github.push.ts'
import type { Route } from '../events/route.ts'
import { byBus, byHttp, push } from './arrivals.ts'
import { createQueue, createTable, drain } from './aws-resources.ts'

/** Books and quarantine on the tables and queues of the endpoint. */

const aws = connect()
const project = `p${randomUUID().slice(0, 8)}`
const source = 'https://github.com/octo/hello'
let shift = -3_600_000
const clock = () => new Date(Date.now() + shift).toISOString()
let url: string
let route: Route

async function ports() {
  url = await createQueue(aws)
  const slash = url.lastIndexOf('/') + 1
  const subscriber = url.slice(slash)
  const settings = { batch: 10, concurrency: 2, attempts: 3, timeout: 10 } as const
  route = { subscriber, kind: 'function', types: [githubPush], effect: 'outside', emits: [], ...settings }
  const bodies = inMemoryBodies()
  const options = {
    aws,
    table: await createTable(aws, 'history'),
    retentionOf: () => 'project' as const,
    bodies,
    clock,
  }
  return {
    history: dynamoHistory(options),
    lanes: dynamoLanes(options),
    memory: dynamoMemory({ aws, table: await createTable(aws, 'memory'), clock, history: options }),
    queues: sqsQueues({ aws, prefix: url.slice(0, slash), ordered: () => false }),
    workflows: inMemoryWorkflows({ clock }),
    bodies,
    clock,
    random: Math.random,
    routes: [route],
  }
}
let deps: Awaited<ReturnType<typeof ports>>
beforeAll(async () => {
  deps = await ports()
})

async function books() {
  const at = (hours: number) => new Date(Date.parse(clock()) + hours * 3_600_000).toISOString()
  const query = { project, since: at(-2), until: at(1), patience }
  const { sheet, next } = await balanceSlice(query, undefined, deps, 10)
  expect([next, imbalances(sheet)]).toEqual([undefined, []])
  return sheet
}

const handle = async () =>
  consume(
    route,
    async () => [],
    (await drain(aws, url)).map(({ body }) => ({ body, receiveCount: 1 })),
    deps,
  )

const pushes = (...ids: string[]) => ids.map((id) => byHttp(push(id), { project, received: clock() }))

test('a message that is deleted by hand is missing, named, sent on by the sweep, and then the books agree', async () => {
  await sweep(project, deps, 10)
  await record(pushes('a', 'b'), deps)
  await handle()
  await record(pushes('lost', 'mended'), deps)
  expect(await drain(aws, url)).toHaveLength(2)
  expect(await books()).toMatchObject({ total: { expected: 4, done: 2, inFlight: 2 }, lost: [] })

  shift += 16 * 60_000
  const { lost, total } = await books()
  expect(total).toMatchObject({ done: 2, missing: 2 })
  expect(lost.map(({ id }) => id).sort()).toEqual(['lost', 'mended'])
  const missed = [{ source, id: 'mended', subscriber: route.subscriber }]
  const [mended] = await mendMissing(project, missed, 'user:ann', { ...deps, newId: () => 'mend1' })
  expect(mended?.outcome).toBe('sent')
  expect(await books()).toMatchObject({ total: { inFlight: 2, missing: 0 } })
  await handle()
  expect((await books()).lost).toMatchObject([{ id: 'lost', standing: 'missing' }])
  expect(await sweep(project, deps, 10)).toMatchObject({ failures: [], swept: { resent: 1 } })
  expect((await sweepState(project, deps)).did).toMatchObject({ resent: 1, last: [{ id: 'lost' }] })
  await handle()
  expect((await books()).total).toMatchObject({ expected: 4, done: 4, missing: 0 })
})

test('what is in quarantine is edited, recorded once and told once; what is dropped is listed', async () => {
  const bad = { ...githubPush.example, ref: 'main' }
  const digests: string[] = []
  for (const id of ['bad', 'worse']) {
    const [outcome] = await record([{ ...byBus(push(id, { data: bad })), project }], deps)
    if (outcome?.status === 'quarantined') digests.push(outcome.digest)
  }
  const [first = '', second = ''] = digests
  const waiting = () => quarantineGroups(project, {}, undefined, deps.history)
  expect((await waiting()).groups).toMatchObject([{ reason: 'invalid', path: 'data.ref', count: 2 }])

  const edit = { data: githubPush.example }
  const both = await Promise.all(
    ['user:ada', 'user:bob'].map((by) => releaseQuarantined(project, first, by, deps, edit)),
  )
  expect(both.filter(({ outcome }) => outcome === 'already')).toHaveLength(1)
  const entry = await deps.history.getQuarantined(project, first)
  expect(entry?.settled).toMatchObject({ state: 'recorded', note: `${source} bad` })
  expect(await dropQuarantined(project, second, 'user:ada', 'a test', deps)).toMatchObject({
    outcome: 'dropped',
  })
  expect((await waiting()).groups).toEqual([])
  const { items } = await deps.memory.list({ project, list: settledList, limit: 10 })
  expect(items).toHaveLength(2)

  const { outcomes } = await relay(
    digests.map((digest) => ({ project, partitionkey: `quarantine/${digest}` })),
    deps,
  )
  const told = outcomes.flatMap((outcome) => ('event' in outcome ? [outcome.event] : []))
  expect(told.map(({ type, actor }) => [type, actor])).toEqual([
    ['quarantine.released', entry?.settled?.by],
    ['quarantine.dropped', 'user:ada'],
  ])
  // each of the two at once may have sent it: it is handled once
  const handled = (await handle()).map(({ outcome }) => outcome)
  expect(handled.filter((outcome) => outcome !== 'already')).toEqual(['done'])
})
