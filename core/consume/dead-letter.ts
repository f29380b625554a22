import { mostReceives } from '../../events/route.ts'
import { attempt } from '../attempt.ts'
import { reasonForLogs, reasonOf, withoutValues } from '../errors.ts'
import { identityOf } from '../event/admit.ts'
import { type AccountProjects, type Arrival, readMessage } from '../event/arrival.ts'
import { type DeliveryFrame, deliveryFrame, eventBridgeEnvelope, type Frame, replayedAs } from '../frame.ts'
import { quarantine } from '../gate/quarantine.ts'
import { type RecordDeps, record } from '../gate/record.ts'
import { type Lanes, laneOf } from '../lane/lane.ts'
import type { Delivery } from '../ports.ts'
import { waitsForCode } from './delivery.ts'
import { markHeld } from './delivery-mark.ts'

/**
 * A letter of a dead letter queue. `queue`: where it was meant to be handled; absent for what EventBridge sent.
 * `rule`: the ARN of the rule whose target EventBridge could not reach. `sent`: when it was put onto its queue, ISO 8601;
 * that a queue tells of its dead letters too.
 */
export type Letter = {
  queue: string | undefined
  rule: string | undefined
  sent?: string | undefined
  body: string
}

export type LetterDeps = RecordDeps & { accounts: AccountProjects; lanes: Lanes }

/** `reason` is for logs: it shows no values of the event. noted: on the delivery, whose further run was not started. */
export type Settled =
  | { outcome: 'marked' | 'noted'; subscriber: string; reason: string }
  | { outcome: 'settled before' | 'recorded' | 'quarantined' | 'dropped'; reason: string }
  /** stays in the queue */
  | { outcome: 'unavailable'; reason: string }

/**
 * What crashed, timed out or was never understood, put where it can be seen and mended: a delivery gets its dead mark,
 * anything else goes once more through the gate, and into quarantine as it came when that cannot take it.
 */
export async function settleLetter(letter: Letter, deps: LetterDeps): Promise<Settled> {
  const settled = await attempt(() =>
    letter.queue === undefined || letter.queue === 'record'
      ? settleArrival(letter, deps)
      : settleDelivery(letter, letter.queue, deps),
  )
  return 'error' in settled ? { outcome: 'unavailable', reason: reasonForLogs(settled.error) } : settled.value
}

async function settleDelivery(
  { sent, body }: Letter,
  subscriber: string,
  deps: LetterDeps,
): Promise<Settled> {
  const frame = deliveryFrame.safeParse(jsonOf(body)).data
  if (frame === undefined) {
    const why = `not a delivery, found on the queue of ${subscriber}`
    return keepRaw(body, why, { project: 'main', door: 'bus' }, deps)
  }
  const key = { ...identityOf(frame.event), subscriber, replay: frame.replay }
  const existing = (await deps.history.getDeliveries([key]))[0]
  // it is sent anew: that its batch crashed at the end, and its message came here, was no attempt either
  if (existing?.state === 'retrying' && existing.letGo)
    return { outcome: 'settled before', reason: 'let go of, to be sent anew' }
  const before = (shown: (reason: string) => string) =>
    `${crashed}${existing?.reason === undefined ? '' : `; before that: ${shown(existing.reason)}`}`
  const place = laneOf(key, frame.event, deps.routes)
  const isOpen = existing === undefined || existing.state === 'retrying'
  if (isOpen || (await wasReleased(frame, existing, place, deps))) {
    const now = deps.clock()
    const tried = { attempts: triedOf(subscriber, existing, deps), started: existing?.started ?? sent ?? now }
    const mark = deadMark(frame, existing, tried, before(String), now)
    const marked = await markHeld({ key, existing, place }, mark, deps)
    if (marked) return { outcome: 'marked', subscriber, reason: before(withoutValues) }
  }
  const { attempt: run = 1 } = frame
  if (run === 1) return { outcome: 'settled before', reason: isOpen ? 'done' : existing.state }
  // the delivery has long been done by its first run: nobody would hear otherwise that this one was asked for in vain
  const note = `attempt ${run} of its run was not started: ${crashed}`
  await deps.history.note(key, note)
  return { outcome: 'noted', subscriber, reason: note }
}

const crashed = 'its handling crashed or ran out of time'

/**
 * How often it was tried: as often as its queue hands it over, for whoever crashed at load wrote nothing down. What waited
 * for newer code was not, and on an ordered route the mark alone knows.
 */
function triedOf(subscriber: string, existing: Delivery | undefined, { routes }: LetterDeps): number {
  const route = routes.find((one) => one.subscriber === subscriber)
  const { attempts = 0, uncounted = 0 } = existing ?? {}
  if (route === undefined || route.ordered || waitsForCode(existing)) return attempts
  return Math.max(attempts, mostReceives(route) - uncounted)
}

const deadMark = (
  frame: DeliveryFrame,
  existing: Delivery | undefined,
  tried: Pick<Delivery, 'attempts' | 'started'>,
  reason: string,
  now: string,
): Delivery => ({
  ...tried,
  state: 'dead',
  changed: now,
  reason,
  emitted: [],
  notes: existing?.notes,
  resumed: existing?.resumed,
  replayed: replayedAs(frame),
})

type Place = ReturnType<typeof laneOf>

/** What waits in a lane keeps its mark while it is run, if that lane was released for it. */
async function wasReleased(
  { release }: DeliveryFrame,
  existing: Delivery | undefined,
  place: Place,
  { lanes }: LetterDeps,
): Promise<boolean> {
  if (release === undefined || place === undefined) return false
  if (existing?.state !== 'dead' && existing?.state !== 'parked') return false
  return (await lanes.lane(place.lane))?.release === release
}

async function settleArrival({ rule = '', body }: Letter, deps: LetterDeps): Promise<Settled> {
  // infra/constructs/rules.ts gives them these names
  if (rule.endsWith('-sweep')) return { outcome: 'dropped', reason: 'the sweep runs again each minute' }
  if (rule.endsWith('-mesh-validation'))
    return {
      outcome: 'dropped',
      reason: 'the mesh is validated again next week, or by loadpath mesh validate',
    }
  const message = rule.endsWith('-states') ? asTheRuleSaysIt(body) : body
  const arrival = readMessage(message, deps.clock(), deps.accounts)
  const [outcome] = await record([arrival], deps)
  switch (outcome?.status) {
    case 'recorded':
    case 'known':
    case 'duplicate':
      if ('unsent' in outcome) throw outcome.unsent
      return { outcome: 'recorded', reason: outcome.status }
    case 'quarantined':
      return { outcome: 'quarantined', reason: outcome.reason }
    case 'unavailable':
      await keepRaw(message, `could not be recorded: ${reasonOf(outcome.error)}`, arrival, deps)
      return { outcome: 'quarantined', reason: `could not be recorded: ${reasonForLogs(outcome.error)}` }
    default:
      return keepRaw(message, `came to nothing: ${outcome?.status ?? 'no outcome'}`, arrival, deps)
  }
}

/**
 * The rule of Step Functions' status events makes frames of them, and its letters may be from before: only the rule says
 * then that they are from AWS, and not somebody's on the inbox bus.
 */
function asTheRuleSaysIt(body: string): string {
  const envelope = eventBridgeEnvelope.safeParse(jsonOf(body)).data
  if (envelope?.source !== 'aws.states') return body
  return JSON.stringify({ door: 'states', event: envelope } satisfies Frame)
}

/** As what it came, so that it can go through the gate once more. It came by the record queue, never by http itself. */
async function keepRaw(
  raw: string,
  why: string,
  { project, door }: Pick<Arrival, 'project' | 'door'>,
  deps: RecordDeps,
): Promise<Settled> {
  const faults = [{ path: '(whole)', expected: 'a message that can be handled', got: why }]
  const entry = {
    project,
    door: door === 'http' ? 'bus' : door,
    received: deps.clock(),
    raw,
    reason: 'unreadable',
    faults,
  } as const
  const outcome = await quarantine(entry, deps)
  if (outcome.status === 'unavailable') throw outcome.error
  return { outcome: 'quarantined', reason: why }
}

/** undefined: no JSON; it is quarantined as it came. */
function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
