import * as z from 'zod'
import { batches } from './batches.ts'
import type { Aws } from './clients.ts'

export type BusEntry = {
  source: string
  /** the event type */
  detailType: string
  /** becomes JSON */
  detail: unknown
  /** ISO 8601 */
  time?: string | undefined
  resources?: readonly string[] | undefined
}

const answer = z.object({
  Entries: z.array(z.object({ ErrorCode: z.string().optional(), ErrorMessage: z.string().optional() })),
})

/** Puts entries on an EventBridge bus, in as many calls as needed; answers the failed ones by their index, with why. */
export const busPublisher =
  ({ aws, bus }: { aws: Aws; bus: string }) =>
  async (entries: readonly BusEntry[]): Promise<{ index: number; error: unknown }[]> => {
    const failures = await Promise.all(
      batches(
        entries.map((entry) => wireEntry(bus, entry)),
        sizeOf,
      ).map((batch) => putBatch(aws, batch)),
    )
    return failures.flat().sort((a, b) => a.index - b.index)
  }

const wireEntry = (bus: string, { source, detailType, detail, time, resources }: BusEntry) => ({
  EventBusName: bus,
  Source: source,
  DetailType: detailType,
  Detail: JSON.stringify(detail),
  ...(time === undefined ? {} : { Time: Date.parse(time) / 1000 }),
  ...(resources === undefined ? {} : { Resources: resources }),
})
type WireEntry = ReturnType<typeof wireEntry>

/** As EventBridge counts: 14 for the time, source, detail type, detail and resources. */
const sizeOf = ({ Source, DetailType, Detail, Resources = [] }: WireEntry): number =>
  14 + [Source, DetailType, Detail, ...Resources].reduce((sum, part) => sum + Buffer.byteLength(part), 0)

async function putBatch(aws: Aws, batch: readonly { index: number; item: WireEntry }[]) {
  try {
    const { Entries: results } = answer.parse(
      await aws.call('events', 'PutEvents', { Entries: batch.map(({ item }) => item) }),
    )
    return batch.flatMap(({ index }, position) => {
      const result = results[position]
      if (result !== undefined && result.ErrorCode === undefined) return []
      return [
        {
          index,
          error: new Error(`${result?.ErrorCode ?? 'no answer'}: ${result?.ErrorMessage ?? 'not put'}`),
        },
      ]
    })
  } catch (error) {
    return batch.map(({ index }) => ({ index, error }))
  }
}
