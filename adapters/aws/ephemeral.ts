import * as z from 'zod'
import type { Clock, Ephemeral } from '../../core/ports.ts'
import { type Item, n, number, type RawItem, s, text } from './attributes.ts'
import type { Aws } from './clients.ts'
import { get, put, update } from './dynamodb.ts'
import { secondsOf } from './history-items.ts'

const stored = z.object({ value: text, ttl: number })

/** Before each counter's name, so that no name is one of ours. */
const counter = 'n '

const tries = 5

/** What is kept for a while, in DynamoDB. Expired items count as gone though DynamoDB deletes them days later. */
export function dynamoEphemeral({ aws, table, clock }: { aws: Aws; table: string; clock: Clock }): Ephemeral {
  return {
    async putIfAbsent(key, value, seconds) {
      for (let attempt = 0; attempt < tries; attempt++) {
        const now = secondsOf(clock())
        const { refused } = await put(
          aws,
          table,
          { pk: s(key), value: s(value), ttl: n(now + seconds) },
          {
            ConditionExpression: 'attribute_not_exists(pk) OR #ttl <= :now',
            ExpressionAttributeNames: { '#ttl': 'ttl' },
            ExpressionAttributeValues: { ':now': n(now) },
          },
        )
        if (!refused) return value
        const item = await get(aws, table, { pk: s(key) })
        // gone between the two: try again
        if (item !== undefined) return stored.parse(item).value
      }
      throw new Error(`${key} came and went at every try`)
    },

    /** A try whose answer got lost may count twice. */
    async tally(key, amounts, seconds) {
      const added = Object.entries(amounts)
      for (let attempt = 0; attempt < tries; attempt++) {
        const now = secondsOf(clock())
        const counted =
          added.length === 0
            ? await countsSoFar(key, now)
            : ((await addTo(key, added, now, seconds)) ?? (await beginWith(key, added, now, seconds)))
        if (counted !== undefined) return counted
      }
      throw new Error(`the counters of ${key} began anew at every try`)
    },
  }

  async function countsSoFar(key: string, now: number) {
    const item = await get(aws, table, { pk: s(key) })
    return item !== undefined && number.parse(item.ttl) > now ? countsOf(item) : {}
  }

  /** Undefined where the counters are out of date. */
  async function addTo(key: string, added: readonly [string, number][], now: number, seconds: number) {
    const sums = added.map((_, index) => `#c${index} :c${index}`)
    const item = await update(aws, table, {
      key: { pk: s(key) },
      update: `ADD ${sums.join(', ')} SET #ttl = if_not_exists(#ttl, :ttl)`,
      condition: 'attribute_not_exists(pk) OR #ttl > :now',
      names: {
        '#ttl': 'ttl',
        ...Object.fromEntries(added.map(([name], index) => [`#c${index}`, counter + name])),
      },
      values: {
        ':ttl': n(now + seconds),
        ':now': n(now),
        ...Object.fromEntries(added.map(([_, amount], index) => [`:c${index}`, n(amount)])),
      },
    })
    return item && countsOf(item)
  }

  /** Undefined where somebody else has begun them anew meanwhile. */
  async function beginWith(key: string, added: readonly [string, number][], now: number, seconds: number) {
    const item: Item = {
      pk: s(key),
      ttl: n(now + seconds),
      ...Object.fromEntries(added.map(([name, amount]) => [counter + name, n(amount)])),
    }
    const { refused } = await put(aws, table, item, {
      ConditionExpression: '#ttl <= :now',
      ExpressionAttributeNames: { '#ttl': 'ttl' },
      ExpressionAttributeValues: { ':now': n(now) },
    })
    return refused ? undefined : Object.fromEntries(added)
  }
}

const countsOf = (item: RawItem): Record<string, number> =>
  Object.fromEntries(
    Object.entries(item).flatMap(([name, value]) =>
      name.startsWith(counter) ? [[name.slice(counter.length), number.parse(value)]] : [],
    ),
  )
