import { eventTypeNamed } from '../../events/catalogue.ts'
import { Failure, isBusy } from '../errors.ts'
import { replayedAs } from '../frame.ts'
import { runName } from '../identity.ts'
import type { Lanes } from '../lane/lane.ts'
import type { Delivery } from '../ports.ts'
import type { Batch, ConsumeDeps, Task } from './task.ts'

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

/** A delivery as it was read: not at all when its message comes for the first time. */
type Read = Pick<Task, 'key' | 'existing' | 'place'>

/**
 * Only where what was read of it still stands, nothing included: else false, and what stands there goes. The message
 * finds it when it comes again. What is dead stays so until somebody sends it anew.
 */
export const writeMark = (
  { key, existing }: Read,
  next: Delivery,
  { history }: Pick<ConsumeDeps, 'history'>,
): Promise<boolean> => history.transition({ key, seen: existing, next })

/**
 * The same for what must be written before it goes on. False when the delivery is done or dropped.
 * @throws Failure Busy when others have changed it otherwise: to go on is for the next receive, by what stands then
 */
export async function replace(
  read: Read,
  next: Delivery,
  deps: Pick<ConsumeDeps, 'history'>,
): Promise<boolean> {
  if (await writeMark(read, next, deps)) return true
  const [now] = await deps.history.getDeliveries([read.key])
  if (isFinal(now?.state)) return false
  // a try whose answer got lost is refused by what it has written itself
  if (now?.state === next.state && now.changed === next.changed && now.attempts === next.attempts) return true
  throw changedMeanwhile()
}

export const changedMeanwhile = (): Failure => new Failure('Busy', 'its mark was changed meanwhile')

export const isFinal = (state: Delivery['state'] | undefined): boolean =>
  state === 'done' || state === 'dropped'

/**
 * Writes that it is dead or parked, which on an ordered route closes its lane; false where the delivery is settled. What
 * was read of it must still stand: what was never read of it was received for the first time.
 * @throws Failure Busy when others have changed it otherwise
 */
export async function markHeld(
  read: Read,
  mark: Delivery,
  deps: Pick<ConsumeDeps, 'history' | 'lanes'>,
): Promise<boolean> {
  const { key, existing, place } = read
  if (place === undefined) return replace(read, mark, deps)
  const { lane, sequence } = place
  const waiting = { key, delivery: mark, sequence, seen: existing }
  const waits = await lanesOf(deps).wait(lane, waiting, 'closing')
  if (waits === 'changed') throw changedMeanwhile()
  return waits !== 'final'
}

/**
 * The same for what was run. A further run that somebody asked for belongs to a delivery that may be done since the
 * first: that it could not be started is noted there, or nobody would ever hear of it.
 */
export async function markFailed(task: Task, mark: Delivery, deps: ConsumeDeps): Promise<boolean> {
  const { attempt = 1 } = task.frame
  if (await markHeldAsItStands(task, mark, deps)) return true
  if (attempt === 1 || task.place !== undefined) return false
  await deps.history.note(task.key, `attempt ${attempt} of its run was not started: ${mark.reason}`)
  return true
}

/**
 * What was tried to its end is not run again because another receive has noted a try meanwhile: that is replaced too. What
 * somebody has sent anew meanwhile stays.
 */
async function markHeldAsItStands(task: Task, mark: Delivery, deps: ConsumeDeps): Promise<boolean> {
  try {
    return await markHeld(task, mark, deps)
  } catch (error) {
    if (!isBusy(error)) throw error
    const [now] = await deps.history.getDeliveries([task.key])
    if (now?.state !== 'retrying' || now.resumed !== task.existing?.resumed) throw error
    return markHeld({ ...task, existing: now }, mark, deps)
  }
}

export function lanesOf({ lanes }: Pick<ConsumeDeps, 'lanes'>): Lanes {
  if (lanes === undefined) throw new Error('an ordered route is handled without lanes')
  return lanes
}
