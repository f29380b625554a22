import type { RecordedEvent } from '../../events/envelope.ts'
import { type Counts, sumOf } from '../counts.ts'
import { keyOf } from '../delivery-key.ts'
import type { SendDeps } from '../gate/send.ts'
import type { Job } from '../job/job.ts'
import { type LaneKey, type Lanes, releaseLane } from '../lane/lane.ts'
import { isReleased, waitingIn } from '../lane/released.ts'
import type { DeliveryKey, Memory, OpenMark } from '../ports.ts'
import { readEvents } from '../read-events.ts'
import { resend } from './resend.ts'
import type { Choice, Chosen } from './selection.ts'

export type SliceDeps = SendDeps & { memory: Memory; lanes: Lanes }

/** `failed` could not be sent, for `error`, and stand as before; `sent` are on their way. */
type Sliced = {
  counts: Counts
  sent: readonly Chosen[]
  failed: readonly Chosen[]
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
  if (chosen.length === 0) return { counts: {}, sent: [], failed: [] }
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
  const parts: Sliced[] = [{ counts: { skipped, unreadable }, sent: [], failed: [] }]
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
  return { counts: { sent: sent.length, already: already.length }, sent, failed, error: failure?.error }
}

/** On an ordered route a lane is released as a whole: what waits behind the chosen ones goes with them. */
async function releaseLanes(
  items: readonly Eventful[],
  choose: (marks: readonly OpenMark[]) => Promise<Choice>,
  about: { job: Job; state: 'dead' | 'parked' },
  deps: SliceDeps,
): Promise<Sliced[]> {
  const lanes = Map.groupBy(items, ({ mark, event }) => JSON.stringify([event.partitionkey, mark.replay]))
  const parts: Sliced[] = []
  for (const own of lanes.values()) {
    const [first] = own
    if (first === undefined) continue
    const { project, subscriber, replay } = first.mark
    const lane = { project, subscriber, replay, partitionkey: first.event.partitionkey }
    parts.push(await releaseOne(lane, own, choose, about, deps))
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
  const fresh: Eventful[] = []
  for (const item of items) if (!(await isReleased(lane, item.event, deps))) fresh.push(item)
  const already = items.length - fresh.length
  if (fresh.length === 0) return { counts: { already }, sent: [], failed: [] }
  try {
    const dead = state === 'dead' ? await meantIn(lane, choose, job.asked, deps) : []
    const released = await releaseLane(lane, { dead }, deps)
    if ('blocked' in released) return { counts: { already, blocked: fresh.length }, sent: [], failed: [] }
    // marked without its lane (an event that has no sequence, say), or done in this moment
    if ('empty' in released)
      return joined(
        { counts: { already }, sent: [], failed: [] },
        await sendPlain(lane.subscriber, fresh, job, deps),
      )
    return { counts: { already, sent: released.sent }, sent: fresh, failed: [] }
  } catch (error) {
    return { counts: { already }, sent: [], failed: fresh, error }
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
  sent: [...a.sent, ...b.sent],
  failed: [...a.failed, ...b.failed],
  error: a.error ?? b.error,
})
