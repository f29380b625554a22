import * as z from 'zod'
import type { MemoryRecord, RecordKey } from '../ports.ts'
import { minute } from '../time.ts'

/**
 * How far the timeline has been read: per shard the last page. Subscribers whose queue was not empty when something of
 * theirs was missing are behind: for each the place to go back to once it is.
 */
const position = z.array(z.string()).length(4)
export type ShardPlaces = z.infer<typeof position>

const sweepCursor = z.object({
  read: position,
  behind: z.record(z.string(), position),
  /** when the last pass ended, and how many there were since when; kept here because each pass writes this */
  at: z.iso.datetime().optional(),
  passes: z.number().int().min(0).default(0),
  since: z.iso.datetime().optional(),
})
export type SweepCursor = z.infer<typeof sweepCursor>

export const cursorKey = (project: string): RecordKey => ({ project, kind: 'cursor', name: 'sweep' })

export const cursorOf = (record: MemoryRecord | undefined): SweepCursor | undefined =>
  record && sweepCursor.parse(record.value)

/** The time at which a place of the timeline was written: whatever stands behind it in a page's id does not count. */
export const timeOf = (place: string): string => place.slice(0, 24)

/** How far the shard that is furthest behind is behind a time. */
export const lagMinutes = (read: ShardPlaces, horizon: string): number =>
  Math.max(
    0,
    Math.round((Date.parse(timeOf(horizon)) - Date.parse(timeOf(read.toSorted()[0] ?? horizon))) / minute),
  )
