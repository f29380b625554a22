import { identityOf } from './admit.ts'
import type { AccountProjects } from './arrival.ts'
import { readMessage } from './arrival.ts'
import { attempt } from './attempt.ts'
import { reasonOf } from './errors.ts'
import { deliveryFrame } from './frame.ts'
import { quarantine } from './quarantine.ts'
import { type RecordDeps, record } from './record.ts'

/** A letter of a dead letter queue. `queue`: where it was meant to be handled; absent for what EventBridge sent. */
export type Letter = { queue: string | undefined; body: string }

export type Settled =
  | { outcome: 'marked' | 'settled before' | 'recorded' | 'quarantined'; reason: string }
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
  const frame = parsed(body)
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
  return marked ? { outcome: 'marked', reason } : { outcome: 'settled before', reason: 'done' }
}

async function settleArrival(
  { body }: Letter,
  deps: RecordDeps & { accounts: AccountProjects },
): Promise<Settled> {
  const [outcome] = await record([readMessage(body, deps.clock(), deps.accounts)], deps)
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

function parsed(body: string) {
  try {
    return deliveryFrame.safeParse(JSON.parse(body)).data
  } catch {
    // no JSON: quarantined as it came
    return undefined
  }
}
