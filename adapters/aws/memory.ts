import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Clock, Commit, CommitVerdict, Delivery, Memory } from '../../core/ports.ts'
import { checkCommit } from '../commit-rules.ts'
import { afterOf, byBytes, pageOf } from '../listing.ts'
import { type Item, n, s, text } from './attributes.ts'
import { type Aws, AwsError, isAwsError } from './clients.ts'
import { deliveryKey, deliveryOf, isHeld } from './delivery-items.ts'
import { deleteAll, get, getAll, queryAll, queryOnce } from './dynamodb.ts'
import { deliveryMarks, type HistoryOptions, type Mark } from './marks.ts'
import {
  listPk,
  outboxItem,
  outboxItemOf,
  outboxKey,
  outboxListPk,
  outboxPk,
  outboxShards,
  recordItem,
  recordKey,
  recordOf,
} from './memory-items.ts'

export type MemoryOptions = {
  aws: Aws
  /** name of the memory table */
  table: string
  clock: Clock
  /** the history that a change's delivery mark is written to; without it a change with a mark throws */
  history?: Omit<HistoryOptions, 'aws' | 'clock'> | undefined
}

/** Memory in DynamoDB. Throws AwsError when DynamoDB does not answer; a bad cursor is Malformed. */
export function dynamoMemory({ aws, table, clock, history }: MemoryOptions): Memory {
  const marks = history && deliveryMarks({ ...history, aws })

  async function commit(change: Commit): Promise<CommitVerdict> {
    checkCommit(change)
    const written = clock()
    const puts = [
      ...change.writes.map((write) => putOf(table, recordItem(write), versionBefore(write.version))),
      ...change.outbox.map((item) => putOf(table, outboxItem(item, written))),
    ]
    if (change.mark !== undefined) return commitMarked(puts, change.mark)
    if (puts.length === 0) return 'committed'
    return (await transact(aws, puts)) === undefined ? 'committed' : 'version conflict'
  }

  async function commitMarked(puts: readonly Put[], mark: Mark): Promise<CommitVerdict> {
    if (history === undefined || marks === undefined)
      throw new Error('a change with a delivery mark needs the history table')
    const type = isHeld(mark.state) ? await marks.hold(mark) : undefined
    const [item] = await marks.items([{ ...mark, type }])
    if (item === undefined) throw new Error('a mark has an item')
    const { verdict, wasHeld } = await putMarked(history.table, puts, { mark, item })
    const committed = verdict === 'committed'
    if (isHeld(mark.state) ? !committed : committed && wasHeld) await marks.release(mark)
    return verdict
  }

  /**
   * Mostly nothing has marked the delivery yet: the condition says so and no read is paid. Where a mark stands, it is
   * read, and the condition is that it stands still: whether it held its event is then known for sure.
   */
  async function putMarked(
    historyTable: string,
    puts: readonly Put[],
    { mark, item }: { mark: Mark; item: Item },
  ) {
    let before: Delivery | undefined
    for (let tries = 0; tries < 5; tries++) {
      const refused = await transact(aws, [putOf(historyTable, item, markBefore(before)), ...puts])
      const wasHeld = before !== undefined && isHeld(before.state)
      if (refused === undefined) return { verdict: 'committed', wasHeld } as const
      if (!refused.includes(0)) return { verdict: 'version conflict', wasHeld } as const
      const [standing] = await getAll(aws, historyTable, [deliveryKey(mark)])
      before = standing && deliveryOf(standing)
      if (before?.state === 'done' || before?.state === 'dropped')
        return { verdict: 'done already', wasHeld: false } as const
    }
    return { verdict: 'version conflict', wasHeld: false } as const
  }

  return {
    async get(key) {
      const { pk, sk } = recordKey(key)
      const item = await get(aws, table, { pk: s(pk), sk: s(sk) })
      return item && recordOf(item)
    },

    commit,

    async list({ project, list, oldestFirst = false, cursor, limit }) {
      const after = afterOf(cursor)
      const listpk = listPk(project, list)
      const found = await queryAll(aws, table, {
        index: 'list',
        condition: after === undefined ? '#pk = :pk' : `#pk = :pk AND #sk ${oldestFirst ? '>' : '<'} :after`,
        names: { '#pk': 'listpk', ...(after === undefined ? {} : { '#sk': 'listsk' }) },
        values: { ':pk': s(listpk), ...(after === undefined ? {} : { ':after': s(after) }) },
        newestFirst: !oldestFirst,
        limit: limit + 1,
      })
      const keyed = found.map((entry) => indexKey.parse(entry))
      const { items: entries, next } = pageOf(
        keyed.map((item) => ({ key: item.listsk, item })),
        limit,
      )
      const records = await getAll(aws, table, entries)
      // what has left the list since the index was read is left out
      const still = records.filter(
        (item) => item !== undefined && text.safeParse(item.listpk).data === listpk,
      )
      return { items: still.flatMap((item) => (item ? [recordOf(item)] : [])), next }
    },

    async outbox(project, partitionkey) {
      const items = await queryAll(aws, table, {
        condition: '#pk = :pk AND #sk BETWEEN :first AND :last',
        names: { '#pk': 'pk', '#sk': 'sk' },
        // digits only: a record of a project named `outbox` could share the partition
        values: { ':pk': s(outboxPk(project, partitionkey)), ':first': s('0'), ':last': s(':') },
        consistent: true,
      })
      return items.map((item) => outboxItemOf(item, project, partitionkey))
    },

    removeFromOutbox: (items) => deleteAll(aws, table, items.map(outboxKey)),

    async staleOutbox(project, before, limit) {
      const shards = await Promise.all(
        Array.from({ length: outboxShards }, (_, shard) => staleKeys(shard, project, before, limit)),
      )
      const oldest = shards.flat().sort((a, b) => byBytes(a.written, b.written))
      return oldest.slice(0, limit).map(({ partitionkey }) => partitionkey)
    },
  }

  /** The partition keys of one shard, by their oldest item; each once. */
  async function staleKeys(shard: number, project: string, before: string, limit: number) {
    const found = new Map<string, string>()
    let from: Item | undefined
    do {
      const answer = await queryOnce(aws, table, {
        index: 'list',
        condition: '#pk = :pk AND #sk < :before',
        names: { '#pk': 'listpk', '#sk': 'listsk' },
        values: { ':pk': s(outboxListPk(project, shard)), ':before': s(before) },
        from,
      })
      for (const entry of answer.items) {
        const { pk, listsk } = indexKey.parse(entry)
        const partitionkey = pk.slice(outboxPk(project, '').length)
        if (!found.has(partitionkey)) found.set(partitionkey, listsk)
      }
      from = answer.next
    } while (from !== undefined && found.size < limit)
    return [...found].map(([partitionkey, written]) => ({ partitionkey, written }))
  }
}

const indexKey = z.object({ pk: text, sk: text, listsk: text })

type Put = { Put: { TableName: string; Item: Item } }

const putOf = (table: string, item: Item, condition: object = {}): Put => ({
  Put: { TableName: table, Item: item, ...condition },
})

const versionBefore = (version: number): object =>
  version === 1
    ? { ConditionExpression: 'attribute_not_exists(pk)' }
    : {
        ConditionExpression: '#version = :before',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':before': n(version - 1) },
      }

const markBefore = (before: Delivery | undefined): object =>
  before === undefined
    ? { ConditionExpression: 'attribute_not_exists(pk)' }
    : {
        ConditionExpression: '#state = :state AND #changed = :changed',
        ExpressionAttributeNames: { '#state': 'state', '#changed': 'changed' },
        ExpressionAttributeValues: { ':state': s(before.state), ':changed': s(before.changed) },
      }

const cancelled = z.object({ CancellationReasons: z.array(z.object({ Code: z.string().optional() })) })

/** Undefined when all was written; else the positions whose condition failed, none where others were in the way. */
async function transact(aws: Aws, puts: readonly Put[]): Promise<number[] | undefined> {
  try {
    await aws.call('dynamodb', 'TransactWriteItems', {
      TransactItems: puts,
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
