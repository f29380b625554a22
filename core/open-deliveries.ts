import { keyOf } from './delivery-key.ts'
import type { Delivery, DeliveryKey, History, Listing, OpenState } from './ports.ts'
import { readDeliveries } from './read-events.ts'

/**
 * Deliveries that are open, as they stand now, oldest change first; one that has changed since it was listed is left out.
 * `unreadable`: newer code wrote these.
 */
export async function openDeliveries(
  query: {
    project: string
    subscriber: string
    state: OpenState
    cursor?: string | undefined
    limit: number
  },
  history: Pick<History, 'openMarks' | 'getDeliveries'>,
): Promise<Listing<DeliveryKey & Delivery> & { unreadable: readonly DeliveryKey[] }> {
  const { items: marks, next } = await history.openMarks(query)
  const deliveries = await readDeliveries(marks.map(keyOf), history)
  const items = marks.flatMap((mark, index) => {
    const delivery = deliveries[index]
    const stands = delivery !== undefined && delivery !== 'unreadable' && delivery.state === query.state
    return stands ? [{ ...keyOf(mark), ...delivery }] : []
  })
  const unreadable = marks.filter((_, index) => deliveries[index] === 'unreadable').map(keyOf)
  return { items, next, unreadable }
}
