import { mostReceives, type Route } from '../../events/route.ts'
import { attempt } from '../attempt.ts'
import { isBusy, isOfNewerCode, isTerminal, reasonForLogs, reasonOf, secondsForNewerCode } from '../errors.ts'
import type { Delivery, Random } from '../ports.ts'
import { markFailed, replace, triedMark, writeMark } from './delivery-mark.ts'
import type { Batch, ConsumeDeps, Consumed, Spent, Task } from './task.ts'

/**
 * Was not run, and nothing is written of it: what stands there could not be read, or the attempt was not begun. It comes
 * again, for as often as its queue allows.
 */
export function notRun({ key, message }: Task, error: unknown, { deps }: Batch): Consumed {
  const again = isOfNewerCode(error) ? secondsForNewerCode : backoff(message.receiveCount, deps.random)
  const contended = isBusy(error) ? ({ contended: true } as const) : {}
  return { outcome: 'retrying', again, key, reason: reasonForLogs(error), ...contended }
}

/**
 * On an ordered route the attempts are counted in the mark: receive counts rise while a message is held. One is written
 * down before it is begun, so that one that crashes counts too; but for the very first, which would cost a write each:
 * a crash there is not counted. What was dead or parked begins anew. False when the delivery is settled.
 * @throws Failure Busy when it no longer stands as it was read
 */
export async function begin(task: Task, deps: ConsumeDeps): Promise<boolean> {
  const { existing, message, attempts } = task
  if (existing === undefined && message.receiveCount === 1) {
    task.begun = true
    return true
  }
  const isReopened = existing !== undefined && existing.state !== 'retrying'
  const begun: Delivery = {
    ...triedMark(task, deps),
    state: 'retrying',
    reason: (isReopened ? undefined : existing?.reason) ?? `attempt ${attempts} was begun, and did not end`,
    ...(isReopened ? { resumed: (existing.resumed ?? 0) + 1 } : {}),
  }
  if (!(await replace(task, begun, deps))) return false
  task.existing = begun
  task.begun = true
  return true
}

/** What fails now has failed for the last time, though it is not hopeless. */
const isSpent = (route: Route, { attempts }: Task, error: unknown): boolean =>
  !isTerminal(error) && !isOfNewerCode(error) && !isBusy(error) && attempts >= route.attempts

/** Marks a failure, unless it is the last one: that waits until it is reported. */
export const failed = async (task: Task, error: unknown, batch: Batch): Promise<Consumed | Spent> =>
  isSpent(batch.route, task, error) ? { task, spent: { error } } : fail(task, error, batch)

/**
 * Terminal, or the last attempt: dead, with the reason; parked, where what it needs does not answer others either. Else
 * it is tried again, and leaves a mark: on an ordered route each time, else the first time.
 * What newer code wrote is never given up here: it is tried again for as long as its queue keeps it (attempts + 3
 * receives, 15 minutes apart: an hour and a half at the least), and then it is a dead letter.
 */
export async function fail(task: Task, error: unknown, batch: Batch): Promise<Consumed> {
  const { route, deps } = batch
  if (isBusy(error)) return yieldTo(task, error, batch)
  const { key, existing, attempts } = task
  const logged = reasonForLogs(error)
  const waits = isOfNewerCode(error)
  const spent = isSpent(route, task, error)
  const dead = isTerminal(error) || spent
  const again = waits ? secondsForNewerCode : backoff(attempts, deps.random)
  try {
    const held = spent ? await stillHeld(task, error, batch) : undefined
    if (held !== undefined)
      return { ...(await park(task, `${reasonOf(error)}; ${held}`, attempts, batch)), reason: logged }
    if (dead || route.ordered || existing === undefined || waitsForCode(existing) !== waits) {
      const reason = `${reasonOf(error)}${spent ? ` (attempt ${attempts} of ${route.attempts})` : ''}`
      const mark = { ...triedMark(task, deps), ...(waits ? { attempts: 0 } : {}), reason }
      const uncounted = existing?.uncounted
      if (!dead) await writeMark(task, { ...mark, uncounted, state: 'retrying' }, deps)
      else if (!(await markFailed(task, { ...mark, state: 'dead' }, deps))) return { outcome: 'already', key }
    }
    return dead
      ? { outcome: 'dead', key, reason: logged }
      : { outcome: 'retrying', again, key, reason: logged }
  } catch (unmarked) {
    return {
      outcome: 'retrying',
      again,
      key,
      reason: `${logged}; and the mark could not be written: ${reasonForLogs(unmarked)}`,
    }
  }
}

/**
 * Others kept changing what it changes: that was no attempt, and the mark says so. What its queue would make a dead letter
 * with this receive is let go of there, and its mark says that no message of it is left: it stays `retrying`, and the sweep
 * sends it anew (of a rebuild, the rebuild). The new message goes on with the attempts of this one.
 */
async function yieldTo(task: Task, error: unknown, { route, deps }: Batch): Promise<Consumed> {
  const { key, existing, attempts, message } = task
  const reason = reasonForLogs(error)
  const counted = attempts - 1
  const isLast = !route.ordered && message.receiveCount >= mostReceives(route)
  const again = { again: backoff(Math.min(message.receiveCount, route.attempts), deps.random) }
  const uncounted = isLast ? -counted : (existing?.uncounted ?? 0) + 1
  const mark: Delivery = {
    ...triedMark(task, deps),
    state: 'retrying',
    attempts: counted,
    reason: reasonOf(error),
    ...(route.ordered ? {} : { uncounted }),
    ...(isLast ? { letGo: true } : {}),
  }
  const written = await attempt(() => writeMark(task, mark, deps))
  if ('error' in written)
    return {
      ...{ outcome: 'retrying', ...again, key },
      reason: `${reason}; and the mark could not be written: ${reasonForLogs(written.error)}`,
    }
  return { outcome: 'retrying', ...(isLast && written.value ? {} : again), key, reason, contended: true }
}

/** Received for newer code so far, and not tried once: `attempts` are 0 then, and receives before do not count. */
export const waitsForCode = (existing: Delivery | undefined): boolean =>
  existing?.state === 'retrying' && existing.attempts === 0 && existing.uncounted === undefined

/** Seen more often than it may be tried: the attempts before this one ended without a word. */
export async function giveUp(task: Task, batch: Batch): Promise<Consumed> {
  const { route, deps } = batch
  const given = `given up after ${route.attempts} attempts`
  const silent = 'each attempt crashed or ran out of time'
  const attempts = Math.min(task.attempts, route.attempts)
  const reason = `${given}: ${task.existing?.reason ?? silent}`
  const logged = task.existing?.reason === undefined ? `${given}: ${silent}` : given
  const held = await stillHeld(task, new Error(silent), batch)
  if (held !== undefined)
    return { ...(await park(task, `${reason}; ${held}`, attempts, batch)), reason: logged }
  const marked = await markFailed(task, { ...triedMark(task, deps), attempts, state: 'dead', reason }, deps)
  return marked ? { outcome: 'dead', key: task.key, reason: logged } : { outcome: 'already', key: task.key }
}

/**
 * Why it may not be run now. A delivery of a rebuild may always: it acts on nothing but a copy, and the subscriber is
 * paused while that is brought up to date.
 */
export async function mayNotRun(task: Task, { route, deps, results }: Batch): Promise<string | undefined> {
  if (task.frame.rebuild) return undefined
  const answer = await deps.controls?.mayRun(task.key.project, task.downstream)
  if (answer === undefined) return undefined
  if (!answer.run) return answer.reason
  if (answer.unsure !== undefined && route.effect === 'state') throw answer.unsure.error
  if (answer.probe) results.probing(task)
  return undefined
}

/** Why others are not run either. If this one is to be the probe of an open circuit, it has just shown how that goes. */
async function stillHeld(task: Task, error: unknown, batch: Batch): Promise<string | undefined> {
  if (task.frame.rebuild) return undefined
  const answer = await batch.deps.controls?.mayRun(task.key.project, task.downstream)
  if (answer === undefined) return undefined
  if (!answer.run) return answer.reason
  if (!answer.probe) return undefined
  batch.results.probing(task)
  batch.results.failed(task, error)
  return 'its circuit is open'
}

/** Has it wait until it is sent anew. `attempts`: how often it was tried so far. */
export async function park(task: Task, reason: string, attempts: number, { deps }: Batch): Promise<Consumed> {
  const mark: Delivery = { ...triedMark(task, deps), attempts, state: 'parked', reason }
  const marked = await markFailed(task, mark, deps)
  return { outcome: marked ? 'parked' : 'already', key: task.key }
}

const longestBackoff = 900

/** Exponential with full jitter: 1 to 2ⁿ seconds after the n-th failure, at most 15 minutes. */
export const backoff = (failures: number, random: Random): number =>
  Math.max(1, Math.ceil(random() * Math.min(longestBackoff, 2 ** failures)))
