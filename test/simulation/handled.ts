import type { HandledAny } from '../../core/event/handler.ts'
import type { DeliveryKey } from '../../core/ports.ts'
import { eventTypeNamed } from '../../events/catalogue.ts'
import { type Route, typeName } from '../../events/route.ts'
import { holdParted } from './circuits.ts'
import { deliveryText, type Observed, textOfEvent } from './observed.ts'

/** The messages of one delivery in the batch that is handled just now, and the receives of the first. */
export type InHand = { messages: string[]; receives: number; attempt: number; since: number }

/** Milliseconds: a process that has looked a moment ago looks again after that. */
const readWithin = 10_000
const markedWithin = 500

/** What must hold of everything that a handler is given. */
export function holdAgainst(
  route: Route,
  { type, data, event }: HandledAny,
  key: DeliveryKey,
  held: InHand | undefined,
  observed: Observed,
): void {
  const delivery = deliveryText(key)
  const wrong = (invariant: string, message: string) =>
    observed.violated({ invariant, message: `${delivery}: ${message}`, id: event.id })
  const known = observed.events.get(textOfEvent(event))
  if (known === undefined) wrong('nothing invalid reaches a handler', 'is handled and is in no history')
  else if (!known.stored.expects.includes(route.subscriber) && key.replay === '')
    wrong('only whom it was recorded for', `was recorded for ${known.stored.expects.join(', ') || 'nobody'}`)
  const eventType = eventTypeNamed(type)
  if (eventType !== undefined && !eventType.schema.safeParse(data).success)
    wrong('nothing invalid reaches a handler', `its data is no ${type}`)
  if (!route.types.some((one) => typeName(one) === type))
    wrong('nothing invalid reaches a handler', `${route.subscriber} does not take ${type}`)
  if (held === undefined) wrong('nothing invalid reaches a handler', 'no message of it is in hand')
  else if (route.ordered === true) holdOrder(key, event, observed)
  const reopened = observed.reopened.get(delivery)?.at(-1) ?? 0
  // where nothing has gone wrong since, its mark was written a moment later, and nobody has sent it anew
  const isHopeless = (message: string): boolean => {
    const { at = Number.POSITIVE_INFINITY, faults } = observed.hopeless.get(message) ?? {}
    return faults === observed.faults.count && at < (held?.since ?? 0) - markedWithin && reopened < at
  }
  if (held?.messages.every(isHopeless))
    wrong(
      'nothing is tried again after a terminal failure',
      `${held.messages.join(' and ')} had failed for good`,
    )
  if (held !== undefined && key.replay === '')
    holdBack(route, event, held.since - readWithin, {
      wrong,
      observed,
      again: isDecidedAgain(delivery, held, observed),
    })
  const answered = held === undefined ? [] : held.messages.map((message) => observed.answered.get(message))
  const last = Math.max(...answered.map((at) => at ?? Number.POSITIVE_INFINITY))
  if (held?.attempt === 1 && last < held.since && reopened < last)
    wrong('what is settled is not run again', `${held.messages.join(' and ')} had been answered as handled`)
}

/** A race lost to others is decided again within one attempt: that is no other try of what is down. */
const isDecidedAgain = (delivery: string, { since }: InHand, { runs }: Observed): boolean =>
  (runs.get(delivery) ?? []).filter((run) => run.since === since).length > 1

/** Who is paused or parted from what it needs has seen that. `seen`: what was so then, its process knows. */
function holdBack(
  route: Route,
  event: HandledAny['event'],
  seen: number,
  {
    wrong,
    observed,
    again,
  }: { wrong: (invariant: string, message: string) => void; observed: Observed; again: boolean },
): void {
  const name = `${event.project} ${route.subscriber}`
  const paused = observed.paused.get(name) ?? Number.POSITIVE_INFINITY
  const unsure = observed.unsure.get(name) ?? 0
  if (Math.max(paused, unsure) < seen)
    wrong(
      'what is paused is not run',
      `${route.subscriber} was paused ${Math.round(seen + readWithin - paused)} ms before`,
    )
  if (route.unpausable !== undefined || unsure >= seen || again) return
  const parted = holdParted(name, route.downstream?.(event) ?? '', seen, observed)
  if (parted !== undefined) wrong('one alone tries what is down', parted)
}

/**
 * Nothing of a key is run while something before it is neither done nor dropped. What a replay leaves out is for its
 * selection to say: there nothing is run after something that stands behind it.
 */
function holdOrder(key: DeliveryKey, event: HandledAny['event'], observed: Observed): void {
  const { subscriber, replay } = key
  const own = event.sequence ?? 0
  for (const { event: other, expects } of observed.lanes.get(`${event.project} ${event.partitionkey}`) ??
    []) {
    const sequence = other.sequence ?? 0
    if (sequence === own || !expects.includes(subscriber)) continue
    const { project, source, id } = other
    const text = deliveryText({ project, source, id, subscriber, replay })
    const state = observed.deliveries.get(text)?.state
    // what was lost on its way comes late (docs/decisions/0012-lanes.md)
    if (observed.expired.has(text)) continue
    const isSettled = state === 'done' || state === 'dropped'
    if (replay === '' ? sequence > own || isSettled : sequence < own || state !== 'done') continue
    observed.violated({
      invariant: 'what is ordered is handled in order',
      message: `${deliveryText(key)} (${own} of ${event.partitionkey}) is run while ${text} (${sequence}) is ${state ?? 'not handled'}`,
      id: event.id,
    })
  }
}
