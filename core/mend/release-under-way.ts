import * as z from 'zod'
import { Failure } from '../errors.ts'
import { runName, uuid5 } from '../identity.ts'
import { isOpen, type Job, jobList, jobOf, workflowOf } from '../job/job.ts'
import { releaseJob, releaseRate } from '../job/release-job.ts'
import type { Clock, Memory, Workflows } from '../ports.ts'

/** More than one pass can send: a job sends the rest, at its rate. */
export async function askForRelease(
  project: string,
  subscriber: string,
  { memory, clock }: { memory: Pick<Memory, 'commit'>; clock: Clock },
): Promise<void> {
  const now = clock()
  const id = uuid5(`release ${project} ${subscriber} ${now}`)
  const asked = { id, by: 'system', at: now, rate: releaseRate }
  const { write, outbox } = releaseJob({ project, subscriber }, asked)
  await memory.commit({ writes: [write], outbox })
}

const jobsPerPage = 100
/** Nobody has so many open at a time on purpose. */
const mostPages = 20
/** Of one subscriber, the newest: whether an older one still runs is not asked. */
const mostAsked = 50

const ofParked = z.object({ state: z.literal('parked') })

const sendsParked = ({ kind, selection }: Job): boolean =>
  kind === 'redrive' && ofParked.safeParse(selection).success

/** A job that sends what was parked, and is at it or paused by somebody, is not helped. One whose run has died is. */
export async function isBeingReleased(
  project: string,
  subscriber: string,
  { memory, workflows }: { memory: Pick<Memory, 'list'>; workflows: Pick<Workflows, 'describe'> },
): Promise<boolean> {
  const open = await openJobs(project, memory)
  const own = open.filter((job) => job.subscriber === subscriber && sendsParked(job))
  if (own.some(({ state }) => state === 'paused')) return true
  for (const { kind, request, attempt } of own.slice(0, mostAsked)) {
    const workflow = workflowOf(kind)
    const name = runName({ project, ...request }, workflow, '', attempt)
    if ((await workflows.describe(workflow, name))?.status === 'RUNNING') return true
  }
  return false
}

/** Newest first. @throws Failure Unavailable when there are more than anybody can have meant */
async function openJobs(project: string, memory: Pick<Memory, 'list'>): Promise<Job[]> {
  const open: Job[] = []
  let cursor: string | undefined
  for (let page = 0; page < mostPages; page++) {
    const { items, next } = await memory.list({ project, list: jobList, limit: jobsPerPage, cursor })
    const jobs = items.flatMap((item) => jobOf(item) ?? [])
    open.push(...jobs.filter(isOpen))
    if (next === undefined || jobs.some((job) => !isOpen(job))) return open
    cursor = next
  }
  const most = mostPages * jobsPerPage
  throw new Failure('Unavailable', `of more than ${most} open jobs nobody can say what they hold: stop some`)
}
