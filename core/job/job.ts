import * as z from 'zod'
import type { EventType } from '../../events/event-type.ts'
import { commitDecision } from '../commit-decision.ts'
import { Failure } from '../errors.ts'
import { emittedId } from '../event/admit.ts'
import type { Emission } from '../event/handler.ts'
import { outboxItems } from '../event/outbox.ts'
import { outboxFrame } from '../frame.ts'
import type { Clock, Memory, MemoryRecord, MemoryWrite, RecordKey } from '../ports.ts'
import { after, day } from '../time.ts'

/**
 * Work over many deliveries that a person asked for (or a circuit that closed): a workflow does it batch by batch, at a
 * rate, and what is done is kept here, so that another run may go on where one has ended.
 */
const job = z.object({
  id: z.string(),
  kind: z.enum(['redrive', 'replay', 'rebuild']),
  subscriber: z.string(),
  /** who asked, and when */
  by: z.string(),
  asked: z.iso.datetime(),
  /** deliveries a second */
  rate: z.number().int().min(1).max(1000),
  state: z.enum(['running', 'paused', 'done', 'stopped']),
  /** why it was stopped */
  reason: z.string().optional(),
  ended: z.iso.datetime().optional(),
  /** when the run of this attempt was asked for; undefined: together with the job */
  attempted: z.iso.datetime().optional(),
  /** of the run that does it; a run of an earlier attempt that still lives ends at its next batch */
  attempt: z.number().int().min(1),
  /** batches of this attempt */
  batches: z.number().int().min(0),
  /** the event that asks for the run */
  request: z.object({ source: z.string(), id: z.string(), type: z.string() }),
  /** what it is to be done with: of its kind */
  selection: z.unknown(),
  /** how far it is: of its kind; undefined at the beginning */
  progress: z.unknown().optional(),
  /** what was done so far: sent, already, failed, … */
  counts: z.record(z.string(), z.number()),
})
export type Job = z.infer<typeof job>

/** A run's history has room for 25,000 entries; a batch takes about ten, and more when it fails: then the next attempt goes on. */
export const batchesPerAttempt = 1000

export const jobRecord = (project: string, id: string): RecordKey => ({ project, kind: 'job', name: id })

/** The workflows that do jobs: their runs are asked for, stopped and tried again as jobs. */
export const jobWorkflows = ['redrive', 'replay'] as const
export type JobWorkflow = (typeof jobWorkflows)[number]

export const isJobWorkflow = (workflow: string): workflow is JobWorkflow =>
  jobWorkflows.some((one) => one === workflow)

/** The workflow that does jobs of a kind. */
export const workflowOf = (kind: Job['kind']): JobWorkflow => (kind === 'redrive' ? 'redrive' : 'replay')

/** The list of all jobs of a project: open ones, then ended ones, each newest first. */
export const jobList = 'jobs'

/** @throws ZodError when the record was written by something else */
export const jobOf = (record: MemoryRecord | undefined): Job | undefined => record && job.parse(record.value)

/** @throws Failure NotFound */
export async function loadJob(project: string, id: string, memory: Pick<Memory, 'get'>): Promise<Job> {
  const found = jobOf(await memory.get(jobRecord(project, id)))
  if (found === undefined) throw new Failure('NotFound', `there is no job ${id}`)
  return found
}

const keptFor = 90 * day

/** It sorts behind any time: so an open job is found however many have ended since it was asked for. */
const openFirst = 'open~'

export const isOpen = ({ ended }: Pick<Job, 'ended'>): boolean => ended === undefined

/** A job that has ended is kept for 90 days more. */
export const jobWrite = (project: string, value: Job, version: number): MemoryWrite => ({
  ...jobRecord(project, value.id),
  version,
  value,
  place: { list: jobList, order: `${isOpen(value) ? openFirst : ''}${value.asked}~${value.id}` },
  ...(value.ended === undefined ? {} : { expires: after(value.ended, keptFor) }),
})

/**
 * A new job and the event that asks for its run, to be committed together (with what else the command changes). The
 * event's partition key is `job/<id>`, its data is for its type to say.
 */
export function newJob<T extends EventType>(
  project: string,
  asked: Pick<Job, 'id' | 'kind' | 'subscriber' | 'by' | 'asked' | 'rate' | 'selection'>,
  request: { type: T; data: z.infer<T['schema']> },
) {
  const author = { project, by: 'jobs', actor: asked.by }
  const outbox = outboxItems({ emits: [request], sequence: 1 }, author)
  const id = emittedId(outboxFrame.parse(outbox[0]?.frame))
  const value: Job = {
    ...asked,
    state: 'running',
    attempt: 1,
    batches: 0,
    request: { source: `/loadpath/${author.by}`, id, type: request.type.type },
    counts: {},
  }
  return { job: value, write: jobWrite(project, value, 1), outbox }
}

/**
 * Changes a job on what it is now; `evolve` answers the next state, or undefined when nothing is to change. Answers the
 * job as it is then. `tell`: the events that say so, committed with it, by who asked for the job where nobody else is said.
 * @throws Failure NotFound, Busy, and whatever `evolve` throws
 */
export async function changeJob(
  project: string,
  id: string,
  memory: Pick<Memory, 'get' | 'commit'>,
  evolve: (state: Job) => Job | undefined,
  tell: { by?: string; news: (next: Job) => readonly Emission[] } = { news: () => [] },
): Promise<Job> {
  const { answer } = await commitDecision(
    (change) => memory.commit(change),
    `job ${id}`,
    async () => {
      const record = await memory.get(jobRecord(project, id))
      const state = jobOf(record)
      if (record === undefined || state === undefined) throw new Failure('NotFound', `there is no job ${id}`)
      const next = evolve(state)
      if (next === undefined) return { change: undefined, answer: state }
      const sequence = record.version + 1
      const author = { project, by: 'jobs', actor: tell.by ?? next.by }
      const outbox = outboxItems({ emits: tell.news(next), sequence }, author)
      return { change: { writes: [jobWrite(project, next, sequence)], outbox }, answer: next }
    },
  )
  return answer
}

/** @throws Failure Conflict when it has ended */
export function pause(state: Job): Job | undefined {
  refuseEnded(state)
  return state.state === 'paused' ? undefined : { ...state, state: 'paused' }
}

/**
 * Goes on in a further attempt, whether it was paused or its run has died; the caller starts the run of that attempt.
 * @throws Failure Conflict when it has ended
 */
export function resume(state: Job, clock: Clock): Job {
  refuseEnded(state)
  return nextAttempt({ ...state, state: 'running' }, clock)
}

/** The job of a run that is asked for now. */
export const nextAttempt = (state: Job, clock: Clock): Job => ({
  ...state,
  attempt: state.attempt + 1,
  batches: 0,
  attempted: clock(),
})

/** @throws Failure Conflict when it has ended */
export function stop(state: Job, reason: string, clock: Clock): Job {
  refuseEnded(state)
  return { ...state, state: 'stopped', reason, ended: clock() }
}

function refuseEnded({ id, state, reason }: Job): void {
  if (state === 'done' || state === 'stopped')
    throw new Failure('Conflict', `job ${id} is ${state}${reason === undefined ? '' : `: ${reason}`}`)
}
