import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { Failure } from '../../core/errors.ts'
import type { Item } from './attributes.ts'
import { type Aws, AwsError, backoff, isAwsError } from './clients.ts'
import type { Update } from './dynamodb.ts'

const tries = 5

/** One write of a transaction, with its condition. */
export type Write = { Put: object } | { Update: object }

export const putOf = (table: string, item: Item, condition: object = {}): Write => ({
  Put: { TableName: table, Item: item, ...condition },
})

export const updateOf = (
  table: string,
  { key, update, condition, names, values }: Omit<Update, 'condition'> & { condition?: string },
): Write => ({
  Update: {
    TableName: table,
    Key: key,
    UpdateExpression: update,
    ExpressionAttributeNames: names,
    ...(condition === undefined ? {} : { ConditionExpression: condition }),
    ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
  },
})

const cancelled = z.object({ CancellationReasons: z.array(z.object({ Code: z.string().optional() })) })

/** Undefined when all was written; else the positions whose condition failed, none where others were in the way. */
export async function transact(aws: Aws, writes: readonly Write[]): Promise<number[] | undefined> {
  try {
    await aws.call('dynamodb', 'TransactWriteItems', {
      TransactItems: writes,
      // a try whose answer got lost may have been the one that wrote
      ClientRequestToken: randomUUID(),
    })
    return undefined
  } catch (error) {
    if (isAwsError(error, 'TransactionConflictException', 'TransactionInProgressException')) return []
    if (!isAwsError(error, 'TransactionCanceledException')) throw error
    const { CancellationReasons: reasons } = cancelled.parse(error.detail)
    const codes = reasons.map(({ Code }) => Code ?? 'None')
    const other = codes.find(
      (code) => !['None', 'ConditionalCheckFailed', 'TransactionConflict'].includes(code),
    )
    if (other !== undefined) throw new AwsError(other, error.message, error.status, error.detail)
    return codes.flatMap((code, index) => (code === 'ConditionalCheckFailed' ? [index] : []))
  }
}

/**
 * The same, tried again while others are in the way: so it answers positions whose condition failed, or that all was
 * written. `what` is written, for the failure's words.
 * @throws Failure Busy when they were at each of five tries
 */
export async function transactInTurn(
  aws: Aws,
  writes: readonly Write[],
  what: string,
): Promise<number[] | undefined> {
  for (let attempt = 1; attempt <= tries; attempt++) {
    const refused = await transact(aws, writes)
    if (refused === undefined || refused.length > 0) return refused
    if (attempt < tries) await sleep(backoff(attempt))
  }
  throw new Failure('Busy', `others changed ${what} at every try`)
}
