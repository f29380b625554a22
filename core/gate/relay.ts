import { attempt } from '../attempt.ts'
import { readMessage } from '../event/arrival.ts'
import type { Memory, OutboxItem } from '../ports.ts'
import { isThrough, type Outcome, type RecordDeps, record } from './record.ts'

export type RelayDeps = RecordDeps & { memory: Memory }

/** `stayed`: keys whose items could not be sent; they stay in the outbox for the next time, or for the sweep. */
export type Relayed = { outcomes: readonly Outcome[]; stayed: number }

/**
 * Sends what waits in the outbox of these partition keys through the gate, and removes it. Per key strictly in sequence:
 * the next item goes only after the one before is through. Keys go side by side. What cannot be sent stays. Never throws:
 * a key that could not be read, or an item that could not be removed, is an unavailable outcome.
 */
export async function relay(
  keys: readonly { project: string; partitionkey: string }[],
  deps: RelayDeps,
): Promise<Relayed> {
  const unique = new Map(keys.map((key) => [`${key.project} ${key.partitionkey}`, key]))
  const lanes = await Promise.all(
    [...unique.values()].map(({ project, partitionkey }) =>
      attempt(() => deps.memory.outbox(project, partitionkey)),
    ),
  )
  const outcomes: Outcome[] = lanes.flatMap((lane) => ('error' in lane ? [unavailable(lane.error)] : []))
  let stayed = outcomes.length
  let waiting = lanes.flatMap((lane) => ('value' in lane && lane.value.length > 0 ? [lane.value] : []))
  while (waiting.length > 0) {
    const heads = waiting.flatMap((lane) => lane.slice(0, 1))
    const sent = await record(
      heads.map((item) => arrivalOf(item, deps)),
      deps,
    )
    const through = heads.filter((_, index) => isThrough(sent[index]))
    const removal = await attempt(() => deps.memory.removeFromOutbox(through))
    const settled = sent.map((outcome) =>
      isThrough(outcome) && 'error' in removal ? unavailable(removal.error) : outcome,
    )
    outcomes.push(...settled)
    stayed += settled.filter((outcome) => !isThrough(outcome)).length
    waiting = waiting
      .filter((_, index) => isThrough(settled[index]))
      .map((lane) => lane.slice(1))
      .filter((lane) => lane.length > 0)
  }
  return { outcomes, stayed }
}

const unavailable = (error: unknown): Outcome => ({ status: 'unavailable', error })

const arrivalOf = (item: OutboxItem, deps: RelayDeps) =>
  readMessage(JSON.stringify(item.frame), deps.clock(), {})
