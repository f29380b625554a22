import type { RecordedEvent } from '../../events/envelope.ts'
import type { Route } from '../../events/route.ts'
import { attempt } from '../attempt.ts'
import { identityOf } from '../event/admit.ts'
import type { DeliveryFrame } from '../frame.ts'
import { messageGroup, messageId } from '../identity.ts'
import type {
  Clock,
  Delivery,
  DeliveryKey,
  History,
  Memory,
  OrderedMessage,
  Queues,
  StoredEvent,
} from '../ports.ts'
import { rememberFormer } from './subscribers.ts'

export type SendDeps = {
  history: History
  queues: Queues
  clock: Clock
  routes: readonly Route[]
  /** where names that are in no route any more are remembered; without it they are left to the sweep */
  memory?: Pick<Memory, 'get' | 'commit'> | undefined
}

type Expected = { stored: StoredEvent; deliveries: readonly (DeliveryKey & Delivery)[] }

/** The expected subscribers that have no delivery yet. */
export function missingOf({ stored, deliveries }: Expected): string[] {
  const tried = new Set(deliveries.filter(({ replay }) => replay === '').map(({ subscriber }) => subscriber))
  return stored.expects.filter((subscriber) => !tried.has(subscriber))
}

/**
 * Sends an event again to each expected subscriber that has no delivery yet. A name that is in no route any more gets a
 * dead mark: nobody will come for it. Answers why something could not be sent, undefined when all was.
 */
export async function sendMissing({ stored, deliveries }: Expected, deps: SendDeps): Promise<unknown> {
  const missing = missingOf({ stored, deliveries })
  const known = new Set(deps.routes.map((route) => route.subscriber))
  const { memory } = deps
  if (memory !== undefined)
    await Promise.all(
      missing
        .filter((subscriber) => !known.has(subscriber))
        .map((subscriber) =>
          markNobody({ ...identityOf(stored.event), subscriber, replay: '' }, { ...deps, memory }),
        ),
    )
  const messages = messagesFor(
    stored.event,
    missing.filter((subscriber) => known.has(subscriber)),
    true,
  )
  return unsentOf(await send(messages, deps), stored.event).unsent
}

export const noSuchSubscriber = 'no such subscriber: it is in no route any more'

/** Remembered first: lists and counts go by names, and would never come upon the mark of one that nobody knows. */
async function markNobody(
  key: DeliveryKey,
  deps: SendDeps & { memory: Pick<Memory, 'get' | 'commit'> },
): Promise<void> {
  await rememberFormer(key.project, key.subscriber, deps)
  const now = deps.clock()
  const dead = { state: 'dead', attempts: 0, started: now, changed: now, emitted: [] } as const
  // false: somebody has marked it meanwhile, and the sweep settles what is open of it
  await deps.history.transition({ key, seen: undefined, next: { ...dead, reason: noSuchSubscriber } })
}

/** A frame on its way to a subscriber. `again`: what tells it apart from the same frame sent before. */
type Message = { subscriber: string; event: RecordedEvent; frame: DeliveryFrame; body: string; again: string }

/** One message per subscriber, ready to send. */
export function messagesFor(
  event: RecordedEvent,
  subscribers: readonly string[],
  resent: boolean,
): Message[] {
  if (subscribers.length === 0) return []
  const frame: DeliveryFrame = { event, replay: '', ...(resent ? { resent: true } : {}) }
  const body = JSON.stringify(frame)
  return subscribers.map((subscriber) => ({ subscriber, event, frame, body, again: '' }))
}

export const messageOf = (subscriber: string, frame: DeliveryFrame, again = ''): Message => ({
  subscriber,
  event: frame.event,
  frame,
  body: JSON.stringify(frame),
  again,
})

/** What lies on the queue of an ordered route. */
export function orderedMessage({ subscriber, frame, body, again }: Omit<Message, 'event'>): OrderedMessage {
  const { event, replay, attempt: run = 1, release = '' } = frame
  return {
    body,
    group: messageGroup(event, replay),
    dedupe: messageId(identityOf(event), subscriber, replay, [run, release, again]),
  }
}

/** Sends each message to its subscriber's queue; answers why, for each event that did not reach all of its own. */
export async function send(
  messages: readonly Message[],
  deps: Pick<SendDeps, 'queues' | 'routes'>,
): Promise<Map<RecordedEvent, unknown>> {
  const unsent = new Map<RecordedEvent, unknown>()
  await Promise.all(
    [...Map.groupBy(messages, (message) => message.subscriber)].map(async ([subscriber, own]) => {
      for (const { message, error } of await sendTo(subscriber, own, deps)) unsent.set(message.event, error)
    }),
  )
  return unsent
}

/** Sends messages to one subscriber; answers the failed ones. Does not throw. */
export async function sendTo(
  subscriber: string,
  messages: readonly Message[],
  deps: Pick<SendDeps, 'queues' | 'routes'>,
): Promise<{ message: Message; error: unknown }[]> {
  if (messages.length === 0) return []
  const ordered = deps.routes.some((route) => route.subscriber === subscriber && route.ordered)
  const sent = await attempt(() =>
    deps.queues.send(
      subscriber,
      messages.map((message) => (ordered ? orderedMessage(message) : message.body)),
    ),
  )
  if ('error' in sent) return messages.map((message) => ({ message, error: sent.error }))
  return sent.value.flatMap(({ index, error }) => {
    const message = messages[index]
    return message === undefined ? [] : [{ message, error }]
  })
}

/** Why an event did not reach all of its subscribers, to be spread into an outcome. */
export const unsentOf = (
  unsent: ReadonlyMap<RecordedEvent, unknown>,
  event: RecordedEvent,
): { unsent?: unknown } => (unsent.has(event) ? { unsent: unsent.get(event) } : {})
