import type { Route } from '../../events/route.ts'
import { atMost } from '../at-most.ts'
import { waitsForCode } from '../consume/delivery.ts'
import { sumOf } from '../counts.ts'
import { parted } from '../delivery-key.ts'
import { patience, queueRetention } from '../gate/missing.ts'
import { messageOf, noSuchSubscriber, sendTo } from '../gate/send.ts'
import { type Control, heldBack } from '../hold/control.ts'
import { askForRelease } from '../mend/release-under-way.ts'
import { frameFor, type Resendable, resend } from '../mend/resend.ts'
import { openDeliveries } from '../open-deliveries.ts'
import type { Delivery, OpenState } from '../ports.ts'
import { readEvents } from '../read-events.ts'
import { ago, hour, minute, second } from '../time.ts'
import { goRound } from './go-round.ts'
import { releaseStuckLanes } from './sweep-lanes.ts'
import type { Counts } from './sweep-open.ts'
import { controlOfFree, type Looked, type StuckDeps } from './unstick.ts'

/** What one pass got going again. */
export type Unstuck = {
  /** deliveries that were to be tried again, with nothing in the queue that would */
  resent: number
  /** parked ones that nothing held back any more */
  released: number
  /** lanes of ordered routes that were released or opened */
  lanes: number
  /** open deliveries of subscribers that are in no route any more, or whose event is gone: dead now */
  gone: number
  /** left alone because newer code wrote their events */
  unreadable: number
}

const nothing: Unstuck = { resent: 0, released: 0, lanes: 0, gone: 0, unreadable: 0 }

/** Of one subscriber in one pass; beyond the pages the next pass goes on. */
const perPage = 100
const mostPages = 5
/** Whoever resumed something has asked for the release of what was parked: that is under way before the sweep helps. */
const parkedPatience = 5 * minute
/** What was sent again and has not been run for so long may never have come into its queue, however full that is. */
const resumedPatience = hour
/** A queue hides a message for six timeouts of its route: what it let go of has ended there by then, however its batch did. */
const letGoPatience = ({ timeout }: Route): number => 7 * timeout * second
const marksAtOnce = 10

/**
 * Gets going what stands still though nothing holds it: for each of these somebody may have crashed between two steps,
 * or have gone by what had just changed. Goes by what has been counted as open, and begins nothing new after so many
 * `seconds`: what is left is for the next pass.
 * @throws AggregateError of what failed, when all has been tried
 */
export async function sweepStuck(
  project: string,
  open: Counts,
  deps: StuckDeps,
  seconds = 10,
): Promise<Unstuck> {
  const end = Date.parse(deps.clock()) + seconds * 1000
  const isOver = () => Date.parse(deps.clock()) > end
  const routed = new Map(deps.routes.map((route) => [route.subscriber, route]))
  const names = new Set([...Object.keys(open), ...deps.routes.filter((one) => one.ordered).map(nameOf)])
  const done = await Promise.allSettled(
    [...names].map((subscriber) => {
      const route = routed.get(subscriber)
      if (route === undefined) return settleGone({ project, subscriber, isOver }, deps)
      return unstick({ project, route, open: open[subscriber], isOver }, deps)
    }),
  )
  const failures = done.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (failures.length > 0) throw new AggregateError(failures, 'deliveries that could not be got going')
  return done.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])).reduce(sumOf, nothing)
}

const nameOf = ({ subscriber }: Route): string => subscriber

async function unstick(at: Looked, deps: StuckDeps): Promise<Unstuck> {
  const { route, open } = at
  const retried = open?.retrying ? await resendRetrying(at, deps) : nothing
  if (route.ordered) return { ...retried, lanes: await releaseStuckLanes(at, deps) }
  const control = open?.parked ? await controlOfFree(at, deps) : undefined
  return sumOf(retried, control === undefined ? nothing : await releaseParked(at, control, deps))
}

/**
 * Goes round what is open and has not changed since `before`, page by page until `mend` has sent something. Each is given
 * as it stands now, with its event; `gone`: those that have none any more. What newer code wrote is left alone.
 */
async function goRoundOpen(
  { project, route: { subscriber }, isOver }: Looked,
  { state, before }: { state: OpenState; before: string },
  deps: StuckDeps,
  mend: (items: readonly Resendable[], gone: Omit<Resendable, 'event'>[]) => Promise<Partial<Unstuck>>,
): Promise<Unstuck> {
  let all = nothing
  const round = { project, name: `${state} ${subscriber}`, pages: mostPages, isOver }
  await goRound(round, deps.memory, async (cursor) => {
    const of = { project, subscriber, state }
    const {
      items,
      next,
      unreadable: unread,
    } = await openDeliveries({ ...of, cursor, limit: perPage }, deps.history)
    const quiet = items.filter(({ changed }) => changed < before)
    const events = await readEvents(quiet, deps.history)
    const found = quiet.map((mark, index) => ({ ...parted(mark), stored: events[index] }))
    const readable = found.flatMap(({ stored, ...one }): Resendable[] =>
      stored === undefined || stored === 'unreadable' ? [] : [{ ...one, event: stored.event }],
    )
    const gone = found.flatMap(({ stored, ...one }) => (stored === undefined ? [one] : []))
    const mended = { ...nothing, ...(await mend(readable, gone)) }
    const unreadable = unread.length + found.length - readable.length - gone.length
    all = sumOf(all, { ...mended, unreadable })
    // what comes next has changed later still
    const isEnd = quiet.length < items.length
    return { next: isEnd ? undefined : next, found: mended.resent + mended.released > 0 }
  })
  return all
}

/**
 * Somebody marked it and did not come to send it; or the queue let go of it. Sent as it stands, so the mark stays; but
 * where a message of it may lie in the queue, the mark says when it was sent, and it is left alone for as long again. What
 * is known to have no message left waits for neither: its mark says so no more, so that it is sent once.
 */
async function resendRetrying(at: Looked, deps: StuckDeps): Promise<Unstuck> {
  const { subscriber } = at.route
  const now = deps.clock()
  const soonest = Math.min(patience, letGoPatience(at.route))
  const isDue = ({ delivery: { letGo, changed } }: Pick<Resendable, 'delivery'>) =>
    changed < ago(now, letGo ? letGoPatience(at.route) : patience)
  const wanted = { state: 'retrying', before: ago(now, soonest) } as const
  return goRoundOpen(at, wanted, deps, async (items, eventless) => {
    const gone = await markDead(eventless.filter(isDue), eventGone, deps)
    const due = items.filter(isDue)
    if (due.length === 0) return { gone }
    const spent = due.filter(({ delivery }) => delivery.letGo)
    const quiet = due.filter(({ delivery }) => !delivery.letGo)
    const isBusy = quiet.length > 0 && (await deps.queues.depth(subscriber)) > 0
    const lost = isBusy ? quiet.filter(({ delivery }) => isLost(delivery, now)) : []
    const sent = [...(isBusy ? [] : quiet), ...(await noted([...spent, ...lost], now, deps))]
    const messages = sent.map(({ key, delivery, event }) =>
      messageOf(subscriber, frameFor(event, key, delivery), `swept ${now}`),
    )
    const [failure, ...others] = await sendTo(subscriber, messages, deps)
    if (failure !== undefined) throw failure.error
    return { resent: messages.length - others.length, gone }
  })
}

/**
 * Though its queue is not empty: that has let go of it, or it was sent again and never ran. What waits for newer code
 * runs every quarter of an hour, and its mark does not say so.
 */
const isLost = (delivery: Delivery, now: string): boolean =>
  delivery.changed < ago(now, queueRetention) ||
  ((delivery.resumed ?? 0) > 0 && !waitsForCode(delivery) && delivery.changed < ago(now, resumedPatience))

/** Those whose mark still stood as it was seen, and says from now on that they were sent. */
async function noted(
  items: readonly Resendable[],
  now: string,
  { history }: StuckDeps,
): Promise<Resendable[]> {
  const sent = ({ letGo, ...delivery }: Delivery): Delivery => ({
    ...delivery,
    changed: now,
    ...(letGo ? { resumed: (delivery.resumed ?? 0) + 1 } : {}),
  })
  const stood = await Promise.all(
    items.map(({ key, delivery }) => history.transition({ key, seen: delivery, next: sent(delivery) })),
  )
  return items.filter((_, index) => stood[index])
}

const eventGone = 'its event is gone: there is nothing to send, so drop it'

async function releaseParked(at: Looked, control: Control, deps: StuckDeps): Promise<Unstuck> {
  const { project, route } = at
  const { subscriber } = route
  const wanted = { state: 'parked', before: ago(deps.clock(), parkedPatience) } as const
  return goRoundOpen(at, wanted, deps, async (quiet) => {
    const free = quiet.filter(({ event }) => heldBack(control, route.downstream?.(event) ?? '') === undefined)
    if (free.length === 0) return {}
    if (free.length === perPage && control.circuits.length === 0)
      await askForRelease(project, subscriber, deps)
    const outcomes = await resend(subscriber, free, 'the sweep: nothing holds it back', deps)
    const failure = outcomes.find((one) => one.outcome === 'failed')
    if (failure !== undefined) throw failure.error
    return { released: outcomes.filter(({ outcome }) => outcome === 'sent').length }
  })
}

// ---- subscribers that are gone

/**
 * Nobody will come for these: they are dead, and so can be seen and dropped. While a deployment goes on, code from before
 * it may have some in hand, or try them again in a moment: they are left to that, or in a lane the next would pass them.
 */
async function settleGone(
  { isOver, ...of }: { project: string; subscriber: string; isOver: () => boolean },
  deps: StuckDeps,
): Promise<Unstuck> {
  let gone = 0
  for (const state of ['retrying', 'parked'] as const) {
    if (isOver()) break
    const { items } = await openDeliveries({ ...of, state, limit: perPage }, deps.history)
    const quiet = items.filter(({ changed }) => changed < ago(deps.clock(), patience))
    gone += await markDead(quiet.map(parted), noSuchSubscriber, deps)
  }
  return { ...nothing, gone }
}

/** As many as still stood as they were seen. */
async function markDead(
  marks: readonly Omit<Resendable, 'event'>[],
  reason: string,
  { history, clock }: StuckDeps,
): Promise<number> {
  const changed = clock()
  const inTurn = atMost(marksAtOnce)
  const settled = await Promise.all(
    marks.map(({ key, delivery }) =>
      inTurn(() =>
        history.transition({ key, seen: delivery, next: { ...delivery, state: 'dead', changed, reason } }),
      ),
    ),
  )
  return settled.filter(Boolean).length
}
