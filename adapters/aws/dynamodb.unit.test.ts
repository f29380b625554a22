import { expect, test } from 'vitest'
import { n, s } from './attributes.ts'
import { type Aws, AwsError } from './clients.ts'
import { deleteAll, getAll, insertAll, queryAll } from './dynamodb.ts'
import { dynamoMemory } from './memory.ts'

type Call = { operation: string; input: Record<string, unknown> }

/** Answers what the test says, call by call; an Error is thrown. */
function answering(...answers: (object | Error | ((call: Call) => object))[]) {
  const calls: Call[] = []
  const aws: Aws = {
    region: 'us-east-1',
    form: async () => expect.fail('not used'),
    object: async () => expect.fail('not used'),
    call: async (_, operation, input) => {
      const call = { operation, input: input as Record<string, unknown> }
      calls.push(call)
      const answer = answers.shift() ?? expect.fail(`one call too many: ${operation}`)
      if (answer instanceof Error) throw answer
      return typeof answer === 'function' ? answer(call) : answer
    },
  }
  return { aws, calls }
}

const items = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ pk: s(`p${index}`), sk: s('x') }))
const error = (Code: string) => ({ Error: { Code, Message: `${Code} happened` } })
const statementsOf = ({ input }: Call) => (input.Statements as unknown[]).length
const kinds = (verdicts: readonly { verdict: string }[]) => verdicts.map(({ verdict }) => verdict)

test('only what was throttled is inserted again', async () => {
  const { aws, calls } = answering(
    { Responses: [{}, error('ThrottlingError'), error('DuplicateItem'), error('TransactionConflict')] },
    { Responses: [{}, error('ProvisionedThroughputExceeded')] },
    { Responses: [error('DuplicateItem')] },
  )
  expect(kinds(await insertAll(aws, 't', items(4)))).toEqual(['inserted', 'inserted', 'exists', 'exists'])
  expect(calls.map(statementsOf)).toEqual([4, 2, 1])
})

test('what is throttled at every try fails, and says so', async () => {
  const busy = { Responses: [error('ThrottlingError')] }
  const { aws, calls } = answering(busy, busy, busy, busy, busy)
  const [verdict] = await insertAll(aws, 't', items(1))
  expect(verdict).toMatchObject({ verdict: 'failed', error: { code: 'ThrottlingError' } })
  expect(calls).toHaveLength(5)
})

test('one that is refused fails by itself, at once', async () => {
  const { aws, calls } = answering({ Responses: [{}, error('ValidationError'), {}] })
  const verdicts = await insertAll(aws, 't', items(3))
  expect(kinds(verdicts)).toEqual(['inserted', 'failed', 'inserted'])
  expect(verdicts[1]).toMatchObject({
    error: { code: 'ValidationError', message: 'ValidationError happened' },
  })
  expect(calls).toHaveLength(1)
})

test('a call that fails fails its twenty-five, not the others', async () => {
  const down = new AwsError('Http500', 'down', 500, '')
  const { aws, calls } = answering(down, { Responses: Array(25).fill({}) }, { Responses: Array(10).fill({}) })
  const verdicts = await insertAll(aws, 't', items(60))
  expect(kinds(verdicts)).toEqual([...Array(25).fill('failed'), ...Array(35).fill('inserted')])
  expect(verdicts[0]).toMatchObject({ error: down })
  expect(calls.map(statementsOf)).toEqual([25, 25, 10])
})

test('a call that is refused as a whole is said again statement by statement: one bad one harms no neighbour', async () => {
  const refused = new AwsError('ValidationException', 'number overflow', 400, {})
  const { aws, calls } = answering(refused, { Responses: [{}] }, refused, {
    Responses: [error('DuplicateItem')],
  })
  const verdicts = await insertAll(aws, 't', items(3))
  expect(kinds(verdicts)).toEqual(['inserted', 'failed', 'exists'])
  expect(verdicts[1]).toMatchObject({ error: refused })
  expect(calls.map(statementsOf)).toEqual([3, 1, 1, 1])
})

test('a call that came too fast as a whole is not made into many', async () => {
  const { aws, calls } = answering(new AwsError('ThrottlingException', 'slow down', 400, {}))
  expect(kinds(await insertAll(aws, 't', items(3)))).toEqual(['failed', 'failed', 'failed'])
  expect(calls).toHaveLength(1)
})

test('an answer that leaves some out, or is none, is no insert', async () => {
  expect(kinds(await insertAll(answering({ Responses: [{}] }).aws, 't', items(2)))).toEqual([
    'inserted',
    'failed',
  ])
  expect(kinds(await insertAll(answering({ strange: true }).aws, 't', items(2)))).toEqual([
    'failed',
    'failed',
  ])
})

test('the second of one key fails where the first did', async () => {
  const [item] = items(1)
  const { aws } = answering({ Responses: [error('ValidationError')] })
  expect(kinds(await insertAll(aws, 't', item ? [item, item] : []))).toEqual(['failed', 'failed'])
})

test('keys that were left unread are read again, and in the end it fails', async () => {
  const keys = [
    { pk: 'a', sk: 'x' },
    { pk: 'b', sk: 'x' },
  ]
  const [a, b] = [
    { pk: s('a'), sk: s('x'), n: n(1) },
    { pk: s('b'), sk: s('x'), n: n(2) },
  ]
  const left = { t: { Keys: [{ pk: s('b'), sk: s('x') }] } }
  const { aws, calls } = answering(
    { Responses: { t: [a] }, UnprocessedKeys: left },
    { Responses: { t: [b] } },
  )
  expect(await getAll(aws, 't', keys)).toEqual([a, b])
  expect(calls[1]?.input).toMatchObject({ RequestItems: left })
  const never = { Responses: { t: [] }, UnprocessedKeys: left }
  await expect(getAll(answering(never, never, never, never, never).aws, 't', keys)).rejects.toMatchObject({
    code: 'ThrottlingError',
  })
})

test('a hundred and one keys are two reads', async () => {
  const { aws, calls } = answering({ Responses: { t: [] } }, { Responses: { t: [] } })
  const keys = Array.from({ length: 101 }, (_, index) => ({ pk: `p${index}`, sk: 'x' }))
  expect(await getAll(aws, 't', keys)).toEqual(Array(101).fill(undefined))
  expect(calls).toHaveLength(2)
})

test('what was not deleted is deleted again', async () => {
  const left = [{ DeleteRequest: { Key: { pk: s('b'), sk: s('x') } } }]
  const { aws, calls } = answering({ UnprocessedItems: { t: left } }, { UnprocessedItems: {} })
  await deleteAll(aws, 't', [
    { pk: 'a', sk: 'x' },
    { pk: 'b', sk: 'x' },
  ])
  expect(calls[1]?.input).toEqual({ RequestItems: { t: left } })
})

test('a query goes on until its end or its limit', async () => {
  const page = (from: number, next?: string) => ({
    Items: [{ n: n(from) }, { n: n(from + 1) }],
    ...(next === undefined ? {} : { LastEvaluatedKey: { pk: s(next) } }),
  })
  const query = { condition: '#pk = :pk', names: { '#pk': 'pk' }, values: { ':pk': s('a') } }
  const { aws, calls } = answering(page(0, 'x'), page(2, 'y'), page(4))
  expect(await queryAll(aws, 't', query)).toHaveLength(6)
  expect(calls[1]?.input).toMatchObject({ ExclusiveStartKey: { pk: s('x') } })
  const limited = answering(page(0, 'x'), page(2, 'y'))
  expect(await queryAll(limited.aws, 't', { ...query, limit: 3 })).toHaveLength(3)
})

test('another transaction in the way is a conflict; a reason that is no verdict is thrown', async () => {
  const cancelled = (...Codes: string[]) =>
    new AwsError('TransactionCanceledException', 'cancelled', 400, {
      CancellationReasons: Codes.map((Code) => ({ Code })),
    })
  const commit = (answer: object) =>
    dynamoMemory({ aws: answering(answer).aws, table: 't', clock: () => '2026-01-01T00:00:00.000Z' }).commit({
      writes: [1, 2].map((index) => ({ project: 'p', kind: 'k', name: `n${index}`, version: 1, value: {} })),
      outbox: [],
    })
  expect(await commit(cancelled('None', 'TransactionConflict'))).toBe('version conflict')
  expect(await commit(cancelled('ConditionalCheckFailed', 'None'))).toBe('version conflict')
  expect(await commit(new AwsError('TransactionInProgressException', '', 400, {}))).toBe('version conflict')
  await expect(commit(cancelled('None', 'ThrottlingError'))).rejects.toMatchObject({
    code: 'ThrottlingError',
  })
  await expect(commit(cancelled('None', 'ValidationError'))).rejects.toMatchObject({
    code: 'ValidationError',
  })
  await expect(commit(new AwsError('Http500', 'down', 500, ''))).rejects.toMatchObject({ code: 'Http500' })
})
