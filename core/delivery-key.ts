import type { Delivery, DeliveryKey } from './ports.ts'

/** The key alone, of what may say more: a mark that was listed is a key too, and says what state it was in. */
export const keyOf = ({ project, source, id, subscriber, replay }: DeliveryKey): DeliveryKey => ({
  ...{ project, source, id, subscriber, replay },
})

/** A mark that was listed, as its key and what it says. */
export function parted(mark: DeliveryKey & Delivery): { key: DeliveryKey; delivery: Delivery } {
  const { project: _, source: __, id: ___, subscriber: ____, replay: _____, ...delivery } = mark
  return { key: keyOf(mark), delivery }
}
