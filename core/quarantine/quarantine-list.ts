import { attempt } from '../attempt.ts'
import { reasonOf } from '../errors.ts'
import type { History, Quarantined } from '../ports.ts'
import { mergedGroups, type QuarantineGroup } from './quarantine-groups.ts'
import { type Mended, type QuarantineDeps, releaseQuarantined, tryQuarantined } from './quarantine-mend.ts'

/** What of the quarantine is meant; nothing: all of it. */
export type QuarantineFilter = {
  reason?: Quarantined['reason'] | undefined
  type?: string | undefined
  /** of the first fault */
  path?: string | undefined
  /** ISO 8601; came at this time or later */
  since?: string | undefined
}

const perRead = 50
/** Each may bring 64 KB. */
const readsPerCall = 4

export const matches = (entry: Quarantined, filter: QuarantineFilter): boolean =>
  (filter.reason ?? entry.reason) === entry.reason &&
  (filter.type === undefined || filter.type === entry.type) &&
  (filter.path === undefined || filter.path === entry.faults[0]?.path) &&
  (filter.since === undefined || entry.received >= filter.since)

type Groups = { groups: QuarantineGroup[]; next: string | undefined }

/** The groups of what waits, of 200 entries at most; `next` is where to go on, and then the groups add up. */
export async function quarantineGroups(
  project: string,
  filter: QuarantineFilter,
  from: string | undefined,
  history: Pick<History, 'quarantined'>,
): Promise<Groups> {
  let groups: QuarantineGroup[] = []
  let cursor = from
  for (let reads = 0; reads < readsPerCall; reads++) {
    const { items, next } = await history.quarantined({ project, cursor, limit: perRead })
    groups = mergedGroups(groups, items.filter((entry) => matches(entry, filter)).map(groupOf))
    cursor = isPast(items, filter) ? undefined : next
    if (cursor === undefined) break
  }
  return { groups, next: cursor }
}

/** They come newest first, so behind one that is too old there is nothing more. */
const isPast = (items: readonly Quarantined[], { since }: QuarantineFilter): boolean =>
  since !== undefined && items.some(({ received }) => received < since)

const groupOf = ({ reason, type = '', faults, received, digest }: Quarantined): QuarantineGroup => ({
  reason,
  type,
  path: faults[0]?.path ?? '',
  expected: faults[0]?.expected ?? '',
  count: 1,
  first: received,
  last: received,
  digests: [digest],
})

/**
 * Sends what waits and is meant through the gate once more, one after the other, newest first: what comes of one page of
 * the list, of at most `limit` entries and so many `seconds`. `next` is where to go on. `dry`: only what would come of it.
 * One that cannot be tried does not keep the others from it.
 */
export async function redriveQuarantine(
  project: string,
  filter: QuarantineFilter,
  at: { cursor: string | undefined; limit: number; seconds: number; dry: boolean },
  by: string,
  deps: QuarantineDeps,
): Promise<{ items: Mended[]; next: string | undefined }> {
  const deadline = Date.parse(deps.clock()) + at.seconds * 1000
  const act = at.dry ? tryQuarantined : releaseQuarantined
  const mended: Mended[] = []
  let cursor = at.cursor
  while (mended.length < at.limit) {
    // what is read is dealt with, so that the cursor of the page says how far all of it is
    const limit = Math.min(perRead, at.limit - mended.length)
    const { items, next } = await deps.history.quarantined({ project, cursor, limit })
    for (const { digest } of items.filter((entry) => matches(entry, filter))) {
      const done = await attempt(() => act(project, digest, by, deps))
      mended.push('value' in done ? done.value : { digest, outcome: 'failed', reason: reasonOf(done.error) })
    }
    cursor = isPast(items, filter) ? undefined : next
    if (cursor === undefined || Date.parse(deps.clock()) > deadline) break
  }
  return { items: mended, next: cursor }
}
