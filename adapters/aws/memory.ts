import * as z from 'zod'
import type { Clock, Commit, CommitVerdict, Memory, SeenDelivery } from '../../core/ports.ts'
import { checkCommit, marksOf } from '../commit-rules.ts'
import { afterOf, byBytes, pageOf } from '../listing.ts'
import { type Item, n, s, text } from './attributes.ts'
import type { Aws } from './clients.ts'
import { deliveryKey, deliveryOf, isFinal, isHeld } from './delivery-items.ts'
import { deleteAll, get, getAll, queryAll, queryOnce } from './dynamodb.ts'
import { deliveryMarks, type HistoryOptions, type Mark, standsAs } from './marks.ts'
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
import { putOf, transact, type Write } from './transactions.ts'

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
    if (marksOf(change).length > 0) return commitMarked(puts, change)
    if (puts.length === 0) return 'committed'
    return (await transact(aws, puts)) === undefined ? 'committed' : 'version conflict'
  }

  async function commitMarked(puts: readonly Write[], change: Commit): Promise<CommitVerdict> {
    if (history === undefined || marks === undefined)
      throw new Error('a change with a delivery mark needs the history table')
    const seen = change.transition?.seen
    if (seen !== undefined && isFinal(seen.state)) return 'done already'
    const markings: Marking[] = []
    for (const mark of marksOf(change)) {
      const bySight = mark !== change.mark
      const before = bySight ? seen : undefined
      markings.push({ mark, bySight, before, ...(await marks.prepared(mark)) })
    }
    const verdict = await putMarked(history.table, markings, puts)
    if (verdict === 'committed')
      for (const { mark, before } of markings)
        await marks.settle(mark, before !== undefined && isHeld(before.state))
    return verdict
  }

  /**
   * Mostly nothing has marked a handled delivery yet: the condition says so and no read is paid. Where a mark stands, it
   * is read, and the condition is that it stands still: whether it held its event is then known for sure.
   */
  async function putMarked(
    historyTable: string,
    markings: readonly Marking[],
    puts: readonly Write[],
  ): Promise<CommitVerdict> {
    for (let tries = 0; tries < 5; tries++) {
      const marked = markings.map(({ item, before }) => putOf(historyTable, item, standsAs(before)))
      const refused = await transact(aws, [...marked, ...markings.flatMap(({ holds }) => holds), ...puts])
      if (refused === undefined) return 'committed'
      const standing = markings.filter((_, index) => refused.includes(index))
      if (standing.length === 0) return 'version conflict'
      for (const marking of standing) if (!(await mayReplace(historyTable, marking))) return 'done already'
    }
    return 'version conflict'
  }

  /** Reads what stands where a mark was refused; false where nothing may take its place. */
  async function mayReplace(historyTable: string, marking: Marking): Promise<boolean> {
    if (marking.bySight) return false
    const [item] = await getAll(aws, historyTable, [deliveryKey(marking.mark)])
    marking.before = item && deliveryOf(item)
    return marking.before === undefined || !isFinal(marking.before.state)
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

/** A mark that a change writes. `before`: what is known to stand there; `bySight`: a person has seen it and goes by it. */
type Marking = {
  mark: Mark
  bySight: boolean
  before: SeenDelivery | undefined
  item: Item
  holds: readonly Write[]
}

const versionBefore = (version: number): object =>
  version === 1
    ? { ConditionExpression: 'attribute_not_exists(pk)' }
    : {
        ConditionExpression: '#version = :before',
        ExpressionAttributeNames: { '#version': 'version' },
        ExpressionAttributeValues: { ':before': n(version - 1) },
      }
