import * as z from 'zod'

/** Which delivery an event of ours is about: its subscriber, and the event it was of. */
export const deliveryShape = {
  subscriber: z.string(),
  event: z.object({ source: z.string(), id: z.string(), type: z.string() }),
  /** of a replay's delivery: its id; '' for the live one */
  replay: z.string(),
}

type About = { subscriber: string; replay: string; event: { source: string; id: string } }

/** What is done to one delivery belongs together. */
export const deliveryPartition = ({ subscriber, replay, event: { source, id } }: About): string =>
  `delivery/${subscriber}/${replay}/${source}/${id}`

/** A leaf that is not the same. */
export const changeShape = {
  path: z.string(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
}

/** What a selection of deliveries was to be, as people asked for it. */
export const selectionShape = {
  type: z.string().optional(),
  /** text that the reason holds; `*` stands for any characters */
  reason: z.string().optional(),
  /** when its state last changed, both inclusive: ISO 8601 */
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
  /** members of the data and the values they must have */
  where: z.array(z.object({ path: z.string(), value: z.string() })).optional(),
}
