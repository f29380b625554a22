import type { RecordedEvent } from '../events/envelope.ts'
import type { Route } from '../events/route.ts'
import { identityOf } from './admit.ts'
import { attempt } from './attempt.ts'
import type { DeliveryFrame } from './frame.ts'
import type { Clock, Delivery, DeliveryKey, History, Queues, StoredEvent } from './ports.ts'

export type SendDeps = { history: History; queues: Queues; clock: Clock; routes: readonly Route[] }

/**
 * Sends an event again to each expected subscriber that has no delivery yet. A name that is in no route any more gets a
 * dead mark: nobody will come for it. Answers why something could not be sent, undefined when all was.
 */
export async function sendMissing(
  { stored, deliveries }: { stored: StoredEvent; deliveries: readonly (DeliveryKey & Delivery)[] },
  deps: SendDeps,
): Promise<unknown> {
  const handled = new Set(
    deliveries.filter(({ replay }) => replay === '').map(({ subscriber }) => subscriber),
  )
  const missing = stored.expects.filter((subscriber) => !handled.has(subscriber))
  const known = new Set(deps.routes.map((route) => route.subscriber))
  await Promise.all(
    missing
      .filter((subscriber) => !known.has(subscriber))
      .map((subscriber) => markNobody({ ...identityOf(stored.event), subscriber, replay: '' }, deps)),
  )
  const messages = messagesFor(
    stored.event,
    missing.filter((subscriber) => known.has(subscriber)),
    true,
  )
  return unsentOf(await send(messages, deps), stored.event).unsent
}

async function markNobody(key: DeliveryKey, deps: SendDeps): Promise<void> {
  const now = deps.clock()
  await deps.history.mark(key, {
    state: 'dead',
    attempts: 0,
    started: now,
    changed: now,
    reason: 'no such subscriber: it is in no route any more',
    emitted: [],
  })
}

type Message = { subscriber: string; event: RecordedEvent; body: string }

/** One message per subscriber, ready to send. */
export function messagesFor(
  event: RecordedEvent,
  subscribers: readonly string[],
  resent: boolean,
): Message[] {
  if (subscribers.length === 0) return []
  const frame: DeliveryFrame = { event, replay: '', ...(resent ? { resent } : {}) }
  const body = JSON.stringify(frame)
  return subscribers.map((subscriber) => ({ subscriber, event, body }))
}

/** Sends each message to its subscriber's queue; answers why, for each event that did not reach all of its own. */
export async function send(
  messages: readonly Message[],
  deps: Pick<SendDeps, 'queues'>,
): Promise<Map<RecordedEvent, unknown>> {
  const unsent = new Map<RecordedEvent, unknown>()
  await Promise.all(
    [...Map.groupBy(messages, (message) => message.subscriber)].map(async ([subscriber, own]) => {
      const sent = await attempt(() =>
        deps.queues.send(
          subscriber,
          own.map((message) => message.body),
        ),
      )
      if ('error' in sent) for (const { event } of own) unsent.set(event, sent.error)
      else
        for (const { index, error } of sent.value) {
          const message = own[index]
          if (message !== undefined) unsent.set(message.event, error)
        }
    }),
  )
  return unsent
}

/** Why an event did not reach all of its subscribers, to be spread into an outcome. */
export const unsentOf = (
  unsent: ReadonlyMap<RecordedEvent, unknown>,
  event: RecordedEvent,
): { unsent?: unknown } => (unsent.has(event) ? { unsent: unsent.get(event) } : {})
