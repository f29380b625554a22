import * as z from 'zod'
import type { Clock, Ephemeral } from '../../core/ports.ts'
import { n, number, s, text } from './attributes.ts'
import type { Aws } from './clients.ts'
import { get, put } from './dynamodb.ts'
import { secondsOf } from './history-items.ts'

const stored = z.object({ value: text, ttl: number })

/** What is kept for a while, in DynamoDB. Expired items count as gone though DynamoDB deletes them days later. */
export function dynamoEphemeral({ aws, table, clock }: { aws: Aws; table: string; clock: Clock }): Ephemeral {
  return {
    async putIfAbsent(key, value, seconds) {
      for (let tries = 0; tries < 5; tries++) {
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
  }
}
