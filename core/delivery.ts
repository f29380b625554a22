import { eventTypeNamed } from '../events/catalogue.ts'
import type { Route } from '../events/route.ts'
import { emittedId } from './admit.ts'
import { isOfNewerCode, isTerminal, reasonForLogs, reasonOf, secondsForNewerCode } from './errors.ts'
import { type Cause, type DeliveryFrame, emitFrame } from './frame.ts'
import type { Emission } from './handler.ts'
import { runName } from './identity.ts'
import type { Bodies, Clock, Delivery, DeliveryKey, History, Memory, Queues, Random } from './ports.ts'
import { traceparentOf } from './trace-context.ts'

export type ConsumeDeps = {
  history: History
  /** needed where the route's effect is state */
  memory?: Memory | undefined
  queues: Queues
  bodies: Bodies
  clock: Clock
  random: Random
}

/** A message as the queue hands it over; `receiveCount` is 1 at the first time. */
export type Message = { body: string; receiveCount: number }

/**
 * What became of a message. `again` is set when it must be seen again: in so many seconds.
 * already: it had been handled before. unreadable: no message of ours; it ends among the dead letters, as it came.
 * `reason` is for logs: it shows no values of the event, as the one in the delivery does.
 */
export type Consumed = {
  outcome: 'done' | 'already' | 'dead' | 'retrying' | 'unreadable'
  again?: number
  key?: DeliveryKey
  reason?: string
}

/** One message being handled, in one attempt. */
export type Task = {
  frame: DeliveryFrame
  message: Message
  key: DeliveryKey
  existing: Delivery | undefined
  now: string
}

/** Acted on the outside; its emissions are not sent and its mark is not written yet. */
export type Acted = { task: Task; emissions: readonly Emission[] }

/** Done marks in bulk; where a mark stands already (it was tried before), a conditional one. Answers the failures. */
export async function writeDone(
  route: Route,
  acted: readonly Acted[],
  deps: ConsumeDeps,
): Promise<Map<Acted, { error: unknown }>> {
  const failures = new Map<Acted, { error: unknown }>()
  if (acted.length === 0) return failures
  const marks = acted.map((item) => ({
    ...item.task.key,
    ...doneMark(route, item.task, item.emissions, deps),
  }))
  try {
    const verdicts = await deps.history.insertDeliveries(marks)
    await Promise.all(
      acted.map(async (item, index) => {
        const verdict = verdicts[index]
        const mark = marks[index]
        if (verdict?.verdict === 'failed') failures.set(item, { error: verdict.error })
        else if (verdict?.verdict === 'exists' && mark)
          await deps.history
            .mark(item.task.key, mark)
            .catch((error: unknown) => failures.set(item, { error }))
      }),
    )
  } catch (error) {
    for (const item of acted) failures.set(item, { error })
  }
  return failures
}

export function emitFrames(route: Route, { task, emissions }: Acted) {
  return emissions.map((emission, index) => emissionFrame(route, task, emission, index))
}

function emissionFrame(route: Route, task: Task, { type, data, subject }: Emission, step: number) {
  return emitFrame.parse({
    door: 'emit',
    project: task.key.project,
    by: route.subscriber,
    replay: task.key.replay,
    cause: causeOf(task),
    event: { type: type.type, data, subject, step },
  })
}

export function causeOf({ frame: { event } }: Task): Cause {
  const { source, id, correlationid, hops } = event
  return { source, id, correlationid, hops, traceparent: traceparentOf(event) }
}

export function doneMark(
  route: Route,
  task: Task,
  emissions: readonly Emission[],
  deps: ConsumeDeps,
): Delivery {
  return {
    ...triedMark(task, deps),
    state: 'done',
    emitted: emissions.map((emission, index) => emittedId(emissionFrame(route, task, emission, index))),
    run:
      route.kind === 'workflow'
        ? runName(task.key, route.subscriber, task.key.replay, task.frame.attempt ?? 1)
        : undefined,
  }
}

function triedMark(task: Task, deps: ConsumeDeps): Omit<Delivery, 'state'> {
  return {
    attempts: task.message.receiveCount,
    started: task.existing?.started ?? task.now,
    changed: deps.clock(),
    emitted: [],
    notes: task.existing?.notes,
    retention: eventTypeNamed(task.frame.event.type)?.retention ?? 'project',
  }
}

/**
 * Terminal, or the last attempt: dead, with the reason. Else the first failure leaves a mark, and it is tried again.
 * What newer code wrote is never given up here: it is tried again for as long as its queue keeps it (attempts + 3
 * receives, 15 minutes apart: an hour and a half at the least), and then it is a dead letter.
 */
export async function fail(route: Route, task: Task, error: unknown, deps: ConsumeDeps): Promise<Consumed> {
  const { key, message, existing } = task
  const logged = reasonForLogs(error)
  const waits = isOfNewerCode(error)
  const last = !waits && message.receiveCount >= route.attempts
  const dead = isTerminal(error) || last
  const again = waits ? secondsForNewerCode : backoff(message.receiveCount, deps.random)
  try {
    if (dead || existing === undefined || waitsForCode(existing) !== waits) {
      const tries =
        last && !isTerminal(error) ? ` (attempt ${message.receiveCount} of ${route.attempts})` : ''
      const reason = `${reasonOf(error)}${tries}`
      const tried = triedMark(task, deps)
      const state = dead ? 'dead' : 'retrying'
      const attempts = waits ? 0 : tried.attempts
      const marked = await markFailed(task, { ...tried, attempts, state, reason }, deps)
      if (!marked) return { outcome: 'already', key }
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

/** Received for newer code so far, and not tried once: `attempts` are 0 then, and receives before do not count. */
export const waitsForCode = (existing: Delivery | undefined): boolean =>
  existing?.state === 'retrying' && existing.attempts === 0

/** Received more often than it may be tried: the attempts before this one ended without a word. */
export async function giveUp(route: Route, task: Task, deps: ConsumeDeps): Promise<Consumed> {
  const given = `given up after ${route.attempts} attempts`
  const silent = 'each attempt crashed or ran out of time'
  const attempts = Math.min(task.message.receiveCount, route.attempts)
  const reason = `${given}: ${task.existing?.reason ?? silent}`
  const marked = await markFailed(task, { ...triedMark(task, deps), attempts, state: 'dead', reason }, deps)
  if (!marked) return { outcome: 'already', key: task.key }
  return {
    outcome: 'dead',
    key: task.key,
    reason: task.existing?.reason === undefined ? `${given}: ${silent}` : given,
  }
}

/**
 * Writes the mark; false where the delivery is settled. A further run that somebody asked for belongs to a delivery that
 * may be done since the first: that it could not be started is noted there, or nobody would ever hear of it.
 */
async function markFailed(
  { key, frame: { attempt = 1 } }: Task,
  mark: Delivery,
  deps: ConsumeDeps,
): Promise<boolean> {
  if (await deps.history.mark(key, mark)) return true
  if (attempt === 1) return false
  if (mark.state === 'dead')
    await deps.history.note(key, `attempt ${attempt} of its run was not started: ${mark.reason}`)
  return true
}

const longestBackoff = 900

/** Exponential with full jitter: 1 to 2ⁿ seconds after the n-th failure, at most 15 minutes. */
export const backoff = (failures: number, random: Random): number =>
  Math.max(1, Math.ceil(random() * Math.min(longestBackoff, 2 ** failures)))
