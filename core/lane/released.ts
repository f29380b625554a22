import type { RecordedEvent } from '../../events/envelope.ts'
import { patience } from '../gate/missing.ts'
import { identityText } from '../identity.ts'
import type { DeliveryKey, Queues } from '../ports.ts'
import { ago, minute } from '../time.ts'
import { type Lane, type LaneKey, type Lanes, type ReleaseDeps, type Released, releaseLane } from './lane.ts'

type Deps = ReleaseDeps & { queues: Pick<Queues, 'send' | 'depth'> }

/**
 * Whether what was released may still lie in the queue. Somebody may have crashed between the release and its sending:
 * when the queue is empty, or a while has passed, it is to be released anew, and what comes late does nothing.
 */
export async function isUnderWay(
  { release }: Lane,
  subscriber: string,
  { queues, clock }: Pick<Deps, 'queues' | 'clock'>,
): Promise<boolean> {
  if (release === undefined) return false
  return releasedAt(release) > ago(clock(), patience) && (await queues.depth(subscriber)) > 0
}

const releasedAt = (release: string): string => release.split(' ').at(-1) ?? ''

/** A queue says how full it is as of a while ago. */
const depthPatience = minute

/**
 * When what is on its way in a lane was released; undefined where all of it is handled, or may have been lost: then it is
 * to be released anew, with what comes behind it.
 */
export async function underWaySince(
  key: LaneKey,
  deps: Pick<Deps, 'queues' | 'clock'> & { lanes: Pick<Lanes, 'lane' | 'waiting'> },
): Promise<string | undefined> {
  const lane = await deps.lanes.lane(key)
  if (lane?.release === undefined || lane.last === undefined) return undefined
  const [first] = await deps.lanes.waiting(key, 1)
  if (first === undefined || first.sequence > lane.last) return undefined
  return (await mayBeUnderWay(lane, key.subscriber, deps)) ? releasedAt(lane.release) : undefined
}

/** The same as `isUnderWay`, for who must not send beside somebody who is at it. */
const mayBeUnderWay = async (
  lane: Lane,
  subscriber: string,
  deps: Pick<Deps, 'queues' | 'clock'>,
): Promise<boolean> =>
  lane.release !== undefined &&
  (releasedAt(lane.release) > ago(deps.clock(), depthPatience) || isUnderWay(lane, subscriber, deps))

/** Whether a sequence is on its way, in a lane that stands so, or somebody is about to send it. */
export const isBeingSent = async (
  lane: Lane,
  { sequence, subscriber }: { sequence: number; subscriber: string },
  deps: Pick<Deps, 'queues' | 'clock'>,
): Promise<boolean> =>
  lane.last !== undefined && sequence <= lane.last && mayBeUnderWay(lane, subscriber, deps)

/** Whether an event is on its way already, under the release that its lane is in. */
export async function isReleased(
  key: LaneKey,
  { sequence }: Pick<RecordedEvent, 'sequence'>,
  deps: Pick<Deps, 'queues' | 'clock'> & { lanes: Pick<Lanes, 'lane'> },
): Promise<boolean> {
  const lane = await deps.lanes.lane(key)
  if (lane?.last === undefined || sequence === undefined || sequence > lane.last) return false
  return isUnderWay(lane, key.subscriber, deps)
}

const mostLookedAt = 500

/**
 * Which deliveries wait in a lane. What died before its route kept order is not among them: no release sends it. Beyond
 * what is looked at, all are taken to be.
 */
export async function waitingIn(
  lane: LaneKey,
  { lanes }: { lanes: Pick<Lanes, 'waiting'> },
): Promise<(key: DeliveryKey) => boolean> {
  const waiting = await lanes.waiting(lane, mostLookedAt)
  const known = new Set(waiting.map(({ key }) => identityText(key)))
  return (key) => waiting.length === mostLookedAt || known.has(identityText(key))
}

export const isInLane = async (
  key: DeliveryKey,
  lane: LaneKey,
  deps: { lanes: Pick<Lanes, 'waiting'> },
): Promise<boolean> => (await waitingIn(lane, deps))(key)

/**
 * Releases a lane that stands still. What is dead in it closed it, and stays; but what a person has let pass may be dead
 * as long as it has not run: dying again would have taken the release back.
 */
export async function releaseAnew(lane: LaneKey & Lane, deps: Deps): Promise<Released> {
  return releaseLane(lane, { dead: await letPass(lane, deps) }, deps)
}

async function letPass(lane: LaneKey & Lane, { lanes }: Deps): Promise<DeliveryKey[]> {
  const { release, last } = lane
  if (release === undefined || last === undefined) return []
  const waiting = await lanes.waiting(lane, mostLookedAt)
  return waiting.flatMap(({ key, sequence }) => (sequence <= last ? [key] : []))
}
