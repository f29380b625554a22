import * as z from 'zod'
import { quarantineReleased } from '../../events/quarantine.released.ts'
import { Failure } from '../errors.ts'
import type { Emission } from '../event/handler.ts'
import { outboxItems } from '../event/outbox.ts'
import type { History, Memory, Quarantined, RecordKey, Settlement } from '../ports.ts'
import { after, day } from '../time.ts'

type Settling = {
  history: Pick<History, 'settleQuarantined'>
  memory: Pick<Memory, 'get' | 'commit'>
}

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
export async function writtenOf(
  entry: Quarantined,
  { memory }: Pick<Settling, 'memory'>,
): Promise<Settlement | undefined> {
  const record = await memory.get(settledKey(entry))
  return record && settledOf(record).settled
}

/**
 * How it was settled before, if it was. Whoever did may have been cut off when that was written: it is settled by it, for
 * what was dropped must not be recorded after that, and what was recorded as edited would be refused as it came.
 */
export async function broughtToItsEnd(
  entry: Quarantined,
  { history, memory }: Settling,
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
export async function settle(
  entry: Quarantined,
  settled: Settlement,
  audit: Emission,
  { history, memory }: Settling,
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
