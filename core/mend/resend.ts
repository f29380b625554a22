import { eventTypeNamed } from '../../events/catalogue.ts'
import type { RecordedEvent } from '../../events/envelope.ts'
import { atMost } from '../at-most.ts'
import { attempt } from '../attempt.ts'
import { type DeliveryFrame, saidAgain } from '../frame.ts'
import { messageOf, type SendDeps, sendTo } from '../gate/send.ts'
import type { Delivery, DeliveryKey, History, Transition } from '../ports.ts'

/** A delivery that is dead or parked, as it was seen, and its event. */
export type Resendable = { key: DeliveryKey; delivery: Delivery; event: RecordedEvent }

/** `already`: it no longer stood as it was seen. `failed`: nothing was changed, or the sweep will send it. */
export type Resent = { outcome: 'sent' } | { outcome: 'already' } | { outcome: 'failed'; error: unknown }

const transitionsAtOnce = 25

/**
 * Dead or parked becomes retrying, to be run again. Its attempts begin anew; none at all would say that it waits for newer
 * code.
 */
export const reopening = ({ key, delivery, event }: Resendable, by: string, now: string): Transition => ({
  key,
  seen: delivery,
  next: {
    ...delivery,
    state: 'retrying',
    attempts: 1,
    changed: now,
    reason: `sent again by ${by}`,
    retention: eventTypeNamed(event.type)?.retention ?? 'project',
    resumed: (delivery.resumed ?? 0) + 1,
  },
})

/** What is sent for a delivery: one of a replay is handled as its frame said before. */
export const frameFor = (
  event: RecordedEvent,
  { replay }: DeliveryKey,
  delivery: Delivery,
): DeliveryFrame => ({
  event,
  replay,
  resent: true,
  ...saidAgain(delivery),
})

/**
 * Reopens deliveries of one subscriber and sends them to it; one outcome each, in order. Does not throw. The mark goes
 * first, so of two at once one sends; what the queue did not take is put back as it was, and where that fails too the
 * sweep sends it: a delivery that is retrying with nothing in the queue.
 */
export async function resend(
  subscriber: string,
  items: readonly Resendable[],
  by: string,
  deps: SendDeps,
): Promise<Resent[]> {
  const inTurn = atMost(transitionsAtOnce)
  const now = deps.clock()
  const prepared = await Promise.all(
    items.map((item) =>
      inTurn(() =>
        attempt(async () => {
          const change = reopening(item, by, now)
          return { change, reopened: await deps.history.transition(change) }
        }),
      ),
    ),
  )
  const reopened = prepared.flatMap((one, index) => {
    if ('error' in one || !one.value.reopened) return []
    const { change } = one.value
    const item = items[index]
    if (item === undefined) return []
    const frame = frameFor(item.event, item.key, item.delivery)
    return [{ item, index, change, message: messageOf(subscriber, frame, againOf(change.next)) }]
  })
  const unsent = await sendTo(
    subscriber,
    reopened.map(({ message }) => message),
    deps,
  )
  const failures = new Map(unsent.map(({ message, error }) => [message, error]))
  const failed = new Map<number, unknown>()
  for (const { item, index, change, message } of reopened) {
    if (!failures.has(message)) continue
    failed.set(index, failures.get(message))
    await attempt(() => putBack(change, item, deps.history))
  }
  return prepared.map((one, index): Resent => {
    if ('error' in one) return { outcome: 'failed', error: one.error }
    if (!one.value.reopened) return { outcome: 'already' }
    return failed.has(index) ? { outcome: 'failed', error: failed.get(index) } : { outcome: 'sent' }
  })
}

/** Tells a message that was sent anew apart from those before it. */
export const againOf = ({ resumed = 0 }: Delivery): string => `resumed ${resumed}`

/** As it was, but for how often it was tried: a queue that keeps order would swallow the next message of one name. */
const putBack = ({ key, next }: Transition, { delivery }: Resendable, history: Pick<History, 'transition'>) =>
  history.transition({ key, seen: next, next: { ...delivery, resumed: next.resumed } })
