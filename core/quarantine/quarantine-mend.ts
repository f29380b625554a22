import * as z from 'zod'
import { quarantineDropped } from '../../events/quarantine.dropped.ts'
import { quarantineReleased } from '../../events/quarantine.released.ts'
import { type Change, changesBetween } from '../changes.ts'
import { Failure, type Fault, reasonOf } from '../errors.ts'
import { admit, identityOf } from '../event/admit.ts'
import type { Arrival } from '../event/arrival.ts'
import type { Emission } from '../event/handler.ts'
import { outboxItems } from '../event/outbox.ts'
import { textOf } from '../gate/quarantine.ts'
import { type Outcome, type RecordDeps, record } from '../gate/record.ts'
import type { Memory, Quarantined, RecordKey, Settlement } from '../ports.ts'
import { after, day } from '../time.ts'
import { arrivalAgain, arrivalEdited, comparable, editOf, withData } from './quarantine-arrival.ts'

export type MendDeps = RecordDeps & { memory: Pick<Memory, 'get' | 'commit'> }

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
 * @throws Failure NotFound, Invalid (an edit that does not fit), Forbidden, Busy
 */
export async function releaseQuarantined(
  project: string,
  digest: string,
  by: string,
  deps: MendDeps,
  edit?: Edit,
): Promise<Mended> {
  const entry = await load(project, digest, deps)
  const before = await broughtToItsEnd(entry, deps)
  if (before !== undefined) return { digest, outcome: 'already', settled: before }
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

/** What would become of it: the gate decides, and nothing is written. @throws as releaseQuarantined */
export async function tryQuarantined(
  project: string,
  digest: string,
  by: string,
  deps: MendDeps,
  edit?: Edit,
): Promise<Mended> {
  const entry = await load(project, digest, deps)
  const before = entry.settled ?? (await writtenOf(entry, deps))
  if (before !== undefined) return { digest, outcome: 'already', settled: before }
  const admission = admit((await prepare(entry, by, deps, edit)).arrival, deps.routes)
  if (admission.verdict === 'later') return { digest, outcome: 'failed', reason: reasonOf(admission.error) }
  if (admission.verdict === 'refused')
    return { digest, outcome: 'refused', reason: admission.reason, faults: admission.faults }
  const event = namedOf(admission.event)
  const [stored] = await deps.history.getEvents([identityOf(admission.event)])
  if (stored === undefined) return { digest, outcome: 'recorded', event }
  return stored.content === admission.content ? { digest, outcome: 'known', event } : conflict(digest, event)
}

/**
 * Takes an entry off the list without recording it. Of an edit that was refused the lane it was for goes on: repeated
 * after a crash before that, it does so then. @throws Failure NotFound, Busy
 */
export async function dropQuarantined(
  project: string,
  digest: string,
  by: string,
  note: string,
  deps: MendDeps,
): Promise<Mended> {
  const entry = await load(project, digest, deps)
  const before = await broughtToItsEnd(entry, deps)
  const settled: Settlement = { state: 'dropped', by, at: deps.clock(), note }
  const audit = { type: quarantineDropped, data: { digest, reason: entry.reason, note } }
  const standing = before ?? (await settle(entry, settled, audit, deps))
  const final = standing ?? settled
  if (final.state === 'dropped') await giveUpPlace(entry, final, deps)
  return { digest, outcome: standing === undefined ? 'dropped' : 'already', settled: final }
}

/** What was to take the place of an edited event never will: it is dropped, and nothing waits for it in its lane. */
async function giveUpPlace(
  entry: Quarantined,
  { by, at, note }: Settlement,
  { history, bodies }: MendDeps,
): Promise<void> {
  if (entry.door !== 'edit') return
  const edit = editOf(entry, await textOf(entry, bodies))
  if (edit === undefined) return
  const { source, id } = edit.event
  const reason = `the gate refused this edit, and ${by} dropped it: ${note}`.slice(0, 1000)
  const next = { state: 'dropped', attempts: 0, started: at, changed: at, emitted: [], reason } as const
  for (const subscriber of edit.expects) {
    const key = { project: entry.project, source, id, subscriber, replay: '' }
    await history.transition({ key, seen: undefined, next })
  }
}

async function load(project: string, digest: string, { history }: MendDeps): Promise<Quarantined> {
  const entry = await history.getQuarantined(project, digest)
  if (entry === undefined) throw new Failure('NotFound', `nothing in quarantine has the digest ${digest}`)
  return entry
}

/** Enough for a person to see what was done; the event itself says the rest. */
const mostChanges = 100

async function prepare(
  entry: Quarantined,
  by: string,
  { bodies, clock }: MendDeps,
  edit: Edit | undefined,
): Promise<{ arrival: Arrival; changes: Change[] }> {
  const before = await textOf(entry, bodies)
  if (edit === undefined) return { arrival: arrivalAgain(entry, before, clock()), changes: [] }
  const after = 'text' in edit ? edit.text : withData(entry, before, edit.data)
  const arrival = arrivalEdited(entry, { before, after }, { actor: by, now: clock() })
  return { arrival, changes: changesBetween(...comparable(before, after)).slice(0, mostChanges) }
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

// ---- settling ----------------------------------------------------------------------------------

/** What was settled, as the list of it shows it: the entry itself has left the list of what waits. */
const settledEntry = z.object({
  digest: z.string(),
  reason: quarantineReleased.schema.shape.reason,
  type: z.string().optional(),
  received: z.string(),
  settled: z.object({
    state: z.enum(['recorded', 'dropped']),
    by: z.string(),
    at: z.string(),
    note: z.string(),
  }),
})
export type SettledEntry = z.infer<typeof settledEntry>

export const settledList = 'quarantine/settled'
export const settledOf = (record: { value: unknown }): SettledEntry => settledEntry.parse(record.value)

const keptFor = 30 * day

/** One for each time that the text came: what was settled once may come again. */
const settledKey = ({ project, digest, received }: Quarantined): RecordKey => ({
  project,
  kind: 'quarantine',
  name: `${digest}~${received}`,
})

/** What was written of an entry that somebody has settled. */
async function writtenOf(
  entry: Quarantined,
  { memory }: Pick<MendDeps, 'memory'>,
): Promise<Settlement | undefined> {
  const record = await memory.get(settledKey(entry))
  return record && settledOf(record).settled
}

/**
 * How it was settled before, if it was. Whoever did may have been cut off when that was written: it is settled by it, for
 * what was dropped must not be recorded after that, and what was recorded as edited would be refused as it came.
 */
async function broughtToItsEnd(
  entry: Quarantined,
  { history, memory }: Pick<MendDeps, 'history' | 'memory'>,
): Promise<Settlement | undefined> {
  if (entry.settled !== undefined) return entry.settled
  const written = await writtenOf(entry, { memory })
  if (written !== undefined) await history.settleQuarantined(entry.project, entry.digest, written)
  return written
}

/**
 * Writes the settlement down with its audit event, once, and then settles the entry by what is written. Answers the
 * settlement of somebody else that stands already.
 */
async function settle(
  entry: Quarantined,
  settled: Settlement,
  audit: Emission,
  { history, memory }: MendDeps,
): Promise<Settlement | undefined> {
  const { project, digest, reason, type, received } = entry
  const author = { project, by: 'quarantine', actor: settled.by, step: settled.state }
  const outbox = outboxItems({ emits: [audit], sequence: Date.parse(received) }, author)
  const value: SettledEntry = { digest, reason, type, received, settled }
  const verdict = await memory.commit({
    writes: [
      {
        ...settledKey(entry),
        version: 1,
        value,
        place: { list: settledList, order: `${settled.at}~${digest}` },
        expires: after(settled.at, keptFor),
      },
    ],
    outbox,
  })
  if (verdict === 'committed') {
    // false: another one has come upon what is written by now, and settled it by that
    await history.settleQuarantined(project, digest, settled)
    return undefined
  }
  const before = await writtenOf(entry, { memory })
  if (before === undefined) throw new Failure('Busy', 'somebody else settles it at the same time: try again')
  await history.settleQuarantined(project, digest, before)
  // it was dropped while it went through the gate: that it is recorded all the same must be said too
  if (settled.state === 'recorded' && before.state === 'dropped')
    await memory.commit({
      writes: [],
      outbox: outboxItems({ emits: [audit], sequence: Date.parse(received) + 1 }, author),
    })
  return before
}
