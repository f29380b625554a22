import type { Identity } from '../events/envelope.ts'
import type { Delivery, DeliveryKey, History, StoredEvent } from './ports.ts'
import { readEach } from './read-each.ts'

/** Events, each for itself; undefined where there is none. */
export const readEvents = (
  identities: readonly Identity[],
  history: Pick<History, 'getEvents'>,
): Promise<(StoredEvent | 'unreadable' | undefined)[]> =>
  readEach(identities, (some) => history.getEvents(some))

/** Deliveries, each for itself; undefined where there is none. */
export const readDeliveries = (
  keys: readonly DeliveryKey[],
  history: Pick<History, 'getDeliveries'>,
): Promise<(Delivery | 'unreadable' | undefined)[]> => readEach(keys, (some) => history.getDeliveries(some))
