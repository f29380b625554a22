import type { RecordedEvent } from '../../events/envelope.ts'
import { type Counts, sumOf } from '../counts.ts'
import { keyOf } from '../delivery-key.ts'
import type { SendDeps } from '../gate/send.ts'
import { identityText } from '../identity.ts'
import type { Job } from '../job/job.ts'
import { type LaneKey, type Lanes, releaseLane } from '../lane/lane.ts'
import { isReleased, underWaySince, waitingIn } from '../lane/released.ts'
import type { DeliveryKey, Memory, OpenMark } from '../ports.ts'
import { readEvents } from '../read-events.ts'
import { type HeldLanes, withHeld } from './redrive-lanes.ts'
import { resend } from './resend.ts'
import type { Choice, Chosen } from './selection.ts'

export type SliceDeps = SendDeps & { memory: Memory; lanes: Lanes }

/**
 * `failed` could not be sent, for `error`, and stand as before; `sent` are on their way. `messages`: what all of it took,
 * with what was under way in a lane and is sent once more. `held`: lanes in which more is to be sent, when what is on its
 * way in them is handled. `left` was not come to, as so much went with the others.
 */
type Sliced = {
  counts: Counts
  messages: number
  sent: readonly Chosen[]
  failed: readonly Chosen[]
  held?: HeldLanes
  left?: readonly Chosen[]
  error?: unknown
}

type Eventful = Chosen & { event: RecordedEvent }

/**
 * Sends what was chosen to the subscribers that have it open, and to no other. What cannot be sent at all is counted as
 * skipped: its subscriber is in no route any more, or its event is gone; as unreadable where newer code wrote its event.
 * `choose` says what else is meant in a lane.
 */
export async function sendSlice(
  chosen: readonly Chosen[],
  choose: (marks: readonly OpenMark[]) => Promise<Choice>,
  { job, state }: { job: Job; state: 'dead' | 'parked' },
  deps: SliceDeps,
): Promise<Sliced> {
  if (chosen.length === 0) return { counts: {}, messages: 0, sent: [], failed: [] }
  const events = await readEvents(
    chosen.map(({ mark }) => mark),
    deps.history,
  )
  const routed = new Map(deps.routes.map((route) => [route.subscriber, route]))
  const sendable = chosen.flatMap((one, index): Eventful[] => {
    const stored = events[index]
    if (stored === undefined || stored === 'unreadable') return []
    return routed.has(one.mark.subscriber) ? [{ ...one, event: stored.event }] : []
  })
  const unreadable = events.filter((one) => one === 'unreadable').length
  const skipped = chosen.length - sendable.length - unreadable
  const parts: Sliced[] = [{ counts: { skipped, unreadable }, messages: 0, sent: [], failed: [] }]
  for (const [subscriber, own] of Map.groupBy(sendable, ({ mark }) => mark.subscriber))
    parts.push(
      ...(routed.get(subscriber)?.ordered
        ? await releaseLanes(own, choose, { job, state }, deps)
        : [await sendPlain(subscriber, own, job, deps)]),
    )
  return parts.reduce(joined)
}

async function sendPlain(
  subscriber: string,
  items: readonly Eventful[],
  { by, id }: Job,
  deps: SliceDeps,
): Promise<Sliced> {
  const resendable = items.map(({ mark, delivery, event }) => ({ key: keyOf(mark), delivery, event }))
  const outcomes = await resend(subscriber, resendable, `${by}, job ${id}`, deps)
  const of = (wanted: string) => items.filter((_, index) => outcomes[index]?.outcome === wanted)
  const [sent, already, failed] = [of('sent'), of('already'), of('failed')]
  const failure = outcomes.find((one) => one.outcome === 'failed')
  const counts = { sent: sent.length, already: already.length }
  return { counts, messages: sent.length, sent, failed, error: failure?.error }
}

/** Behind each of a slice up to a hundred may wait, which go with it: more than a function has time to send. */
const enoughMessages = 100

/**
 * On an ordered route what waits goes in sequence: what was parked up to the chosen ones, and the rest when that is chosen;
 * of what is dead all that waits behind it goes with it.
 */
async function releaseLanes(
  items: readonly Eventful[],
  choose: (marks: readonly OpenMark[]) => Promise<Choice>,
  about: { job: Job; state: 'dead' | 'parked' },
  deps: SliceDeps,
): Promise<Sliced[]> {
  const lanes = Map.groupBy(items, ({ mark, event }) => JSON.stringify([event.partitionkey, mark.replay]))
  const parts: Sliced[] = []
  let messages = 0
  for (const own of lanes.values()) {
    const [first] = own
    if (first === undefined) continue
    if (messages >= enoughMessages) {
      parts.push({ counts: {}, messages: 0, sent: [], failed: [], left: own })
      continue
    }
    const { project, subscriber, replay } = first.mark
    const lane = { project, subscriber, replay, partitionkey: first.event.partitionkey }
    const part = await releaseOne(lane, own, choose, about, deps)
    messages += part.messages
    parts.push(part)
  }
  return parts
}

async function releaseOne(
  lane: LaneKey,
  items: readonly Eventful[],
  choose: (marks: readonly OpenMark[]) => Promise<Choice>,
  { job, state }: { job: Job; state: 'dead' | 'parked' },
  deps: SliceDeps,
): Promise<Sliced> {
  const waits = await waitingIn(lane, deps)
  const alone = items.filter(({ mark }) => !waits(mark))
  if (alone.length > 0) {
    const others = items.filter(({ mark }) => waits(mark))
    const sent = await sendPlain(lane.subscriber, alone, job, deps)
    return others.length === 0
      ? sent
      : joined(sent, await releaseOne(lane, others, choose, { job, state }, deps))
  }
  if (state === 'parked') return releaseParked(lane, items, job, deps)
  const fresh: Eventful[] = []
  for (const item of items) if (!(await isReleased(lane, item.event, deps))) fresh.push(item)
  const already = items.length - fresh.length
  const unsent = { counts: { already }, messages: 0, sent: [], failed: [] }
  if (fresh.length === 0) return unsent
  try {
    const dead = await meantIn(lane, choose, job.asked, deps)
    const released = await releaseLane(lane, { dead }, deps)
    if ('blocked' in released) return { ...unsent, counts: { already, blocked: fresh.length } }
    // marked without its lane (an event that has no sequence, say), or done in this moment
    if ('empty' in released) return joined(unsent, await sendPlain(lane.subscriber, fresh, job, deps))
    const { sent } = released
    return { counts: { already, sent }, messages: sent, sent: fresh, failed: [] }
  } catch (error) {
    return { ...unsent, failed: fresh, error }
  }
}

/** What was parked goes up to the last of these; where some is on its way already, when that is handled. */
async function releaseParked(
  lane: LaneKey,
  items: readonly Eventful[],
  job: Job,
  deps: SliceDeps,
): Promise<Sliced> {
  const { subscriber, partitionkey, replay } = lane
  const upTo = Math.max(...items.map(({ event: { sequence = 0 } }) => sequence))
  const holding = (left: number): HeldLanes =>
    left === 0 ? [] : [{ subscriber, partitionkey, replay, upTo, left }]
  const most = items.length
  const none: Sliced = { counts: {}, messages: 0, sent: [], failed: [] }
  try {
    if ((await underWaySince(lane, deps)) !== undefined) return { ...none, held: holding(most) }
    const released = await releaseLane(lane, { dead: [], pace: { upTo, most, asked: job.asked } }, deps)
    if ('blocked' in released) return { ...none, counts: { blocked: most } }
    // marked without its lane (an event that has no sequence, say), or done in this moment
    if ('empty' in released) return await sendPlain(lane.subscriber, items, job, deps)
    const { fresh = [], last = upTo } = released.paced ?? {}
    const gone = items.filter(({ event: { sequence = 0 } }) => sequence <= last)
    const held = holding(most - gone.length)
    const sent = new Set(fresh.map(({ key }) => identityText(key)))
    // somebody else had released it, or had it handled in this moment
    const already = gone.filter(({ mark }) => !sent.has(identityText(mark))).length
    return { counts: { sent: fresh.length, already }, messages: released.sent, sent: gone, failed: [], held }
  } catch (error) {
    return { ...none, held: holding(most), error }
  }
}

const mostLookedAt = 500

/** Several of one lane may be dead, when a whole batch crashed: all that are meant go at once. */
async function meantIn(
  lane: LaneKey,
  choose: (marks: readonly OpenMark[]) => Promise<Choice>,
  asked: string,
  { history, lanes }: SliceDeps,
): Promise<DeliveryKey[]> {
  const waiting = await lanes.waiting(lane, mostLookedAt)
  const deliveries = await history.getDeliveries(waiting.map(({ key }) => key))
  const dead = waiting.flatMap(({ key }, index): OpenMark[] => {
    const { state, changed } = deliveries[index] ?? {}
    return state === 'dead' && changed !== undefined && changed <= asked ? [{ ...key, state, changed }] : []
  })
  return (await choose(dead)).chosen.map(({ mark }) => keyOf(mark))
}

const joined = (a: Sliced, b: Sliced): Sliced => ({
  counts: sumOf(a.counts, b.counts),
  messages: a.messages + b.messages,
  sent: [...a.sent, ...b.sent],
  failed: [...a.failed, ...b.failed],
  left: [...(a.left ?? []), ...(b.left ?? [])],
  held: withHeld(a.held ?? [], b.held ?? []),
  error: a.error ?? b.error,
})
