import { keyOf } from '../core/delivery-key.ts'
import { Failure } from '../core/errors.ts'
import type { Commit, Delivery, DeliveryKey, OutboxItem } from '../core/ports.ts'
import { packedBytes } from './aws/attributes.ts'

/** DynamoDB's own limit of an item is 400 KB, names and keys included. */
export const largestRecord = 390_000
const mostItems = 100

export const markOf = (key: DeliveryKey, delivery: Delivery): DeliveryKey & Delivery => ({
  ...delivery,
  ...keyOf(key),
})

/** The marks that a change writes: of what was handled, and of what was settled by a command. */
export const marksOf = ({ mark, transition }: Commit): (DeliveryKey & Delivery)[] =>
  [mark ?? [], transition ? markOf(transition.key, transition.next) : []].flat()

/**
 * What no store could commit, refused alike by both before anything is written.
 * Throws Failure TooLarge, or an Error where the caller names one thing twice or a version that cannot be.
 */
export function checkCommit(change: Commit): void {
  const { writes, outbox } = change
  const deliveries = marksOf(change)
  const count = writes.length + outbox.length + deliveries.length
  if (count > mostItems)
    throw new Failure('TooLarge', `a change has at most ${mostItems} items, this one has ${count}`)
  const keys = [
    ...writes.map(({ project, kind, name }) => ['record', project, kind, name]),
    ...outbox.map((item) => ['outbox', item.project, item.partitionkey, item.sequence, item.index]),
    ...deliveries.map((key) => ['delivery', key.project, key.source, key.id, key.subscriber, key.replay]),
  ].map((key) => JSON.stringify(key))
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined) throw new Error(`a change names ${twice} twice`)
  outbox.forEach(checkFrame)
  for (const { kind, name, version, value } of writes) {
    if (!Number.isInteger(version) || version < 1)
      throw new Error(`version ${version} of ${kind} ${name}: expected a whole number from 1 on`)
    if (!isJson(value)) throw new Error(`${kind} ${name} holds something that JSON cannot`)
    const size = Buffer.byteLength(JSON.stringify(value) ?? '')
    if (size > largestRecord)
      throw new Failure('TooLarge', `${kind} ${name} has ${size} bytes, at most ${largestRecord} are kept`)
  }
}

/** It lies there packed, and so does not take what it has. */
function checkFrame({ partitionkey, frame }: OutboxItem): void {
  const size = Buffer.byteLength(JSON.stringify(frame) ?? '')
  if (size > largestRecord && packedBytes(frame) > largestRecord)
    throw new Failure(
      'TooLarge',
      `what is told of ${partitionkey} has ${size} bytes, at most ${largestRecord} are kept, packed`,
    )
}

/** Members that are undefined are left out, as JSON.stringify does. */
function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (value === null || ['string', 'boolean', 'undefined'].includes(typeof value)) return true
  if (Array.isArray(value)) return value.every(isJson)
  return (
    typeof value === 'object' &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.values(value).every(isJson)
  )
}
