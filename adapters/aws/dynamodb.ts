import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import type { InsertVerdict } from '../../core/ports.ts'
import { type Item, type RawItem, rawItem, s } from './attributes.ts'
import { type Aws, AwsError, backoff, isAwsError, isThrottle } from './clients.ts'

/** Rounds in which what DynamoDB left undone is given to it again. */
const rounds = 5

export const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )

/** One text per key, to tell items apart. */
const keyText = (item: { pk?: unknown; sk?: unknown }): string => JSON.stringify([item.pk, item.sk])

const statementAnswer = z.object({
  Responses: z.array(
    z.object({ Error: z.object({ Code: z.string(), Message: z.string().optional() }).optional() }),
  ),
})

/**
 * Inserts items whose key is free, 25 a call, calls side by side; a verdict each, in order. An item whose key came
 * earlier in the same call exists. A retry after a lost answer may say `exists` of what it inserted itself.
 */
export async function insertAll(aws: Aws, table: string, items: readonly Item[]): Promise<InsertVerdict[]> {
  const keys = items.map(keyText)
  const first = new Map<string, number>()
  for (const [index, key] of keys.entries()) if (!first.has(key)) first.set(key, index)
  const verdicts = new Map<number, InsertVerdict>()
  await Promise.all(
    chunks([...first.values()], 25).map((indexes) => insertSome(aws, table, items, indexes, verdicts)),
  )
  return keys.map((key, index) => {
    const own = first.get(key) ?? index
    const verdict = verdicts.get(own) ?? { verdict: 'failed', error: new Error('no answer') }
    return own !== index && verdict.verdict === 'inserted' ? { verdict: 'exists' } : verdict
  })
}

async function insertSome(
  aws: Aws,
  table: string,
  items: readonly Item[],
  indexes: readonly number[],
  verdicts: Map<number, InsertVerdict>,
): Promise<void> {
  let left = indexes
  for (let round = 1; left.length > 0; round++) {
    const answers = await aws
      .call('dynamodb', 'BatchExecuteStatement', {
        Statements: left.map((index) => insertStatement(table, items[index] ?? {})),
      })
      .then((answer) => statementAnswer.parse(answer).Responses)
      .catch((error: unknown) => error)
    if (left.length > 1 && isRefusal(answers)) {
      // one statement that cannot be read refuses the call: each by itself, so that its neighbours are written
      await Promise.all(left.map((index) => insertSome(aws, table, items, [index], verdicts)))
      return
    }
    const again: number[] = []
    for (const [position, index] of left.entries()) {
      const verdict = Array.isArray(answers)
        ? verdictOf(answers[position])
        : { verdict: 'failed' as const, error: answers }
      if (verdict === 'again' && round < rounds) again.push(index)
      else verdicts.set(index, verdict === 'again' ? { verdict: 'failed', error: tooBusy } : verdict)
    }
    left = again
    if (left.length > 0) await sleep(backoff(round))
  }
}

/** The call as a whole was not accepted, and would not be if it came later. */
const isRefusal = (error: unknown): boolean =>
  error instanceof AwsError && error.status >= 400 && error.status < 500 && !isThrottle(error.code)

const tooBusy = new AwsError('ThrottlingError', 'DynamoDB was too busy at every try', 429, undefined)

function verdictOf(
  answer: z.infer<typeof statementAnswer>['Responses'][number] | undefined,
): InsertVerdict | 'again' {
  if (answer === undefined) return { verdict: 'failed', error: new Error('no answer for this statement') }
  if (answer.Error === undefined) return { verdict: 'inserted' }
  const { Code, Message } = answer.Error
  if (Code === 'DuplicateItem') return { verdict: 'exists' }
  if (isThrottle(Code) || Code === 'InternalServerError') return 'again'
  return { verdict: 'failed', error: new AwsError(Code, Message ?? Code, 400, answer) }
}

/** Attribute names are ours, so they stand in the text; values are parameters. */
function insertStatement(table: string, item: Item) {
  const names = Object.keys(item)
  return {
    Statement: `INSERT INTO "${table}" VALUE {${names.map((name) => `'${name}':?`).join(',')}}`,
    Parameters: Object.values(item),
  }
}

const putAnswer = z.object({ Attributes: rawItem.optional() })

/** `condition` uses the names and values given. Answers the item before, or that it was refused. */
export async function put(
  aws: Aws,
  table: string,
  item: Item,
  condition: Condition,
): Promise<{ refused: boolean; old: RawItem | undefined }> {
  try {
    const answer = await aws.call('dynamodb', 'PutItem', {
      TableName: table,
      Item: item,
      ReturnValues: 'ALL_OLD',
      ...condition,
    })
    return { refused: false, old: putAnswer.parse(answer).Attributes }
  } catch (error) {
    if (isAwsError(error, 'ConditionalCheckFailedException')) return { refused: true, old: undefined }
    throw error
  }
}

export type Condition = {
  ConditionExpression: string
  ExpressionAttributeNames?: Readonly<Record<string, string>>
  ExpressionAttributeValues?: Item
}

export type Update = {
  key: Item
  update: string
  condition: string
  names: Readonly<Record<string, string>>
  values?: Item
}

/** Changes an item where the condition holds; answers it as it is then, undefined where it was refused. */
export async function update(
  aws: Aws,
  table: string,
  { key, update, condition, names, values }: Update,
): Promise<RawItem | undefined> {
  try {
    const answer = await aws.call('dynamodb', 'UpdateItem', {
      TableName: table,
      Key: key,
      UpdateExpression: update,
      ConditionExpression: condition,
      ExpressionAttributeNames: names,
      ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
      ReturnValues: 'ALL_NEW',
    })
    return putAnswer.parse(answer).Attributes
  } catch (error) {
    if (isAwsError(error, 'ConditionalCheckFailedException')) return undefined
    throw error
  }
}

const getAnswer = z.object({ Item: rawItem.optional() })

export const get = async (aws: Aws, table: string, key: Item): Promise<RawItem | undefined> =>
  getAnswer.parse(await aws.call('dynamodb', 'GetItem', { TableName: table, Key: key, ConsistentRead: true }))
    .Item

const batchAnswer = z.object({
  Responses: z.record(z.string(), z.array(rawItem)),
  UnprocessedKeys: z.record(z.string(), z.object({ Keys: z.array(rawItem) })).optional(),
})

type TableKey = { pk: string; sk: string }

/** Consistent, in the order asked, undefined where there is none. Throws when some stay unanswered. */
export async function getAll(
  aws: Aws,
  table: string,
  keys: readonly TableKey[],
): Promise<(RawItem | undefined)[]> {
  const wanted = new Map(keys.map((key) => [textOf(key), { pk: s(key.pk), sk: s(key.sk) }]))
  const found = new Map<string, RawItem>()
  await Promise.all(
    chunks([...wanted.values()], 100).map(async (chunk) => {
      let left: readonly unknown[] = chunk
      for (let round = 1; left.length > 0; round++) {
        const answer = batchAnswer.parse(
          await aws.call('dynamodb', 'BatchGetItem', {
            RequestItems: { [table]: { Keys: left, ConsistentRead: true } },
          }),
        )
        for (const item of answer.Responses[table] ?? []) found.set(keyText(item), item)
        left = answer.UnprocessedKeys?.[table]?.Keys ?? []
        if (left.length > 0) await pause(round)
      }
    }),
  )
  return keys.map((key) => found.get(textOf(key)))
}

const textOf = (key: TableKey): string => keyText({ pk: s(key.pk), sk: s(key.sk) })

async function pause(round: number): Promise<void> {
  if (round >= rounds) throw tooBusy
  await sleep(backoff(round))
}

const writeAnswer = z.object({ UnprocessedItems: z.record(z.string(), z.array(z.unknown())).optional() })

export async function deleteAll(aws: Aws, table: string, keys: readonly TableKey[]): Promise<void> {
  const distinct = new Map(keys.map((key) => [textOf(key), { pk: s(key.pk), sk: s(key.sk) }]))
  await Promise.all(
    chunks([...distinct.values()], 25).map(async (chunk) => {
      let left: readonly unknown[] = chunk.map((Key) => ({ DeleteRequest: { Key } }))
      for (let round = 1; left.length > 0; round++) {
        const answer = writeAnswer.parse(
          await aws.call('dynamodb', 'BatchWriteItem', { RequestItems: { [table]: left } }),
        )
        left = answer.UnprocessedItems?.[table] ?? []
        if (left.length > 0) await pause(round)
      }
    }),
  )
}

export type Query = {
  index?: string
  /** key condition over `pk`, and `sk` where wanted, which `names` point at */
  condition: string
  names: Readonly<Record<string, string>>
  values: Item
  newestFirst?: boolean | undefined
  consistent?: boolean
  limit?: number
  from?: Item | undefined
  projection?: string
}

const queryAnswer = z.object({
  Items: z.array(rawItem).default([]),
  LastEvaluatedKey: z.record(z.string(), z.object({ S: z.string() })).optional(),
})

/** One answer of a query: up to `limit` items or 1 MB, and where to go on. */
export const queryOnce = async (aws: Aws, table: string, query: Query) => {
  const answer = queryAnswer.parse(
    await aws.call('dynamodb', 'Query', {
      TableName: table,
      KeyConditionExpression: query.condition,
      ExpressionAttributeNames: query.names,
      ExpressionAttributeValues: query.values,
      ScanIndexForward: !(query.newestFirst ?? false),
      ...(query.index === undefined ? {} : { IndexName: query.index }),
      ...(query.consistent === undefined ? {} : { ConsistentRead: query.consistent }),
      ...(query.limit === undefined ? {} : { Limit: query.limit }),
      ...(query.from === undefined ? {} : { ExclusiveStartKey: query.from }),
      ...(query.projection === undefined ? {} : { ProjectionExpression: query.projection }),
    }),
  )
  return { items: answer.Items, next: answer.LastEvaluatedKey }
}

/** All items that a query finds, or the first `limit` of them. */
export async function queryAll(aws: Aws, table: string, query: Query): Promise<RawItem[]> {
  const items: RawItem[] = []
  let from: Item | undefined
  do {
    const answer = await queryOnce(aws, table, { ...query, from })
    items.push(...answer.items)
    from = answer.next
  } while (from !== undefined && items.length < (query.limit ?? Number.POSITIVE_INFINITY))
  return query.limit === undefined ? items : items.slice(0, query.limit)
}
