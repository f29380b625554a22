import type { Law, MeshNode } from '../../model.ts'
import { type Draft, numberAt } from '../draft/draft.ts'
import { latency } from '../draft/retries.ts'
import type { Json } from '../json.ts'
import type { Resource } from '../resolve/scope.ts'

/** Whoever polls a stream, a function or a pipe, has so many batches of each shard at once. `settings`: of the poll. */
export function shardLaws(
  draft: Draft,
  resource: Resource,
  settings: Json,
  source: MeshNode | undefined,
): Law[] {
  // of a shard those with one key go to one of so many (Lambda's guide, with-kinesis)
  const factor = numberAt(draft, resource, settings, ['ParallelizationFactor'], { least: 1 }) ?? 1
  if (source?.kind === 'stream') {
    const { shards } = source.settings
    const one = draft.constant('kinesis-shard-records')
    // on demand it has as many as its throughput needs
    const whole = draft.constant('kinesis-on-demand-records')
    const [count, from] =
      shards === undefined ? [Math.ceil(whole.value / one.value), whole.from] : [shards, 'template']
    return [
      { law: 'servers', servers: count * factor, over: 'wait', keyed: true, from },
      latency(draft, 'kinesis'),
    ]
  }
  if (source?.kind !== 'table') return []
  // a shard of its stream for each partition, of which the table's throughput needs so many
  const writes = source.settings.writeUnits ?? draft.constant('dynamodb-new-table-writes').value
  const partition = draft.constant('dynamodb-partition-writes')
  const shards = Math.max(1, Math.ceil(writes / partition.value))
  return [
    { law: 'servers', servers: shards * factor, over: 'wait', keyed: true, from: partition.from },
    latency(draft, 'dynamodb-streams'),
  ]
}
