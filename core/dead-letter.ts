import { identityOf } from './admit.ts'
import type { AccountProjects } from './arrival.ts'
import { readMessage } from './arrival.ts'
import { attempt } from './attempt.ts'
import { reasonOf } from './errors.ts'
import { deliveryFrame, eventBridgeEnvelope, type Frame } from './frame.ts'
import { quarantine } from './quarantine.ts'
import { type RecordDeps, record } from './record.ts'

/**
 * A letter of a dead letter queue. `queue`: where it was meant to be handled; absent for what EventBridge sent.
 * `rule`: the ARN of the rule whose target EventBridge could not reach.
 */
export type Letter = { queue: string | undefined; rule: string | undefined; body: string }

export type Settled =
  | { outcome: 'marked'; subscriber: string; reason: string }
  | { outcome: 'settled before' | 'recorded' | 'quarantined' | 'dropped'; reason: string }
  /** stays in the queue */
  | { outcome: 'unavailable'; reason: string }

/**
 * What crashed, timed out or was never understood, put where it can be seen and mended: a delivery gets its dead mark,
 * anything else goes once more through the gate, and into quarantine as it came when that cannot take it.
 */
export async function settleLetter(
  letter: Letter,
  deps: RecordDeps & { accounts: AccountProjects },
): Promise<Settled> {
  const settled = await attempt(() =>
    letter.queue === undefined || letter.queue === 'record'
      ? settleArrival(letter, deps)
      : settleDelivery(letter, letter.queue, deps),
  )
  return 'error' in settled ? { outcome: 'unavailable', reason: reasonOf(settled.error) } : settled.value
}

async function settleDelivery({ body }: Letter, subscriber: string, deps: RecordDeps): Promise<Settled> {
  const frame = deliveryFrame.safeParse(jsonOf(body)).data
  if (frame === undefined) return keepRaw(body, `not a delivery, found on the queue of ${subscriber}`, deps)
  const key = { ...identityOf(frame.event), subscriber, replay: frame.replay }
  const existing = (await deps.history.getDeliveries([key]))[0]
  if (existing !== undefined && existing.state !== 'retrying')
    return { outcome: 'settled before', reason: existing.state }
  const now = deps.clock()
  const reason = `its handling crashed or ran out of time${existing?.reason === undefined ? '' : `; before that: ${existing.reason}`}`
  const marked = await deps.history.mark(key, {
    state: 'dead',
    attempts: existing?.attempts ?? 0,
    started: existing?.started ?? now,
    changed: now,
    reason,
    emitted: [],
    notes: existing?.notes,
  })
  return marked ? { outcome: 'marked', subscriber, reason } : { outcome: 'settled before', reason: 'done' }
}

async function settleArrival(
  { rule = '', body }: Letter,
  deps: RecordDeps & { accounts: AccountProjects },
): Promise<Settled> {
  // infra/constructs/rules.ts gives them these names
  if (rule.endsWith('-sweep')) return { outcome: 'dropped', reason: 'the sweep runs again each minute' }
  const message = rule.endsWith('-states') ? asTheRuleSaysIt(body) : body
  const [outcome] = await record([readMessage(message, deps.clock(), deps.accounts)], deps)
  switch (outcome?.status) {
    case 'recorded':
    case 'known':
    case 'duplicate':
      if ('unsent' in outcome) throw outcome.unsent
      return { outcome: 'recorded', reason: outcome.status }
    case 'quarantined':
      return { outcome: 'quarantined', reason: outcome.reason }
    case 'unavailable':
      return keepRaw(body, `could not be recorded: ${reasonOf(outcome.error)}`, deps)
    default:
      return keepRaw(body, `came to nothing: ${outcome?.status ?? 'no outcome'}`, deps)
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

async function keepRaw(raw: string, why: string, deps: RecordDeps): Promise<Settled> {
  const faults = [{ path: '(whole)', expected: 'a message that can be handled', got: why }]
  const entry = {
    project: 'main',
    door: 'bus',
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
