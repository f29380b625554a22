import { quarantineDropped } from '../../events/quarantine.dropped.ts'
import { quarantineReleased } from '../../events/quarantine.released.ts'
import { type Change, changesBetween } from '../changes.ts'
import { Failure, type Fault, reasonOf } from '../errors.ts'
import { admit, identityOf } from '../event/admit.ts'
import type { Arrival } from '../event/arrival.ts'
import { textOf } from '../gate/quarantine.ts'
import { type Outcome, type RecordDeps, record } from '../gate/record.ts'
import type { Memory, Quarantined, Settlement } from '../ports.ts'
import { arrivalAgain, arrivalEdited, comparable, withData } from './quarantine-arrival.ts'
import { broughtToItsEnd, settle, writtenOf } from './quarantine-settle.ts'

export type QuarantineDeps = RecordDeps & { memory: Pick<Memory, 'get' | 'commit'> }

type Named = { source: string; id: string; type: string }

/**
 * What became of an entry. recorded, known (the same event was there): in history now, and the entry is settled. dropped:
 * settled as such. already: somebody settled it before. refused: it stays, for these faults. failed: it stays, try again.
 */
export type Mended = {
  digest: string
  outcome: 'recorded' | 'known' | 'dropped' | 'already' | 'refused' | 'failed'
  event?: Named | undefined
  settled?: Settlement | undefined
  reason?: string | undefined
  faults?: readonly Fault[] | undefined
}

/** An edit: the whole text anew, or other data. */
export type Edit = { text: string } | { data: unknown }

/**
 * Sends an entry through the gate once more, as it came or edited, and settles it when it is recorded. The order is
 * record, then what is written of it with its audit event, then the entry: repeated after a crash between two of them,
 * record says that it knows the event, or what is written says what became of it, and the rest is done. Of two at once
 * one settles it.
 * @throws Failure NotFound, Invalid (an edit that does not fit), Forbidden, Busy, Conflict (settled otherwise before)
 */
export async function releaseQuarantined(
  project: string,
  digest: string,
  by: string,
  deps: QuarantineDeps,
  edit?: Edit,
): Promise<Mended> {
  const entry = await load(project, digest, deps)
  const before = await broughtToItsEnd(entry, deps)
  if (before !== undefined) return settledBefore(entry, before, { by, edit }, deps)
  const { arrival, changes } = await prepare(entry, by, deps, edit)
  const [outcome] = await record([arrival], deps)
  const refusal = refusalOf(digest, outcome)
  if (refusal !== undefined || outcome === undefined || !('event' in outcome))
    return refusal ?? { digest, outcome: 'failed' }
  const event = namedOf(outcome.event)
  const data = { digest, reason: entry.reason, recorded: event, changes }
  const settled: Settlement = { state: 'recorded', by, at: deps.clock(), note: `${event.source} ${event.id}` }
  const standing = await settle(entry, settled, { type: quarantineReleased, data }, deps)
  if (standing !== undefined) return { digest, outcome: 'already', event, settled: standing }
  return { digest, outcome: outcome.status === 'known' ? 'known' : 'recorded', event, settled }
}

/**
 * That it was settled before is no answer to an edit, unless it is the one by which it was.
 * @throws Failure Conflict
 */
async function settledBefore(
  entry: Quarantined,
  settled: Settlement,
  { by, edit }: { by: string; edit: Edit | undefined },
  deps: QuarantineDeps,
): Promise<Mended> {
  const already = { digest: entry.digest, outcome: 'already', settled } as const
  if (edit === undefined) return already
  const admission = admit((await prepare(entry, by, deps, edit)).arrival, deps.routes)
  if (settled.state === 'recorded' && 'content' in admission) {
    const [stored] = await deps.history.getEvents([identityOf(admission.event)])
    if (stored?.content === admission.content) return already
  }
  throw new Failure(
    'Conflict',
    `this edit was not applied: it was ${settled.state} before by ${settled.by} at ${settled.at}: ${settled.note}`,
  )
}

/** What would become of it: the gate decides, and nothing is written. @throws as releaseQuarantined */
export async function tryQuarantined(
  project: string,
  digest: string,
  by: string,
  deps: QuarantineDeps,
  edit?: Edit,
): Promise<Mended> {
  const entry = await load(project, digest, deps)
  const before = entry.settled ?? (await writtenOf(entry, deps))
  if (before !== undefined) return settledBefore(entry, before, { by, edit }, deps)
  const admission = admit((await prepare(entry, by, deps, edit)).arrival, deps.routes)
  if (admission.verdict === 'later') return { digest, outcome: 'failed', reason: reasonOf(admission.error) }
  if (admission.verdict === 'refused')
    return { digest, outcome: 'refused', reason: admission.reason, faults: admission.faults }
  const event = namedOf(admission.event)
  const [stored] = await deps.history.getEvents([identityOf(admission.event)])
  if (stored === undefined) return { digest, outcome: 'recorded', event }
  return stored.content === admission.content ? { digest, outcome: 'known', event } : conflict(digest, event)
}

/** Takes an entry off the list without recording it. @throws Failure NotFound, Busy */
export async function dropQuarantined(
  project: string,
  digest: string,
  by: string,
  note: string,
  deps: QuarantineDeps,
): Promise<Mended> {
  const entry = await load(project, digest, deps)
  const before = await broughtToItsEnd(entry, deps)
  const settled: Settlement = { state: 'dropped', by, at: deps.clock(), note }
  const audit = { type: quarantineDropped, data: { digest, reason: entry.reason, note } }
  const standing = before ?? (await settle(entry, settled, audit, deps))
  return { digest, outcome: standing === undefined ? 'dropped' : 'already', settled: standing ?? settled }
}

async function load(project: string, digest: string, { history }: QuarantineDeps): Promise<Quarantined> {
  const entry = await history.getQuarantined(project, digest)
  if (entry === undefined) throw new Failure('NotFound', `nothing in quarantine has the digest ${digest}`)
  return entry
}

/** Enough for a person to see what was done; the event itself says the rest. */
const mostChanges = 100

async function prepare(
  entry: Quarantined,
  by: string,
  { bodies, clock }: QuarantineDeps,
  edit: Edit | undefined,
): Promise<{ arrival: Arrival; changes: Change[] }> {
  const before = await textOf(entry, bodies)
  const now = clock()
  const released = { digest: entry.digest, by, at: now }
  if (edit === undefined) return { arrival: { ...arrivalAgain(entry, before, now), released }, changes: [] }
  const after = 'text' in edit ? edit.text : withData(entry, before, edit.data)
  const arrival = arrivalEdited(entry, { before, after }, { actor: by, now })
  const changes = changesBetween(...comparable(before, after)).slice(0, mostChanges)
  if (changes.length === 0) return { arrival: { ...arrival, released }, changes }
  return { arrival: { ...arrival, released: { ...released, edited: true } }, changes }
}

/** undefined: it is in history. */
function refusalOf(digest: string, outcome: Outcome | undefined): Mended | undefined {
  switch (outcome?.status) {
    case 'recorded':
    case 'known':
    case 'duplicate':
      return undefined
    case 'refused':
    case 'quarantined':
      return { digest, outcome: 'refused', reason: outcome.reason, faults: outcome.faults }
    case 'conflict':
      return conflict(digest, outcome.identity)
    case 'unavailable':
      return { digest, outcome: 'failed', reason: reasonOf(outcome.error) }
    case undefined:
      return { digest, outcome: 'failed', reason: 'no outcome' }
    default:
      return outcome satisfies never
  }
}

const conflict = (digest: string, { source, id }: { source: string; id: string }): Mended => ({
  digest,
  outcome: 'refused',
  reason: 'conflict',
  faults: [
    {
      path: 'id',
      expected: 'one that is not taken, or the content recorded under it',
      got: `${id} of ${source}`,
    },
  ],
})

const namedOf = ({ source, id, type }: Named): Named => ({ source, id, type })
