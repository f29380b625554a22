import type { LaneKey, Lanes, Waiting } from '../../core/lane/lane.ts'
import type { Delivery } from '../../core/ports.ts'
import { markOf } from '../commit-rules.ts'
import { afterOf, pageOf } from '../listing.ts'
import { n, s } from './attributes.ts'
import { deliveryKey, deliveryOf, isFinal } from './delivery-items.ts'
import { get, getAll, queryAll, type Update, update } from './dynamodb.ts'
import { dayInSeconds, secondsOf, storedKey } from './history-items.ts'
import {
  laneIndex,
  laneKey,
  laneKeyOfItem,
  laneOf,
  lanePk,
  laneShards,
  waitingItem,
  waitingItemKey,
  waitingOf,
  waitingPrefix,
} from './lane-items.ts'
import { deliveryMarks, expired, type HistoryOptions, standsAs } from './marks.ts'
import { highest, mergedShards } from './shards.ts'
import { putOf, transactInTurn, updateOf } from './transactions.ts'

/** An open lane keeps the number of its version for so long: nobody acts upon what they saw of it that long ago. */
const keptOpen = 30 * dayInSeconds

const names = { '#version': 'version', '#since': 'since' }

/** What a lane has only while it is closed. */
const [released, shown] = [
  { '#release': 'release', '#last': 'last' },
  { '#reason': 'reason', '#openpk': 'openpk', '#opensk': 'opensk' },
]

/** Lanes in DynamoDB, in the table of history. Throws AwsError when DynamoDB does not answer; a bad cursor is Malformed. */
export function dynamoLanes(options: HistoryOptions): Lanes {
  const { aws, table, clock } = options
  const marks = deliveryMarks(options)

  async function firstWaiting(lane: LaneKey, limit: number): Promise<Waiting[]> {
    const items = await queryAll(aws, table, {
      condition: '#pk = :pk AND begins_with(#sk, :waiting)',
      names: { '#pk': 'pk', '#sk': 'sk' },
      values: { ':pk': s(lanePk(lane)), ':waiting': s(waitingPrefix) },
      consistent: true,
      limit,
    })
    return items.map((item) => waitingOf(lane, item))
  }

  return {
    async lane(key) {
      const item = await get(aws, table, laneKey(key))
      return item && laneOf(item)
    },

    async wait(lane, { key, delivery, sequence, seen }, how) {
      if (seen !== undefined && isFinal(seen.state)) return 'final'
      const mark = markOf(key, delivery)
      const { item, holds } = await marks.prepared(mark)
      const writes = [
        putOf(table, item, standsAs(seen)),
        putOf(table, waitingItem(lane, { key, sequence })),
        updateOf(table, how === 'behind' ? oneMore(lane) : closing(lane, delivery)),
        ...holds,
      ]
      const what = `the lane ${lane.subscriber} ${lane.partitionkey}`
      const refused = await transactInTurn(aws, writes, what)
      if (refused === undefined) return 'waits'
      const [standing] = refused.includes(0) ? await getAll(aws, table, [deliveryKey(key)]) : []
      if (standing && isFinal(deliveryOf(standing).state)) return 'final'
      if (refused.includes(0)) return 'changed'
      if (refused.includes(2)) return 'open'
      throw expired()
    },

    waiting: firstWaiting,

    async release(lane, seen, { name, last }) {
      const now = await update(aws, table, {
        key: laneKey(lane),
        update: 'SET #release = :name, #last = :last ADD #version :one',
        condition: '#version = :seen AND attribute_exists(#since)',
        names: { ...names, ...released },
        values: { ':name': s(name), ':last': n(last), ':seen': n(seen), ':one': n(1) },
      })
      return now !== undefined
    },

    async leave(lane, waiting) {
      await aws.call('dynamodb', 'DeleteItem', { TableName: table, Key: waitingItemKey(lane, waiting) })
    },

    async open(lane, seen) {
      // what comes to wait after this read changes the version
      if ((await firstWaiting(lane, 1)).length > 0) return false
      const opened = await update(aws, table, {
        key: laneKey(lane),
        update: 'SET #ttl = :ttl REMOVE #since, #reason, #release, #last, #openpk, #opensk',
        condition: '#version = :seen AND attribute_exists(#since)',
        names: { ...names, ...released, ...shown, '#ttl': 'ttl' },
        values: { ':ttl': n(secondsOf(clock()) + keptOpen), ':seen': n(seen) },
      })
      return opened !== undefined
    },

    async closed({ project, subscriber, cursor, limit }) {
      const found = await mergedShards(aws, table, {
        index: 'open',
        partitions: laneShards(project, subscriber),
        first: ' ',
        last: highest,
        after: afterOf(cursor),
        limit: limit + 1,
      })
      const { items: entries, next } = pageOf(found, limit)
      const whole = await getAll(
        aws,
        table,
        entries.map((entry) => storedKey.parse(entry)),
      )
      // one that has been opened since the index was read is left out
      const items = whole.flatMap((item) => {
        const lane = item && laneOf(item)
        return item && lane ? [{ ...laneKeyOfItem(item), ...lane }] : []
      })
      return { items, next }
    },
  }
}

/** The lane of what comes to wait behind others: it stays as it is, and it has to be closed. */
const oneMore = (lane: LaneKey): Update => ({
  key: laneKey(lane),
  update: 'ADD #version :one',
  condition: 'attribute_exists(#since)',
  names,
  values: { ':one': n(1) },
})

/** The lane of what closes it, or finds it closed: its release is taken back. */
function closing(lane: LaneKey, { state, reason, changed }: Delivery): Omit<Update, 'condition'> {
  const { openpk, opensk } = laneIndex(lane, changed)
  const once = ['#since = if_not_exists(#since, :since)', '#opensk = if_not_exists(#opensk, :opensk)']
  return {
    key: laneKey(lane),
    update: [
      `SET #reason = :reason, #openpk = :openpk, ${once.join(', ')}`,
      'REMOVE #ttl, #release, #last',
      'ADD #version :one',
    ].join(' '),
    names: { ...names, ...released, ...shown, '#ttl': 'ttl' },
    values: {
      ':reason': s(reason ?? state),
      ':since': s(changed),
      ':openpk': s(openpk),
      ':opensk': s(opensk),
      ':one': n(1),
    },
  }
}
