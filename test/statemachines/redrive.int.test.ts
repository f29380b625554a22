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
import { deliveryFrame } from '../../core/frame.ts'
import { changeJob, loadJob, resume } from '../../core/job/job.ts'
import { redriveJob } from '../../core/mend/redrive.ts'
import type { DeliveryKey, History, Memory, StoredEvent } from '../../core/ports.ts'
import { githubPush } from '../../events/github.push.ts'
import { createFunction, createTable, ended, filledIn, start, suffix, until } from './stage.ts'

/** Runs the definition on the endpoint with the real function: dead deliveries, a queue, and a handler played here. */
const clock = () => new Date().toISOString()
const sqs = new SQSClient({})
let history: History
let memory: Memory
let definition: string
let queue: string

beforeAll(async () => {
  const aws = connect()
  const BUCKET = `none-${suffix}`
  const [HISTORY_TABLE, MEMORY_TABLE] = await Promise.all([createTable('history'), createTable('memory')])
  const bodies = s3Bodies({ aws, bucket: BUCKET })
  history = dynamoHistory({ aws, table: HISTORY_TABLE, retentionOf: () => 'project', bodies, clock })
  memory = dynamoMemory({ aws, table: MEMORY_TABLE, clock })
  const { QueueUrl = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: `redrive-${suffix}-analyze-push` }),
  )
  queue = QueueUrl
  const QUEUE_PREFIX = QueueUrl.slice(0, -'analyze-push'.length)
  const RedriveBatchFunctionArn = await createFunction('redrive-batch', {
    ...{ HISTORY_TABLE, MEMORY_TABLE, BUCKET, QUEUE_PREFIX },
  })
  definition = filledIn('redrive', { RedriveBatchFunctionArn })
})

const event = (project: string, id: string, type: string, data: unknown): StoredEvent => ({
  event: {
    ...{ specversion: '1.0', door: 'http', actor: 'system', project, source: 'urn:test', id, type, data },
    ...{ dataversion: 1, partitionkey: id, correlationid: id, hops: 0, time: clock(), received: clock() },
  },
  content: id,
  expects: ['analyze-push'],
  page: { hour: clock().slice(0, 13), shard: 0, page: id },
})

const keyOf = (project: string, id: string): DeliveryKey => ({
  ...{ project, source: 'urn:test', id, subscriber: 'analyze-push', replay: '' },
})

/** A project with dead deliveries, and a job that is to send them again. */
async function given(project: string, ids: readonly string[], rate: number) {
  await history.insertEvents(ids.map((id) => event(project, id, githubPush.type, githubPush.example)))
  const dead = { state: 'dead' as const, attempts: 5, reason: 'fetch failed', emitted: [] }
  for (const id of ids) {
    const died = { ...dead, started: clock(), changed: clock() }
    await history.mark(keyOf(project, id), died)
  }
  const about = { id: `job-${project}`, subscriber: 'analyze-push', by: 'user:ann', rate }
  const { job, write } = redriveJob(project, {
    ...{ ...about, asked: clock(), subscribers: ['analyze-push'], selection: { reason: 'fetch' } },
  })
  await memory.commit({ writes: [write], outbox: [] })
  await history.insertEvents([event(project, 'asked', job.request.type, { job: job.id })])
  const asked = { project, source: 'urn:test', id: 'asked', type: job.request.type }
  const input = (attempt: number) => ({
    ...{ workflow: 'redrive', run: `r${attempt}`, attempt, replay: '' },
    event: { ...asked, partitionkey: `job/${job.id}`, correlationid: 'asked', hops: 0 },
  })
  return { job: () => loadJob(project, job.id, memory), id: job.id, input }
}

/** Handles what lies on the queue until `over`; answers the events in the order in which they came. */
async function handleUntil(over: () => Promise<boolean>): Promise<string[]> {
  const handled: string[] = []
  while (!(await over())) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    )
    for (const { Body = '', ReceiptHandle } of Messages) {
      const { event: sent, resent } = deliveryFrame.parse(JSON.parse(Body))
      expect(resent).toBe(true)
      handled.push(sent.id)
      const done = { state: 'done' as const, attempts: 1, started: clock(), changed: clock(), emitted: [] }
      await history.mark(keyOf(sent.project, sent.id), done)
      await sqs.send(new DeleteMessageCommand({ QueueUrl: queue, ReceiptHandle }))
    }
  }
  return handled
}

const ids = Array.from({ length: 25 }, (_, n) => `p${String(n).padStart(2, '0')}`)

test('sends what is dead again, batch by batch, and ends when all of it is done', async () => {
  const { job, input } = await given('whole', ids, 20)
  const run = await start(definition, input(1))
  const handled = await handleUntil(async () => (await job()).state !== 'running')
  expect(handled.toSorted()).toEqual(ids)
  expect(await job()).toMatchObject({ state: 'done', counts: { matched: 25, sent: 25, done: 25 } })
  expect(await ended(run)).toMatchObject({ status: 'SUCCEEDED' })
})

test('a run that is killed halfway leaves the job to the next, which sends everything else once', async () => {
  const { job, id, input } = await given('killed', ids, 2)
  const run = await start(definition, input(1))
  await until(async () => ((await job()).counts.sent ?? 0) >= 4 || undefined)
  await new SFNClient({}).send(new StopExecutionCommand({ executionArn: run }))
  await changeJob('killed', id, memory, (now) => ({
    ...resume(now, () => new Date().toISOString()),
    rate: 50,
  }))
  await start(definition, input(2))
  const handled = await handleUntil(async () => (await job()).state !== 'running')
  expect(handled.toSorted()).toEqual(ids)
  expect(await job()).toMatchObject({ state: 'done', attempt: 2, counts: { matched: 25, sent: 25 } })
})

test('a batch that cannot be made ends the run, by the name of what was wrong', async () => {
  const { input } = await given('gone', [], 2)
  const asked = input(1)
  const run = await start(definition, { ...asked, event: { ...asked.event, id: 'never' } })
  expect(await ended(run)).toMatchObject({ status: 'FAILED', cause: expect.stringContaining('never') })
})
