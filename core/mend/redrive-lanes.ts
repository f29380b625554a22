import * as z from 'zod'
import type { Route } from '../../events/route.ts'
import { type Counts, sumOf } from '../counts.ts'
import { type LaneKey, type Marked, type ReleaseDeps, releaseLane } from '../lane/lane.ts'
import { underWaySince } from '../lane/released.ts'
import type { OpenMark, Queues } from '../ports.ts'

/**
 * Lanes in which the job has come to more than it has sent. The next of it is sent when what was sent before is handled:
 * each release sends what is under way once more, so that those of a job must not follow each other faster.
 */
export const heldLanes = z.array(
  z.object({
    ...{ subscriber: z.string(), partitionkey: z.string(), replay: z.string() },
    /** the last sequence that the job has come to */
    upTo: z.number(),
    /** how many it has come to and not sent */
    left: z.number(),
  }),
)
export type HeldLanes = z.infer<typeof heldLanes>
type HeldLane = HeldLanes[number]

/** They stand in the job's record; with so many the job comes to no more. */
export const mostHeld = 50

export function withHeld(before: HeldLanes, more: HeldLanes): HeldLanes {
  const all = new Map<string, HeldLane>()
  for (const one of [...before, ...more]) {
    const text = JSON.stringify([one.subscriber, one.partitionkey, one.replay])
    const { upTo, left } = all.get(text) ?? { upTo: 0, left: 0 }
    all.set(text, { ...one, upTo: Math.max(upTo, one.upTo), left: left + one.left })
  }
  return [...all.values()]
}

export type HeldDeps = ReleaseDeps & { queues: Pick<Queues, 'send' | 'depth'>; routes: readonly Route[] }

/** `since`: when the last of what is still waited for was released. `error`: why something could not be sent. */
type GoneOn = {
  counts: Counts
  messages: number
  sent: readonly { mark: OpenMark }[]
  held: HeldLanes
  since?: string | undefined
  error?: unknown
}

const nothing: GoneOn = { counts: {}, messages: 0, sent: [], held: [] }

/** Sends what comes next in lanes in which all is handled that was sent before: at most so many deliveries. */
export async function goOnInLanes(
  held: HeldLanes,
  most: number,
  about: { project: string; asked: string },
  deps: HeldDeps,
): Promise<GoneOn> {
  let all = nothing
  for (const [index, one] of held.entries()) {
    // those that were not come to go first the next time
    if (all.messages >= most) return { ...all, held: [...held.slice(index), ...all.held] }
    const {
      counts,
      messages,
      sent,
      held: kept,
      since,
      error,
    } = await goOn(one, most - all.messages, about, deps)
    all = {
      counts: sumOf(all.counts, counts),
      messages: all.messages + messages,
      sent: [...all.sent, ...sent],
      held: [...all.held, ...kept],
      since: [all.since ?? '', since ?? ''].sort().at(-1) || undefined,
      error: all.error ?? error,
    }
  }
  return all
}

async function goOn(
  one: HeldLane,
  most: number,
  { project, asked }: { project: string; asked: string },
  deps: HeldDeps,
): Promise<GoneOn> {
  const { subscriber, partitionkey, replay, upTo, left } = one
  const lane = { project, subscriber, partitionkey, replay }
  // it has left the routes since, and its queue is gone
  if (!deps.routes.some((route) => route.subscriber === subscriber))
    return { ...nothing, counts: { skipped: left } }
  try {
    const stands = await standing(lane, one, asked, deps)
    if (typeof stands === 'object') return { ...nothing, held: [one], ...stands }
    if (stands !== 'free') return { ...nothing, counts: { [stands]: left } }
    const released = await releaseLane(lane, { dead: [], pace: { upTo, most, asked } }, deps)
    if (!('sent' in released))
      return { ...nothing, counts: { ['blocked' in released ? 'blocked' : 'already']: left } }
    const { fresh = [], last = upTo } = released.paced ?? {}
    const rest = Math.max(0, left - fresh.length)
    const isReached = last >= upTo
    return {
      counts: { sent: fresh.length, ...(isReached && { already: rest }) },
      messages: released.sent,
      sent: fresh.flatMap(marksOf),
      held: isReached ? [] : [{ ...one, left: rest }],
    }
  } catch (error) {
    return { ...nothing, held: [one], error }
  }
}

const marksOf = ({ key, mark }: Marked): { mark: OpenMark }[] =>
  mark === undefined ? [] : [{ mark: { ...key, state: 'parked', changed: mark.changed } }]

/**
 * `already`: nothing waits that the job has come to. `parked`: what it sent came back to wait, so something holds its
 * subscriber back again, and whoever ends that asks for all of it.
 */
async function standing(
  lane: LaneKey,
  { upTo }: HeldLane,
  asked: string,
  deps: HeldDeps,
): Promise<'already' | 'parked' | 'free' | { since: string }> {
  const now = await deps.lanes.lane(lane)
  const [first] = now === undefined ? [] : await deps.lanes.waiting(lane, 1)
  if (now === undefined || first === undefined || first.sequence > upTo) return 'already'
  if (now.release === undefined) {
    const [mark] = await deps.history.getDeliveries([first.key])
    return mark?.state === 'parked' && mark.changed > asked ? 'parked' : 'free'
  }
  const since = await underWaySince(lane, deps)
  return since === undefined ? 'free' : { since }
}
