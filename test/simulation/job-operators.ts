import { runName } from '../../core/identity.ts'
import { isOpen, type Job, jobList, jobOf, workflowOf } from '../../core/job/job.ts'
import type { Memory } from '../../core/ports.ts'
import { post } from './api-requests.ts'
import type { Chance } from './chance.ts'
import type { Observed } from './observed.ts'
import type { Command } from './operators.ts'
import type { Ports } from './ports.ts'

/** People who pause, resume or stop what somebody has asked for, and have failed runs tried again. */

export function jobOperators({ chance, observed }: { chance: Chance; observed: Observed }) {
  const change = async (
    project: string,
    { id }: Job,
    how: 'pause' | 'resume' | 'stop',
    ports: Ports,
  ): Promise<unknown> => {
    const path = `/v1/jobs/${id}/${how}`
    const answer = await post(ports, { project, path, ...(how === 'stop' ? { body: {} } : {}) })
    if (how === 'pause') observed.sometimes('a job is paused')
    if (how === 'resume') observed.sometimes('a job is resumed')
    if (how === 'stop') observed.sometimes('a job is stopped')
    return answer
  }

  /** Whichever is open. */
  const meddle = (project: string): Command => ({
    name: 'pause, resume or stop a job',
    async run(ports) {
      const open = (await jobsOf(project, ports.memory)).filter(isOpen)
      const job = open[Math.floor(chance.random() * open.length)]
      if (job === undefined) return undefined
      const how = chance.is(0.3) ? 'stop' : job.state === 'running' ? 'pause' : 'resume'
      return change(project, job, how, ports)
    },
  })

  /** What was paused, or whose run has died. */
  const goOn = (project: string, isRunning: (workflow: string, run: string) => boolean): Command => ({
    name: 'resume what was paused or interrupted',
    run: async (ports) => {
      const stopped = (await jobsOf(project, ports.memory)).filter(
        (job) => isOpen(job) && !isRunning(workflowOf(job.kind), runOf(project, job)),
      )
      // one that cannot go on yet keeps no other from going on
      const ends = await Promise.allSettled(stopped.map((job) => change(project, job, 'resume', ports)))
      for (const end of ends) if (end.status === 'rejected') throw end.reason
    },
  })

  /** A run that has failed, as the next attempt. */
  const retry = (): Command | undefined => {
    const failed = observed.ended.filter(({ status, workflow }) => status === 'FAILED' && !isOfJobs(workflow))
    const run = failed[Math.floor(chance.random() * failed.length)]
    if (run === undefined) return undefined
    const { project, workflow, name, startedBy } = run
    return {
      name: `retry run ${name} of ${workflow}`,
      async run(ports) {
        const path = `/v1/runs/${workflow}/${name}/retry`
        const { run: next } = (await post(ports, { project, path })) as { run: string }
        observed.sometimes('a run is tried again')
        observed.retried.push({ workflow, name: next, startedBy })
      },
    }
  }

  return { meddle, goOn, retry }
}

const isOfJobs = (workflow: string): boolean => workflow === 'redrive' || workflow === 'replay'

export const runOf = (project: string, { kind, request, attempt }: Job): string =>
  runName({ project, source: request.source, id: request.id }, workflowOf(kind), '', attempt)

const jobsOf = async (project: string, memory: Pick<Memory, 'list'>): Promise<Job[]> => {
  const { items } = await memory.list({ project, list: jobList, limit: 100 })
  return items.flatMap((item) => jobOf(item) ?? [])
}
