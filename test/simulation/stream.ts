import { outboxPk } from '../../adapters/aws/memory-items.ts'
import { shardOf } from '../../adapters/listing.ts'
import type { Commit } from '../../core/ports.ts'
import type { Chance } from './chance.ts'
import type { Lambda, SimulatedFunction } from './lambda.ts'
import type { Observed } from './observed.ts'
import type { OtherFault } from './options.ts'
import type { Scheduler } from './scheduler.ts'

const shards = 2
const batch = 10
/** As the mapping has it: then it is the sweep's to send. */
const retries = 5

/**
 * The stream of the memory table as the relay gets it: what was put into the outbox, in order per key, at least once, one
 * batch of a shard after the other.
 */
export function stream({
  time,
  chance,
  observed,
  lambda,
  relay,
  rate,
}: {
  time: Scheduler
  chance: Chance
  observed: Observed
  lambda: Pick<Lambda, 'invoke'>
  relay: SimulatedFunction
  rate: (fault: OtherFault) => number
}) {
  const waiting: string[][] = Array.from({ length: shards }, () => [])
  let underWay = 0
  const busy: boolean[] = Array.from({ length: shards }, () => false)

  function next(shard: number): void {
    const lane = waiting[shard]
    if (lane === undefined || busy[shard] || lane.length === 0) return
    busy[shard] = true
    const size = chance.whole(1, batch)
    hand(shard, lane.slice(0, size), retries)
  }

  function hand(shard: number, records: readonly string[], left: number): void {
    const event = {
      Records: records.map((pk) => ({ eventName: 'INSERT', dynamodb: { Keys: { pk: { S: pk } } } })),
    }
    lambda.invoke(relay, event, (end) => {
      const again = !('value' in end) && left > 0
      const doubled = 'value' in end && chance.is(rate('restreamed'))
      if (doubled) observed.sometimes('a batch of the stream comes again')
      if (again || doubled) {
        time.after(chance.between(100, 5000), 'stream again', () => hand(shard, records, left - 1))
        return
      }
      if (!('value' in end)) observed.sometimes('the stream gives up')
      waiting[shard]?.splice(0, records.length)
      busy[shard] = false
      next(shard)
    })
  }

  return {
    /** A change was committed: what it put into the outbox shows in the stream, mostly soon. */
    tell({ outbox }: Commit): void {
      for (const { project, partitionkey } of outbox) {
        if (chance.is(rate('unstreamed'))) {
          observed.sometimes('the stream never tells')
          continue
        }
        const pk = outboxPk(project, partitionkey)
        const shard = shardOf(pk, shards)
        const isBehind = chance.is(rate('behind'))
        if (isBehind) observed.sometimes('the stream is late')
        underWay++
        time.after(isBehind ? chance.between(1000, 600_000) : chance.between(10, 300), 'stream', () => {
          underWay--
          waiting[shard]?.push(pk)
          next(shard)
        })
      }
    },
    isEmpty: () => underWay === 0 && waiting.every((lane) => lane.length === 0),
  }
}
