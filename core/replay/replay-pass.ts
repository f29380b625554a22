import * as z from 'zod'
import { type Counts, sumOf } from '../counts.ts'
import type { DeliveryFrame } from '../frame.ts'
import { messageOf, sendTo } from '../gate/send.ts'
import type { Bodies, Clock, Delivery, DeliveryKey, Queues } from '../ports.ts'
import { second } from '../time.ts'
import {
  position,
  type RecordedFate,
  type Scope,
  type Step,
  type WalkDeps,
  type WalkPosition,
} from './replay-step.ts'
import { walk } from './replay-walk.ts'

/**
 * One pass over a selection, as it is kept between its slices: how far it has come, and since when it waits for the
 * event at its head to be handled. `sentAgain`: when what seemed lost was sent once more. `hurry`: it waits no more.
 */
export const pass = z.object({
  at: position,
  waits: z.object({ since: z.string(), sentAgain: z.string().optional() }).optional(),
  hurry: z.literal(true).optional(),
})
export type Pass = z.infer<typeof pass>

export const firstPass: Pass = { at: {} }

/**
 * What is to be done with an event. `no`: it is none of the subscriber's. `left`: it is, and is left out. `later`: it is
 * still on its way to the live records. `unreadable`: nobody can tell.
 */
export type Verdict = 'send' | 'left' | 'later' | 'no' | 'unreadable'

export type PassDeps = WalkDeps & {
  queues: Pick<Queues, 'send' | 'depth'>
  bodies: Pick<Bodies, 'get'>
  clock: Clock
  judge: (found: RecordedFate) => Promise<Verdict>
  frameOf: (found: RecordedFate) => DeliveryFrame
  /** of the replay: what its deliveries carry */
  replay: string
  /** how many may be sent in this slice */
  most: number
  /** when it ends: ISO 8601 */
  deadline: string
}

/** Events that were looked at before what was done is noted. */
const mostLookedAt = 500
const mostSent = 100

// ---- sending

/** `later`: what was passed over because it is still on its way. */
export type Sent = { pass: Pass; counts: Counts; end: boolean; sent: number; later: readonly RecordedFate[] }

/**
 * Sends what is to be sent of the next events. What is sent twice, because a slice was sent and not noted, is told apart
 * by its mark. In a lane nothing is sent behind what is on its way: the rest of it is passed over too.
 * @throws whatever the queue says when it does not take all
 */
export async function sendSlice(scope: Scope, { at: from }: Pass, deps: PassDeps): Promise<Sent> {
  const most = Math.min(deps.most, mostSent)
  const sending: RecordedFate[] = []
  const later: RecordedFate[] = []
  const tally = counter()
  let at = from
  let end = true
  for await (const step of walk(scope, from, deps)) {
    const verdict = await verdictOf(step, deps)
    tally.saw(verdict)
    if (verdict === 'send' && step.found) sending.push(step.found)
    if (verdict === 'later' && step.found) later.push(step.found)
    const next = behind(step.at, verdict, deps)
    at = next.at
    if (next.isOver) break
    const full = sending.length >= most || later.length >= mostSent
    if (next.passes || full || isSpent(tally, deps)) {
      end = false
      break
    }
  }
  await sendAll(sending, deps)
  tally.add('sent', sending.length)
  return { pass: { at }, counts: tally.counts(), end, sent: sending.length, later }
}

/** Where a pass stands behind an event. The rest of its key waits behind what is on its way: it is passed over, or all. */
function behind(at: WalkPosition, verdict: Verdict | undefined, { route }: PassDeps) {
  const waits = verdict === 'later' && route.ordered === true
  if (!waits) return { at, passes: false, isOver: false }
  const { lane, ...base } = at
  return { at: base, passes: lane !== undefined, isOver: lane === undefined }
}

const isSpent = (tally: ReturnType<typeof counter>, { clock, deadline }: PassDeps): boolean =>
  tally.looked() >= mostLookedAt || clock() > deadline

async function verdictOf({ found, unreadable }: Step, { judge }: PassDeps): Promise<Verdict | undefined> {
  if (unreadable) return 'unreadable'
  return found && judge(found)
}

function counter() {
  const counts: Record<string, number> = {}
  let looked = 0
  const add = (name: string, n = 1) => {
    if (n > 0) counts[name] = (counts[name] ?? 0) + n
  }
  return {
    add,
    saw: (verdict: Verdict | undefined) => {
      if (verdict !== undefined) looked++
      if (verdict === 'send') add('matched')
      if (verdict === 'left' || verdict === 'unreadable') add(verdict)
    },
    looked: () => looked,
    counts: (): Counts => counts,
  }
}

/** `again`: what tells a message apart from the same one sent before. */
async function sendAll(found: readonly RecordedFate[], deps: PassDeps, again = ''): Promise<void> {
  const { route, frameOf } = deps
  const messages = found.map((one) => messageOf(route.subscriber, frameOf(one), again))
  const [failed] = await sendTo(route.subscriber, messages, { queues: deps.queues, routes: [route] })
  if (failed !== undefined) throw failed.error
}

// ---- settling

/** What has no mark for so long, with nothing left in the queue, was lost on its way. */
const lostAfter = 60 * second
/** An ordered queue swallows what it has seen within five minutes. */
const patience = 15 * 60 * second

/** `settled`: what has come to its end in this slice. `wait`: seconds, for the event at the head of the pass. */
export type Settled = {
  pass: Pass
  counts: Counts
  end: boolean
  settled: readonly { found: RecordedFate; delivery: Delivery }[]
  wait: number
}

/**
 * Looks what has come of the next events that were sent, up to one that has not come to its end: for that it waits. What
 * has got lost (no mark a minute later, and an empty queue) is sent once more. When nothing has moved for 15 minutes, what
 * is open is counted as such, and waited for no more.
 */
export async function settleSlice(scope: Scope, state: Pass, deps: PassDeps): Promise<Settled> {
  const tally = counter()
  const settled: { found: RecordedFate; delivery: Delivery }[] = []
  let at = state.at
  let end = true
  let head = false
  for await (const step of walk(scope, state.at, deps)) {
    const verdict = await verdictOf(step, deps)
    tally.saw(verdict)
    const delivery = verdict === 'send' && step.found ? ofReplay(step.found, deps) : undefined
    const open = verdict === 'send' && !isSettled(delivery)
    head = open && !state.hurry
    if (head) break
    if (step.found && delivery && !open) settled.push({ found: step.found, delivery })
    if (open) tally.add('open')
    const next = behind(step.at, verdict, deps)
    at = next.at
    if (next.isOver) break
    if (next.passes || isSpent(tally, deps)) {
      end = false
      break
    }
  }
  const { matched: _, left: __, unreadable: ___, ...counted } = tally.counts()
  const counts = settled.reduce<Counts>((all, { delivery }) => sumOf(all, { [delivery.state]: 1 }), counted)
  const moved = { counts, settled }
  if (!head) return { ...moved, pass: { at, hurry: state.hurry }, end, wait: 0 }
  const waited = await waitFor(scope, { ...state, at }, at !== state.at && settled.length > 0, deps)
  return { ...moved, ...waited, end: false }
}

export const ofReplay = (
  { deliveries }: RecordedFate,
  { route, replay }: Pick<PassDeps, 'route' | 'replay'>,
): (DeliveryKey & Delivery) | undefined =>
  deliveries.find((delivery) => delivery.subscriber === route.subscriber && delivery.replay === replay)

/** What is parked waits for somebody, as what is dead does. */
const isSettled = (delivery: Delivery | undefined): boolean =>
  delivery !== undefined && delivery.state !== 'retrying'

async function waitFor(
  scope: Scope,
  { at, waits }: Pass,
  moved: boolean,
  deps: PassDeps,
): Promise<{ pass: Pass; wait: number }> {
  const now = deps.clock()
  if (waits === undefined || moved) return { pass: { at, waits: { since: now } }, wait: 1 }
  const elapsed = Date.parse(now) - Date.parse(waits.since)
  if (elapsed > patience) return { pass: { at, hurry: true }, wait: 1 }
  const wait = Math.min(30, Math.max(1, Math.ceil(elapsed / second / 4)))
  const last = waits.sentAgain ?? waits.since
  const mayBeLost = Date.parse(now) - Date.parse(last) > lostAfter
  if (!mayBeLost || (await deps.queues.depth(deps.route.subscriber)) > 0) return { pass: { at, waits }, wait }
  await sendLost(scope, at, now, deps)
  return { pass: { at, waits: { ...waits, sentAgain: now } }, wait: 1 }
}

/** What is open of the next events: with an empty queue nobody else would try. */
async function sendLost(scope: Scope, from: WalkPosition, now: string, deps: PassDeps): Promise<void> {
  const lost: RecordedFate[] = []
  let looked = 0
  for await (const step of walk(scope, from, { ...deps, consistent: true })) {
    const verdict = await verdictOf(step, deps)
    if (verdict === 'send' && step.found && !isSettled(ofReplay(step.found, deps))) lost.push(step.found)
    if (lost.length >= mostSent || ++looked >= mostLookedAt) break
  }
  await sendAll(lost, deps, now)
}
