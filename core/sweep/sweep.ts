import { answer, approvalOf } from '../domain/approval.ts'
import { runOf } from '../domain/run.ts'
import { Failure } from '../errors.ts'
import type { Arrival } from '../event/arrival.ts'
import { outboxItems } from '../event/outbox.ts'
import { statusOf } from '../event/run-status.ts'
import { depthsOnce } from '../gate/missing.ts'
import { record } from '../gate/record.ts'
import { type RelayDeps, relay } from '../gate/relay.ts'
import { reviewSubscribers } from '../gate/subscribers.ts'
import type { Lanes } from '../lane/lane.ts'
import type { RecordKey, Workflows } from '../ports.ts'
import { resumeAbandoned } from '../replay/rebuild-pause.ts'
import { ago, minute } from '../time.ts'
import { roundOf } from './go-round.ts'
import { openCircuits, probeCircuits } from './sweep-circuits.ts'
import { tellOfTheDead } from './sweep-dead.ts'
import { logSweep, outboxPatience } from './sweep-log.ts'
import { countOpen, type OpenCount, withClosed } from './sweep-open.ts'
import { sweepStuck, type Unstuck } from './sweep-stuck.ts'
import { type SweptTimeline, sweepTimeline } from './sweep-timeline.ts'

export type SweepDeps = RelayDeps & { workflows: Workflows; lanes: Lanes }

/** What one pass found and did in one project; of the timeline nothing when that part failed. */
export type Swept = Partial<Omit<SweptTimeline, 'sent' | 'failures'>> & {
  project: string
  relayed: number
  stayed: number
  /** runs whose end nobody had told us of */
  ended: number
  expired: number
  /** events of event.dead-lettered made */
  told: number
  /** what stood still though nothing held it; absent when nothing was found out */
  stuck?: Unstuck | undefined
  /** circuits that are open, by subscriber */
  parted: Readonly<Record<string, number>>
  /** parked deliveries that were sent to try an open circuit */
  probed: number
  /** subscribers that were paused for a rebuild which nobody does any more */
  resumed: number
  /** by subscriber; all zero once after the last of its open deliveries was settled */
  open: Readonly<Record<string, OpenCount>>
}

export type SweepResult = { swept: Swept; failures: readonly unknown[] }

/** Status events are best effort; a run that is open for longer is asked after. */
const runPatience = 5 * minute
const perPass = 100
/** Of the items that wait for one partition key: they go one after the other. */
const perLane = 50
/** These take what time they are given; the other parts are bounded by how much they do. */
const shareOfTimeline = 0.75
const shareOfStuck = 0.15

/**
 * Mends what was lost between two steps: sends on what was expected and never arrived, what stayed in the outbox, ends
 * of runs, answers that never came; and counts what is open. Each part goes on when another one fails; the failures
 * come with the result.
 */
export async function sweep(project: string, given: SweepDeps, seconds: number): Promise<SweepResult> {
  const failures: unknown[] = []
  // what one part sends must not count as a backlog for the others
  const { send } = given.queues
  const deps = { ...given, queues: { send, depth: depthsOnce(given.queues) } }
  const part = async <T>(action: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await action()
    } catch (error) {
      failures.push(error)
      return otherwise
    }
  }
  const {
    sent = [],
    failures: unasked = [],
    ...timeline
  } = await part<Partial<SweptTimeline>>(() => sweepTimeline(project, deps, seconds * shareOfTimeline), {})
  failures.push(...unasked)
  const outbox = await part(() => sweepOutbox(project, deps), { relayed: 0, stayed: 0 })
  const ended = await part(() => sweepRuns(project, deps, failures), 0)
  const expired = await part(() => sweepApprovals(project, deps), 0)
  const routed = deps.routes.map(({ subscriber }) => subscriber)
  const subscribers = await part(() => reviewSubscribers(project, deps), routed)
  const counts = await part(() => countOpen(project, subscribers, deps), undefined)
  const open = counts && (await part(() => withClosed(project, counts, deps.memory), counts))
  const told = await part(() => tellOfTheDead(project, subscribers, deps), 0)
  const stuck =
    counts && (await part(() => sweepStuck(project, counts, deps, seconds * shareOfStuck), undefined))
  const circuits = await part(() => openCircuits(project, deps), [])
  const resumed = await part(() => resumeAbandoned(project, deps), 0)
  const tried = await part(() => probeCircuits(project, circuits, deps), undefined)
  const { relayed } = outbox
  const restarted = stuck === undefined ? 0 : stuck.resent + stuck.released + stuck.lanes + stuck.gone
  await part(() => logSweep(project, { sent, relayed, ended, expired, restarted }, deps), undefined)
  const parted = Object.fromEntries(
    circuits.map(({ route, state }) => [route.subscriber, state.circuits.length]),
  )
  const probed = tried?.probed ?? 0
  const waiting = (tried?.unreadable ?? 0) + (stuck?.unreadable ?? 0)
  const swept = {
    project,
    ...timeline,
    ...(waiting > 0 ? { unreadable: (timeline.unreadable ?? 0) + waiting } : {}),
    ...outbox,
    ended,
    expired,
    told,
    stuck,
    parted,
    probed,
    resumed,
    open: open ?? {},
  }
  return { swept, failures }
}

async function sweepOutbox(project: string, deps: SweepDeps): Promise<{ relayed: number; stayed: number }> {
  const { memory } = deps
  const keys = await memory.staleOutbox(project, ago(deps.clock(), outboxPatience), perPass)
  const heads = async (...key: [string, string]) => (await memory.outbox(...key)).slice(0, perLane)
  const { outcomes, stayed } = await relay(
    keys.map((partitionkey) => ({ project, partitionkey })),
    { ...deps, memory: { ...memory, outbox: heads } },
  )
  return { relayed: outcomes.length - stayed, stayed }
}

/**
 * Goes round the open runs, some at each pass: there may be many that wait for an approval for days. Those that cannot
 * be asked after are one failure, and have their turn again.
 */
async function sweepRuns(project: string, deps: SweepDeps, failures: unknown[]): Promise<number> {
  const { from, goOn } = await roundOf(project, 'open-runs', deps.memory)
  const query = { project, list: 'runs/open', oldestFirst: true, limit: perPass }
  const { items, next } = await deps.memory.list({ ...query, cursor: from })
  const horizon = ago(deps.clock(), runPatience)
  const silent = items.flatMap((item) => {
    const run = runOf(item)
    return run !== undefined && run.started < horizon ? [run] : []
  })
  const told = await Promise.allSettled(
    silent.map(({ workflow, run }) => tellOfEnd(project, workflow, run, deps)),
  )
  const failed = told.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (failed.length > 0) failures.push(new AggregateError(failed, 'runs that could not be asked after'))
  await goOn(next)
  return told.filter((one) => one.status === 'fulfilled' && one.value).length
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
