import * as z from 'zod'
import { changeShape } from '../../events/delivery.ts'
import { firstPass, pass } from './replay-pass.ts'
import { position } from './replay-step.ts'

const identity = z.object({ source: z.string(), id: z.string() })
const recordName = z.object({ kind: z.string(), name: z.string() })
export type RecordName = z.infer<typeof recordName>

/** A record that is not the same live and rebuilt: what differs, leaf by leaf, as far as it is kept. */
const differing = recordName.extend({
  changes: z.array(z.object(changeShape)),
})

/** Records, laid side by side; the numbers are in the job's counts, these are the first names of each. */
const report = z.object({
  different: z.array(differing),
  onlyRebuilt: z.array(recordName),
  onlyLive: z.array(recordName),
  /** of the different ones: made from events that are kept no more, and never replaced */
  older: z.array(recordName).default([]),
  /** events that could not be handled anew, and why */
  failed: z.array(identity.extend({ reason: z.string() })),
})
export type RebuildReport = z.infer<typeof report>

/**
 * history: what has been handled up to when it was asked for is handled again, apart from the live records.
 * quiet: the subscriber is paused, and whatever it was about to do has come to its end.
 * rest: so is what was on its way then, and what has come since.
 * compare, only live: the records are laid side by side.
 * end: the subscriber is resumed.
 */
export const rebuildProgress = z.object({
  stage: z.enum(['history', 'quiet', 'rest', 'compare', 'only live', 'end']),
  doing: z.enum(['send', 'settle']),
  /** which of the stage's walks */
  turn: z.number().int(),
  pass,
  /** what was on its way when it was come upon; of an ordered route keys, from a sequence on */
  later: z.object({
    events: z.array(identity),
    keys: z.array(z.object({ key: z.string(), sequence: z.number() })),
    /** where there were too many: from here on they are not kept in mind, but looked for again */
    reach: position.optional(),
    /** what was done before it, behind that place, is taken into the copy at once */
    doneBefore: z.string().optional(),
  }),
  quiet: z
    .object({
      /** when it was paused for this job */
      at: z.string(),
      /** what was written down until then is all that there is */
      until: z.string().optional(),
      /** counts as they were before */
      counts: z.record(z.string(), z.number()),
    })
    .optional(),
  /** where the records go on */
  cursor: z.string().optional(),
  /** found to differ and about to be replaced */
  todo: z.array(recordName),
  /** the live lists that hold such records */
  lists: z.array(z.string()),
  report,
  /** why it is given up */
  reason: z.string().optional(),
})
export type RebuildProgress = z.infer<typeof rebuildProgress>

const nothingKnown: RebuildReport = { different: [], onlyRebuilt: [], onlyLive: [], older: [], failed: [] }

export const firstProgress: RebuildProgress = {
  stage: 'history',
  doing: 'send',
  turn: 0,
  pass: firstPass,
  later: { events: [], keys: [] },
  todo: [],
  lists: [],
  report: nothingKnown,
}

/** Before the pause: what was seen since then is seen again, because the subscriber has run meanwhile. */
export const beforePause = ({ later, report }: RebuildProgress): RebuildProgress => ({
  ...firstProgress,
  stage: 'quiet',
  later,
  report: { ...nothingKnown, failed: report.failed },
})
