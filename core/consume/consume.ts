import type { Route } from '../../events/route.ts'
import { identityOf } from '../event/admit.ts'
import type { HandlerAny } from '../event/handler.ts'
import { type DeliveryFrame, deliveryFrame } from '../frame.ts'
import { identityText } from '../identity.ts'
import { afterRun, handleInLane, type LaneView } from './consume-lane.ts'
import { fail, failed, notRun } from './delivery.ts'
import { readMark } from './delivery-mark.ts'
import { conclude, runNow } from './handle.ts'
import { gatherResults } from './results.ts'
import {
  type Acted,
  type Batch,
  type ConsumeDeps,
  type Consumed,
  isLate,
  type Message,
  type Received,
  type Spent,
  taskOf,
} from './task.ts'

/**
 * Hands a batch of messages to a subscriber's handler and keeps the books on it: one Consumed per message, in order.
 * Does not throw for any of them. Messages of one partition key are handled one after the other, others side by side;
 * a delivery that lies in the batch more than once is handled once. What is held back (paused, an open circuit) is
 * parked; on an ordered route so is what comes behind something dead or parked. What would begin when most of the time is
 * over goes back to the queue, and that is no attempt of it.
 */
export async function consume(
  route: Route,
  handler: HandlerAny,
  messages: readonly Message[],
  deps: ConsumeDeps,
): Promise<Consumed[]> {
  const [began, left] = [Date.parse(deps.clock()), deps.remaining?.() ?? route.timeout * 1000]
  const until = (share: number) => new Date(began + left * share).toISOString()
  const [patience, deadline] = [until(1 / 2), until(3 / 4)]
  const batch: Batch = { route, handler, deps, results: gatherResults(deps.controls), patience, deadline }
  const settled: Consumed[] = messages.map(() => ({
    outcome: 'unreadable',
    again: 60,
    reason: 'not a delivery of ours',
  }))
  const received = messages.flatMap((message, index): Received[] => {
    const frame = readFrame(message.body)
    return frame ? [{ index, message, frame }] : []
  })
  const deliveries = [...Map.groupBy(received, ({ frame }) => deliveryText(frame)).values()]
  // in a lane each message has its turn: which of two may pass is for the lane to say
  const turns = route.ordered
    ? inTurn(received, deliveries)
    : deliveries.flatMap(([first, ...more]) => (first ? [sentOnce(first, more.length === 0)] : []))
  const groups = [...Map.groupBy(turns, groupOf).values()].map((items) => groupFor(items, batch))
  const acted = await handleGroups(groups, settled, batch)
  const concluded = await conclude(
    acted.map((item) => item.acted),
    batch,
  )
  for (const [position, { index }] of acted.entries()) {
    const consumed = concluded[position]
    if (consumed) settled[index] = consumed
  }
  await batch.results.report()
  if (route.ordered) return settled
  for (const [first, ...more] of deliveries) {
    const consumed = first && settled[first.index]
    if (consumed) for (const { index } of more) settled[index] = afterwards(consumed)
  }
  return settled
}

const deliveryText = ({ event, replay, attempt = 1 }: DeliveryFrame): string =>
  [identityText(identityOf(event)), replay, attempt].join('\n')

const groupOf = ({ frame: { event, replay } }: Received): string =>
  [event.project, event.partitionkey, replay].join('\n')

/** Of two messages one was sent later, so the mark is read first whichever of them is taken. */
const sentOnce = (received: Received, once: boolean): Received =>
  once ? received : { ...received, frame: { ...received.frame, resent: true } }

function inTurn(received: readonly Received[], deliveries: readonly (readonly Received[])[]): Received[] {
  const twice = new Set(deliveries.filter(({ length }) => length > 1).flat())
  return received.map((item) => sentOnce(item, !twice.has(item)))
}

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

/** What is handled one after the other. `again`: in so many seconds its first is tried again, and the others with it. */
type Group = { items: Received[]; view: LaneView | undefined; again: number | undefined }

function groupFor(given: readonly Received[], { route }: Batch): Group {
  const items = given.map((item, place) => ({ ...item, behind: place > 0 }))
  const [first] = items
  if (!route.ordered || first === undefined) return { items, view: undefined, again: undefined }
  const { event, replay } = first.frame
  const { project, partitionkey } = event
  const lane = { project, subscriber: route.subscriber, partitionkey, replay }
  return { items, view: { lane, known: undefined }, again: undefined }
}

/**
 * Handles the groups side by side. What has failed for the last time waits until all have come to their end: then it is
 * reported, and what was reported says whether it is dead, or parked with the others. In a lane nothing comes after it
 * before that is known.
 */
async function handleGroups(
  groups: readonly Group[],
  settled: Consumed[],
  batch: Batch,
): Promise<{ index: number; acted: Acted }[]> {
  const acted: { index: number; acted: Acted }[] = []
  let open = groups
  while (open.length > 0) {
    const spent = (await Promise.all(open.map((group) => handleGroup(group, settled, acted, batch)))).flat()
    if (spent.length > 0) await batch.results.report()
    await Promise.all(
      spent.map(async ({ index, group, task, spent: { error } }) => {
        const consumed = await fail(task, error, batch)
        const { view } = group
        settle(group, index, view ? await afterRun(task, consumed, view, batch) : consumed, settled)
      }),
    )
    open = open.filter(({ items }) => items.length > 0)
  }
  return acted
}

function settle(group: Group, index: number, consumed: Consumed, settled: Consumed[]): void {
  settled[index] = consumed
  if (group.view !== undefined) group.again = consumed.again
}

/** One group to its end, or in a lane up to a last failure. Answers what has failed for the last time. */
async function handleGroup(
  group: Group,
  settled: Consumed[],
  acted: { index: number; acted: Acted }[],
  batch: Batch,
): Promise<(Spent & { index: number; group: Group })[]> {
  const spent: (Spent & { index: number; group: Group })[] = []
  while (group.items.length > 0) {
    // what begins no more need not wait for its turn, and there is little time left to mark it
    const turn = group.items.splice(0, group.view === undefined && isLate(batch) ? group.items.length : 1)
    await Promise.all(
      turn.map(async (item) => {
        const { index } = item
        if (group.again !== undefined) {
          settled[index] = { outcome: 'held', again: group.again, key: taskOf(batch, item).key }
          return
        }
        const result = group.view ? await handleInLane(item, group.view, batch) : await handleOne(item, batch)
        if ('spent' in result) spent.push({ ...result, index, group })
        else if ('emissions' in result) acted.push({ index, acted: result })
        else settle(group, index, result, settled)
      }),
    )
    if (group.view !== undefined && spent.length > 0) break
  }
  return spent
}

async function handleOne(received: Received, batch: Batch): Promise<Consumed | Acted | Spent> {
  const { frame } = received
  const task = taskOf(batch, received)
  try {
    await readMark(task, batch.deps)
  } catch (error) {
    return notRun(task, error, batch)
  }
  const { state, uncounted = 0 } = task.existing ?? {}
  if (state === 'retrying') task.attempts = Math.max(1, task.attempts - uncounted)
  try {
    // a run that somebody retries is a further start of a delivery that is done
    const settledBefore = task.existing !== undefined && task.existing.state !== 'retrying'
    if (settledBefore && (frame.attempt ?? 1) === 1) return { outcome: 'already', key: task.key }
    return await runNow(task, batch)
  } catch (error) {
    return await failed(task, error, batch)
  }
}
