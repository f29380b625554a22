import * as z from 'zod'
import type { Route } from '../../events/route.ts'
import { commitDecision } from '../commit-decision.ts'
import type { Clock, History, Memory, RecordKey } from '../ports.ts'
import { day } from '../time.ts'

/**
 * Deliveries are listed and counted by their subscribers' names. One that was taken out of the routes may have left some
 * behind, so names are remembered: `null` while in a route, then since when they are not.
 */
const remembered = z.record(z.string(), z.iso.datetime().nullable())
type Remembered = z.infer<typeof remembered>

const recordOf = (project: string): RecordKey => ({ project, kind: 'cursor', name: 'subscribers' })

/** What lay in a queue when its subscriber was taken away may be marked until its retention has passed. */
const keptFor = 5 * day

type Deps = { memory: Pick<Memory, 'get'>; routes: readonly Route[] }

/** Every subscriber that may have deliveries: those of the routes first, then those that were in one before. */
export async function subscriberNames(project: string, { memory, routes }: Deps): Promise<string[]> {
  const kept = await memory.get(recordOf(project))
  const names = Object.keys(kept === undefined ? {} : remembered.parse(kept.value))
  return [...new Set([...routes.map(({ subscriber }) => subscriber), ...names.sort()])]
}

/** Notes a name that an event expects and that is in no route. @throws Failure Busy */
export async function rememberFormer(
  project: string,
  name: string,
  { memory, clock }: { memory: Pick<Memory, 'get' | 'commit'>; clock: Clock },
): Promise<void> {
  await change(project, memory, (names) => (names[name] ? names : { ...names, [name]: clock() }))
}

/**
 * Brings what is remembered up to the routes of now, and forgets who left long ago and has nothing open any more.
 * Answers all names, like `subscriberNames`. @throws Failure Busy
 */
export async function reviewSubscribers(
  project: string,
  deps: Deps & { memory: Pick<Memory, 'get' | 'commit'>; history: Pick<History, 'openMarks'>; clock: Clock },
): Promise<string[]> {
  const { memory, history, routes, clock } = deps
  const now = clock()
  const routed = new Set(routes.map(({ subscriber }) => subscriber))
  const kept = await memory.get(recordOf(project))
  const long = Object.entries(kept === undefined ? {} : remembered.parse(kept.value)).flatMap(
    ([name, left]) => (left !== null && Date.parse(now) - Date.parse(left) > keptFor ? [name] : []),
  )
  const empty = await Promise.all(
    long.map(async (subscriber) => {
      const { items, next } = await history.openMarks({ project, subscriber, limit: 1 })
      return items.length === 0 && next === undefined ? [subscriber] : []
    }),
  )
  const forgotten = new Set(empty.flat())
  const names = await change(project, memory, (before) => {
    const all = [...new Set([...routed, ...Object.keys(before)])].sort()
    return Object.fromEntries(
      all
        .filter((name) => routed.has(name) || !forgotten.has(name))
        .map((name) => [name, routed.has(name) ? null : (before[name] ?? now)]),
    )
  })
  return [...routed, ...Object.keys(names).filter((name) => !routed.has(name))]
}

async function change(
  project: string,
  memory: Pick<Memory, 'get' | 'commit'>,
  evolve: (names: Remembered) => Remembered,
): Promise<Remembered> {
  const { answer } = await commitDecision(
    (commit) => memory.commit(commit),
    'the names of subscribers',
    async () => {
      const kept = await memory.get(recordOf(project))
      const before = kept === undefined ? {} : remembered.parse(kept.value)
      const after = evolve(before)
      if (JSON.stringify(before) === JSON.stringify(after)) return { change: undefined, answer: after }
      const write = { ...recordOf(project), version: (kept?.version ?? 0) + 1, value: after }
      return { change: { writes: [write], outbox: [] }, answer: after }
    },
  )
  return answer
}
