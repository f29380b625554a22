import { readMessage } from './arrival.ts'
import type { Memory, OutboxItem } from './ports.ts'
import { isThrough, type Outcome, type RecordDeps, record } from './record.ts'

export type RelayDeps = RecordDeps & { memory: Memory }

/** `stayed`: keys whose items could not be sent; they stay in the outbox for the next time, or for the sweep. */
export type Relayed = { outcomes: readonly Outcome[]; stayed: number }

/**
 * Sends what waits in the outbox of these partition keys through the gate, and removes it. Per key strictly in sequence:
 * the next item goes only after the one before is through. Keys go side by side. What cannot be sent stays.
 */
export async function relay(
  keys: readonly { project: string; partitionkey: string }[],
  deps: RelayDeps,
): Promise<Relayed> {
  const unique = new Map(keys.map((key) => [`${key.project} ${key.partitionkey}`, key]))
  const lanes = await Promise.all(
    [...unique.values()].map(({ project, partitionkey }) => deps.memory.outbox(project, partitionkey)),
  )
  const outcomes: Outcome[] = []
  let stayed = 0
  let waiting = lanes.filter((lane) => lane.length > 0)
  while (waiting.length > 0) {
    const heads = waiting.flatMap((lane) => lane.slice(0, 1))
    const sent = await record(
      heads.map((item) => arrivalOf(item, deps)),
      deps,
    )
    outcomes.push(...sent)
    const through = heads.map((_, index) => isThrough(sent[index]))
    await deps.memory.removeFromOutbox(heads.filter((_, index) => through[index]))
    stayed += through.filter((passed) => !passed).length
    waiting = waiting
      .filter((_, index) => through[index])
      .map((lane) => lane.slice(1))
      .filter((lane) => lane.length > 0)
  }
  return { outcomes, stayed }
}

const arrivalOf = (item: OutboxItem, deps: RelayDeps) =>
  readMessage(JSON.stringify(item.frame), deps.clock(), {})
