import * as z from 'zod'
import type { Route } from '../events/route.ts'
import { type Control, controlOf, controlRecord, heldBack } from './control.ts'
import { runName } from './identity.ts'
import { jobList, jobOf, workflowOf } from './job.ts'
import type { LaneKey, Lanes } from './lane.ts'
import { ago, depthsOnce, patience, queueRetention } from './missing.ts'
import type { Delivery, DeliveryKey, Memory, OpenState, RecordKey, Workflows } from './ports.ts'
import { isUnderWay, releaseAnew } from './released.ts'
import { frameFor, type Resendable, resend } from './resend.ts'
import { messageOf, noSuchSubscriber, type SendDeps, sendTo } from './send.ts'
import type { Counts } from './sweep-open.ts'

export type StuckDeps = Omit<SendDeps, 'memory'> & { memory: Memory; lanes: Lanes; workflows: Workflows }

/** What one pass got going again. */
export type Unstuck = {
  /** deliveries that were to be tried again, with nothing in the queue that would */
  resent: number
  /** parked ones that nothing held back any more */
  released: number
  /** lanes of ordered routes that were released or opened */
  lanes: number
  /** open deliveries of subscribers that are in no route any more: dead now */
  gone: number
}

const nothing: Unstuck = { resent: 0, released: 0, lanes: 0, gone: 0 }

/** Of one subscriber in one pass. */
const perPass = 100
const mostPages = 5
const lanesPerPass = 50
/** Whoever resumed something has asked for the release of what was parked: that is under way before the sweep helps. */
const parkedPatience = 5 * 60_000

/**
 * Gets going what stands still though nothing holds it: for each of these somebody may have crashed between two steps,
 * or have gone by what had just changed. Goes by what has been counted as open.
 * @throws AggregateError of what failed, when all has been tried
 */
export async function sweepStuck(project: string, open: Counts, deps: StuckDeps): Promise<Unstuck> {
  const depthOf = depthsOnce(deps.queues)
  const routed = new Map(deps.routes.map((route) => [route.subscriber, route]))
  const names = new Set([...Object.keys(open), ...deps.routes.filter((one) => one.ordered).map(nameOf)])
  const done = await Promise.allSettled(
    [...names].map((subscriber) => {
      const route = routed.get(subscriber)
      if (route === undefined) return settleGone({ project, subscriber }, deps)
      return unstick({ project, route, open: open[subscriber], depth: () => depthOf(subscriber) }, deps)
    }),
  )
  const failures = done.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (failures.length > 0) throw new AggregateError(failures, 'deliveries that could not be got going')
  return done.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])).reduce(sum, nothing)
}

const nameOf = ({ subscriber }: Route): string => subscriber

const sum = (a: Unstuck, b: Unstuck): Unstuck => ({
  resent: a.resent + b.resent,
  released: a.released + b.released,
  lanes: a.lanes + b.lanes,
  gone: a.gone + b.gone,
})

type Looked = {
  project: string
  route: Route
  open: Counts[string] | undefined
  depth: () => Promise<number>
}

async function unstick(at: Looked, deps: StuckDeps): Promise<Unstuck> {
  const { route, open } = at
  const resent = open?.retrying ? await resendRetrying(at, deps) : 0
  if (route.ordered) return { ...nothing, resent, lanes: await releaseStuckLanes(at, deps) }
  const control = open?.parked ? await controlOfFree(at, deps) : undefined
  return { ...nothing, resent, released: control === undefined ? 0 : await releaseParked(at, control, deps) }
}

/** What holds back some of its deliveries, if anything; undefined while all of them are held back, or being sent. */
async function controlOfFree({ project, route }: Looked, deps: StuckDeps): Promise<Control | undefined> {
  const control = controlOf(await deps.memory.get(controlRecord(project, route.subscriber)))
  if (heldBack(control, '') !== undefined) return undefined
  return (await isBeingReleased(project, route.subscriber, deps)) ? undefined : control
}

/** As they stand now, each with its event. */
async function open(
  of: { project: string; subscriber: string; state: OpenState; cursor?: string | undefined },
  { history }: Pick<StuckDeps, 'history'>,
): Promise<{ items: Resendable[]; next: string | undefined }> {
  const { items, next } = await history.openDeliveries({ ...of, limit: perPass })
  const events = items.length === 0 ? [] : await history.getEvents(items)
  return {
    next,
    items: items.flatMap((mark, index): Resendable[] => {
      const event = events[index]?.event
      if (event === undefined) return []
      const { project, source, id, subscriber, replay, ...delivery } = mark
      return [{ key: { project, source, id, subscriber, replay }, delivery, event }]
    }),
  }
}

/** Somebody marked it and did not come to send it; or the queue let go of it. Sent as it stands, so the mark stays. */
async function resendRetrying({ project, route, depth }: Looked, deps: StuckDeps): Promise<number> {
  const { subscriber } = route
  const now = deps.clock()
  const { items } = await open({ project, subscriber, state: 'retrying' }, deps)
  const still = items.filter(({ delivery }) => delivery.changed < ago(now, patience))
  if (still.length === 0) return 0
  const isEmpty = (await depth()) === 0
  const due = isEmpty ? still : still.filter(({ delivery }) => delivery.changed < ago(now, queueRetention))
  const messages = due.map(({ key, delivery, event }) =>
    messageOf(subscriber, frameFor(event, key, delivery), `swept ${now}`),
  )
  const [failure, ...others] = await sendTo(subscriber, messages, deps)
  if (failure !== undefined) throw failure.error
  return messages.length - others.length
}

async function releaseParked({ project, route }: Looked, control: Control, deps: StuckDeps): Promise<number> {
  const { subscriber } = route
  const before = ago(deps.clock(), parkedPatience)
  let cursor: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const found = await open({ project, subscriber, state: 'parked', cursor }, deps)
    const free = found.items.filter(
      ({ delivery, event }) =>
        delivery.changed < before && heldBack(control, route.downstream?.(event) ?? '') === undefined,
    )
    if (free.length > 0) {
      const outcomes = await resend(subscriber, free, 'the sweep: nothing holds it back', deps)
      const failure = outcomes.find((one) => one.outcome === 'failed')
      if (failure !== undefined) throw failure.error
      return outcomes.filter(({ outcome }) => outcome === 'sent').length
    }
    cursor = found.next
    if (cursor === undefined) break
  }
  return 0
}

const mostJobs = 50

/** A job that sends what was parked, and is at it or paused by somebody, is not helped. One whose run has died is. */
async function isBeingReleased(
  project: string,
  subscriber: string,
  { memory, workflows }: StuckDeps,
): Promise<boolean> {
  const { items } = await memory.list({ project, list: jobList, limit: mostJobs })
  for (const item of items) {
    const job = jobOf(item)
    if (job?.kind !== 'redrive' || job.subscriber !== subscriber) continue
    if (job.state === 'paused') return true
    if (job.state !== 'running') continue
    const workflow = workflowOf(job.kind)
    const name = runName({ project, ...job.request }, workflow, '', job.attempt)
    if ((await workflows.describe(workflow, name))?.status === 'RUNNING') return true
  }
  return false
}

// ---- lanes

const cursors = z.record(z.string(), z.string())
const cursorKey = (project: string, subscriber: string): RecordKey => ({
  project,
  kind: 'cursor',
  name: `lanes ${subscriber}`,
})

/**
 * Goes round the closed lanes, some at each pass: many may wait for a person. One that is blocked by something dead
 * stays as it is.
 */
async function releaseStuckLanes(at: Looked, deps: StuckDeps): Promise<number> {
  const { project, route } = at
  const { subscriber } = route
  const key = cursorKey(project, subscriber)
  const kept = await deps.memory.get(key)
  const cursor = kept && cursors.parse(kept.value).next
  const { items, next } = await deps.lanes.closed({ project, subscriber, cursor, limit: lanesPerPass })
  const control = items.length === 0 ? undefined : await controlOfFree(at, deps)
  let moved = 0
  for (const lane of control === undefined ? [] : items) {
    if (await isUnderWay(lane, subscriber, deps)) continue
    if (control !== undefined && (await isHeld(lane, route, control, deps))) continue
    if (!('blocked' in (await releaseAnew(lane, deps)))) moved++
  }
  if (cursor !== next)
    await deps.memory.commit({
      writes: [{ ...key, version: (kept?.version ?? 0) + 1, value: next === undefined ? {} : { next } }],
      outbox: [],
    })
  return moved
}

async function isHeld(lane: LaneKey, route: Route, control: Control, deps: StuckDeps): Promise<boolean> {
  if (route.downstream === undefined) return false
  const [first] = await deps.lanes.waiting(lane, 1)
  const [stored] = first === undefined ? [] : await deps.history.getEvents([first.key])
  return stored !== undefined && heldBack(control, route.downstream?.(stored.event) ?? '') !== undefined
}

// ---- subscribers that are gone

/** Nobody will come for these: they are dead, and so can be seen and dropped. */
async function settleGone(of: { project: string; subscriber: string }, deps: StuckDeps): Promise<Unstuck> {
  const now = deps.clock()
  let gone = 0
  for (const state of ['retrying', 'parked'] as const) {
    const { items } = await deps.history.openDeliveries({ ...of, state, limit: perPass })
    for (const mark of items) {
      const { project, source, id, subscriber, replay, ...delivery } = mark
      const key: DeliveryKey = { project, source, id, subscriber, replay }
      const next: Delivery = { ...delivery, state: 'dead', changed: now, reason: noSuchSubscriber }
      if (await deps.history.transition({ key, seen: delivery, next })) gone++
    }
  }
  return { ...nothing, gone }
}
