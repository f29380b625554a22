import { jobChanged } from '../../events/job.changed.ts'
import type { Emission } from '../event/handler.ts'
import type { Memory } from '../ports.ts'
import { changeJob, type Job } from './job.ts'

/** What somebody does to a job, who, and why. */
export type JobCommand = {
  project: string
  id: string
  by: string
  to: 'paused' | 'resumed' | 'stopped'
  reason?: string | undefined
}

/**
 * Changes a job because somebody wants it, and tells who did, in one commit. `news`: what else is to be told of it.
 * @throws Failure NotFound, Busy, and whatever `evolve` throws
 */
export const commandJob = (
  { project, id, by, to, reason }: JobCommand,
  memory: Pick<Memory, 'get' | 'commit'>,
  evolve: (state: Job) => Job | undefined,
  news: (next: Job) => readonly Emission[] = () => [],
): Promise<Job> =>
  changeJob(project, id, memory, evolve, {
    by,
    news: (next) => {
      const { kind, subscriber } = next
      const data = { job: id, kind, subscriber, to, ...(reason === undefined ? {} : { reason }) }
      return [...news(next), { type: jobChanged, data }]
    },
  })
