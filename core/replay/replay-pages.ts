import type { History, Page } from '../ports.ts'
import { type Step, stepsBetween } from '../timeline-steps.ts'

const shards = [0, 1, 2, 3]

/** A page, or without one the end of an hour; both have a place in the order of time. */
export type PageStep = { page: string; shard: number; whole?: Page | undefined }

/**
 * The pages of a project's timeline after one page id up to and with another, of all shards by their ids, which begin
 * with the time of writing; and the end of each hour, so that an empty past is gone through step by step. `from`: begins
 * with that very page instead.
 */
export async function* pagesBetween(
  { project, after, to }: { project: string; after: string; to: string },
  from: { page: string; shard: number } | undefined,
  history: Pick<History, 'pages'>,
): AsyncGenerator<PageStep> {
  // a page comes behind what its id begins with
  const begin = from === undefined ? after : from.page.slice(0, -1)
  const walks = shards.map((shard) => {
    const steps = stepsBetween(begin, to, { project, shard }, history)
    return { next: async () => headOf(await steps.next(), shard) }
  })
  const heads = await Promise.all(walks.map(({ next }) => next()))
  const advance = async (shard: number) => {
    heads[shard] = await walks[shard]?.next()
  }
  for (;;) {
    const [first] = heads.flatMap((head) => head ?? []).sort(comparePlaces)
    if (first === undefined) return
    if (first.page > after && (from === undefined || comparePlaces(first, from) >= 0)) yield first
    // an hour ends for all shards at once
    const together =
      first.whole === undefined ? shards.filter((n) => heads[n]?.page === first.page) : [first.shard]
    await Promise.all(together.map(advance))
  }
}

const headOf = ({ done, value }: IteratorResult<Step, void>, shard: number): PageStep | undefined =>
  done || value === undefined ? undefined : { page: value.reached, shard, whole: value.page }

/** The order in which pages are walked through. */
export const comparePlaces = (
  a: { page: string; shard: number },
  b: { page: string; shard: number },
): number => (a.page === b.page ? a.shard - b.shard : a.page < b.page ? -1 : 1)
