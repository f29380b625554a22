import { createHash } from 'node:crypto'
import { limits } from '../../events/envelope.ts'
import { attempt } from '../attempt.ts'
import { Failure, type Fault } from '../errors.ts'
import type { Bodies, History, Quarantined } from '../ports.ts'

export type QuarantineOutcome =
  | { status: 'quarantined'; reason: Quarantined['reason']; faults: readonly Fault[]; digest: string }
  | { status: 'unavailable'; error: unknown }

/** Keeps something as it came, once per content; a large one in the bucket. */
export async function quarantine(
  entry: Omit<Quarantined, 'digest' | 'rawref'>,
  deps: { history: History; bodies: Bodies },
): Promise<QuarantineOutcome> {
  const { reason, faults } = entry
  const digest = createHash('sha256').update(entry.raw).digest('hex')
  const kept = await attempt(async () => {
    const body = Buffer.from(entry.raw)
    if (body.byteLength <= limits.inlineBody) return deps.history.quarantine({ ...entry, digest })
    const rawref = `held/${entry.project}/quarantine/${digest}`
    await deps.bodies.put(rawref, body)
    return deps.history.quarantine({ ...entry, digest, rawref, raw: '' })
  })
  if ('error' in kept) return { status: 'unavailable', error: kept.error }
  return { status: 'quarantined', reason, faults, digest }
}

/** What is in quarantine, as it came. @throws Failure NotFound when it lay in the bucket and is gone */
export async function textOf(
  { raw, rawref }: Pick<Quarantined, 'raw' | 'rawref'>,
  bodies: Pick<Bodies, 'get'>,
): Promise<string> {
  if (rawref === undefined) return raw
  const body = await bodies.get(rawref)
  if (body === undefined) throw new Failure('NotFound', 'its text lay in the bucket and is there no longer')
  return Buffer.from(body).toString('utf8')
}
