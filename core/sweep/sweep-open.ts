import * as z from 'zod'
import type { History, Memory, OpenMark, OpenState, RecordKey } from '../ports.ts'

export type OpenCount = {
  retrying: number
  parked: number
  dead: number
  oldest: string | undefined
  /** of these there are more than were counted */
  more?: readonly OpenState[] | undefined
}
export type Counts = Readonly<Record<string, OpenCount>>

const nothing: OpenCount = { retrying: 0, parked: 0, dead: 0, oldest: undefined }
const states: readonly OpenState[] = ['retrying', 'parked', 'dead']
const mostCounted = 1000

/** What is open, of each of these subscribers that has something open; up to 1,000 of a state. */
export async function countOpen(
  project: string,
  subscribers: readonly string[],
  { history }: { history: Pick<History, 'openMarks'> },
): Promise<Counts> {
  const counts = await Promise.all(
    subscribers.map(async (subscriber): Promise<[string, OpenCount]> => {
      const query = { project, subscriber, limit: mostCounted }
      const all = await history.openMarks(query)
      // many of one state must not hide the others
      const lists =
        all.next === undefined
          ? [all]
          : await Promise.all(states.map((state) => history.openMarks({ ...query, state })))
      const more = lists.length === 1 ? [] : states.filter((_, index) => lists[index]?.next !== undefined)
      const counted = countOf(lists.flatMap(({ items }) => items))
      return [subscriber, more.length === 0 ? counted : { ...counted, more }]
    }),
  )
  return Object.fromEntries(counts.filter(([, { oldest }]) => oldest !== undefined))
}

function countOf(marks: readonly OpenMark[]): OpenCount {
  const count = (wanted: OpenState) => marks.filter(({ state }) => state === wanted).length
  const oldest = marks.map(({ changed }) => changed).sort()[0]
  return { retrying: count('retrying'), parked: count('parked'), dead: count('dead'), oldest }
}

const openBefore = z.object({ subscribers: z.array(z.string()) })
const openKey = (project: string): RecordKey => ({ project, kind: 'cursor', name: 'open' })

/** The counts, and a last time nothing for each that had something open at the pass before: a metric each, for money. */
export async function withClosed(project: string, open: Counts, memory: Memory): Promise<Counts> {
  const kept = await memory.get(openKey(project))
  const before = kept ? openBefore.parse(kept.value).subscribers : []
  const subscribers = Object.keys(open).sort()
  if (subscribers.join() !== before.join())
    await memory.commit({
      writes: [{ ...openKey(project), version: (kept?.version ?? 0) + 1, value: { subscribers } }],
      outbox: [],
    })
  return { ...Object.fromEntries(before.map((subscriber) => [subscriber, nothing])), ...open }
}
