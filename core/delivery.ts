import { eventTypeNamed } from '../events/catalogue.ts'
import type { Route } from '../events/route.ts'
import { emittedId } from './admit.ts'
import { isTerminal, reasonOf } from './errors.ts'
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

/** Terminal, or the last attempt: dead, with the reason. Else the first failure leaves a mark, and it is tried again. */
export async function fail(route: Route, task: Task, error: unknown, deps: ConsumeDeps): Promise<Consumed> {
  const { key, message, existing } = task
  const reason = reasonOf(error)
  const last = message.receiveCount >= route.attempts
  const dead = isTerminal(error) || last
  const again = backoff(message.receiveCount, deps.random)
  try {
    if (dead || existing === undefined) {
      const said =
        dead && !isTerminal(error)
          ? `${reason} (attempt ${message.receiveCount} of ${route.attempts})`
          : reason
      const state = dead ? 'dead' : 'retrying'
      const marked = await deps.history.mark(key, { ...triedMark(task, deps), state, reason: said })
      if (!marked) return { outcome: 'already', key }
    }
    return dead ? { outcome: 'dead', key, reason } : { outcome: 'retrying', again, key, reason }
  } catch (unmarked) {
    return {
      outcome: 'retrying',
      again,
      key,
      reason: `${reason}; and the mark could not be written: ${reasonOf(unmarked)}`,
    }
  }
}

/** Received more often than it may be tried: the attempts before this one ended without a word. */
export async function giveUp(route: Route, task: Task, deps: ConsumeDeps): Promise<Consumed> {
  const said = task.existing?.reason ?? 'each attempt crashed or ran out of time'
  const reason = `given up after ${route.attempts} attempts: ${said}`
  const attempts = Math.min(task.message.receiveCount, route.attempts)
  const mark = { ...triedMark(task, deps), attempts, state: 'dead', reason } as const
  const marked = await deps.history.mark(task.key, mark)
  return marked ? { outcome: 'dead', key: task.key, reason } : { outcome: 'already', key: task.key }
}

const longestBackoff = 900

/** Exponential with full jitter: 1 to 2ⁿ seconds after the n-th failure, at most 15 minutes. */
export const backoff = (failures: number, random: Random): number =>
  Math.max(1, Math.ceil(random() * Math.min(longestBackoff, 2 ** failures)))
