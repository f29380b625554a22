import * as z from 'zod'
import type { DeliveryKey, MemoryRecord, MemoryWrite, RecordKey } from '../ports.ts'
import { type Circuits, circuits, covering } from './circuit.ts'

/** Whether deliveries of a subscriber are run now, and what came of those that were. */
export interface Controls {
  /**
   * `run: false`: the delivery is to be parked, with this reason. A `probe` is let through an open circuit to try whether
   * what it needs answers again. `unsure`: why nobody knows whether it may; what needs memory anyway waits until somebody
   * does. Asked for each delivery; costs a read every few seconds only.
   */
  mayRun(
    project: string,
    downstream: string,
  ): Promise<{ run: true; probe?: boolean; unsure?: { error: unknown } } | { run: false; reason: string }>
  /**
   * What handling came to, per project and downstream of one batch: circuits open on like failures of several events and
   * close when a probe succeeds. Terminal failures are the event's fault and do not count. Never throws.
   */
  report(
    project: string,
    downstream: string,
    results: { succeeded: number; failed: readonly { key: DeliveryKey; error: unknown }[]; probed: boolean },
  ): Promise<void>
}

const pause = z.object({ by: z.string(), at: z.iso.datetime(), reason: z.string().optional() })
export type Pause = z.infer<typeof pause>

/**
 * What holds back the deliveries of one subscriber in one project. A person's pause and that of a rebuild stand side by
 * side, and each is taken back for itself.
 */
const control = circuits.extend({
  paused: pause.optional(),
  rebuild: z.object({ job: z.string(), by: z.string(), at: z.iso.datetime() }).optional(),
})
export type Control = z.infer<typeof control>

export const controlRecord = (project: string, subscriber: string): RecordKey => ({
  project,
  kind: 'control',
  name: subscriber,
})

/** The list of those that hold something back. */
export const heldList = 'controls/held'

/** A subscriber without a record is not held back. @throws ZodError when the record was written by something else */
export const controlOf = (record: MemoryRecord | undefined): Control =>
  control.parse(record === undefined ? {} : record.value)

/** The pause for which nothing runs: a person's before that of a rebuild. */
export const pauseOf = ({ paused, rebuild }: Pick<Control, 'paused' | 'rebuild'>): Pause | undefined =>
  paused ?? (rebuild && { by: rebuild.by, at: rebuild.at, reason: `rebuild ${rebuild.job}` })

/** Why deliveries for this downstream are parked; undefined: they run. */
export function heldBack(state: Control, downstream: string): string | undefined {
  const paused = pauseOf(state)
  if (paused !== undefined) {
    const why = paused.reason === undefined ? '' : `: ${paused.reason}`
    return `paused by ${paused.by} at ${paused.at}${why}`
  }
  const circuit = covering(state, downstream)
  if (circuit === undefined) return undefined
  const of = circuit.downstream === '' ? '' : ` of ${circuit.downstream}`
  return `circuit${of} open since ${circuit.since}: ${circuit.reason}`
}

/** The record as it shall be after a change of the one that was read. */
export const controlWrite = (
  key: { project: string; subscriber: string },
  record: MemoryRecord | undefined,
  state: Circuits & Pick<Control, 'paused' | 'rebuild'>,
): MemoryWrite => ({
  ...controlRecord(key.project, key.subscriber),
  version: (record?.version ?? 0) + 1,
  value: state,
  ...(pauseOf(state) !== undefined || state.circuits.length > 0
    ? { place: { list: heldList, order: key.subscriber } }
    : {}),
})
