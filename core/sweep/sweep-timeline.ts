import { cursorKey, cursorOf, lagMinutes, type ShardPlaces, type SweepCursor } from '../books/sweep-cursor.ts'
import { Failure } from '../errors.ts'
import { mayBeQueued, patience, queueRetention } from '../gate/missing.ts'
import type { RecordDeps } from '../gate/record.ts'
import { sendMissing } from '../gate/send.ts'
import { rememberFormer } from '../gate/subscribers.ts'
import type { Delivery, DeliveryKey, Fate, Memory, Page, PageEntry, StoredEvent } from '../ports.ts'
import { after, ago, day, second } from '../time.ts'
import { stepsBetween } from '../timeline-steps.ts'

/** The depth of a queue is to be as of when it was first asked after: what a pass sends is no backlog. */
type TimelineDeps = RecordDeps & { memory: Memory }

/** What one pass does at most; what is left is for the next. */
const maxResent = 500
const maxPages = 5_000

/** What one pass found in the timeline. */
export type SweptTimeline = {
  /** deliveries that were expected, had come to nothing, and were sent again */
  resent: number
  /** deliveries without any mark, whether sent again or left because they may still lie in a queue */
  missing: number
  /** subscribers that are waited for until their queue is empty */
  behind: number
  /** timeline pages looked at */
  pages: number
  /** events and pages left out because what is stored cannot be parsed */
  unreadable: number
  /** how far the cursor is behind what is old enough to be looked at */
  lagMinutes: number
  /** what `resent` counts, by name */
  sent: readonly DeliveryKey[]
  /** queues that could not be asked how much is in them: their subscribers are behind */
  failures: readonly unknown[]
}

type Pass = {
  project: string
  now: string
  deps: TimelineDeps
  /** ISO 8601; no page is begun after it */
  deadline: string
  depthOf: (queue: string) => Promise<number>
  sent: DeliveryKey[]
  missing: number
  pages: number
  unreadable: number
}

/**
 * Looks at each event of the timeline once it is 15 minutes old. An expected subscriber without a delivery is sent the
 * event again, if its queue is empty (a backlog is not a loss) or the queue cannot hold it any more. What has a delivery
 * is open, and sweep-stuck.ts looks after that, by the names that it knows: one that is in no route any more, and has left
 * something open, is remembered here. Begins nothing new after so many `seconds`.
 *
 * A queue with steady traffic is never seen empty: there a loss is mended when the queue's retention has passed. The age
 * of its oldest message would tell sooner, but SQS gives that to CloudWatch alone, minutes late and for money.
 */
export async function sweepTimeline(
  project: string,
  deps: TimelineDeps,
  seconds: number,
): Promise<SweptTimeline> {
  const now = deps.clock()
  const kept = await deps.memory.get(cursorKey(project))
  const start = ago(now, day)
  const cursor = cursorOf(kept) ?? { read: [start, start, start, start], behind: {}, passes: 0 }
  const deadline = after(now, seconds * second)
  const counts = { missing: 0, pages: 0, unreadable: 0 }
  const { depthOf, failures } = depthsOrFull(deps.queues.depth)
  const pass: Pass = { project, now, deps, deadline, depthOf, sent: [], ...counts }

  const caughtUp: Record<string, ShardPlaces> = {}
  for (const [subscriber, from] of Object.entries(cursor.behind)) {
    const again = await walkBack(subscriber, from, cursor.read, pass)
    if (again !== undefined) caughtUp[subscriber] = again
  }
  const horizon = `${ago(now, patience)}~`
  const walked = await walk(cursor.read, [horizon, horizon, horizon, horizon], undefined, pass)
  const behind = { ...walked.behind, ...caughtUp }
  const value: SweepCursor = {
    read: walked.reached,
    behind,
    at: deps.clock(),
    passes: cursor.passes + 1,
    since: cursor.since ?? now,
  }
  await deps.memory.commit({
    writes: [{ ...cursorKey(project), version: (kept?.version ?? 0) + 1, value }],
    outbox: [],
  })
  const { sent, missing, pages, unreadable } = pass
  return {
    resent: sent.length,
    missing,
    behind: Object.keys(behind).length,
    pages,
    unreadable,
    lagMinutes: lagMinutes(walked.reached, horizon),
    sent,
    failures: failures(),
  }
}

/** A queue that cannot be asked is taken for one that is not empty: it holds up its own subscriber and no other. */
function depthsOrFull(depthOf: Pass['depthOf']): Pick<Pass, 'depthOf'> & { failures: () => unknown[] } {
  const failures = new Map<string, unknown>()
  return {
    depthOf: async (queue) => {
      try {
        return await depthOf(queue)
      } catch (error) {
        failures.set(queue, error)
        return 1
      }
    },
    failures: () => [...failures.values()],
  }
}

/**
 * Looks after one that is behind, up to where all have been read; behind a queue that is not empty only as far as
 * nothing can lie in the queue any more. Answers where to go back to the next time, if anywhere.
 */
async function walkBack(
  subscriber: string,
  from: ShardPlaces,
  read: ShardPlaces,
  pass: Pass,
): Promise<ShardPlaces | undefined> {
  const known = pass.deps.routes.some((route) => route.subscriber === subscriber)
  const waits = known && (await pass.depthOf(subscriber)) > 0
  const kept = `${ago(pass.now, queueRetention)}~`
  if (waits && from.every((shard) => shard >= kept)) return from
  const to = read.map((end, shard) => (waits ? latest(from[shard] ?? end, earliest(end, kept)) : end))
  const { reached, behind, stopped } = await walk(from, to, [subscriber], pass)
  return behind[subscriber] ?? (waits || stopped ? reached : undefined)
}

const earliest = (a: string, b: string): string => (a < b ? a : b)
const latest = (a: string, b: string): string => (a < b ? b : a)

type Walked = { reached: ShardPlaces; behind: Record<string, ShardPlaces>; stopped: boolean }

const isSpent = ({ sent, pages, deadline, deps }: Pass): boolean =>
  sent.length >= maxResent || pages >= maxPages || deps.clock() > deadline

/**
 * From behind one position up to and with another, the shards side by side; `only`: the subscribers to look after, all
 * when undefined. A subscriber that has to wait is behind from where all shards stood just then: what was read before
 * held nothing of it.
 */
async function walk(
  from: ShardPlaces,
  to: ShardPlaces,
  only: readonly string[] | undefined,
  pass: Pass,
): Promise<Walked> {
  const { project, deps } = pass
  const reached = [...from]
  const behind: Record<string, ShardPlaces> = {}
  let stopped = false
  await Promise.all(
    to.map(async (end, shard) => {
      for await (const step of stepsBetween(reached[shard] ?? end, end, { project, shard }, deps.history)) {
        if (isSpent(pass)) {
          stopped = true
          return
        }
        if (step.page !== undefined) {
          pass.pages++
          const waiting = await sweepPage(step.page, only, pass)
          for (const subscriber of waiting) behind[subscriber] ??= [...reached]
        }
        reached[shard] = step.reached
      }
      reached[shard] = end
    }),
  )
  return { reached, behind, stopped }
}

/** Sends on what is missing of one page; answers the subscribers whose queue has to be empty first. */
async function sweepPage(page: Page, only: readonly string[] | undefined, pass: Pass): Promise<string[]> {
  if (page.unreadable) pass.unreadable++
  const fates = await Promise.all(page.entries.map((entry) => fateOf(entry, pass)))
  const waiting = new Set<string>()
  for (const { stored, deliveries } of fates) {
    if (stored === undefined || stored.page.page !== page.page) continue
    await rememberStrangers(deliveries, pass)
    const now = await dueOf(stored, deliveries, only, pass)
    for (const subscriber of now.waiting) waiting.add(subscriber)
    pass.missing += now.due.length + now.waiting.length
    if (now.due.length === 0) continue
    const unsent = await sendMissing({ stored: { ...stored, expects: now.due }, deliveries }, pass.deps)
    const { project, source, id } = stored.event
    if (unsent === undefined)
      pass.sent.push(...now.due.map((subscriber) => ({ project, source, id, subscriber, replay: '' })))
    else for (const subscriber of now.due) waiting.add(subscriber)
  }
  return [...waiting]
}

/** A name that was in a route for less than a pass, say, is on no list of subscribers. */
async function rememberStrangers(deliveries: Fate['deliveries'], { project, deps }: Pass): Promise<void> {
  const routed = new Set(deps.routes.map(({ subscriber }) => subscriber))
  const open = deliveries.filter(({ state }) => state !== 'done' && state !== 'dropped')
  const strangers = new Set(open.map(({ subscriber }) => subscriber).filter((name) => !routed.has(name)))
  for (const name of strangers) await rememberFormer(project, name, deps)
}

/** After 15 minutes a read need not be consistent: what it misses is sent once too often, and known by its mark. */
async function fateOf({ source, id }: PageEntry, pass: Pass): Promise<Fate> {
  try {
    return await pass.deps.history.fate({ project: pass.project, source, id }, { consistent: false })
  } catch (error) {
    // what cannot be parsed now will not be in a minute: it must not hold up all that came after it
    if (!(error instanceof Failure && error.code === 'NewerVersion')) throw error
    pass.unreadable++
    return { stored: undefined, deliveries: [] }
  }
}

async function dueOf(
  { event, expects }: StoredEvent,
  deliveries: readonly (DeliveryKey & Delivery)[],
  only: readonly string[] | undefined,
  pass: Pass,
): Promise<{ due: string[]; waiting: string[] }> {
  const handled = new Set(
    deliveries.filter(({ replay }) => replay === '').map(({ subscriber }) => subscriber),
  )
  const missing = expects.filter((name) => !handled.has(name) && (only === undefined || only.includes(name)))
  const due: string[] = []
  const waiting: string[] = []
  const world = { now: pass.now, routes: pass.deps.routes, depthOf: pass.depthOf }
  for (const subscriber of missing) {
    if (await mayBeQueued(subscriber, event.received, world)) waiting.push(subscriber)
    else due.push(subscriber)
  }
  return { due, waiting }
}
