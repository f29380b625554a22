import * as z from 'zod'
import type { DataOf } from '../../events/event-type.ts'
import { repositoryName } from '../../events/github.ts'
import { qualityGate, repositoryUpdated } from '../../events/repository.updated.ts'
import type { Change } from '../event/handler.ts'
import { canonicalJson } from '../identity.ts'
import type { MemoryRecord, RecordKey } from '../ports.ts'

/** The aggregate `repository`: the branch that is deployed and the gates a change must pass. */
export type Repository = DataOf<typeof repositoryUpdated>

/** What `POST /v1/repositories` takes. Declaring again replaces the whole. */
export const declareRepository = z.strictObject({
  // GitHub has no such names, and no path could lead to them
  repository: repositoryName.refine((name) => !/(^|\/)\.{1,2}(\/|$)/.test(name), {
    error: '<owner>/<name>, neither of them . or ..',
  }),
  deployBranch: z
    .string()
    .max(255)
    .regex(/^[^\s~^:?*[\\]+$/, { error: 'the name of a branch' }),
  gates: z.array(qualityGate()).max(20).default([]),
})
export type DeclareRepository = z.infer<typeof declareRepository>

export const repositoryRecord = (project: string, repository: string): RecordKey => ({
  project,
  kind: 'repository',
  name: repository,
})

/** @throws ZodError when the record was written by something else */
export const repositoryOf = (record: MemoryRecord | undefined): Repository | undefined =>
  record && repositoryUpdated.schema.parse(record.value)

/** The data of the repository.updated events that a declaration leads to; none when nothing is new. */
export function decide(command: DeclareRepository, state: Repository | undefined): Repository[] {
  const { version = 0, ...known } = state ?? {}
  return canonicalJson(known) === canonicalJson(command) ? [] : [{ ...command, version: version + 1 }]
}

export const evolve = (_state: Repository | undefined, updated: Repository): Repository => updated

/** What a declaration changes in memory, with its event; undefined when it says nothing new. */
export function declare(
  project: string,
  command: DeclareRepository,
  record: MemoryRecord | undefined,
): Change<typeof repositoryUpdated> | undefined {
  const state = repositoryOf(record)
  const [updated] = decide(command, state)
  if (updated === undefined) return undefined
  return {
    writes: [
      {
        ...repositoryRecord(project, command.repository),
        version: (record?.version ?? 0) + 1,
        value: evolve(state, updated),
        place: { list: 'repositories', order: command.repository },
      },
    ],
    emits: [{ type: repositoryUpdated, data: updated }],
    sequence: updated.version,
  }
}
