import * as z from 'zod'
import { changeShape } from '../../events/delivery.ts'
import type { RecordedEvent } from '../../events/envelope.ts'
import type { DataOf } from '../../events/event-type.ts'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { changesBetween } from '../changes.ts'
import { Failure } from '../errors.ts'
import type { Change } from '../event/handler.ts'
import type { MemoryRecord, RecordKey } from '../ports.ts'

const declared = z.object(repositoryUpdated.schema.shape).omit({ repository: true, version: true })

/** What one declaration changed; `before` or `after` is absent where nothing stood. */
const step = z.object({
  version: z.number().int().min(1),
  /** when it came through the gate */
  at: z.iso.datetime(),
  by: z.string(),
  changes: z.array(z.object(changeShape)),
})

/**
 * What became of a repository's declaration, one version after the other: built from its events alone, strictly in
 * order, so each is compared with the one before it.
 */
const repositoryHistory = z.object({
  repository: z.string(),
  /** the newest version that was taken in, and the first: of what was declared before that nothing is known here */
  version: z.number().int().min(1),
  since: z.number().int().min(1),
  /** as it stands with that version */
  declared,
  /** newest first; the oldest are forgotten */
  steps: z.array(step),
})
export type RepositoryHistory = z.infer<typeof repositoryHistory>

/** Beyond either the oldest steps are forgotten: the record stays far below 400 KB. */
export const limits = { steps: 100, changes: 1000 } as const

export const historyList = 'repository-histories'

export const historyRecord = (project: string, repository: string): RecordKey => ({
  project,
  kind: 'repository-history',
  name: repository,
})

/** @throws ZodError when the record was written by something else */
export const historyOf = (record: MemoryRecord | undefined): RepositoryHistory | undefined =>
  record && repositoryHistory.parse(record.value)

/**
 * The history with one more version. It may begin at any: a repository may be older than this history, and older than
 * what is kept of its events. From then on none is left out.
 * @throws Failure Conflict when it is not the next version
 */
export function evolve(
  state: RepositoryHistory | undefined,
  { repository, version, ...now }: DataOf<typeof repositoryUpdated>,
  { received, actor }: Pick<RecordedEvent, 'received' | 'actor'>,
): RepositoryHistory {
  if (state !== undefined && version !== state.version + 1) throw notTheNext(version, state)
  // what changed with the first one is known only where nothing stood before it
  const changes = state === undefined && version > 1 ? [] : changesBetween(state?.declared, now)
  const taken = { version, at: received, by: actor, changes }
  return {
    repository,
    version,
    since: state?.since ?? version,
    declared: now,
    steps: bounded([taken, ...(state?.steps ?? [])]),
  }
}

function notTheNext(version: number, { version: newest, since, repository }: RepositoryHistory): Failure {
  const next = newest + 1
  const why =
    version > next
      ? `version ${version} comes after ${newest}: what lies between has not come; when it has, redrive this one`
      : version < since
        ? `version ${version} comes after ${since}, with which this history began: rebuild it to have both`
        : `version ${version} is taken in already`
  return new Failure('Conflict', `the history of ${repository} is built in order, and ${why}`, {
    faults: [{ path: 'data.version', expected: String(next), got: String(version) }],
  })
}

function bounded(steps: RepositoryHistory['steps']): RepositoryHistory['steps'] {
  let sum = 0
  return steps.slice(0, limits.steps).filter(({ changes }, index) => {
    sum += changes.length
    return index === 0 || sum <= limits.changes
  })
}

/** What an event changes in memory. @throws Failure Conflict when it is not the next version */
export function track(
  event: Pick<RecordedEvent, 'project' | 'received' | 'actor'>,
  data: DataOf<typeof repositoryUpdated>,
  record: MemoryRecord | undefined,
): Change<never> {
  const value = evolve(historyOf(record), data, event)
  const { repository } = data
  const write = {
    ...historyRecord(event.project, repository),
    version: (record?.version ?? 0) + 1,
    value,
    place: { list: historyList, order: repository },
  }
  return { writes: [write], emits: [], sequence: data.version }
}
