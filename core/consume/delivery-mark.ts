import { eventTypeNamed } from '../../events/catalogue.ts'
import { Failure } from '../errors.ts'
import { replayedAs } from '../frame.ts'
import { runName } from '../identity.ts'
import type { Lanes } from '../lane/lane.ts'
import type { Delivery } from '../ports.ts'
import type { Batch, ConsumeDeps, Task } from './delivery.ts'

/** What comes for the first time costs no read. */
export async function readMark(task: Task, { history }: ConsumeDeps): Promise<void> {
  const { key, message, frame } = task
  if (message.receiveCount > 1 || frame.resent || frame.release !== undefined || frame.replay !== '')
    task.existing = (await history.getDeliveries([key]))[0]
}

export function doneMark(
  { route, deps }: Batch,
  task: Task,
  { emitted, notes = [] }: { emitted: readonly string[]; notes?: readonly string[] },
): Delivery {
  const tried = triedMark(task, deps)
  return {
    ...tried,
    state: 'done',
    emitted,
    notes: notes.length === 0 ? tried.notes : [...(tried.notes ?? []), ...notes],
    run:
      route.kind === 'workflow'
        ? runName(task.key, route.subscriber, task.key.replay, task.frame.attempt ?? 1)
        : undefined,
  }
}

export function triedMark(
  { frame, attempts, existing, now }: Task,
  { clock }: ConsumeDeps,
): Omit<Delivery, 'state'> {
  return {
    attempts,
    started: existing?.started ?? now,
    changed: clock(),
    emitted: [],
    notes: existing?.notes,
    retention: eventTypeNamed(frame.event.type)?.retention ?? 'project',
    resumed: existing?.resumed,
    replayed: replayedAs(frame),
  }
}

/**
 * Only where what was read of it still stands, nothing included: else false, and what stands there goes. The message
 * finds it when it comes again. What is dead stays so until somebody sends it anew.
 */
export async function writeMark(
  { key, existing }: Task,
  next: Delivery,
  { history }: ConsumeDeps,
): Promise<boolean> {
  if (existing !== undefined) return history.transition({ key, seen: existing, next })
  const [verdict] = await history.insertDeliveries([{ ...key, ...next }])
  if (verdict?.verdict === 'failed') throw verdict.error
  return verdict?.verdict === 'inserted'
}

/**
 * The same for what must be written before it goes on. False when the delivery is done or dropped.
 * @throws Failure Busy when others have changed it otherwise: to go on is for the next receive, by what stands then
 */
export async function replace(task: Task, next: Delivery, deps: ConsumeDeps): Promise<boolean> {
  if (await writeMark(task, next, deps)) return true
  const [now] = await deps.history.getDeliveries([task.key])
  if (isFinal(now?.state)) return false
  // a try whose answer got lost is refused by what it has written itself
  if (now?.state === next.state && now.changed === next.changed && now.attempts === next.attempts) return true
  throw new Failure('Busy', 'its mark was changed meanwhile')
}

export const isFinal = (state: Delivery['state'] | undefined): boolean =>
  state === 'done' || state === 'dropped'

/**
 * Writes that it is dead or parked, which on an ordered route closes its lane; false where the delivery is settled. What
 * was read of it must still stand: what was never read of it was received for the first time.
 * A further run that somebody asked for belongs to a delivery that may be done since the first: that it could not be
 * started is noted there, or nobody would ever hear of it.
 */
export async function markFailed(task: Task, mark: Delivery, deps: ConsumeDeps): Promise<boolean> {
  const { key, place, frame, existing } = task
  const { attempt = 1 } = frame
  if (place !== undefined) {
    const { lane, sequence } = place
    return (await lanesOf(deps).wait(lane, { key, delivery: mark, sequence }, 'closing')) !== 'final'
  }
  if (existing === undefined ? await deps.history.mark(key, mark) : await replace(task, mark, deps))
    return true
  if (attempt === 1) return false
  await deps.history.note(key, `attempt ${attempt} of its run was not started: ${mark.reason}`)
  return true
}

export function lanesOf({ lanes }: ConsumeDeps): Lanes {
  if (lanes === undefined) throw new Error('an ordered route is handled without lanes')
  return lanes
}
