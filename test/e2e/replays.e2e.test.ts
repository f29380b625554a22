import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildRecord } from '../../core/domain/build.ts'
import { idempotencyKey } from '../../core/identity.ts'
import { commandLine, killFunctions, subscription } from './operator.ts'
import { deployedStage, deployments, eventually } from './stage.ts'

/** The history handled again: by a subscriber that acts outside, and to build records anew. Both wait much: side by side. */

const stage = deployedStage()
const { loadpath, said } = commandLine(stage)

describe.concurrent('a replay', () => {
  const many = 24
  const story = randomUUID()
  const events = deployments(many).map((event) => ({ ...event, correlationid: story }))
  const keysOf = (replay: string) =>
    events.map(({ source, id }) => idempotencyKey({ project: 'main', source, id }, 'notify', replay))
  let outside: Awaited<ReturnType<typeof subscription>>
  beforeAll(async () => {
    outside = await subscription(stage)
    await stage.put(events)
    await outside.once(keysOf(''))
  })
  afterAll(() => outside.end())

  const selection = ['notify', '--story', story]
  /** A replay that has sent some of its events, and not all. */
  const halfway = async () => {
    const { id } = await said('replay', ...selection, '--rate', '1')
    await eventually(async () => {
      const { counts } = await said('replay', 'show', id)
      expect(counts.sent).toBeGreaterThan(0)
      expect(counts.sent).toBeLessThan(many)
    })
    return id
  }

  it('whose run is stopped halfway finishes after it is resumed, with every event once', async () => {
    const counted = await said('replay', ...selection, '--dry-run')
    expect(counted).toMatchObject({ types: { 'deployment.failed': many }, left: 0, unreadable: 0 })

    const id = await halfway()
    const { run } = await said('replay', 'show', id)
    await stage.aws.call('states', 'StopExecution', {
      executionArn: `${stage.config.stateMachinePrefix.replace(':stateMachine:', ':execution:')}replay:${run.run}`,
      error: 'Killed',
    })
    const interrupted = await eventually(async () => {
      const found = await said('replay', 'show', id)
      expect(found).toMatchObject({ state: 'interrupted', attempt: 1 })
      return found
    })
    expect(interrupted.counts.sent).toBeLessThan(many)

    expect(await said('jobs', 'resume', id)).toMatchObject({ state: 'running', attempt: 2 })
    const done = await said('jobs', 'show', id, '--wait')
    expect(done).toMatchObject({ state: 'done', counts: { matched: many, sent: many, done: many } })
    await outside.once(keysOf(id))
    // what was live before is as it was, and not one has come for that again
    await outside.once(keysOf(''))
    const { sheet, verdict } = await said('balance', '--since', '1h', '--replay', id)
    expect([verdict, sheet.subscribers.notify]).toMatchObject(['balanced', { expected: many, done: many }])
    const { items } = await said('events', 'list', '--type', 'replay.completed', '--key', `job/${id}`)
    expect(items).toHaveLength(1)
    expect(await loadpath('jobs', 'resume', id)).toMatchObject({ code: 1 })
  })

  it('whose function is killed (-9) again and again comes to its end by itself, and leaves none out', async () => {
    const id = await halfway()
    let killed = 0
    // one may wait for its next batch; the others had just been started for one
    await eventually(async () => {
      await sleep(200)
      killed += killFunctions(stage.endpoint, '-replay-batch-')
      expect(killed).toBeGreaterThan(2)
    }, 60)
    const done = await said('jobs', 'show', id, '--wait')
    expect(done).toMatchObject({ state: 'done', attempt: 1, counts: { done: many } })
    // what was sent and not noted is sent again: known by its mark, or at the worst by its key
    expect((await outside.times(keysOf(id))).filter((times) => times === 0)).toEqual([])
  })
}, 180_000)

describe.concurrent('a rebuild', () => {
  const repository = `octo/${randomUUID().slice(0, 8)}`
  const key = buildRecord('main', repository, 'main')
  const dynamo = new DynamoDBClient()
  const item = {
    TableName: stage.config.memoryTable,
    Key: { pk: { S: `main#build#${key.name}` }, sk: { S: 'record' } },
  }
  const builds = async () => (await said('builds', repository)).items

  it('comes to the same as what is live, and mends what was spoiled there', async () => {
    const tests = (failed: number) => ({
      ...{ specversion: '1.0', id: randomUUID(), source: 'https://ci.example.com', type: 'test.completed' },
      data: {
        repository,
        branch: 'main',
        commit: `c${failed}`,
        suite: 'unit',
        passed: 3,
        failed,
        skipped: 0,
      },
    })
    const events = [tests(1), tests(0)]
    for (const event of events) {
      await stage.put([event])
      await stage.settled({ project: 'main', source: event.source, id: event.id })
    }
    const before = await builds()
    expect(before).toMatchObject([{ branch: 'main', status: 'passing', commit: 'c0' }])

    const { id } = await said('rebuild', 'track-build')
    await said('jobs', 'show', id, '--wait')
    const equal = await said('rebuild', 'show', id)
    expect(equal).toMatchObject({ state: 'done', counts: { equal: expect.any(Number) } })
    expect(equal.report).toMatchObject({ different: [], onlyRebuilt: [], onlyLive: [], failed: [] })
    expect(equal.counts.equal).toBeGreaterThan(0)

    const { Item = {} } = await dynamo.send(new GetItemCommand({ ...item, ConsistentRead: true }))
    const spoiled = JSON.parse(JSON.stringify(Item).replaceAll('passing', 'failing'))
    expect(spoiled).not.toEqual(Item)
    await dynamo.send(new PutItemCommand({ TableName: item.TableName, Item: spoiled }))
    expect(await builds()).toMatchObject([{ status: 'failing' }])

    const switched = await said('rebuild', 'track-build', '--switch', '--yes')
    await said('jobs', 'show', switched.id, '--wait')
    const found = await said('rebuild', 'show', switched.id)
    expect(found).toMatchObject({ state: 'done', counts: { different: 1, switched: 1 } })
    expect(found.report.different).toMatchObject([
      { kind: 'build', name: key.name, changes: [{ before: 'failing', after: 'passing' }] },
    ])
    expect(await builds()).toEqual(before)
    // it was paused for both, and runs again
    const next = tests(2)
    await stage.put([next])
    await stage.settled({ project: 'main', source: next.source, id: next.id })
    expect(await builds()).toMatchObject([{ status: 'failing', commit: 'c2' }])
  })
}, 180_000)
