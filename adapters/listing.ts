import { createHash } from 'node:crypto'
import * as z from 'zod'
import { Failure } from '../core/errors.ts'
import type { Waiting } from '../core/lane/lane.ts'
import type { Listing, ListPlace, RecordKey } from '../core/ports.ts'

/** Where a list goes on: behind the item with this sort key. */
const position = z.strictObject({ after: z.string().min(1).max(1024) })

export const cursorOf = (after: string): string =>
  Buffer.from(JSON.stringify({ after })).toString('base64url')

/** The sort key in a cursor. Throws Malformed for anything that cursorOf did not make. */
export function afterOf(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined
  try {
    return position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))).after
  } catch (cause) {
    throw new Failure('Malformed', 'this cursor is not one of ours: leave it out to begin anew', { cause })
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** The shard, 0 to count - 1, that a text always falls into. */
export const shardOf = (text: string, count: number): number => digest(text).readUInt32BE(0) % count

/** A sort key by time that no other item shares: 16 hex digits tell apart what falls into one millisecond. */
export const timeKey = (time: string, item: string): string =>
  `${time}#${digest(item).toString('hex').slice(0, 16)}`

/** Digits that sort as their number does. */
export const sequenceText = (sequence: number): string => String(sequence).padStart(16, '0')

/** Where a delivery stands among those that wait in one lane: by its sequence, and no two alike. */
export const waitingKey = ({ key: { source, id }, sequence }: Waiting): string =>
  [
    sequenceText(sequence),
    digest(JSON.stringify([source, id]))
      .toString('hex')
      .slice(0, 32),
  ].join('#')

/** A sort key by sequence that no other item shares: one change may tell of several events. */
export const sequenceKey = (sequence: number, item: string): string => timeKey(sequenceText(sequence), item)

/** Where a record stands in a list: by its order, and no two alike. */
export const listKey = ({ kind, name, place }: RecordKey & { place: ListPlace }): string =>
  `${place.order} ${kind} ${name}`

/** DynamoDB's order of strings: by their bytes of UTF-8. */
export const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

/** The first `limit` of what stands after the cursor in `sorted`, by unique sort keys. */
export function pageOf<Item>(sorted: readonly { key: string; item: Item }[], limit: number): Listing<Item> {
  const page = sorted.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(({ item }) => item),
    next: last !== undefined && sorted.length > limit ? cursorOf(last.key) : undefined,
  }
}
