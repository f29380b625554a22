import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { SendTaskFailureCommand, SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn'
import { beforeAll, describe, expect, test } from 'vitest'
import { s3Bodies } from '../../adapters/aws/bodies.ts'
import { connect } from '../../adapters/aws/clients.ts'
import { dynamoHistory } from '../../adapters/aws/history.ts'
import { dynamoMemory } from '../../adapters/aws/memory.ts'
import { type Approval, approvalOf } from '../../core/domain/approval.ts'
import { buildRecord } from '../../core/domain/build.ts'
import { repositoryRecord } from '../../core/domain/repository.ts'
import type { History, Memory } from '../../core/ports.ts'
import type { DataOf } from '../../events/event-type.ts'
import { githubPullRequestOpened } from '../../events/github.pull-request.opened.ts'
import { githubPush } from '../../events/github.push.ts'
import type { repositoryUpdated } from '../../events/repository.updated.ts'
import { type Definition, type State, statesOf } from './definition.ts'
import { createFunction, createQueue, createTable, ended, filledIn, start, suffix, until } from './stage.ts'

/**
 * Runs the definition on the endpoint with the real functions, against histories and memories made up for each run:
 * every choice, and every catch. The answers to approvals are given as functions/resume-workflow gives them.
 */
const clock = () => new Date().toISOString()
let history: History
let memory: Memory
let functions: Record<string, string>

beforeAll(async () => {
  const aws = connect()
  const bodies = s3Bodies({ aws, bucket: `none-${suffix}` })
  const [HISTORY_TABLE, MEMORY_TABLE] = await Promise.all([createTable('history'), createTable('memory')])
  history = dynamoHistory({ aws, table: HISTORY_TABLE, retentionOf: () => 'project', bodies, clock })
  memory = dynamoMemory({ aws, table: MEMORY_TABLE, clock })
  const STATE_MACHINE_PREFIX = 'arn:aws:states:us-east-1:000000000000:stateMachine:'
  const [CollectFactsFunctionArn, EvaluateGateFunctionArn, RequestApprovalFunctionArn] = await Promise.all([
    createFunction('collect-facts', { HISTORY_TABLE, MEMORY_TABLE, BUCKET: `none-${suffix}` }),
    createFunction('evaluate-gate', {}),
    createFunction('request-approval', { MEMORY_TABLE, STATE_MACHINE_PREFIX }),
  ])
  functions = { CollectFactsFunctionArn, EvaluateGateFunctionArn, RequestApprovalFunctionArn }
})

type Situation = {
  gates?: DataOf<typeof repositoryUpdated>['gates']
  build?: 'passing' | 'failing' | 'pending'
  branch?: string
  pullRequest?: boolean
  /** nothing is recorded under the identity that the run is for */
  gone?: boolean
  change?: (states: Record<string, State>, definition: Definition) => void
}

/** Makes up what is known of a push and starts a run for it, in a project of its own. */
async function given(situation: Situation) {
  const project = `p-${randomUUID()}`
  const id = randomUUID()
  const push = githubPush.schema.parse(githubPush.example)
  const repository = push.repository.full_name
  const branch = situation.branch ?? 'master'
  const [type, data] = situation.pullRequest
    ? [githubPullRequestOpened.type, githubPullRequestOpened.example]
    : [githubPush.type, { ...push, ref: `refs/heads/${branch}` }]
  const source = `https://github.com/${repository}`
  const story = { source, id, correlationid: id, hops: 0 }
  const partitionkey = `repository/${repository}`
  const now = clock()
  const event = { ...story, project, type, partitionkey, data, dataversion: 1, time: now, received: now }
  const page = { hour: now.slice(0, 13), shard: 0, page: id }
  if (!situation.gone)
    await history.insertEvents([
      {
        event: { specversion: '1.0', door: 'http', actor: 'system', ...event },
        content: '',
        expects: [],
        page,
      },
    ])
  if (situation.gates)
    await remember(repositoryRecord(project, repository), {
      repository,
      deployBranch: 'master',
      gates: situation.gates,
      version: 1,
    })
  if (situation.build) {
    const fact = { source: 'workflow', name: 'CI', status: situation.build, conclusion: null, created: now }
    const commits = [{ commit: push.after, facts: [{ ...fact, order: [1, 1, 2, now] }] }]
    await remember(buildRecord(project, repository, branch), { repository, branch, commits })
  }
  const queue = await createQueue(`record-${id}`)
  const definition = filledIn('test-and-validate', { ...functions, RecordQueueUrl: queue.url }, (made) =>
    situation.change?.(Object.fromEntries(statesOf(made)), made),
  )
  const run = await start(definition, {
    workflow: 'test-and-validate',
    run: id,
    attempt: 1,
    replay: '',
    event: { ...story, project, type, partitionkey },
  })
  return { project, id, run, emitted: queue.take }
}

async function remember(key: { project: string; kind: string; name: string }, value: unknown) {
  expect(await memory.commit({ writes: [{ ...key, version: 1, value }], outbox: [] })).toBe('committed')
}

/** Runs to its end and answers how it ended and what it emitted. */
async function decided(situation: Situation) {
  const { run, emitted } = await given(situation)
  const end = await ended(run)
  return { ...end, events: await emitted() }
}

/** The approvals that a run waits for, as many as are expected. */
const asked = (project: string, count = 1): Promise<Approval[]> =>
  until(async () => {
    const { items } = await memory.list({ project, list: 'approvals/pending', limit: 10 })
    const pending = items.map(approvalOf).filter((state) => state !== undefined)
    return pending.length < count ? undefined : pending
  })

const sfn = new SFNClient({})
const answer = (taskToken: string, output: object) =>
  sfn.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) }))

const evaluation = (decision: string, ...gates: object[]) => ({
  type: 'quality-gate.evaluated',
  step: 'PublishEvaluation',
  data: { decision, gates },
})
const onDeployBranch = { gate: 'branch', outcome: 'passed' }
const askAlways = { gate: 'approval', fromRisk: 0, expiresInMinutes: 5, onFailure: 'rollback' } as const

describe('decides', () => {
  test('deploy, when every gate passes', async () => {
    expect(await decided({ build: 'passing' })).toMatchObject({
      status: 'SUCCEEDED',
      events: [
        evaluation('deploy', onDeployBranch, { gate: 'build', outcome: 'passed', reason: 'CI is green' }),
      ],
    })
  })

  test('hold, as long as a build is not known, though the gate says rollback', async () => {
    expect(await decided({ gates: [{ gate: 'build', onFailure: 'rollback' }] })).toMatchObject({
      status: 'SUCCEEDED',
      events: [evaluation('hold', onDeployBranch, { gate: 'build', outcome: 'failed', onFailure: 'hold' })],
    })
  })

  test('hold for a pull request, whatever its builds', async () => {
    expect(await decided({ pullRequest: true, build: 'passing' })).toMatchObject({
      status: 'SUCCEEDED',
      events: [{ data: { decision: 'hold', branch: 'changes' } }],
    })
  })

  test('rollback, and says so twice: evaluated, and decided', async () => {
    const { status, events } = await decided({
      gates: [
        { gate: 'build', onFailure: 'rollback' },
        { gate: 'risk', maximum: 0, onFailure: 'hold' },
        askAlways,
      ],
      build: 'failing',
    })
    expect(status).toBe('SUCCEEDED')
    expect(events).toMatchObject([
      { type: 'quality-gate.evaluated', data: { decision: 'rollback' } },
      { type: 'rollback.decided', step: 'PublishRollback', data: { reasons: ['build: CI fails'] } },
    ])
  })
})

describe('asks', () => {
  test.each([
    [{ decision: 'approved', by: 'user:a', comment: 'go' }, 'deploy', 'approved by user:a: go'],
    [{ decision: 'denied', by: 'user:a' }, 'rollback', 'denied by user:a'],
    [{ decision: 'expired', by: 'system' }, 'rollback', 'nobody answered in time'],
  ])('and goes by the answer: %j', async (reply, decision, reason) => {
    const { project, run, emitted } = await given({ gates: [askAlways] })
    const [approval] = await asked(project)
    expect(approval?.question).toMatch(/^Deploy Codertocat\/Hello-World ec26c3e to master\? Risk \d+\.$/)
    await answer(approval?.token ?? '', reply)
    expect(await ended(run)).toMatchObject({ status: 'SUCCEEDED' })
    const [evaluated, ...rest] = await emitted()
    expect(evaluated).toMatchObject(evaluation(decision, onDeployBranch, { gate: 'approval', reason }))
    expect(rest.map(({ type }) => type)).toEqual(decision === 'rollback' ? ['rollback.decided'] : [])
  })

  test('again when asking failed for the moment, and still one person once', async () => {
    const { project, run } = await given({ gates: [askAlways] })
    const [approval] = await asked(project)
    const taskToken = approval?.token ?? ''
    await sfn.send(new SendTaskFailureCommand({ taskToken, error: 'Unavailable', cause: 'made up' }))
    // the endpoint gives every try the same token: what is said to the try before the last is lost, so it is said again
    const end = ended(run)
    let over = false
    const noted = end.finally(() => {
      over = true
    })
    while (!over) {
      await answer(taskToken, { decision: 'approved', by: 'user:a' }).catch(() => undefined)
      await Promise.race([noted, sleep(200)])
    }
    expect(await end).toMatchObject({ status: 'SUCCEEDED' })
    const key = `approval/${approval?.approval}`
    expect(await memory.outbox(project, key)).toMatchObject([{ sequence: 1, index: 0 }])
  })

  test('for every gate at once, and deploys only when all are approved', async () => {
    const hold = { ...askAlways, onFailure: 'hold' } as const
    const { project, run, emitted } = await given({ gates: [hold, hold] })
    const [one, other] = await asked(project, 2)
    await answer(one?.token ?? '', { decision: 'approved', by: 'user:a' })
    await answer(other?.token ?? '', { decision: 'denied', by: 'user:b' })
    expect(await ended(run)).toMatchObject({ status: 'SUCCEEDED' })
    expect(await emitted()).toMatchObject([{ data: { decision: 'hold' } }])
  })

  test('nobody about a change that another gate holds', async () => {
    const { project, run } = await given({ gates: [{ gate: 'build', onFailure: 'hold' }, askAlways] })
    expect(await ended(run)).toMatchObject({ status: 'SUCCEEDED' })
    expect(await memory.list({ project, list: 'approvals/pending', limit: 10 })).toMatchObject({ items: [] })
  })

  test('and when no answer comes at all, the timeout counts as one', async () => {
    const { status, events } = await decided({
      gates: [askAlways],
      change: ({ WaitForApproval }) => {
        if (WaitForApproval) WaitForApproval.TimeoutSeconds = 1
      },
    })
    expect(status).toBe('SUCCEEDED')
    expect(events).toMatchObject([
      evaluation('rollback', onDeployBranch, { outcome: 'failed', reason: 'nobody answered in time' }),
      { type: 'rollback.decided' },
    ])
  })
})

describe('fails, says what it was doing, and publishes no decision', () => {
  const missing = 'arn:aws:lambda:us-east-1:000000000000:function:missing'
  const without = (name: string) => (states: Record<string, State>) => {
    const task = states[name]
    if (task === undefined) throw new Error(`no state ${name}`)
    task.Arguments = name.startsWith('Publish')
      ? { QueueUrl: 'http://localhost/000000000000/missing', MessageBody: 'x' }
      : { FunctionName: missing }
  }

  test.each([
    ['CollectChange', 'collecting facts: change'],
    ['CollectRepository', 'collecting facts: repository'],
    ['CollectBuild', 'collecting facts: build'],
    ['EvaluateGate', 'evaluating gates'],
    ['PublishEvaluation', 'publishing the evaluation'],
  ])('at %s', async (name, during) => {
    const { status, error, cause, events } = await decided({ change: without(name) })
    expect({ status, events }).toEqual({ status: 'FAILED', events: [] })
    expect(error).toMatch(/ResourceNotFound|QueueDoesNotExist|NonExistentQueue/)
    expect(cause).toContain(during)
  })

  test('at PublishRollback, after the evaluation', async () => {
    const { status, cause, events } = await decided({
      gates: [{ gate: 'build', onFailure: 'rollback' }],
      build: 'failing',
      change: without('PublishRollback'),
    })
    expect(status).toBe('FAILED')
    expect(cause).toContain('publishing the rollback')
    expect(events).toMatchObject([{ type: 'quality-gate.evaluated' }])
  })

  test('at WaitForApproval, with the name of the failure', async () => {
    const { project, run, emitted } = await given({ gates: [askAlways] })
    const [approval] = await asked(project)
    const taskToken = approval?.token ?? ''
    await sfn.send(new SendTaskFailureCommand({ taskToken, error: 'Conflict', cause: 'made up' }))
    expect(await ended(run)).toMatchObject({
      status: 'FAILED',
      error: 'Conflict',
      cause: 'asking for approval: made up',
    })
    expect(await emitted()).toEqual([])
  })

  test('for an event that is gone, though the endpoint may call every error alike', async () => {
    const { status, error, cause, events } = await decided({ gone: true })
    expect({ status, events }).toEqual({ status: 'FAILED', events: [] })
    expect(error).toMatch(/^(NotFound|Runtime\.HandlerError)$/)
    expect(cause).toMatch(/collecting facts: \w+: .*no event/)
  })
})
