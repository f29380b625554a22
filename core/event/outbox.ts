import { Failure } from '../errors.ts'
import type { Cause, OutboxFrame } from '../frame.ts'
import { boundedKey } from '../identity.ts'
import type { OutboxItem } from '../ports.ts'
import type { Emission } from './handler.ts'
import { faultsOf } from './versions.ts'

/** Who changed state: a subscriber that handles an event, or a command that somebody gave. */
export type Author = {
  project: string
  /** the subscriber, or the name of the command's room */
  by: string
  actor: string
  replay?: string
  cause?: Cause
  /** tells apart the changes that one event causes through one author; '' where there is one only */
  step?: string
}

/**
 * The events of one change as outbox items, to be committed with it. All of them are of one aggregate: its partition
 * key is that of the first event's type, and its version their sequence.
 * @throws Failure Invalid for an event that the gate would refuse when the change can no longer be taken back.
 * @throws Error for two events of ordered types with one key: they would have one sequence, and so no order
 */
export function outboxItems(
  change: { emits: readonly Emission[]; sequence: number },
  author: Author,
): OutboxItem[] {
  const { project, by, actor, replay = '', cause, step = '' } = author
  const inOrder = new Set<string>()
  return change.emits.map((emission, index) => {
    const { type, data, subject } = emission
    const parsed = type.schema.safeParse(data)
    if (!parsed.success)
      throw new Failure('Invalid', `what the change tells is no ${type.type}`, {
        faults: faultsOf(parsed.error, data, 'data'),
      })
    const key = type.partitionkey?.(data as never)
    if (key === undefined)
      throw new Error(`${type.type} has no partitionkey, so it cannot go through the outbox`)
    const partitionkey = boundedKey(key)
    if (type.ordered) {
      if (inOrder.has(partitionkey))
        throw new Error(`a change tells two ordered events of one key, the second a ${type.type}: tell one`)
      inOrder.add(partitionkey)
    }
    const frame: OutboxFrame = {
      door: 'outbox',
      project,
      by,
      replay,
      actor,
      cause,
      partitionkey,
      sequence: change.sequence,
      event: { type: type.type, data, subject, step: step === '' ? index : `${step}/${index}` },
    }
    return { project, partitionkey, sequence: change.sequence, index, frame }
  })
}
