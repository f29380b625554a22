import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { beforeAll, expect, test } from 'vitest'
import { s3Bodies } from '../../adapters/aws/bodies.ts'
import { connect } from '../../adapters/aws/clients.ts'
import { dynamoHistory } from '../../adapters/aws/history.ts'
import { dynamoMemory } from '../../adapters/aws/memory.ts'
import { consume } from '../../core/consume/consume.ts'
import { buildOf, buildRecord, track } from '../../core/domain/build.ts'
import { observe } from '../../core/domain/build-observation.ts'
import type { Arrival } from '../../core/event/arrival.ts'
import type { HandlerAny } from '../../core/event/handler.ts'
import { registerProject } from '../../core/gate/access.ts'
import { record } from '../../core/gate/record.ts'
import { controlOf, controlRecord, pauseOf } from '../../core/hold/control.ts'
import { changeJob, type Job, loadJob, resume } from '../../core/job/job.ts'
import type { Bodies, History, Memory, MemoryWrite } from '../../core/ports.ts'
import { newRebuild } from '../../core/replay/rebuild.ts'
import { newReplay } from '../../core/replay/replay.ts'
import { githubPush } from '../../events/github.push.ts'
import { routes, routeTo } from '../../events/routes.ts'
import { testCompleted } from '../../events/test.completed.ts'
import { createFunction, createTable, ended, filledIn, start, suffix, until } from './stage.ts'

/** Runs the definition on the endpoint with the real function: a history, queues, and handlers played here. */
const clock = () => new Date().toISOString()
const sqs = new SQSClient({})
let history: History
let memory: Memory
let bodies: Bodies
let definition: string
let prefix: string

const subscribers = ['analyze-push', 'track-build'] as const

beforeAll(async () => {
  const aws = connect()
  const BUCKET = `none-${suffix}`
  const [HISTORY_TABLE, MEMORY_TABLE] = await Promise.all([createTable('history'), createTable('memory')])
  bodies = s3Bodies({ aws, bucket: BUCKET })
  const options = { table: HISTORY_TABLE, retentionOf: () => 'project' as const, bodies }
  history = dynamoHistory({ aws, clock, ...options })
  memory = dynamoMemory({ aws, table: MEMORY_TABLE, clock, history: options })
  const urls = await Promise.all(
    subscribers.map(async (name) => {
      const { QueueUrl = '' } = await sqs.send(
        new CreateQueueCommand({ QueueName: `replay-${suffix}-${name}` }),
      )
      return QueueUrl.slice(0, -name.length)
    }),
  )
  prefix = urls[0] ?? ''
  const ReplayBatchFunctionArn = await createFunction('replay-batch', {
    ...{ HISTORY_TABLE, MEMORY_TABLE, BUCKET, QUEUE_PREFIX: prefix },
  })
  definition = filledIn('replay', { ReplayBatchFunctionArn })
})

const nowhere = { send: async () => [], depth: async () => 0 }
const ports = () => ({ history, memory, bodies, queues: nowhere, clock, random: Math.random, routes })

/** Through the gate, a few at a time: each lot is a page of the timeline. */
async function recorded(project: string, events: readonly { id: string; type: string; data: unknown }[]) {
  for (let at = 0; at < events.length; at += 4)
    await record(
      events.slice(at, at + 4).map((sent): Arrival => {
        const event = { specversion: '1.0', source: 'urn:test', ...sent }
        const came = { door: 'http', project, actor: 'user:ann', received: clock() } as const
        const said = { raw: JSON.stringify(event), ifInvalid: 'quarantine' } as const
        return { ...came, ...said, content: { kind: 'incoming', event } }
      }),
      ports(),
    )
}

/** The event that asks for the job's run, as the gate would have recorded it; answers what a run is started with. */
async function asked(project: string, { job, write }: { job: Job; write: MemoryWrite }) {
  await memory.commit({ writes: [write], outbox: [] })
  const event = {
    ...({ specversion: '1.0', door: 'outbox', actor: 'user:ann', project, data: { job: job.id } } as const),
    ...{ ...job.request, partitionkey: `job/${job.id}`, correlationid: job.request.id, hops: 0 },
    ...{ time: clock(), received: clock() },
  }
  const page = { hour: clock().slice(0, 13), shard: 0, page: job.id }
  await history.insertEvents([{ event, content: 'asked', expects: [], page }])
  const { source, id, type, partitionkey, correlationid, hops } = event
  return (attempt: number) => ({
    ...{ workflow: 'replay', run: `r${attempt}`, attempt, replay: '' },
    event: { project, source, id, type, partitionkey, correlationid, hops },
  })
}

/** Handles what lies on the subscriber's queue until `over`; answers the events that were handled. */
async function handleUntil(
  subscriber: (typeof subscribers)[number],
  handler: HandlerAny,
  over: () => Promise<boolean>,
): Promise<string[]> {
  const handled: string[] = []
  const noting: HandlerAny = (given, seen) => {
    handled.push(given.event.id)
    return handler(given, seen)
  }
  const QueueUrl = `${prefix}${subscriber}`
  while (!(await over())) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    )
    const messages = Messages.map(({ Body = '' }) => ({ body: Body, receiveCount: 1 }))
    const consumed = await consume(routeTo(subscriber), noting, messages, ports())
    for (const [index, { ReceiptHandle }] of Messages.entries())
      if (consumed[index]?.again === undefined)
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
  }
  return handled
}

const pushes = Array.from({ length: 25 }, (_, n) => ({
  id: `p${String(n).padStart(2, '0')}`,
  type: githubPush.type,
  data: githubPush.example,
}))
const ids = pushes.map(({ id }) => id)
const since = () => new Date(Date.now() - 3_600_000).toISOString()
const about = (project: string, rate: number) => ({
  project,
  id: `job-${project}`,
  by: 'user:ann',
  asked: clock(),
  rate,
})

const replaying = (project: string, rate: number) =>
  newReplay(about(project, rate), 'analyze-push', { type: githubPush.type, since: since() }, routes)

test('hands each event of the selection to the subscriber, batch by batch, and ends when all is handled', async () => {
  await recorded('whole', pushes)
  const made = replaying('whole', 20)
  const run = await start(definition, (await asked('whole', made))(1))
  const job = () => loadJob('whole', made.job.id, memory)
  const handled = await handleUntil(
    'analyze-push',
    async () => [],
    async () => (await job()).state !== 'running',
  )
  expect(handled.toSorted()).toEqual(ids)
  expect(await job()).toMatchObject({ state: 'done', counts: { matched: 25, sent: 25, done: 25 } })
  expect(await ended(run)).toMatchObject({ status: 'SUCCEEDED' })
})

test('a run that is killed halfway leaves the job to the next, and every event is handled once', async () => {
  await recorded('killed', pushes)
  const made = replaying('killed', 2)
  const input = await asked('killed', made)
  const job = () => loadJob('killed', made.job.id, memory)
  const run = await start(definition, input(1))
  await until(async () => ((await job()).counts.sent ?? 0) >= 4 || undefined)
  await new SFNClient({}).send(new StopExecutionCommand({ executionArn: run }))
  await changeJob('killed', made.job.id, memory, (now) => ({
    ...resume(now, () => new Date().toISOString()),
    rate: 50,
  }))
  await start(definition, input(2))
  const handled = await handleUntil(
    'analyze-push',
    async () => [],
    async () => (await job()).state !== 'running',
  )
  expect(handled.toSorted()).toEqual(ids)
  expect(await job()).toMatchObject({ state: 'done', attempt: 2, counts: { matched: 25, done: 25 } })
})

const trackBuild: HandlerAny = async (handled, seen) => {
  const observation = observe(handled as never)
  if (observation === undefined || seen === undefined) return undefined
  const { project } = handled.event
  const key = buildRecord(project, observation.repository, observation.branch)
  return track(project, observation, await seen.get(key))
}

test('a rebuild finds a record that was spoilt by hand, and puts it right', async () => {
  const project = 'spoilt'
  await registerProject(memory, project, new Date().toISOString())
  const events = Array.from({ length: 12 }, (_, n) => ({
    id: `t${n}`,
    type: testCompleted.type,
    data: { ...testCompleted.example, branch: `b${n % 3}`, suite: `s${n}` },
  }))
  await recorded(project, events)
  const fates = await Promise.all(events.map(({ id }) => history.fate({ project, source: 'urn:test', id })))
  const messages = fates.map(({ stored }) => ({
    body: JSON.stringify({ event: stored?.event, replay: '' }),
    receiveCount: 1,
  }))
  await consume(routeTo('track-build'), trackBuild, messages, ports())
  const key = buildRecord(project, testCompleted.example.repository, 'b1')
  const right = await memory.get(key)
  if (right === undefined) throw new Error('a build')
  const value = { ...buildOf(right), commits: [] }
  await memory.commit({ writes: [{ ...right, version: right.version + 1, value }], outbox: [] })

  const made = newRebuild(about(project, 50), 'track-build', { switch: true }, routes)
  await start(definition, (await asked(project, made))(1))
  const job = () => loadJob(project, made.job.id, memory)
  await handleUntil('track-build', trackBuild, async () => (await job()).state !== 'running')
  expect(await job()).toMatchObject({
    state: 'done',
    counts: { matched: 12, done: 12, equal: 2, different: 1, switched: 1 },
  })
  expect((await memory.get(key))?.value).toEqual(right.value)
  expect(pauseOf(controlOf(await memory.get(controlRecord(project, 'track-build'))))).toBeUndefined()
})
