import * as z from 'zod'
import type { Identity } from '../../events/envelope.ts'
import { eventDeadLettered } from '../../events/event.dead-lettered.ts'
import { withoutValues } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import type { SendDeps } from '../gate/send.ts'
import type { DeliveryKey, Memory, RecordKey } from '../ports.ts'
import { readDeliveries } from '../read-events.ts'
import { ago, day, minute } from '../time.ts'

type DeadDeps = SendDeps & { memory: Memory }

/** Events in one transaction, which has room for 100 items. */
const mostTold = 90
const marksPerRead = 500
/** Of one subscriber in one pass, but for the minute that is being read when they are reached. */
const mostRead = 5000
const platformEvent = /^(event|circuit|subscriber)\./

/**
 * Up to where all has been told of each subscriber. Two versions of the code that are there at once do not know the same
 * ones, and each goes on with those that it knows. `until`: where others begin, of which nobody has told yet.
 */
const toldUntil = z.object({
  until: z.iso.datetime(),
  each: z.record(z.string(), z.iso.datetime()).default({}),
})
type ToldUntil = z.infer<typeof toldUntil>
const toldKey = (project: string): RecordKey => ({ project, kind: 'cursor', name: 'told-of-the-dead' })

/** Longer than it takes until a name is known to all. Who has been known to nobody for so long has nothing open. */
const keptFor = 5 * day

const minuteOf = (time: string): string => `${time.slice(0, 16)}:00.000Z`
const minuteBefore = (time: string): string => minuteOf(ago(time, minute))

/**
 * One event.dead-lettered per subscriber and minute in which deliveries died, committed together with the minutes up to
 * which all has been told. What died while a platform event was handled makes no further event: it would feed itself.
 */
export async function tellOfTheDead(
  project: string,
  subscribers: readonly string[],
  deps: DeadDeps,
): Promise<number> {
  const cursor = await deps.memory.get(toldKey(project))
  // marks take a moment to show in the index
  const until = minuteBefore(deps.clock())
  const before = cursor ? toldUntil.parse(cursor.value) : { until: minuteBefore(until), each: {} }
  const due = subscribers.flatMap((subscriber) => {
    const since = before.each[subscriber] ?? before.until
    return since < until ? [{ subscriber, since }] : []
  })
  if (due.length === 0) return 0
  const read = await Promise.all(
    due.map(({ subscriber, since }) => readDead(project, subscriber, { since, until }, deps)),
  )
  const deaths = read.flatMap(({ minutes }) => minutes).sort((a, b) => (isBefore(a, b) ? -1 : 1))
  const now = deaths.slice(0, mostTold)
  // what was not read to its end, or has no room, waits for the next pass, by whole minutes
  const ends = new Map(due.map(({ subscriber }, index) => [subscriber, read[index]?.end ?? until]))
  for (const { subscriber, minute: left } of deaths.slice(mostTold).reverse()) ends.set(subscriber, left)
  const told = await Promise.all(now.map((death) => dataOf(death, deps)))
  const outbox = told.flatMap((data) =>
    outboxItems(
      { emits: [{ type: eventDeadLettered, data }], sequence: Math.floor(Date.parse(data.minute) / minute) },
      { project, by: 'sweep', actor: 'system' },
    ),
  )
  const value = goneOn(before, ends, ago(until, keptFor))
  const verdict = await deps.memory.commit({
    writes: [{ ...toldKey(project), version: (cursor?.version ?? 0) + 1, value }],
    outbox,
  })
  return verdict === 'committed' ? outbox.length : 0
}

function goneOn(before: ToldUntil, ends: ReadonlyMap<string, string>, oldest: string): ToldUntil {
  const until = before.until < oldest ? oldest : before.until
  const others = Object.entries(before.each).filter(([name, end]) => !ends.has(name) && end > until)
  return { until, each: Object.fromEntries([...others, ...ends].sort()) }
}

/** What died in one minute; of many only the first are kept. */
type Deaths = { subscriber: string; minute: string; count: number; sample: DeliveryKey[] }

const isBefore = (a: Deaths, b: Deaths): boolean =>
  a.minute < b.minute || (a.minute === b.minute && a.subscriber < b.subscriber)

/** By minute, from `since` up to before `end`, which is `until` unless there was too much for one pass. */
async function readDead(
  project: string,
  subscriber: string,
  { since, until }: { since: string; until: string },
  { history }: DeadDeps,
): Promise<{ minutes: readonly Deaths[]; end: string }> {
  const minutes: Deaths[] = []
  let current: Deaths | undefined
  let cursor: string | undefined
  let read = 0
  do {
    const query = { project, subscriber, state: 'dead', since, cursor, limit: marksPerRead } as const
    const { items, next } = await history.openMarks(query)
    for (const mark of items) {
      const at = minuteOf(mark.changed)
      if (at >= until) return { minutes: toldOf(minutes), end: until }
      if (current?.minute !== at) {
        if (read >= mostRead) return { minutes: toldOf(minutes), end: at }
        current = { subscriber, minute: at, count: 0, sample: [] }
        minutes.push(current)
      }
      read++
      if (platformEvent.test(mark.type ?? '')) continue
      current.count++
      if (current.sample.length < 5) current.sample.push(mark)
    }
    cursor = next
  } while (cursor !== undefined)
  return { minutes: toldOf(minutes), end: until }
}

const toldOf = (minutes: readonly Deaths[]): Deaths[] => minutes.filter(({ count }) => count > 0)

async function dataOf({ sample, ...death }: Deaths, { history }: DeadDeps) {
  const deliveries = await readDeliveries(sample, history)
  // the event goes to more people than may see what it is about
  const reasonAt = (index: number) => {
    const delivery = deliveries[index]
    if (delivery === 'unreadable') return 'newer code wrote it'
    return withoutValues(delivery?.reason ?? 'no reason was kept')
  }
  return {
    ...death,
    sample: sample.map(({ source, id }: Identity, index) => ({ source, id, reason: reasonAt(index) })),
  }
}
