import type { Route } from '../events/route.ts'
import { identityOf } from './admit.ts'
import { presentDataOf } from './body.ts'
import { commitDecision } from './commit-decision.ts'
import {
  type Acted,
  type ConsumeDeps,
  type Consumed,
  causeOf,
  doneMark,
  emitFrames,
  fail,
  giveUp,
  type Message,
  type Task,
  waitsForCode,
  writeDone,
} from './delivery.ts'
import { type DeliveryFrame, deliveryFrame } from './frame.ts'
import type { Change, Emission, HandledAny, HandlerAny } from './handler.ts'
import { idempotencyKey, identityText } from './identity.ts'
import { outboxItems } from './outbox.ts'
import { traceparentOf } from './trace-context.ts'
import { newestData } from './versions.ts'

/**
 * Hands a batch of messages to a subscriber's handler and keeps the books on it: one Consumed per message, in order.
 * Does not throw for any of them. Messages of one partition key are handled one after the other, others side by side;
 * a delivery that lies in the batch more than once is handled once.
 */
export async function consume(
  route: Route,
  handler: HandlerAny,
  messages: readonly Message[],
  deps: ConsumeDeps,
): Promise<Consumed[]> {
  const settled: Consumed[] = messages.map(() => ({
    outcome: 'unreadable',
    again: 60,
    reason: 'not a delivery of ours',
  }))
  const frames = messages.flatMap((message, index) => {
    const frame = readFrame(message.body)
    return frame ? [{ index, message, frame }] : []
  })
  const deliveries = [...Map.groupBy(frames, ({ frame }) => deliveryText(frame)).values()]
  const firsts = deliveries.flatMap(([first, ...more]) => (first ? [sentOnce(first, more.length === 0)] : []))
  const acted: { index: number; acted: Acted }[] = []
  const groups = Map.groupBy(firsts, ({ frame: { event } }) => `${event.project} ${event.partitionkey}`)
  await Promise.all(
    [...groups.values()].map(async (group) => {
      for (const { index, ...received } of group) {
        const result = await handleOne(route, handler, received, deps)
        if ('emissions' in result) acted.push({ index, acted: result })
        else settled[index] = result
      }
    }),
  )
  const concluded = await conclude(
    route,
    acted.map((item) => item.acted),
    deps,
  )
  for (const [position, { index }] of acted.entries()) {
    const consumed = concluded[position]
    if (consumed) settled[index] = consumed
  }
  for (const [first, ...more] of deliveries) {
    const consumed = first && settled[first.index]
    if (consumed) for (const { index } of more) settled[index] = afterwards(consumed)
  }
  return settled
}

const deliveryText = ({ event, replay, attempt = 1 }: DeliveryFrame): string =>
  [identityText(identityOf(event)), replay, attempt].join('\n')

/** Of two messages one was sent later, so the mark is read first whichever of them is taken. */
const sentOnce = <Received extends { frame: DeliveryFrame }>(received: Received, once: boolean): Received =>
  once ? received : { ...received, frame: { ...received.frame, resent: true } }

/** What becomes of a message whose delivery came to this in the same batch. */
const afterwards = (consumed: Consumed): Consumed =>
  consumed.outcome === 'retrying' || consumed.key === undefined
    ? consumed
    : { outcome: 'already', key: consumed.key }

function readFrame(body: string): DeliveryFrame | undefined {
  try {
    return deliveryFrame.safeParse(JSON.parse(body)).data
  } catch {
    // no JSON: the caller says unreadable
    return undefined
  }
}

async function handleOne(
  route: Route,
  handler: HandlerAny,
  { message, frame }: { message: Message; frame: DeliveryFrame },
  deps: ConsumeDeps,
): Promise<Consumed | Acted> {
  const key = { ...identityOf(frame.event), subscriber: route.subscriber, replay: frame.replay }
  const task: Task = { frame, message, key, existing: undefined, now: deps.clock() }
  try {
    // what comes for the first time costs no read
    if (message.receiveCount > 1 || frame.resent || frame.replay !== '')
      task.existing = (await deps.history.getDeliveries([key]))[0]
    // a run that somebody retries is a further start of a delivery that is done
    const settledBefore = task.existing !== undefined && task.existing.state !== 'retrying'
    if (settledBefore && (frame.attempt ?? 1) === 1) return { outcome: 'already', key }
    if (message.receiveCount > route.attempts && !waitsForCode(task.existing))
      return await giveUp(route, task, deps)
    const handled = await prepare(task, deps)
    if (route.effect === 'state') return await commitChange(route, handler, handled, task, deps)
    return { task, emissions: listOf(await handler(handled, deps.memory)) }
  } catch (error) {
    return await fail(route, task, error, deps)
  }
}

const listOf = (result: readonly Emission[] | Change | undefined): readonly Emission[] => {
  if (result === undefined) return []
  if ('emits' in result) throw new Error('a subscriber of effect outside answered a change of state')
  return result
}

async function prepare({ frame, key, now }: Task, deps: ConsumeDeps): Promise<HandledAny> {
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

/** Effect state: what it changes, what it emits and its mark are one transaction; lost races are decided again. */
async function commitChange(
  route: Route,
  handler: HandlerAny,
  handled: HandledAny,
  task: Task,
  deps: ConsumeDeps,
): Promise<Consumed | Acted> {
  const { memory } = deps
  const { project, replay } = task.key
  const by = route.subscriber
  if (memory === undefined) throw new Error(`${by} is of effect state and has no memory`)
  const { verdict } = await commitDecision(
    (change) => memory.commit(change),
    `what ${by} changes`,
    async () => {
      const change = await handler(handled, memory)
      if (change === undefined) return { change, answer: undefined }
      if (!('emits' in change))
        throw new Error('a subscriber of effect state answered emissions without a change')
      const cause = causeOf(task)
      const outbox = outboxItems(change, { project, by, replay, actor: `service:${by}`, cause })
      const mark = { ...task.key, ...doneMark(route, task, change.emits, deps) }
      return { change: { writes: change.writes, outbox, mark }, answer: undefined }
    },
  )
  if (verdict === 'nothing to commit') return { task, emissions: [] }
  return { outcome: verdict === 'committed' ? 'done' : 'already', key: task.key }
}

/** Sends what was emitted, then writes the marks: a crash between the two emits the same events again, known by their id. */
async function conclude(route: Route, acted: readonly Acted[], deps: ConsumeDeps): Promise<Consumed[]> {
  const unsent = new Map<Acted, unknown>()
  const frames = acted.flatMap((item) => {
    try {
      return emitFrames(route, item).map((framed) => ({
        item,
        body: JSON.stringify({ ...framed, received: deps.clock() }),
      }))
    } catch (error) {
      // what no message can carry is that handler's failure, and not that of its neighbours
      unsent.set(item, error)
      return []
    }
  })
  if (frames.length > 0)
    try {
      const failures = await deps.queues.send(
        'record',
        frames.map((framed) => framed.body),
      )
      for (const { index, error } of failures) {
        const framed = frames[index]
        if (framed) unsent.set(framed.item, error)
      }
    } catch (error) {
      for (const { item } of frames) unsent.set(item, error)
    }
  const emitted = acted.filter((item) => !unsent.has(item))
  const marked = await writeDone(route, emitted, deps)
  return Promise.all(
    acted.map((item): Consumed | Promise<Consumed> => {
      const failure = unsent.has(item) ? { error: unsent.get(item) } : marked.get(item)
      return failure ? fail(route, item.task, failure.error, deps) : { outcome: 'done', key: item.task.key }
    }),
  )
}
