import { keyOf } from '../../core/delivery-key.ts'
import type { Lane, LaneKey, Lanes, Waiting } from '../../core/lane/lane.ts'
import { markOf } from '../commit-rules.ts'
import { afterOf, byBytes, timeKey, waitingKey } from '../listing.ts'
import { copiedPage, copy } from './copy.ts'
import type { InMemoryHistory } from './history.ts'

type Stored = { key: LaneKey; version: number; closed: Omit<Lane, 'version'> | undefined }

const laneText = ({ project, subscriber, replay, partitionkey }: LaneKey): string =>
  JSON.stringify([project, subscriber, replay, partitionkey])

/** Lanes in this process, beside a history in this process: what is written together is written between two awaits. */
export function inMemoryLanes({
  history,
}: {
  history: Pick<InMemoryHistory, 'isFinal' | 'stands' | 'write' | 'hold'>
}): Lanes {
  const lanes = new Map<string, Stored>()
  const queues = new Map<string, Map<string, Waiting>>()

  const waitingIn = (key: LaneKey): Map<string, Waiting> => queues.get(laneText(key)) ?? new Map()

  const closedLane = (key: LaneKey): (Stored & { closed: Omit<Lane, 'version'> }) | undefined => {
    const stored = lanes.get(laneText(key))
    return stored?.closed === undefined ? undefined : { ...stored, closed: stored.closed }
  }

  const seenLane = (key: LaneKey, seen: number) => {
    const lane = closedLane(key)
    return lane?.version === seen ? lane : undefined
  }

  return {
    async lane(key) {
      const lane = closedLane(key)
      return lane && copy({ version: lane.version, ...lane.closed })
    },

    async wait(laneKey, { key, delivery, sequence, seen }, how) {
      await history.hold(key)
      const before = lanes.get(laneText(laneKey))
      if (history.isFinal(key)) return 'final'
      if (!history.stands({ key, seen, next: delivery })) return 'changed'
      if (how === 'behind' && before?.closed === undefined) return 'open'
      history.write(markOf(key, delivery))
      const waiting = { key: keyOf(key), sequence }
      queues.set(laneText(laneKey), new Map(waitingIn(laneKey)).set(waitingKey(waiting), copy(waiting)))
      const reason = delivery.reason ?? delivery.state
      const { release, last, ...closed } = before?.closed ?? { reason, since: delivery.changed }
      const released = how === 'closing' ? {} : { release, last }
      lanes.set(laneText(laneKey), {
        key: copy(laneKey),
        version: (before?.version ?? 0) + 1,
        closed: { ...closed, ...released, ...(how === 'closing' ? { reason } : {}) },
      })
      return 'waits'
    },

    async waiting(key, limit) {
      const inSequence = [...waitingIn(key)]
        .toSorted(([a], [b]) => byBytes(a, b))
        .map(([, waiting]) => waiting)
      return copy(inSequence.slice(0, limit))
    },

    async release(key, seen, { name, last }) {
      const lane = seenLane(key, seen)
      if (lane === undefined) return false
      const closed = { ...lane.closed, release: name, last }
      lanes.set(laneText(key), { ...lane, version: seen + 1, closed })
      return true
    },

    async leave(key, waiting) {
      waitingIn(key).delete(waitingKey(waiting))
    },

    async open(key, seen) {
      const lane = seenLane(key, seen)
      if (lane === undefined || waitingIn(key).size > 0) return false
      lanes.set(laneText(key), { ...lane, closed: undefined })
      return true
    },

    async closed({ project, subscriber, cursor, limit }) {
      const after = afterOf(cursor)
      const found = [...lanes].flatMap(([text, { key, version, closed }]) =>
        key.project === project && key.subscriber === subscriber && closed !== undefined
          ? [{ key: timeKey(closed.since, text), item: { ...key, version, ...closed } }]
          : [],
      )
      return copiedPage(
        found
          .filter((one) => after === undefined || one.key > after)
          .toSorted((a, b) => byBytes(a.key, b.key)),
        limit,
      )
    },
  }
}
