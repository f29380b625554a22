import { type RawItem, s, text } from './attributes.ts'
import type { Aws } from './clients.ts'
import { queryAll } from './dynamodb.ts'

/** Above every sort key of ours. */
export const highest = '\u{10ffff}'

/** What stands in the shards of an index between two sort keys, but for `after`: at most `limit` of each, merged. */
export async function mergedShards(
  aws: Aws,
  table: string,
  query: {
    index: 'trace' | 'open' | 'order'
    partitions: readonly string[]
    first: string
    last: string
    after?: string | undefined
    newestFirst?: boolean | undefined
    limit: number
  },
): Promise<{ key: string; item: RawItem }[]> {
  const [pk, sk] = [`${query.index}pk`, `${query.index}sk`]
  const { after = query.newestFirst ? highest : '' } = query
  // a cursor of another list may lie outside
  const first = query.newestFirst || after < query.first ? query.first : after
  const last = query.newestFirst && after < query.last ? after : query.last
  if (first > last) return []
  const shards = await Promise.all(
    query.partitions.map((partition) =>
      queryAll(aws, table, {
        index: query.index,
        condition: '#pk = :pk AND #sk BETWEEN :first AND :last',
        names: { '#pk': pk, '#sk': sk },
        values: { ':pk': s(partition), ':first': s(first), ':last': s(last) },
        newestFirst: query.newestFirst,
        limit: query.after === undefined ? query.limit : query.limit + 1,
      }),
    ),
  )
  const order = query.newestFirst ? -1 : 1
  return shards
    .flat()
    .map((item) => ({ key: text.parse(item[sk]), item }))
    .filter(({ key }) => key !== query.after)
    .sort((a, b) => (a.key < b.key ? -order : order))
}
