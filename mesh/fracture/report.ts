import * as z from 'zod'

const share = z.number().min(0).max(1)
const id = z.string()

/** The last handlers of a way; of several, any one is enough. */
const sink = z.array(id)

/** What one type, coming in at one door, loses. */
const loss = z.object({
  type: z.string(),
  door: id,
  sinks: z.array(sink).describe('at most twenty of the sinks that are lost'),
  lost: z.int(),
  of: z.int(),
  share: share.nullable().describe('of what gets to its last handlers; null: not known'),
})

/** The answer of the fracture analysis; docs/mesh.md says what each number means. Times in seconds. */
export const fractureReport = z.object({
  outage: z.number().describe('how long each outage is taken to last'),
  flows: z.array(
    z.object({
      type: z.string(),
      door: id,
      rate: z.number().nullable().describe('per second; null: nobody has said'),
      accepted: share.describe('that the door accepts, with all that its caller waits for'),
      sinks: z.array(
        z.object({
          nodes: sink,
          types: z
            .array(z.string())
            .describe('types that get there; what comes in may have become others on its way'),
          points: z
            .array(id)
            .describe('nodes that it fails with, nearest first, at most fifty; and how many there are'),
          pointCount: z.int(),
          ways: z.array(id).describe('elements that it fails with, nearest first, at most fifty'),
          now: share.nullable().describe('that all of one way works at once; null: too many ways to say'),
          eventually: share
            .nullable()
            .describe(
              'that what was accepted gets there in the end, when outages last as long as `outage`; null: too many ways to say',
            ),
          dropped: share
            .nullable()
            .describe(
              'that what was accepted is given up in such an outage and kept nowhere; null: too many ways to say',
            ),
          error: z
            .number()
            .describe('standard error where `now`, `eventually` and `dropped` are simulated; 0: exact'),
        }),
      ),
    }),
  ),
  removals: z
    .array(
      z.object({
        at: id,
        name: z.string(),
        is: z.enum(['node', 'element']),
        works: share
          .default(1)
          .describe('the part of the time that it works, as AWS promises; an element always does'),
        types: z.int().describe('types of which some sinks are lost'),
        share: share.nullable().describe('of all that comes in; null: not known'),
        nodes: z.int().describe('nodes that get nothing more of some type, itself included'),
        losses: z.array(loss),
        moves: z
          .array(z.object({ at: id, before: z.number().nullable(), after: z.number().nullable() }))
          .describe('consumers that take over its part, messages per second; null: not known'),
        holdsFor: z
          .number()
          .nullable()
          .describe(
            'how long it may fail before what waits for it is given up; null: nothing waits, callers are refused',
          ),
        recovery: z
          .object({
            seconds: z.number().nullable(),
            why: z.string().nullable(),
            endless: z.literal(true).exactOptional().describe('what waited is never done'),
          })
          .describe('after the outage, until all that waited is done; null: see why'),
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
            settled: z.boolean().describe('whether nothing more followed'),
          })
          .nullable()
          .describe(
            'what goes over its limit then, round by round; null: not followed, it is not among the worst',
          ),
      }),
    )
    .describe(
      'what is lost without one node or element, the worst first; those that nothing is lost without are left out',
    ),
  spare: z.int().describe('nodes and elements that nothing is lost without'),
  pairs: z
    .object({
      tried: z.int(),
      all: z.boolean().describe('whether all pairs that there are were tried'),
      cuts: z.array(z.object({ at: z.tuple([id, id]), losses: z.array(loss) })),
    })
    .describe('pairs that cut together what neither cuts alone'),
  assumptions: z.array(z.string()),
})
export type FractureReport = z.output<typeof fractureReport>
export type Removal = FractureReport['removals'][number]
export type Loss = z.output<typeof loss>
