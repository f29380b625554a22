import * as z from 'zod'

/** What of the history is handed to a subscriber again, as people asked for it; all that is named has to fit. */
export const replaySelection = () =>
  z.object({
    /** when it was received, both inclusive: ISO 8601 */
    since: z.iso.datetime().optional(),
    until: z.iso.datetime().optional(),
    type: z.string().optional(),
    /** a partition key */
    key: z.string().optional(),
    /** a correlation id */
    story: z.string().optional(),
    event: z.object({ source: z.string(), id: z.string() }).optional(),
    /** what expected the subscriber when it was recorded, instead of what its route takes now */
    asRecorded: z.boolean().optional(),
  })
export type ReplaySelection = z.infer<ReturnType<typeof replaySelection>>
