import type { Bodies, History, OpenMark, OpenState } from '../ports.ts'
import { likeness } from '../reasons.ts'
import { type Chosen, chooser, nextMarks, type Place, type Selection } from './selection.ts'

/** Deliveries of one subscriber that failed alike. */
export type OpenGroup = {
  subscriber: string
  /** what their reasons have in common */
  like: string
  count: number
  /** when the first and the last of them changed */
  first: string
  last: string
  /** the types of their events, as far as their marks tell; at most five */
  types: readonly string[]
  /** the reason of one of them, and the first few */
  reason: string
  sample: readonly { source: string; id: string; replay: string }[]
}

type Named = Pick<OpenMark, 'subscriber' | 'source' | 'id' | 'replay'>

/** `unreadable`: the first few that nobody can tell of whether they are meant. */
export type Grouped = {
  groups: OpenGroup[]
  read: number
  unreadable: readonly Named[]
  next: Place | undefined
}

const marksPerRead = 250
/** so that one answer costs a second or two, however much is open */
const mostRead = 1000
const mostReads = 60
const mostSampled = 5
const mostUnread = 20

/**
 * What is open and meant, by subscriber and reason, the largest group first. Looks at up to a thousand deliveries:
 * `next` is where to go on, and counts are of this part alone.
 */
export async function groupOpen(
  query: {
    project: string
    subscribers: readonly string[]
    state: OpenState
    selection: Selection
    before: string
    from: Place | undefined
  },
  deps: { history: History; bodies: Bodies },
): Promise<Grouped> {
  const { project, subscribers, state, selection, before } = query
  const choose = chooser(selection, deps)
  const groups = new Map<string, OpenGroup>()
  const unread: Named[] = []
  let read = 0
  let from = query.from
  for (let reads = 0; reads < mostReads && read < mostRead; reads++) {
    const wanted = { project, subscribers, state, since: selection.since, before }
    const { marks, next } = await nextMarks(wanted, from, marksPerRead, deps.history)
    read += marks.length
    const { chosen, unreadable } = await choose(marks)
    for (const one of chosen) add(groups, one)
    unread.push(
      ...unreadable.map(({ subscriber, source, id, replay }) => ({ subscriber, source, id, replay })),
    )
    from = next
    if (next === undefined) break
  }
  return {
    groups: [...groups.values()].sort((a, b) => b.count - a.count),
    read,
    unreadable: unread.slice(0, mostUnread),
    next: from,
  }
}

function add(groups: Map<string, OpenGroup>, { mark, delivery }: Chosen): void {
  const { subscriber, source, id, replay, changed, type } = mark
  const reason = delivery.reason ?? 'no reason was noted'
  const like = likeness(reason, mark)
  const key = JSON.stringify([subscriber, like])
  const group = groups.get(key) ?? {
    ...{ subscriber, like, count: 0, first: changed, last: changed },
    ...{ types: [], reason, sample: [] },
  }
  const { types, sample } = group
  groups.set(key, {
    ...group,
    count: group.count + 1,
    first: changed < group.first ? changed : group.first,
    last: changed > group.last ? changed : group.last,
    types: type === undefined || types.includes(type) ? types : [...types, type].slice(0, mostSampled),
    sample: sample.length < mostSampled ? [...sample, { source, id, replay }] : sample,
  })
}
