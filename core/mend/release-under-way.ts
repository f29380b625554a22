import { runName, uuid5 } from '../identity.ts'
import { jobList, jobOf, workflowOf } from '../job/job.ts'
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

const mostJobs = 50

/** A job that sends what was parked, and is at it or paused by somebody, is not helped. One whose run has died is. */
export async function isBeingReleased(
  project: string,
  subscriber: string,
  { memory, workflows }: { memory: Pick<Memory, 'list'>; workflows: Pick<Workflows, 'describe'> },
): Promise<boolean> {
  const { items } = await memory.list({ project, list: jobList, limit: mostJobs })
  for (const item of items) {
    const job = jobOf(item)
    if (job?.kind !== 'redrive' || job.subscriber !== subscriber) continue
    if (job.state === 'paused') return true
    if (job.state !== 'running') continue
    const workflow = workflowOf(job.kind)
    const name = runName({ project, ...job.request }, workflow, '', job.attempt)
    if ((await workflows.describe(workflow, name))?.status === 'RUNNING') return true
  }
  return false
}
