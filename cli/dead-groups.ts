import type { DeadGroup } from './answers-mending.ts'
import type { Api, Selected } from './api.ts'
import { count, localTime, type Paint, table } from './output.ts'

/** Enough to see what is wrong; whoever has more filters. */
const mostRead = 20_000
const mostSampled = 5
const mostUnread = 20

export type DeadGroups = {
  groups: DeadGroup[]
  count: number
  complete: boolean
  /** ids of the first that newer code wrote */
  unreadable: string[]
}

/** What is dead by subscriber and reason, the largest group first, over as many answers as it takes. */
export async function gatherGroups(api: Pick<Api, 'deadGroups'>, selected: Selected): Promise<DeadGroups> {
  const all = new Map<string, DeadGroup>()
  const unreadable: string[] = []
  let cursor: string | undefined
  let read = 0
  do {
    const answer = await api.deadGroups({ ...selected, cursor })
    for (const group of answer.groups) {
      const key = JSON.stringify([group.subscriber, group.like])
      const known = all.get(key)
      all.set(key, known === undefined ? group : joined(known, group))
    }
    unreadable.push(...answer.unreadable.map(({ id }) => id))
    read += answer.read
    cursor = answer.next
  } while (cursor !== undefined && read < mostRead)
  const groups = [...all.values()].sort((a, b) => b.count - a.count)
  const total = groups.reduce((sum, group) => sum + group.count, 0)
  return { groups, count: total, complete: cursor === undefined, unreadable: unreadable.slice(0, mostUnread) }
}

const joined = (a: DeadGroup, b: DeadGroup): DeadGroup => ({
  ...a,
  count: a.count + b.count,
  first: a.first < b.first ? a.first : b.first,
  last: a.last > b.last ? a.last : b.last,
  types: [...new Set([...a.types, ...b.types])].slice(0, mostSampled),
  sample: [...a.sample, ...b.sample].slice(0, mostSampled),
})

/** Whether anything dead is meant, or may be: what newer code wrote cannot be told. */
export async function anyDead(api: Pick<Api, 'deadGroups'>, selected: Selected): Promise<boolean> {
  let cursor: string | undefined
  do {
    const { groups, unreadable, next } = await api.deadGroups({ ...selected, cursor })
    if (groups.length > 0 || unreadable.length > 0) return true
    cursor = next
  } while (cursor !== undefined)
  return false
}

/** Said where nothing dead is meant. */
export async function noneText(api: Pick<Api, 'deadGroups'>, selected: Selected): Promise<string> {
  const none = 'No delivery is dead.'
  if (Object.keys(selected).length === 0) return none
  const { count: all, complete } = await gatherGroups(api, {})
  if (all === 0) return none
  const dead = count(all, 'delivery is dead', 'deliveries are dead')
  return `No dead delivery matches; ${complete ? '' : 'more than '}${dead}: loadpath dead list`
}

export const groupsTable = ({ groups }: DeadGroups, p: Paint, none = 'No delivery is dead.'): string =>
  groups.length === 0
    ? none
    : table(
        p,
        ['COUNT', 'SUBSCRIBER', 'FIRST', 'LAST', 'EVENT, FOR ONE', 'REASON'],
        groups.map(({ count: number, subscriber, first, last, sample, reason }) => [
          String(number),
          p.bold(subscriber),
          localTime(first),
          localTime(last),
          sample[0]?.id ?? '',
          p.red(reason),
        ]),
      )

export const leftOut = (unreadable: readonly string[]): string | [] =>
  unreadable.length === 0
    ? []
    : `Left out, as newer code wrote them or what --where asks of is gone: ${unreadable.join(', ')}`

/** Said where not all could be counted. */
export const partial = ({ complete, unreadable }: DeadGroups): string =>
  [
    complete ? [] : `Counted among the first ${mostRead.toLocaleString('en')}; there are more.`,
    leftOut(unreadable),
  ]
    .flat()
    .join('\n')
