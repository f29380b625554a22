import { expect, test, vi } from 'vitest'
import { delivery, freshProject, keyOf, sample } from '../contract/samples.ts'
import { inMemoryBodies } from '../in-memory/bodies.ts'
import { type Aws, AwsError } from './clients.ts'
import { deliveryItem } from './delivery-items.ts'
import { dynamoLanes } from './lanes.ts'

/** What the endpoint of the tests never answers: that somebody else was in the way. */
const cancelled = (...codes: string[]) =>
  new AwsError('TransactionCanceledException', 'cancelled', 400, {
    CancellationReasons: codes.map((Code) => ({ Code })),
  })

function waitingWith(answers: readonly (Error | undefined)[], standing = delivery()) {
  const key = keyOf(sample({ project: freshProject() }).event, 'track')
  const left = [...answers]
  const tokens: unknown[] = []
  const call = vi.fn(async (_: string, operation: string, input: object) => {
    if (operation === 'UpdateItem') throw new AwsError('ConditionalCheckFailedException', 'none', 400, {})
    if (operation === 'BatchGetItem') return { Responses: { t: [deliveryItem(key, standing, 1)] } }
    if (operation !== 'TransactWriteItems') return { Responses: {} }
    tokens.push('ClientRequestToken' in input ? input.ClientRequestToken : undefined)
    const answer = left.shift()
    if (answer !== undefined) throw answer
    return {}
  })
  const unused = async () => expect.fail('not used')
  const aws: Aws = { region: 'us-east-1', form: unused, object: unused, call }
  const options = { table: 't', retentionOf: () => 'project' as const, bodies: inMemoryBodies() }
  const lanes = dynamoLanes({ aws, clock: () => '2026-01-01T12:00:00.000Z', ...options })
  const lane = { project: key.project, subscriber: 'track', partitionkey: 'k', replay: '' }
  const waiting = { key, sequence: 1, delivery: delivery({ state: 'parked' }) }
  return { waits: () => lanes.wait(lane, waiting, 'behind'), tokens }
}

const conflict = cancelled('None', 'None', 'TransactionConflict')

test('who lost a race for a lane tries again, each time anew', async () => {
  const { waits, tokens } = waitingWith([
    conflict,
    cancelled('TransactionConflict', 'None', 'None'),
    undefined,
  ])
  expect(await waits()).toBe('waits')
  expect(new Set(tokens).size).toBe(3)
})

test('who loses every race is told so, and may come again', async () => {
  const { waits, tokens } = waitingWith(Array(9).fill(conflict))
  await expect(waits()).rejects.toMatchObject({ code: 'Busy' })
  expect(tokens).toHaveLength(5)
})

test('what a lost race turns out to be in the end is answered', async () => {
  const none = cancelled('None', 'None', 'ConditionalCheckFailed')
  expect(await waitingWith([conflict, none]).waits()).toBe('open')
  // settled outweighs open: it has not to be run either
  const both = cancelled('ConditionalCheckFailed', 'None', 'ConditionalCheckFailed')
  expect(await waitingWith([both]).waits()).toBe('final')
  expect(await waitingWith([both], delivery({ state: 'retrying' })).waits()).toBe('changed')
})

test('anything else is thrown as it is', async () => {
  const throttled = cancelled('None', 'ProvisionedThroughputExceeded', 'None')
  await expect(waitingWith([throttled]).waits()).rejects.toMatchObject({
    code: 'ProvisionedThroughputExceeded',
  })
})
