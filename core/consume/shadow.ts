import * as z from 'zod'
import type { ListPlace, Memory, MemoryRecord, MemoryWrite, RecordKey } from '../ports.ts'

/**
 * A copy of a subscriber's records that a rebuild makes, apart from the live ones: each lies under the rebuild's id with
 * what it would be live, so that both can be laid side by side, and all of them stand in one list.
 */
const shadowed = z.object({
  kind: z.string(),
  name: z.string(),
  value: z.unknown(),
  /** where it would stand live */
  place: z.object({ list: z.string(), order: z.string() }).optional(),
  /** when the live one would be forgotten */
  expires: z.string().optional(),
})

/** What a record of a rebuild would be live; its version is that of the copy. */
export type Shadowed = MemoryRecord & { place?: ListPlace | undefined }

/** The list of all that one rebuild wrote, by kind and name. */
export const shadowList = (replay: string): string => `shadow/${replay}`

const shadowKind = 'shadow'

export const shadowRecord = (replay: string, { project, kind, name }: RecordKey): RecordKey => ({
  project,
  kind: shadowKind,
  name: `${replay}/${kind}/${name}`,
})

/** @throws ZodError when the record is none of a rebuild's */
export function shadowedOf(record: MemoryRecord): Shadowed {
  const { kind, name, value, place, expires } = shadowed.parse(record.value)
  return { project: record.project, kind, name, version: record.version, value, place, expires }
}

function shadowWrite(replay: string, write: MemoryWrite, expires: string | undefined): MemoryWrite {
  const { kind, name, version, value, place } = write
  return {
    ...shadowRecord(replay, write),
    version,
    value: { kind, name, value, place, expires: write.expires },
    place: { list: shadowList(replay), order: `${kind} ${name}` },
    expires,
  }
}

/**
 * Memory as a handler sees it during a rebuild: it reads and writes the copies alone, and what it would tell others is
 * left out. `expires`: when a copy that is written now is forgotten (ISO 8601). Lists and outboxes are the live ones',
 * so nobody may ask for them here.
 */
export const shadowOf = (memory: Memory, replay: string, expires?: string): Memory => ({
  async get(key) {
    const record = await memory.get(shadowRecord(replay, key))
    return record && shadowedOf(record)
  },
  commit: ({ writes, mark, transition }) =>
    memory.commit({
      writes: writes.map((write) => shadowWrite(replay, write, expires)),
      outbox: [],
      mark,
      transition,
    }),
  list: () => notHere('lists'),
  outbox: () => notHere('an outbox'),
  removeFromOutbox: () => notHere('an outbox'),
  staleOutbox: () => notHere('an outbox'),
})

const notHere = (what: string): Promise<never> =>
  Promise.reject(new Error(`a rebuild reads and writes records by their key: it has no ${what}`))
