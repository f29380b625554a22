import { Failure, isTerminal, reasonForLogs } from '../errors.ts'
import { isPaced, type Lane, type LaneKey, releaseLane } from '../lane/lane.ts'
import type { Delivery } from '../ports.ts'
import { backoff, failed, notRun } from './delivery.ts'
import { changedMeanwhile, isFinal, lanesOf, readMark, triedMark } from './delivery-mark.ts'
import { conclude, runNow } from './handle.ts'
import { type Batch, type Consumed, type Received, type Spent, type Task, taskOf } from './task.ts'

/** A lane as one batch knows it: read once, and kept up to date by what the batch does itself. */
export type LaneView = {
  lane: LaneKey
  /** undefined: to be read */
  known: { closed: Pick<Lane, 'release' | 'reason' | 'since'> | undefined } | undefined
}

const isHeld = (state: Delivery['state'] | undefined): boolean => state === 'dead' || state === 'parked'

/**
 * Handles one delivery of an ordered route; the caller hands over those of one lane one after the other, and none after
 * one that is tried again. It is run when its lane is open, or was released and this one sent with that; else it waits
 * behind what closed the lane. Does not throw.
 */
export async function handleInLane(
  received: Received,
  view: LaneView,
  batch: Batch,
): Promise<Consumed | Spent> {
  const { frame } = received
  const task = taskOf(batch, received)
  const already: Consumed = { outcome: 'already', key: task.key }
  try {
    await readMark(task, batch.deps)
    task.place = { lane: view.lane, sequence: sequenceOf(task) }
    const state = task.existing?.state
    task.attempts = state === 'retrying' ? (task.existing?.attempts ?? 0) + 1 : 1
    if (isFinal(state)) return await afterRun(task, already, view, batch)
    // it waits in its lane already: what is sent when that is released names the release
    if (isHeld(state) && frame.release === undefined) return already
    if (await isClosed(task, view, batch)) {
      if (hasPlace(task)) return already
      const waits = await waitBehind(task, view, batch)
      if (waits === 'waits') return { outcome: 'parked', key: task.key }
      if (waits === 'final') return await afterRun(task, already, view, batch)
      view.known = { closed: undefined }
    }
    const ran = await runNow(task, batch)
    const [consumed] = 'emissions' in ran ? await conclude([ran], batch) : [ran]
    return await afterRun(task, consumed ?? already, view, batch)
  } catch (error) {
    // what could not be read, or not be written down, is no attempt
    if (!task.begun && !isTerminal(error)) return notRun(task, error, batch)
    const result = await failed(task, error, batch)
    return 'spent' in result ? result : await afterRun(task, result, view, batch)
  }
}

/** @throws Failure Invalid: it has no place in the order, and so closes no lane */
function sequenceOf({ frame: { event }, key }: Task): number {
  if (event.sequence !== undefined) return event.sequence
  throw new Failure('Invalid', `${key.subscriber} is handled in order, and this event has no place in it`, {
    faults: [{ path: 'sequence', expected: 'the number that events of ours have', got: 'nothing' }],
  })
}

async function isClosed({ frame }: Task, view: LaneView, { deps }: Batch): Promise<boolean> {
  view.known ??= { closed: await lanesOf(deps).lane(view.lane) }
  const { closed } = view.known
  return closed !== undefined && (frame.release === undefined || frame.release !== closed.release)
}

/**
 * Whether it waits in its lane already, or is being tried under the release that counts and this was sent with one before
 * that: a copy, which must not send it back to wait, and have its attempts begin anew.
 */
const hasPlace = ({ frame, existing }: Task): boolean =>
  isHeld(existing?.state) || (existing?.state === 'retrying' && frame.release !== undefined)

/** @throws Failure Busy when its mark no longer stands as it was read */
async function waitBehind(task: Task, { lane, known }: LaneView, { deps }: Batch) {
  const { since = '', reason = '' } = known?.closed ?? {}
  const delivery: Delivery = {
    ...triedMark(task, deps),
    attempts: task.existing?.attempts ?? 0,
    state: 'parked',
    reason: `waits behind an earlier event, since ${since}: ${reason}`.slice(0, 1000),
  }
  const { key, existing: seen, place } = task
  const waiting = { key, delivery, sequence: place?.sequence ?? 0, seen }
  const waits = await lanesOf(deps).wait(lane, waiting, 'behind')
  if (waits === 'changed') throw changedMeanwhile()
  return waits
}

/**
 * What follows for the lane: what is dead or parked has closed it, and what was released and is settled leaves it. If
 * that fails the message comes again, finds its delivery settled, and does it then.
 */
export async function afterRun(
  task: Task,
  consumed: Consumed,
  view: LaneView,
  batch: Batch,
): Promise<Consumed> {
  const { outcome } = consumed
  if (outcome === 'dead' || outcome === 'parked') view.known = undefined
  if ((outcome !== 'done' && outcome !== 'already') || task.frame.release === undefined) return consumed
  try {
    view.known = undefined
    await leave(task, batch)
    return consumed
  } catch (error) {
    const again = backoff(task.message.receiveCount, batch.deps.random)
    const reason = `handled, but its lane could not go on: ${reasonForLogs(error)}`
    return { outcome: 'retrying', again, key: task.key, reason }
  }
}

/**
 * Takes it off what waits. After the last of a release the lane opens, or what came since is released; so it is when
 * the message had come before and been handled then: that it is here again says that this was not done to the end. What
 * is released at a pace is left to the job that does that.
 */
async function leave({ key, frame, place, existing }: Task, { deps }: Batch): Promise<void> {
  if (place === undefined) return
  const { lane, sequence } = place
  const lanes = lanesOf(deps)
  await lanes.leave(lane, { key, sequence })
  const now = await lanes.lane(lane)
  if (now === undefined) return
  if (isPaced(now.release) && (await lanes.waiting(lane, 1)).length > 0) return
  const wasLast = now.release === frame.release && sequence >= (now.last ?? sequence)
  if (wasLast || isFinal(existing?.state)) await releaseLane(lane, { dead: [] }, { ...deps, lanes })
}
