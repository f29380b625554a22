import * as z from 'zod'

const share = z.number().min(0).max(1)
const id = z.string()

/** The last handlers of a way; of several, any one is enough. */
const sink = z.array(id)

/** What one type, coming in at one door, loses. */
const loss = z.object({
  type: z.string(),
  door: id,
  /** at most twenty of the sinks that are lost */
  sinks: z.array(sink),
  lost: z.int(),
  of: z.int(),
  /** of what gets to its last handlers; null: not known */
  share: share.nullable(),
})

/** The answer of the fracture analysis; docs/mesh.md says what each number means. Times in seconds. */
export const fractureReport = z.object({
  /** how long each outage is taken to last */
  outage: z.number(),
  flows: z.array(
    z.object({
      type: z.string(),
      door: id,
      /** per second; null: nobody has said */
      rate: z.number().nullable(),
      /** that the door accepts, with all that its caller waits for */
      accepted: share,
      sinks: z.array(
        z.object({
          nodes: sink,
          /** types that get there; what comes in may have become others on its way */
          types: z.array(z.string()),
          /** nodes that it fails with, nearest first, at most fifty; and how many there are */
          points: z.array(id),
          pointCount: z.int(),
          /** elements that it fails with, nearest first, at most fifty */
          ways: z.array(id),
          /** that all of one way works at once; null: too many ways to say */
          now: share.nullable(),
          /** that what was accepted gets there in the end, when outages last as long as `outage`; null: too many ways to say */
          eventually: share.nullable(),
          /** that what was accepted is given up in such an outage and kept nowhere; null: too many ways to say */
          dropped: share.nullable(),
          /** standard error where `now`, `eventually` and `dropped` are simulated; 0: exact */
          error: z.number(),
        }),
      ),
    }),
  ),
  /** what is lost without one node or element, the worst first; those that nothing is lost without are left out */
  removals: z.array(
    z.object({
      at: id,
      name: z.string(),
      is: z.enum(['node', 'element']),
      /** the part of the time that it works, as AWS promises; an element always does */
      works: share.default(1),
      /** types of which some sinks are lost */
      types: z.int(),
      /** of all that comes in; null: not known */
      share: share.nullable(),
      /** nodes that get nothing more of some type, itself included */
      nodes: z.int(),
      losses: z.array(loss),
      /** consumers that take over its part, messages per second; null: not known */
      moves: z.array(z.object({ at: id, before: z.number().nullable(), after: z.number().nullable() })),
      /** how long it may fail before what waits for it is given up; null: nothing waits, callers are refused */
      holdsFor: z.number().nullable(),
      /** after the outage, until all that waited is done; null: see why */
      recovery: z.object({
        seconds: z.number().nullable(),
        why: z.string().nullable(),
        /** what waited is never done */
        endless: z.literal(true).exactOptional(),
      }),
      /** what goes over its limit then, round by round; null: not followed, it is not among the worst */
      cascade: z
        .object({
          rounds: z.array(
            z.array(
              z.object({
                at: id,
                name: z.string(),
                unit: z.string(),
                utilisation: z.number(),
                effect: z.enum(['fails', 'falls behind']),
              }),
            ),
          ),
          /** whether nothing more followed */
          settled: z.boolean(),
        })
        .nullable(),
    }),
  ),
  /** nodes and elements that nothing is lost without */
  spare: z.int(),
  /** pairs that cut together what neither cuts alone */
  pairs: z.object({
    tried: z.int(),
    /** whether all pairs that there are were tried */
    all: z.boolean(),
    cuts: z.array(z.object({ at: z.tuple([id, id]), losses: z.array(loss) })),
  }),
  assumptions: z.array(z.string()),
})
export type FractureReport = z.output<typeof fractureReport>
export type Removal = FractureReport['removals'][number]
export type Loss = z.output<typeof loss>
