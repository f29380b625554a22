import * as z from 'zod'
import { cursorKey, cursorOf, lagMinutes, timeOf } from '../books/sweep-cursor.ts'
import { commitDecision } from '../commit-decision.ts'
import { patience } from '../gate/missing.ts'
import type { Clock, DeliveryKey, Memory, RecordKey } from '../ports.ts'
import { ago } from '../time.ts'

/** What the sweep has done in a project since when; the last that it sent again, the newest first. */
const sweepLog = z.object({
  since: z.iso.datetime(),
  /** when it last did something */
  at: z.iso.datetime(),
  resent: z.number(),
  relayed: z.number(),
  ended: z.number(),
  expired: z.number(),
  restarted: z.number().default(0),
  last: z.array(
    z.object({ source: z.string(), id: z.string(), subscriber: z.string(), at: z.iso.datetime() }),
  ),
})
export type SweepLog = z.infer<typeof sweepLog>

/**
 * What one pass did. sent: deliveries that had come to nothing and were sent again, by name. restarted: deliveries and
 * lanes that stood still though nothing held them.
 */
export type Done = {
  sent: readonly DeliveryKey[]
  relayed: number
  ended: number
  expired: number
  restarted: number
}

const mostNamed = 100

const logKey = (project: string): RecordKey => ({ project, kind: 'cursor', name: 'sweep-log' })

/**
 * Writes down what a pass did; a pass that did nothing costs nothing. It comes last, so a pass that is cut off may have
 * sent what is not written here: the books go by the deliveries themselves, never by this.
 * @throws Failure Busy
 */
export async function logSweep(
  project: string,
  done: Done,
  { memory, clock }: { memory: Memory; clock: Clock },
): Promise<void> {
  const { sent, relayed, ended, expired, restarted } = done
  if (sent.length + relayed + ended + expired + restarted === 0) return
  const now = clock()
  const named = sent
    .slice(-mostNamed)
    .map(({ source, id, subscriber }) => ({ source, id, subscriber, at: now }))
  await commitDecision(
    (change) => memory.commit(change),
    'the log of the sweep',
    async () => {
      const kept = await memory.get(logKey(project))
      const before = kept && sweepLog.parse(kept.value)
      const value: SweepLog = {
        since: before?.since ?? now,
        at: now,
        resent: (before?.resent ?? 0) + sent.length,
        relayed: (before?.relayed ?? 0) + relayed,
        ended: (before?.ended ?? 0) + ended,
        expired: (before?.expired ?? 0) + expired,
        restarted: (before?.restarted ?? 0) + restarted,
        last: [...named.toReversed(), ...(before?.last ?? [])].slice(0, mostNamed),
      }
      const write = { ...logKey(project), version: (kept?.version ?? 0) + 1, value }
      return { change: { writes: [write], outbox: [] }, answer: undefined }
    },
  )
}

/** How far the sweep is and what it did. `read`, `lagMinutes` and `last pass` are absent until its first pass. */
export type SweepState = {
  /** all of the timeline up to here has been looked at */
  read?: string | undefined
  lagMinutes?: number | undefined
  /** subscribers that are waited for until their queue is empty, and from where on */
  behind: Readonly<Record<string, string>>
  passes: number
  since?: string | undefined
  lastPass?: string | undefined
  did: SweepLog | undefined
  /** partition keys whose events of commands wait in the outbox for longer than the stream takes; 100 are counted */
  unrelayed: number
}

/** Milliseconds; younger outbox items are the stream's to send. */
export const outboxPatience = 120_000

export async function sweepState(
  project: string,
  { memory, clock }: { memory: Pick<Memory, 'get' | 'staleOutbox'>; clock: Clock },
): Promise<SweepState> {
  const [kept, log, unrelayed] = await Promise.all([
    memory.get(cursorKey(project)),
    memory.get(logKey(project)),
    memory.staleOutbox(project, ago(clock(), outboxPatience), 100),
  ])
  const cursor = cursorOf(kept)
  const first = (places: readonly string[]) => timeOf(places.toSorted()[0] ?? '')
  return {
    ...(cursor === undefined
      ? {}
      : { read: first(cursor.read), lagMinutes: lagMinutes(cursor.read, ago(clock(), patience)) }),
    behind: Object.fromEntries(
      Object.entries(cursor?.behind ?? {}).map(([subscriber, places]) => [subscriber, first(places)]),
    ),
    passes: cursor?.passes ?? 0,
    since: cursor?.since,
    lastPass: cursor?.at,
    did: log && sweepLog.parse(log.value),
    unrelayed: unrelayed.length,
  }
}
