import { byteLength, limits } from '../../events/envelope.ts'
import { commitDecision } from '../commit-decision.ts'
import { Failure, isBusy } from '../errors.ts'
import { presentDataOf } from '../event/body.ts'
import type { HandledAny } from '../event/handler.ts'
import { outboxItems } from '../event/outbox.ts'
import { newestData } from '../event/versions.ts'
import { idempotencyKey } from '../identity.ts'
import type { Delivery } from '../ports.ts'
import { after, day } from '../time.ts'
import { traceparentOf } from '../trace-context.ts'
import { begin, fail, giveUp, mayNotRun, park, waitsForCode } from './delivery.ts'
import { doneMark } from './delivery-mark.ts'
import { causeOf, differences, emitFrames, emittedIds, isCompared, listOf } from './emissions.ts'
import { shadowOf } from './shadow.ts'
import { type Acted, type Batch, type Consumed, isLate, type Task } from './task.ts'

/** Runs a delivery that nothing has settled yet, if it may be run now and has an attempt left. Throws what fails. */
export async function runNow(task: Task, batch: Batch): Promise<Consumed | Acted> {
  const { route, deps } = batch
  task.downstream = route.downstream?.(task.frame.event) ?? ''
  if (task.attempts > route.attempts && !waitsForCode(task.existing)) return await giveUp(task, batch)
  if (task.behind && isLate(batch)) throw new Failure('Busy', 'those before it took the time of its batch')
  const reason = await mayNotRun(task, batch)
  if (reason !== undefined) return await park(task, reason, task.attempts - 1, batch)
  if (task.place !== undefined && !(await begin(task, deps))) return { outcome: 'already', key: task.key }
  refuseUnfit(task, batch)
  const handled = await prepare(task, batch)
  return await run(handled, task, batch)
}

/** What is live is never changed by an event of the past: what keeps state is rebuilt apart from it. */
function refuseUnfit({ frame }: Task, { route }: Batch): void {
  if (route.kind === 'workflow' || frame.replay === '') return
  const { subscriber, effect } = route
  if (effect === 'state' && !frame.rebuild)
    throw new Failure('Invalid', `${subscriber} keeps state: it is rebuilt, not replayed`)
  if (effect === 'outside' && frame.rebuild)
    throw new Failure('Invalid', `${subscriber} keeps no state: it is replayed, not rebuilt`)
}

async function prepare({ frame, key, now }: Task, { deps }: Batch): Promise<HandledAny> {
  const { event, replay } = frame
  const { type, data } = newestData(event, await presentDataOf(event, deps.bodies))
  return {
    type,
    data,
    event,
    idempotencyKey: idempotencyKey(key, key.subscriber, replay),
    traceparent: traceparentOf(event),
    replay,
    attempt: frame.attempt ?? 1,
    now,
  }
}

/** Hands it over, and keeps how that went apart from what comes before and after: that is no fault of a downstream. */
async function run(handled: HandledAny, task: Task, batch: Batch): Promise<Consumed | Acted> {
  const { route, handler, deps, results } = batch
  try {
    const ran =
      route.effect === 'state'
        ? await commitChange(handled, task, batch)
        : { task, emissions: listOf(await handler(handled, deps.memory)) }
    if (!task.frame.rebuild) results.succeeded(task)
    return ran
  } catch (error) {
    if (!task.frame.rebuild) results.failed(task, error)
    throw error
  }
}

const keptFor = 30 * day

/** Effect state: what it changes, what it emits and its mark are one transaction; lost races are decided again. */
async function commitChange(handled: HandledAny, task: Task, batch: Batch): Promise<Consumed | Acted> {
  const { route, handler, deps } = batch
  const { project, replay } = task.key
  const by = route.subscriber
  if (deps.memory === undefined) throw new Error(`${by} is of effect state and has no memory`)
  const rebuilds = task.frame.rebuild === true
  const memory = rebuilds ? shadowOf(deps.memory, replay, after(task.now, keptFor)) : deps.memory
  const { verdict } = await waitingOut(batch, () =>
    commitDecision(
      async (change) => {
        const verdict = await memory.commit(change)
        if (verdict === 'version conflict' && deps.clock() >= batch.patience)
          throw new Failure('Busy', `others changed what ${by} changes until its time was over`)
        return verdict
      },
      `what ${by} changes`,
      async () => {
        const change = await handler(handled, memory)
        if (change === undefined) return { change, answer: undefined }
        if (!('emits' in change))
          throw new Error('a subscriber of effect state answered emissions without a change')
        const author = { project, by, replay, actor: `service:${by}`, cause: causeOf(task) }
        const outbox = rebuilds ? [] : outboxItems(change, author)
        const emitted = rebuilds ? [] : emittedIds(batch, { task, emissions: change.emits })
        const mark = { ...task.key, ...doneMark(batch, task, { emitted }) }
        return { change: { writes: change.writes, outbox, mark }, answer: undefined }
      },
    ),
  )
  if (verdict === 'nothing to commit') return { task, emissions: [] }
  return { outcome: verdict === 'committed' ? 'done' : 'already', key: task.key }
}

const longestWait = 1000

/**
 * Races that others win again and again are decided once more after a while, longer each time and by chance, so that not
 * all come back at once; within half of what a function may take. When that was in vain nothing more of the batch is begun:
 * it would lose as well, and the time is needed to say so of each.
 */
async function waitingOut<Answer>(batch: Batch, decide: () => Promise<Answer>): Promise<Answer> {
  const { pause, clock, random } = batch.deps
  for (let most = 50; ; most = Math.min(most * 2, longestWait))
    try {
      return await decide()
    } catch (error) {
      const wait = Math.ceil(random() * most)
      const isOver = Date.parse(clock()) + wait > Date.parse(batch.patience)
      if (isOver && isBusy(error)) batch.deadline = clock()
      if (pause === undefined || isOver || !isBusy(error)) throw error
      await pause(wait)
    }
}

type Telling = { item: Acted; bodies: readonly string[]; done: Delivery }

/**
 * Sends what was emitted, then writes the marks: a crash between the two emits the same events again, known by their
 * id. What a replay emits is compared instead, and the mark says what differs.
 */
export async function conclude(acted: readonly Acted[], batch: Batch): Promise<Consumed[]> {
  const failures = new Map<Acted, { error: unknown }>()
  const telling = await Promise.all(
    acted.map(async (item): Promise<Telling[]> => {
      try {
        return [await tellingOf(item, batch)]
      } catch (error) {
        // what no message can carry is that handler's failure, and not that of its neighbours
        failures.set(item, { error })
        return []
      }
    }),
  )
  const all = telling.flat()
  for (const [item, failure] of await sendAll(all, batch)) failures.set(item, failure)
  const sent = all.filter(({ item }) => !failures.has(item))
  for (const [item, failure] of await writeDone(sent, batch)) failures.set(item, failure)
  return Promise.all(
    acted.map((item): Consumed | Promise<Consumed> => {
      const failure = failures.get(item)
      return failure ? fail(item.task, failure.error, batch) : { outcome: 'done', key: item.task.key }
    }),
  )
}

async function tellingOf(item: Acted, batch: Batch): Promise<Telling> {
  const { task } = item
  if (isCompared(batch.route, task)) {
    const notes = await differences(item, batch)
    return { item, bodies: [], done: doneMark(batch, task, { emitted: [], notes }) }
  }
  const received = batch.deps.clock()
  const bodies = emitFrames(batch, item).map((frame) => {
    const body = JSON.stringify({ ...frame, received })
    const size = byteLength(body)
    if (size <= limits.message) return body
    const type = frame.event.type
    throw new Failure(
      'TooLarge',
      `${type} has ${size} bytes as a message, at most ${limits.message} can be sent`,
    )
  })
  return { item, bodies, done: doneMark(batch, task, { emitted: emittedIds(batch, item) }) }
}

/** Answers why, for each of which something could not be sent. */
async function sendAll(
  telling: readonly Telling[],
  { deps }: Batch,
): Promise<Map<Acted, { error: unknown }>> {
  const unsent = new Map<Acted, { error: unknown }>()
  const messages = telling.flatMap(({ item, bodies }) => bodies.map((body) => ({ item, body })))
  if (messages.length === 0) return unsent
  try {
    const failures = await deps.queues.send(
      'record',
      messages.map(({ body }) => body),
    )
    for (const { index, error } of failures) {
      const message = messages[index]
      if (message) unsent.set(message.item, { error })
    }
  } catch (error) {
    for (const { item } of messages) unsent.set(item, { error })
  }
  return unsent
}

/** Done marks in bulk; where a mark stands already (it was tried before), a conditional one. Answers the failures. */
async function writeDone(
  telling: readonly Telling[],
  { deps: { history } }: Batch,
): Promise<Map<Acted, { error: unknown }>> {
  const failures = new Map<Acted, { error: unknown }>()
  if (telling.length === 0) return failures
  try {
    const verdicts = await history.insertDeliveries(
      telling.map(({ item, done }) => ({ ...item.task.key, ...done })),
    )
    await Promise.all(
      telling.map(async ({ item, done }, index) => {
        const verdict = verdicts[index]
        if (verdict?.verdict === 'failed') failures.set(item, { error: verdict.error })
        else if (verdict?.verdict === 'exists')
          await history.mark(item.task.key, done).catch((error: unknown) => failures.set(item, { error }))
      }),
    )
  } catch (error) {
    for (const { item } of telling) failures.set(item, { error })
  }
  return failures
}
