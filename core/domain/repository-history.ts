import * as z from 'zod'
import { changeShape } from '../../events/delivery.ts'
import type { RecordedEvent } from '../../events/envelope.ts'
import type { DataOf } from '../../events/event-type.ts'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { wholeChangesBetween } from '../changes.ts'
import { Failure } from '../errors.ts'
import type { Change } from '../event/handler.ts'
import type { MemoryRecord, RecordKey } from '../ports.ts'

const declared = z.object(repositoryUpdated.schema.shape).omit({ repository: true, version: true })
type Declared = z.infer<typeof declared>

/** What one declaration changed; `before` or `after` is absent where nothing stood. */
const step = z.object({
  version: z.number().int().min(1),
  /** when it came through the gate */
  at: z.iso.datetime(),
  by: z.string(),
  /** the version that it is held against, where that is not the one before: those between have not been taken in */
  after: z.number().int().min(1).optional(),
  changes: z.array(z.object(changeShape)),
})
type Step = z.infer<typeof step>

/**
 * What became of a repository's declaration, one version after the other: each is compared with the one before it that
 * was taken in. It is the same whatever order they came in.
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
 * The history with one more version, at its place. It may begin at any, because a repository may be older than this
 * history, and any may be missing: it was dropped, or comes late. What lies behind all that is remembered changes no step.
 * @throws Failure Conflict when it is taken in already
 */
export function evolve(
  state: RepositoryHistory | undefined,
  { repository, version, ...now }: DataOf<typeof repositoryUpdated>,
  { received, actor }: Pick<RecordedEvent, 'received' | 'actor'>,
): RepositoryHistory {
  const taken = { version, at: received, by: actor }
  if (state === undefined) {
    const only = stepFrom(undefined, taken, now)
    return { repository, version, since: version, declared: now, steps: [only] }
  }
  const { newer, next, before } = around(version, state)
  const since = Math.min(state.since, version)
  const older = state.steps.slice(newer.length)
  const known = older[0]?.version ?? before?.version ?? 0
  if (known === version)
    throw new Failure('Conflict', `version ${version} is in the history of ${repository} already`, {
      faults: [{ path: 'data.version', expected: 'one that is not', got: String(version) }],
    })
  if (known > version) return { ...state, since }
  const own = stepFrom(before, taken, now)
  if (next === undefined)
    return { repository, version, since, declared: now, steps: bounded([own, ...older]) }
  const behind = stepFrom({ version, declared: now }, next.step, next.declared)
  return { ...state, since, steps: bounded([...newer.slice(0, -1), behind, own, ...older]) }
}

type Known = { version: number; declared: Declared }

/** Where a version belongs: the steps that are newer, the last of them with what it declared, and what stood before that. */
function around(
  version: number,
  { steps, since, ...newest }: RepositoryHistory,
): { newer: Step[]; next: { step: Step; declared: Declared } | undefined; before: Known | undefined } {
  const newer = steps.filter((one) => one.version > version)
  const last = newer.at(-1)
  if (last === undefined) return { newer, next: undefined, before: newest }
  const then = newer.slice(0, -1).reduce((later, { changes }) => undone(later, changes), newest.declared)
  const before =
    last.version === since
      ? undefined
      : { version: last.after ?? last.version - 1, declared: undone(then, last.changes) }
  return { newer, next: { step: last, declared: then }, before }
}

/** What changed with the first one is known only where nothing stood before it. */
function stepFrom(
  before: Known | undefined,
  { version, at, by }: Pick<Step, 'version' | 'at' | 'by'>,
  now: Declared,
): Step {
  const isFirstKnown = before === undefined && version > 1
  return {
    ...{ version, at, by },
    ...(before === undefined || before.version === version - 1 ? {} : { after: before.version }),
    changes: isFirstKnown ? [] : wholeChangesBetween(before?.declared, now),
  }
}

/** What was declared before these changes. */
function undone(now: Declared, changes: Step['changes']): Declared {
  const leaves = new Map(wholeChangesBetween(undefined, now).map(({ path, after }) => [path, after]))
  for (const { path, before } of changes) {
    if (before === undefined) leaves.delete(path)
    else leaves.set(path, before)
  }
  const gates: Record<string, unknown>[] = []
  for (const [path, value] of leaves) {
    const [, , index, name] = path.split('/')
    if (name !== undefined) gates[Number(index)] = { ...gates[Number(index)], [name]: value }
  }
  return declared.parse({ deployBranch: leaves.get('/deployBranch'), gates })
}

function bounded(steps: readonly Step[]): Step[] {
  let sum = 0
  return steps.slice(0, limits.steps).filter(({ changes }, index) => {
    sum += changes.length
    return index === 0 || sum <= limits.changes
  })
}

/** What an event changes in memory. @throws Failure Conflict when its version is taken in already */
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
