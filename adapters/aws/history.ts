import { Failure } from '../../core/errors.ts'
import type { History } from '../../core/ports.ts'
import type { Identity } from '../../events/envelope.ts'
import { retentionDays } from '../../events/event-type.ts'
import { markOf } from '../commit-rules.ts'
import { afterOf, pageOf, sequenceText } from '../listing.ts'
import { n, packed, type RawItem, s } from './attributes.ts'
import { deliveriesIn, deliveryKey, deliveryOf, noteKey, openMarkOf } from './delivery-items.ts'
import { getAll, insertAll, put, queryAll, update } from './dynamodb.ts'
import {
  dayInSeconds,
  eventItem,
  eventKey,
  identityOfItem,
  openPk,
  openShards,
  orderPk,
  pageItem,
  pageOfItem,
  pagePk,
  pageSk,
  pkOf,
  quarantinedOf,
  quarantineItem,
  quarantineKey,
  quarantineState,
  secondsOf,
  sequencedOf,
  storedEventOf,
  storedKey,
  tracePk,
  traceShards,
} from './history-items.ts'
import { deliveryMarks, type HistoryOptions } from './marks.ts'
import { highest, mergedShards } from './shards.ts'

const longest = Math.max(...Object.values(retentionDays)) * dayInSeconds

const keptAfterSettling = 30 * dayInSeconds

const unreadable = (identity: Identity | undefined, cause: unknown): Failure =>
  new Failure('NewerVersion', `what is stored of ${identity?.source} ${identity?.id} cannot be read`, {
    cause,
  })

/** Below every sort key of ours. */
const lowest = ' '

const keyNames = { '#pk': 'pk', '#sk': 'sk' }

/** History in DynamoDB. Throws AwsError when DynamoDB does not answer; a bad cursor is Malformed. */
export function dynamoHistory(options: HistoryOptions): History {
  const { aws, table, clock } = options
  const marks = deliveryMarks(options)

  const merged = (query: Parameters<typeof mergedShards>[2]) => mergedShards(aws, table, query)

  const partitionsOf = (project: string, subscriber: string) =>
    Array.from({ length: openShards }, (_, shard) => openPk(project, subscriber, shard))

  /** The whole items of index entries; those that have changed or gone since are `undefined`. */
  const wholeOf = (entries: readonly RawItem[]) =>
    getAll(
      aws,
      table,
      entries.map((entry) => storedKey.parse(entry)),
    )

  return {
    async putPage(page) {
      const expires = secondsOf(`${page.hour}:00:00.000Z`) + longest
      await aws.call('dynamodb', 'PutItem', { TableName: table, Item: pageItem(page, expires) })
    },

    insertEvents: (events) =>
      insertAll(
        aws,
        table,
        events.map((stored) => eventItem(stored, marks.expiryOf(stored.event), aws.region)),
      ),

    async getEvents(identities) {
      const items = await getAll(aws, table, identities.map(eventKey))
      return items.map((item, index) => {
        try {
          return item && storedEventOf(item)
        } catch (cause) {
          throw unreadable(identities[index], cause)
        }
      })
    },

    async fate(identity, { consistent } = { consistent: true }) {
      const items = await queryAll(aws, table, {
        condition: '#pk = :pk',
        names: { '#pk': 'pk' },
        values: { ':pk': s(pkOf(identity)) },
        consistent,
      })
      const { source } = identity
      try {
        const stored = items.find((item) => identityOfItem(item)?.source === source)
        return { stored: stored && storedEventOf(stored), deliveries: deliveriesIn(items, source) }
      } catch (cause) {
        throw unreadable(identity, cause)
      }
    },

    async sourcesOf(project, id) {
      const items = await queryAll(aws, table, {
        condition: '#pk = :pk AND begins_with(#sk, :event)',
        names: keyNames,
        values: { ':pk': s(pkOf({ project, id })), ':event': s('event#') },
        consistent: true,
        projection: '#pk, #sk',
      })
      return items.flatMap((item) => identityOfItem(item)?.source ?? [])
    },

    async getDeliveries(keys) {
      const items = await getAll(aws, table, keys.map(deliveryKey))
      return items.map((item, index) => {
        try {
          return item && deliveryOf(item)
        } catch (cause) {
          throw unreadable(keys[index], cause)
        }
      })
    },

    async insertDeliveries(given) {
      return insertAll(aws, table, await marks.items(given))
    },

    mark: (key, delivery) => marks.mark(markOf(key, delivery)),

    transition: marks.transition,

    async note(key, note) {
      const { pk, sk } = noteKey(key)
      await aws.call('dynamodb', 'UpdateItem', {
        TableName: table,
        Key: { pk: s(pk), sk: s(sk) },
        UpdateExpression: 'ADD #notes :note SET #ttl = :ttl',
        ExpressionAttributeNames: { '#notes': 'notes', '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':note': { SS: [note] }, ':ttl': n(secondsOf(clock()) + longest) },
      })
    },

    async quarantine(entry) {
      const item = quarantineItem(entry, secondsOf(entry.received) + longest)
      const { refused } = await put(aws, table, item, {
        ConditionExpression: 'attribute_not_exists(pk) OR attribute_exists(#settled)',
        ExpressionAttributeNames: { '#settled': 'settled' },
      })
      return !refused
    },

    async settleQuarantined(project, digest, settled) {
      const { pk, sk } = quarantineKey(project, digest)
      const settledItem = await update(aws, table, {
        key: { pk: s(pk), sk: s(sk) },
        update: 'SET #settled = :settled, #ttl = :ttl REMOVE #openpk, #opensk',
        condition: 'attribute_exists(pk) AND attribute_not_exists(#settled)',
        names: { '#settled': 'settled', '#ttl': 'ttl', '#openpk': 'openpk', '#opensk': 'opensk' },
        values: { ':settled': packed(settled), ':ttl': n(secondsOf(settled.at) + keptAfterSettling) },
      })
      return settledItem !== undefined
    },

    async getQuarantined(project, digest) {
      const [item] = await getAll(aws, table, [quarantineKey(project, digest)])
      return item && quarantinedOf(item)
    },

    async pages({ limit, ...at }) {
      const items = await queryAll(aws, table, {
        condition: '#pk = :pk AND #sk BETWEEN :first AND :last',
        names: keyNames,
        values: {
          ':pk': s(pagePk(at)),
          ':first': s(pageSk(at.after ?? '')),
          ':last': s(pageSk(highest)),
        },
        limit: limit + 1,
      })
      return items
        .map((item) => pageOfItem(item, at))
        .filter(({ page }) => page !== at.after)
        .slice(0, limit)
    },

    async openMarks({ project, subscriber, state, since, cursor, limit }) {
      const after = afterOf(cursor)
      const found = await merged({
        index: 'open',
        partitions: partitionsOf(project, subscriber),
        first: state === undefined ? lowest : `${state}#${since ?? ''}`,
        last: state === undefined ? highest : `${state}#${highest}`,
        after,
        limit: limit + 1,
      })
      const { items, next } = pageOf(found, limit)
      return { items: items.flatMap((item) => openMarkOf(item) ?? []), next }
    },

    async quarantined({ project, cursor, limit }) {
      const after = afterOf(cursor)
      const found = await merged({
        index: 'open',
        partitions: partitionsOf(project, 'quarantine'),
        first: `${quarantineState}#`,
        last: `${quarantineState}#${highest}`,
        after,
        newestFirst: true,
        limit: limit + 1,
      })
      const { items, next } = pageOf(found, limit)
      const whole = await wholeOf(items)
      // what was settled since the index was read is left out
      const waiting = whole.flatMap((item) =>
        item && item.settled === undefined ? [quarantinedOf(item)] : [],
      )
      return { items: waiting, next }
    },

    async story({ project, correlationid, cursor, limit }) {
      const after = afterOf(cursor)
      const found = await merged({
        index: 'trace',
        partitions: Array.from({ length: traceShards }, (_, shard) => tracePk(project, correlationid, shard)),
        first: lowest,
        last: highest,
        after,
        limit: limit + 1,
      })
      const { items, next } = pageOf(found, limit)
      return { items: items.flatMap((item) => identityOfItem(item) ?? []), next }
    },

    async byKey({ project, partitionkey, from, cursor, limit }) {
      const after = afterOf(cursor)
      const found = await merged({
        index: 'order',
        partitions: [orderPk(project, partitionkey)],
        first: from === undefined ? lowest : sequenceText(from),
        last: highest,
        after,
        limit: limit + 1,
      })
      const { items, next } = pageOf(found, limit)
      return { items: items.flatMap((item) => sequencedOf(item) ?? []), next }
    },
  }
}
