import * as z from 'zod'
import { Failure } from '../core/errors.ts'
import { ago, day, hour } from '../core/time.ts'
import { retentionDays } from '../events/event-type.ts'
import { time } from './shapes.ts'

/** What is asked of a window that is read slice by slice. */
export const windowQuery = {
  since: time.optional().openapi({
    description:
      'recorded at this time or later; an hour ago without it. Nothing older than the longest retention is looked for',
  }),
  until: time.optional().openapi({ description: 'recorded before this time; now without it' }),
  shard: z
    .string()
    .regex(/^[0-3]$/, { error: '0, 1, 2 or 3' })
    .transform(Number)
    .optional()
    .openapi({
      type: 'integer',
      description: 'of the four of the timeline only this one: four calls count side by side',
    }),
  cursor: z.string().max(4096).optional().openapi({ description: '`next` of the slice before' }),
}

const longestRetention = Math.max(...Object.values(retentionDays)) * day

export type Window = { since: string; until: string }

/** @throws Failure Invalid */
export function windowOf(
  asked: { since?: string | undefined; until?: string | undefined },
  now: string,
  otherwise?: Window,
): Window {
  const last = asked.until ?? otherwise?.until ?? now
  const until = last < now ? last : now
  // nothing that came before is kept any more
  const first = ago(now, longestRetention)
  const from = asked.since ?? otherwise?.since ?? ago(until, hour)
  const since = from < first ? first : from
  if (since < until) return { since, until }
  throw new Failure('Invalid', 'the window is empty', {
    faults: [{ path: 'query.since', expected: `a time before ${until}`, got: since }],
  })
}
