import * as z from 'zod'
import type { Identity } from '../events/envelope.ts'
import { eventDeadLettered } from '../events/event.dead-lettered.ts'
import { answer, approvalOf } from './approval.ts'
import type { Arrival } from './arrival.ts'
import { Failure } from './errors.ts'
import { outboxItems } from './outbox.ts'
import type { MemoryRecord, OpenMark, RecordKey, Workflows } from './ports.ts'
import { record } from './record.ts'
import { type RelayDeps, relay } from './relay.ts'
import { runOf } from './run.ts'
import { statusOf } from './run-status.ts'
import { sweepTimeline } from './sweep-timeline.ts'

export type SweepDeps = RelayDeps & { workflows: Workflows }

/** What one pass found and did in one project. */
export type Swept = {
  project: string
  /** deliveries that were expected, had come to nothing, and were sent again */
  resent: number
  /** of those seen, how many are waiting behind a queue that is not empty */
  behind: number
  /** timeline pages looked at */
  pages: number
  relayed: number
  stayed: number
  /** runs whose end nobody had told us of */
  ended: number
  expired: number
  /** events of event.dead-lettered made */
  told: number
  open: Readonly<Record<string, OpenCount>>
}

export type OpenCount = { retrying: number; parked: number; dead: number; oldest: string | undefined }

const minute = 60_000
/** Younger outbox items are the stream's to send. */
const outboxPatience = 2 * minute
/** Status events are best effort; a run that is open for longer is asked after. */
const runPatience = 5 * minute
const perPass = 100

/**
 * Mends what was lost between two steps: sends on what was expected and never arrived, what stayed in the outbox, ends
 * of runs, answers that never came; and counts what is open. Each part goes on when another one fails; the failures
 * come with the result.
 */
export async function sweep(
  project: string,
  deps: SweepDeps,
  seconds: number,
): Promise<{ swept: Swept; failures: readonly unknown[] }> {
  const failures: unknown[] = []
  const part = async <T>(action: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await action()
    } catch (error) {
      failures.push(error)
      return otherwise
    }
  }
  const timeline = await part(() => sweepTimeline(project, deps, seconds), { resent: 0, behind: 0, pages: 0 })
  const outbox = await part(() => sweepOutbox(project, deps), { relayed: 0, stayed: 0 })
  const ended = await part(() => sweepRuns(project, deps), 0)
  const expired = await part(() => sweepApprovals(project, deps), 0)
  const open = await part(() => countOpen(project, deps), {})
  const told = await part(() => tellOfTheDead(project, deps), 0)
  return { swept: { project, ...timeline, ...outbox, ended, expired, told, open }, failures }
}

const before = (now: string, milliseconds: number): string =>
  new Date(Date.parse(now) - milliseconds).toISOString()

async function sweepOutbox(project: string, deps: SweepDeps): Promise<{ relayed: number; stayed: number }> {
  const keys = await deps.memory.staleOutbox(project, before(deps.clock(), outboxPatience), perPass)
  const { outcomes, stayed } = await relay(
    keys.map((partitionkey) => ({ project, partitionkey })),
    deps,
  )
  return { relayed: outcomes.length - stayed, stayed }
}

const runsCursor = z.object({ next: z.string().optional() })
const runsKey = (project: string): RecordKey => ({ project, kind: 'cursor', name: 'open-runs' })

/** Goes round the open runs, some at each pass: there may be many that wait for an approval for days. */
async function sweepRuns(project: string, deps: SweepDeps): Promise<number> {
  const kept = await deps.memory.get(runsKey(project))
  const cursor = kept && runsCursor.parse(kept.value).next
  const query = { project, list: 'runs/open', oldestFirst: true, limit: perPass }
  const { items, next } = await deps.memory.list({ ...query, cursor })
  const horizon = before(deps.clock(), runPatience)
  const silent = items.flatMap((item) => {
    const run = runOf(item)
    return run !== undefined && run.started < horizon ? [run] : []
  })
  const told = await Promise.all(silent.map(({ workflow, run }) => tellOfEnd(project, workflow, run, deps)))
  if (cursor !== next)
    await deps.memory.commit({
      writes: [{ ...runsKey(project), version: (kept?.version ?? 0) + 1, value: { next } }],
      outbox: [],
    })
  return told.filter(Boolean).length
}

/** The status event of a run that has ended, as Step Functions would have told it; known already is fine. */
async function tellOfEnd(project: string, workflow: string, run: string, deps: SweepDeps): Promise<boolean> {
  const description = await deps.workflows.describe(workflow, run)
  if (description === undefined || description.status === 'RUNNING') return false
  const arrival: Arrival = {
    door: 'states',
    project,
    actor: 'system',
    received: deps.clock(),
    raw: JSON.stringify(description),
    ifInvalid: 'quarantine',
    content: { kind: 'described', run: statusOf(description) },
  }
  const [outcome] = await record([arrival], deps)
  return outcome?.status === 'recorded'
}

/** Approvals that nobody answered in time are decided: expired. */
async function sweepApprovals(project: string, deps: SweepDeps): Promise<number> {
  const now = deps.clock()
  const { items } = await deps.memory.list({
    project,
    list: 'approvals/pending',
    oldestFirst: true,
    limit: perPass,
  })
  const due = items.filter((item) => item.place !== undefined && item.place.order < now)
  const expired = await Promise.all(due.map((item) => expire(project, item, now, deps)))
  return expired.filter(Boolean).length
}

async function expire(project: string, item: RecordKey, now: string, deps: SweepDeps): Promise<boolean> {
  const current = await deps.memory.get(item)
  try {
    const change = answer(project, { decision: 'expired', now }, current)
    const cause = approvalOf(current)?.requestedFor
    const author = { project, by: 'sweep', actor: 'system', step: item.name }
    const outbox = outboxItems(change, cause === undefined ? author : { ...author, cause })
    return (await deps.memory.commit({ writes: change.writes, outbox })) === 'committed'
  } catch (error) {
    // answered in the moment before
    if (error instanceof Failure && error.code === 'Conflict') return false
    throw error
  }
}

async function countOpen(project: string, deps: SweepDeps): Promise<Record<string, OpenCount>> {
  const counts = await Promise.all(
    deps.routes.map(async ({ subscriber }): Promise<[string, OpenCount]> => {
      const marks = await deps.history.openMarks({ project, subscriber, limit: 1000 })
      const count = (state: OpenMark['state']) => marks.filter((mark) => mark.state === state).length
      const oldest = marks.map((mark) => mark.changed).sort()[0]
      return [
        subscriber,
        { retrying: count('retrying'), parked: count('parked'), dead: count('dead'), oldest },
      ]
    }),
  )
  return Object.fromEntries(counts)
}

const mostTold = 90
const platformEvent = /^(event|circuit|subscriber)\./

const toldUntil = z.object({ until: z.iso.datetime() })
const toldKey = (project: string): RecordKey => ({ project, kind: 'cursor', name: 'told-of-the-dead' })

/**
 * One event.dead-lettered per subscriber and minute in which deliveries died, committed together with the minute up to
 * which all has been told. What died while a platform event was handled makes no further event: it would feed itself.
 */
async function tellOfTheDead(project: string, deps: SweepDeps): Promise<number> {
  const now = deps.clock()
  const cursor = await deps.memory.get(toldKey(project))
  // marks take a moment to show in the index
  const until = `${before(now, minute).slice(0, 16)}:00.000Z`
  const since = cursor === undefined ? before(until, minute) : toldUntil.parse(cursor.value).until
  if (since >= until) return 0
  const events = (
    await Promise.all(
      deps.routes.map(({ subscriber }) => deadLettered(project, subscriber, since, until, deps)),
    )
  ).flat()
  // what one transaction has no room for waits for the next pass, by whole minutes
  const end = events.map((data) => data.minute).sort()[mostTold] ?? until
  const outbox = events
    .filter((data) => data.minute < end)
    .flatMap((data) =>
      outboxItems(
        {
          emits: [{ type: eventDeadLettered, data }],
          sequence: Math.floor(Date.parse(data.minute) / minute),
        },
        { project, by: 'sweep', actor: 'system' },
      ),
    )
  const write: MemoryRecord = {
    ...toldKey(project),
    version: (cursor?.version ?? 0) + 1,
    value: { until: end },
  }
  const verdict = await deps.memory.commit({ writes: [write], outbox })
  return verdict === 'committed' ? outbox.length : 0
}

async function deadLettered(
  project: string,
  subscriber: string,
  since: string,
  until: string,
  deps: SweepDeps,
) {
  const marks = await deps.history.openMarks({ project, subscriber, state: 'dead', since, limit: 1000 })
  const dead = marks.filter((mark) => mark.changed < until)
  const stored = await deps.history.getEvents(dead)
  const countable = dead.filter((_, index) => !platformEvent.test(stored[index]?.event.type ?? ''))
  const minutes = Map.groupBy(countable, (mark) => `${mark.changed.slice(0, 16)}:00.000Z`)
  return Promise.all(
    [...minutes].map(async ([at, marksThen]) => {
      const sample = marksThen.slice(0, 5)
      const deliveries = await deps.history.getDeliveries(sample)
      return {
        subscriber,
        minute: at,
        count: marksThen.length,
        sample: sample.map(({ source, id }: Identity, index) => ({
          source,
          id,
          reason: deliveries[index]?.reason ?? 'no reason was kept',
        })),
      }
    }),
  )
}
