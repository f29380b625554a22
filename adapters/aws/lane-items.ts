import * as z from 'zod'
import type { Lane, LaneKey, Waiting } from '../../core/lane/lane.ts'
import type { DeliveryKey } from '../../core/ports.ts'
import { shardOf, timeKey, waitingKey } from '../listing.ts'
import { type Item, n, number, type RawItem, s, text } from './attributes.ts'
import { openPk, openShards, storedKey } from './history-items.ts'

/** How lanes lie in the history table: one partition each, beside no event's. */

/** Begins as no project can, so that no event's id falls into a lane's partition. */
export const lanePk = ({ project, subscriber, replay, partitionkey }: LaneKey): string =>
  `lane~${project}#${subscriber}#${replay}#${partitionkey}`

export const laneKey = (key: LaneKey): Item => ({ pk: s(lanePk(key)), sk: s('lane') })

/** Where closed lanes of a subscriber stand in the index of what is open; no subscriber has a slash in its name. */
export const laneShards = (project: string, subscriber: string): string[] =>
  Array.from({ length: openShards }, (_, shard) => openPk(project, `lanes/${subscriber}`, shard))

/** What puts a lane into that index, closed since then. */
export function laneIndex(key: LaneKey, since: string): { openpk: string; opensk: string } {
  const pk = lanePk(key)
  const shard = shardOf(pk, openShards)
  return { openpk: openPk(key.project, `lanes/${key.subscriber}`, shard), opensk: timeKey(since, pk) }
}

const storedLane = z.object({
  version: number,
  release: text.optional(),
  last: number.optional(),
  reason: text.optional(),
  since: text.optional(),
})

/** Undefined where the lane is open: what is left of it is the number of its version, so that none comes twice. */
export function laneOf(item: RawItem): Lane | undefined {
  const { version, reason, since, release, last } = storedLane.parse(item)
  return since === undefined || reason === undefined ? undefined : { version, release, last, reason, since }
}

export function laneKeyOfItem(item: RawItem): LaneKey {
  const [project = '', subscriber = '', replay = '', ...rest] = storedKey
    .parse(item)
    .pk.slice('lane~'.length)
    .split('#')
  return { project, subscriber, replay, partitionkey: rest.join('#') }
}

// ---- what waits

export const waitingPrefix = 'waiting#'

export const waitingItemKey = (lane: LaneKey, waiting: Waiting): Item => ({
  pk: s(lanePk(lane)),
  sk: s(waitingPrefix + waitingKey(waiting)),
})

export const waitingItem = (lane: LaneKey, waiting: Waiting): Item => ({
  ...waitingItemKey(lane, waiting),
  source: s(waiting.key.source),
  id: s(waiting.key.id),
  sequence: n(waiting.sequence),
})

const storedWaiting = z.object({ source: text, id: text, sequence: number })

export function waitingOf({ project, subscriber, replay }: LaneKey, item: RawItem): Waiting {
  const { source, id, sequence } = storedWaiting.parse(item)
  const key: DeliveryKey = { project, source, id, subscriber, replay }
  return { key, sequence }
}
