import * as z from 'zod'
import { attempt } from '../attempt.ts'
import { Failure, reasonOf } from '../errors.ts'
import { type DeliveryFrame, workflowInput } from '../frame.ts'
import type { Clock, History, Memory, Queues } from '../ports.ts'
import { batchesPerAttempt, changeJob, type Job, loadJob, nextAttempt, workflowOf } from './job.ts'

/** What a run hands to each batch of its job: the event that asked for it, and the run's attempt. */
export const batchInput = workflowInput.pick({ event: true, attempt: true })
export type BatchInput = z.infer<typeof batchInput>

/** `wait`: seconds until the next batch. */
export type BatchAnswer = { state: 'more' | 'ended'; wait: number }

export const ended: BatchAnswer = { state: 'ended', wait: 0 }

/** In the data of every event that asks for a job. */
const asking = z.object({ job: z.string() })

type BatchDeps = {
  history: Pick<History, 'getEvents'>
  memory: Pick<Memory, 'get' | 'commit'>
  queues: Pick<Queues, 'send'>
  clock: Clock
}

/**
 * The job that a run does, as of its next batch; undefined when the run has nothing more to do: the job is paused or has
 * ended, or a later attempt does it. A run that has made all its batches asks for the next attempt, and then notes that
 * the job is that one's: a crash between the two asks again, under the same name.
 * @throws Failure NotFound, Busy, Unavailable
 */
export async function beginBatch(
  { event, attempt: run }: BatchInput,
  { history, memory, queues, clock }: BatchDeps,
): Promise<Job | undefined> {
  const { project } = event
  const [stored] = await history.getEvents([event])
  if (stored === undefined)
    throw new Failure('NotFound', `the event that asks for this run, ${event.id}, is gone`)
  const { job: id } = asking.parse(stored.event.data)
  const found = await loadJob(project, id, memory)
  if (!isFor(found, run)) return undefined
  if (found.attempt === run && found.batches >= batchesPerAttempt) {
    await startAttempt(workflowOf(found.kind), { event: stored.event, replay: '', attempt: run + 1 }, queues)
    // one that was paused just now too: resumed, it needs a run of another name
    await changeJob(project, id, memory, (state) =>
      state.attempt === run && state.ended === undefined ? nextAttempt(state, clock) : undefined,
    )
    return undefined
  }
  const begun = await changeJob(project, id, memory, (state) =>
    isFor(state, run)
      ? { ...state, attempt: run, batches: state.attempt === run ? state.batches + 1 : 1 }
      : undefined,
  )
  return isFor(begun, run) ? begun : undefined
}

const isFor = ({ state, attempt: current }: Job, run: number): boolean =>
  state === 'running' && run >= current

/** Has a job's workflow run once more. @throws Failure Unavailable */
export async function startAttempt(
  workflow: string,
  frame: DeliveryFrame,
  queues: Pick<Queues, 'send'>,
): Promise<void> {
  const sent = await attempt(() => queues.send(workflow, [JSON.stringify(frame)]))
  const [failure] = 'error' in sent ? [sent] : sent.value
  if (failure !== undefined)
    throw new Failure('Unavailable', `the queue ${workflow} did not take it: ${reasonOf(failure.error)}`, {
      cause: failure.error,
    })
}

/**
 * Notes what a batch has done, on the job as it is now: one that somebody paused meanwhile keeps that. Nothing is noted
 * once it has ended, or when another attempt does it: that one goes on from what was noted before, and finds by the
 * deliveries themselves what was done since. Answers the job as it is then, undefined when the batch is to end.
 * @throws Failure NotFound, Busy
 */
export async function noteProgress(
  project: string,
  { id, attempt: run }: Pick<Job, 'id' | 'attempt'>,
  memory: Pick<Memory, 'get' | 'commit'>,
  evolve: (state: Job) => Job,
): Promise<Job | undefined> {
  const goesOn = (state: Job) =>
    state.attempt === run && (state.state === 'running' || state.state === 'paused')
  const noted = await changeJob(project, id, memory, (state) => (goesOn(state) ? evolve(state) : undefined))
  return goesOn(noted) && noted.state === 'running' ? noted : undefined
}
