import type { Listing } from '../../core/ports.ts'
import { pageOf } from '../listing.ts'

/** What a store would give back: JSON, and nothing that the caller still holds. */
export const copy = <T>(value: T): T => (value === undefined ? value : JSON.parse(JSON.stringify(value)))

/** The first `limit` of what stands after the cursor, as copies. */
export function copiedPage<Item>(
  sorted: readonly { key: string; item: Item }[],
  limit: number,
): Listing<Item> {
  const { items, next } = pageOf(sorted, limit)
  return { items: items.map(copy), next }
}
