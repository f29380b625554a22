import { eventRedriven } from '../../events/event.redriven.ts'
import { redriveRequested } from '../../events/redrive.requested.ts'
import type { Emission } from '../event/handler.ts'
import { canonicalJson } from '../identity.ts'
import { changeJob, type Job, newJob } from '../job/job.ts'
import { type BatchAnswer, type BatchInput, beginBatch, ended, noteProgress } from '../job/job-batch.ts'
import { follow, repeated, settledBy } from './redrive-following.ts'
import { goOnInLanes, mostHeld, withHeld } from './redrive-lanes.ts'
import { added, type Progress, progressOf, type RedriveDeps, redriveSelection } from './redrive-progress.ts'
import { sendSlice } from './redrive-slice.ts'
import { keysOf, plan, planAgain } from './redrive-walk.ts'
import { chooser, type Selection } from './selection.ts'

/** A new job that sends what is dead of these subscribers again; to be committed. `subscriber`: as it was asked for. */
export function redriveJob(
  project: string,
  asked: Pick<Job, 'id' | 'subscriber' | 'by' | 'asked' | 'rate'> & {
    subscribers: readonly string[]
    selection: Selection
    stopAfter?: number | undefined
  },
) {
  const { id, subscriber, by, rate, subscribers, selection, stopAfter } = asked
  return newJob(
    project,
    {
      ...{ id, kind: 'redrive', subscriber, by, asked: asked.asked, rate },
      selection: {
        ...selection,
        state: 'dead',
        subscribers,
        ...(stopAfter === undefined ? {} : { stopAfter }),
      },
    },
    { type: redriveRequested, data: { ...selection, job: id, subscriber, state: 'dead', rate } },
  )
}

const mostPerSlice = 100
const secondsBetweenLooks = 5
/** Of a second the function waits by itself, for longer it ends. */
const longestRest = 1000
const longestBetweenLooks = 30_000
/** What takes longer to settle is left to itself. */
const longestSettling = 10 * 60_000

/**
 * One batch of a redrive: about so many `seconds` of sending at the job's rate, and a look at what became of what was
 * sent before. What is sent was open before the job was asked for, so nothing is sent twice by one job. Each slice is
 * noted before and after, and every mark is reopened on the condition that it stands as it was seen: a batch that is
 * repeated after a crash sends only what is still open.
 * @throws Failure NotFound, Busy, Unavailable
 */
export async function redriveBatch(
  input: BatchInput,
  deps: RedriveDeps,
  seconds: number,
): Promise<BatchAnswer> {
  const { project } = input.event
  const begun = await beginBatch(input, deps)
  if (begun === undefined) return ended
  let job: Job | undefined = await look(project, begun, deps)
  let looked = Date.parse(deps.clock())
  const until = looked + seconds * 1000
  while (job !== undefined && !isAllSent(job) && Date.parse(deps.clock()) < until) {
    const sliced: Sliced = await slice(project, job, deps)
    job = sliced.job
    const left = until - Date.parse(deps.clock())
    if (job !== undefined && sliced.rest > Math.max(left, longestRest))
      return { state: 'more', wait: Math.ceil(sliced.rest / 1000) }
    if (sliced.rest > 0) await deps.pause(sliced.rest)
    const now = Date.parse(deps.clock())
    if (job === undefined || now - looked < longestRest) continue
    job = await look(project, job, deps)
    looked = now
  }
  if (job === undefined) return ended
  if (!isAllSent(job)) return { state: 'more', wait: 0 }
  const settled = await settle(project, job, deps)
  return settled ? ended : { state: 'more', wait: secondsBetweenLooks }
}

function isAllSent(job: Job): boolean {
  const { walked, pending, lanes } = progressOf(job)
  return walked && pending.length === 0 && lanes.length === 0
}

/** `rest`: so many milliseconds until the job's rate allows the next, or something may have been handled. */
type Sliced = { job: Job | undefined; rest: number }

/** Sends what goes on in the lanes that the job has come to, and what a few marks more stand for. */
async function slice(project: string, job: Job, deps: RedriveDeps): Promise<Sliced> {
  const began = Date.parse(deps.clock())
  const most = Math.min(mostPerSlice, job.rate, leftOfProbe(job))
  if (most <= 0) return { job, rest: longestRest }
  const ahead = await inLanes(project, job, most, deps)
  if (ahead.job === undefined) return { job: undefined, rest: 0 }
  const room = most - ahead.messages
  const { walked, pending, lanes } = progressOf(ahead.job)
  const mayWalk = !walked && room > 0 && lanes.length < mostHeld
  if (ahead.messages === 0 && pending.length === 0 && !mayWalk)
    return { job: ahead.job, rest: untilNextLook(ahead.since, deps) }
  const walk =
    pending.length > 0 || mayWalk
      ? await walkOn(project, ahead.job, room, deps)
      : { job: ahead.job, messages: 0 }
  const due = ((ahead.messages + walk.messages) / job.rate) * 1000
  return { job: walk.job, rest: Math.max(0, due - (Date.parse(deps.clock()) - began)) }
}

/**
 * Whether the cause is gone is not known until the first has been handled: in the first batch no more are on their way
 * until then than may die of the same.
 */
function leftOfProbe(job: Job): number {
  const { state, stopAfter } = redriveSelection.parse(job.selection)
  if (state !== 'dead' || job.batches > 1 || job.counts.done) return Number.POSITIVE_INFINITY
  return stopAfter - progressOf(job).flying.length
}

/** Half as long again as it has been waited for. */
function untilNextLook(since: string | undefined, { clock }: RedriveDeps): number {
  if (since === undefined) return 0
  const waited = Date.parse(clock()) - Date.parse(since)
  return Math.min(longestBetweenLooks, Math.max(longestRest, waited / 2))
}

async function inLanes(
  project: string,
  job: Job,
  most: number,
  deps: RedriveDeps,
): Promise<{ job: Job | undefined; messages: number; since?: string | undefined }> {
  const { lanes } = progressOf(job)
  if (lanes.length === 0) return { job, messages: 0 }
  const { asked } = job
  const gone = await goOnInLanes(lanes, most, { project, asked }, deps)
  const isSame = canonicalJson(gone.held) === canonicalJson(lanes)
  const noted = isSame
    ? job
    : await noteProgress(project, job, deps.memory, (now) => ({
        ...now,
        counts: added(now, gone.counts),
        progress: {
          ...progressOf(now),
          lanes: gone.held,
          flying: follow(progressOf(now).flying, gone.sent),
        },
      }))
  if (gone.error !== undefined) throw gone.error
  return { job: noted, messages: gone.messages, since: gone.since }
}

async function walkOn(
  project: string,
  job: Job,
  most: number,
  deps: RedriveDeps,
): Promise<{ job: Job | undefined; messages: number }> {
  const { state, subscribers: _, stopAfter: __, ...wanted } = redriveSelection.parse(job.selection)
  const choose = chooser(wanted, deps)
  const { pending } = progressOf(job)
  const planned =
    pending.length > 0
      ? await planAgain(project, job, choose, deps)
      : await plan(project, job, most, choose, deps)
  if (planned === undefined || planned.chosen.length === 0) return { job: planned?.job, messages: 0 }

  const { chosen } = planned
  const sliced = await sendSlice(chosen, choose, { job, state }, deps)
  const { counts, messages, sent, failed, held = [], left = [], error } = sliced
  const noted = await noteProgress(project, job, deps.memory, (now) => ({
    ...now,
    counts: added(now, counts),
    progress: {
      ...progressOf(now),
      pending: keysOf([...failed, ...left]),
      lanes: withHeld(progressOf(now).lanes, held),
      flying: follow(progressOf(now).flying, sent),
    },
  }))
  // those that could not be sent are tried first by the batch that is run in place of this one
  if (error !== undefined) throw error
  return { job: noted, messages }
}

const note = (project: string, job: Job, { memory }: RedriveDeps, change: Partial<Progress>) =>
  noteProgress(project, job, memory, (now) => ({ ...now, progress: { ...progressOf(now), ...change } }))

/** Counts what became of what was sent; undefined when that stops the job. */
async function look(project: string, job: Job, deps: RedriveDeps): Promise<Job | undefined> {
  const { flying: before } = progressOf(job)
  if (before.length === 0) return job
  const found = await settledBy(project, before, deps.history)
  const noted = await noteProgress(project, job, deps.memory, (now) => {
    const progress = progressOf(now)
    const likes = found.likes(progress.likes)
    return {
      ...now,
      counts: added(now, found.counts),
      progress: { ...progress, flying: found.left, likes },
    }
  })
  if (noted === undefined) return undefined
  const { stopAfter } = redriveSelection.parse(job.selection)
  const why = repeated(progressOf(noted).likes, stopAfter)
  if (why === undefined) return noted
  await end(project, noted, deps, { state: 'stopped', reason: why })
  return undefined
}

async function settle(project: string, job: Job, deps: RedriveDeps): Promise<boolean> {
  const now = deps.clock()
  const { flying: left, sent } = progressOf(job)
  const waited = sent === undefined ? 0 : Date.parse(now) - Date.parse(sent)
  if (left.length > 0 && waited < longestSettling) {
    if (sent === undefined) await note(project, job, deps, { sent: now })
    return false
  }
  await end(project, job, deps, { state: 'done' })
  return true
}

async function end(
  project: string,
  { id, attempt }: Job,
  { memory, clock }: RedriveDeps,
  how: Pick<Job, 'state' | 'reason'>,
): Promise<void> {
  const evolve = (now: Job): Job | undefined => {
    if (now.attempt !== attempt || now.state !== 'running') return undefined
    const unsettled = progressOf(now).flying.length
    return { ...now, ...how, ended: clock(), counts: added(now, { unsettled }) }
  }
  await changeJob(project, id, memory, evolve, { news: redriveEnd })
}

/** That a redrive has ended, to be committed with its end. */
export function redriveEnd(job: Job): Emission[] {
  const { id, subscriber, counts, reason } = job
  const { state } = redriveSelection.parse(job.selection)
  const stopped = reason === undefined ? {} : { stopped: reason }
  return [{ type: eventRedriven, data: { job: id, subscriber, state, counts, ...stopped } }]
}
