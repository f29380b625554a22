import type { Route } from '../../events/route.ts'
import { type Counts, sumOf } from '../counts.ts'
import { Failure, isTerminal, reasonOf } from '../errors.ts'
import { canonicalJson } from '../identity.ts'
import { changeJob, type Job } from '../job/job.ts'
import { type BatchAnswer, type BatchInput, beginBatch, ended, noteProgress } from '../job/job-batch.ts'
import type { Memory } from '../ports.ts'
import { advanceRebuild, type RebuildDeps } from './rebuild.ts'
import { replayEnd } from './replay.ts'
import { type Advanced, advanceReplay, type Limits } from './replay-advance.ts'
import { routeOfJob } from './replay-job.ts'

export type ReplayDeps = RebuildDeps

/** What a batch may send is what the rate allows for so long; it is sent at once, and then waited for. */
const secondsOfSending = 5

/**
 * One batch of a replay or a rebuild: at most so many `seconds`, and what its rate allows for five. Each slice is sent,
 * then noted: one that was sent and not noted is sent again, and known by its marks. What is noted is so on the condition
 * that nobody noted anything else meanwhile, so that nothing is counted twice.
 * @throws Failure NotFound, Busy, Unavailable
 */
export async function replayBatch(
  input: BatchInput,
  deps: ReplayDeps,
  seconds: number,
): Promise<BatchAnswer> {
  const { project } = input.event
  const began = Date.parse(deps.clock())
  const deadline = new Date(began + seconds * 1000).toISOString()
  let job = await beginBatch(input, deps)
  let sent = 0
  while (job !== undefined) {
    const most = job.rate * secondsOfSending - sent
    const step = await advance(project, job, { most, deadline }, deps)
    if (step.ended !== undefined) {
      await end(project, job, step, deps)
      return ended
    }
    const { rate }: Job = job
    job = await note(project, job, step, deps.memory)
    sent += step.sent
    const spent = (Date.parse(deps.clock()) - began) / 1000
    const full = sent >= rate * secondsOfSending
    if (job !== undefined && (step.wait > 0 || full || spent >= seconds))
      return { state: 'more', wait: Math.max(1, step.wait, Math.ceil(sent / rate - spent)) }
  }
  return ended
}

async function advance(project: string, job: Job, limits: Limits, deps: ReplayDeps): Promise<Advanced> {
  try {
    const route: Route = routeOfJob(job, deps.routes)
    return job.kind === 'rebuild'
      ? await advanceRebuild(project, job, route, limits, deps)
      : await advanceReplay(project, job, route, limits, deps)
  } catch (error) {
    if (!isTerminal(error)) throw error
    // what can never be done is given up
    const nothing = { progress: job.progress, counts: {}, sent: 0, wait: 0 }
    return { ...nothing, ended: { reason: reasonOf(error) } }
  }
}

const noting =
  (before: Job, { progress, counts }: Advanced) =>
  (state: Job): Job => {
    if (canonicalJson(state.progress) !== canonicalJson(before.progress))
      throw new Failure('Busy', `another batch of job ${before.id} is at work`)
    return { ...state, progress, counts: { ...sumOf<Counts>(state.counts, counts) } }
  }

const note = (project: string, job: Job, step: Advanced, memory: Memory): Promise<Job | undefined> =>
  noteProgress(project, job, memory, noting(job, step))

/** The end and what tells of it are one commit. */
async function end(project: string, job: Job, step: Advanced, { memory, clock }: ReplayDeps): Promise<void> {
  const reason = step.ended?.reason
  const how = reason === undefined ? { state: 'done' as const } : { state: 'stopped' as const, reason }
  const isOurs = ({ attempt, state }: Job) =>
    attempt === job.attempt && (state === 'running' || state === 'paused')
  await changeJob(
    project,
    job.id,
    memory,
    (state) => (isOurs(state) ? { ...noting(job, step)(state), ...how, ended: clock() } : undefined),
    { news: replayEnd },
  )
}
