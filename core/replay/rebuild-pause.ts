import type { Route } from '../../events/route.ts'
import { controlOf, controlRecord, heldList } from '../hold/control.ts'
import { type PauseDeps, pause, resume } from '../hold/pause.ts'
import { runName, uuid5 } from '../identity.ts'
import { changeJob, type Job, jobOf, jobRecord } from '../job/job.ts'
import { releaseRate } from '../job/release-job.ts'
import type { Clock, Memory, MemoryRecord, Workflows } from '../ports.ts'
import { beforePause, type RebuildProgress, rebuildProgress } from './rebuild-state.ts'

const prefix = 'rebuild '
const reasonOf = ({ id }: Pick<Job, 'id'>): string => `${prefix}${id}`

/** Processes look whether they may run every five seconds, and clocks differ a little. */
const secondsUntilSeen = 10

/** After so long nothing of a paused subscriber runs any more: an invocation that had begun has come to its end. */
export const secondsUntilQuiet = ({ timeout }: Route): number => secondsUntilSeen + timeout

/** Pauses the subscriber of a rebuild, unless somebody has. Once is as good as twice. */
export async function pauseFor(
  project: string,
  job: Job,
  deps: PauseDeps,
): Promise<{ at: string; ours: boolean }> {
  const { subscriber, by } = job
  const [paused] = await pause({ project, subscriber, by, reason: reasonOf(job) }, deps)
  if (paused === undefined) throw new Error(`${subscriber} is no subscriber that can be paused`)
  return { at: paused.paused.at, ours: paused.paused.reason === reasonOf(job) }
}

/** The control record of the subscriber while it is paused as it was seen; undefined: somebody has resumed it. */
export async function stillPaused(
  project: string,
  subscriber: string,
  { at }: { at: string },
  memory: Pick<Memory, 'get'>,
): Promise<MemoryRecord | undefined> {
  const record = await memory.get(controlRecord(project, subscriber))
  return controlOf(record).paused?.at === at ? record : undefined
}

/** Takes back the pause of a rebuild, and has sent what was parked; any other pause stands. */
export async function resumeAfter(project: string, job: Job, deps: PauseDeps): Promise<void> {
  const { subscriber, by } = job
  const { paused } = controlOf(await deps.memory.get(controlRecord(project, subscriber)))
  if (paused?.reason !== reasonOf(job)) return
  await resume({ project, subscriber, by, rate: releaseRate, circuits: false }, deps)
}

const perPass = 100
/** A run that nobody knows of may only not have been started yet. */
const startsWithin = 15 * 60_000

type AbandonedDeps = Omit<PauseDeps, 'newId'> & {
  memory: Pick<Memory, 'get' | 'commit' | 'list'>
  workflows: Pick<Workflows, 'describe'>
  clock: Clock
}

/**
 * Resumes subscribers that are paused for a rebuild which nobody does any more: it was paused or stopped, or its run has
 * died. Where it is resumed, it pauses the subscriber anew. Answers how many were.
 */
export async function resumeAbandoned(project: string, deps: AbandonedDeps): Promise<number> {
  const { items } = await deps.memory.list({ project, list: heldList, oldestFirst: true, limit: perPass })
  let resumed = 0
  for (const item of items) {
    const { paused } = controlOf(item)
    if (!paused?.reason?.startsWith(prefix)) continue
    const job = jobOf(await deps.memory.get(jobRecord(project, paused.reason.slice(prefix.length))))
    if (job === undefined || job.subscriber !== item.name) continue
    if (await isAlive(project, job, paused.at, deps)) continue
    await changeJob(project, job.id, deps.memory, startedOver)
    const newId = () => uuid5([project, job.id, deps.clock()].join('\n')).replaceAll('-', '')
    await resumeAfter(project, job, { ...deps, newId })
    resumed++
  }
  return resumed
}

async function isAlive(project: string, job: Job, since: string, deps: AbandonedDeps): Promise<boolean> {
  if (job.state !== 'running') return false
  const { source, id } = job.request
  const run = runName({ project, source, id }, 'replay', '', job.attempt)
  const description = await deps.workflows.describe('replay', run)
  if (description !== undefined) return description.status === 'RUNNING'
  return Date.parse(deps.clock()) - Date.parse(since) < startsWithin
}

const paused: readonly RebuildProgress['stage'][] = ['rest', 'compare', 'only live']

function startedOver(state: Job): Job | undefined {
  const progress = rebuildProgress.safeParse(state.progress).data
  const ended = state.state === 'done' || state.state === 'stopped'
  if (progress === undefined || ended || !paused.includes(progress.stage)) return undefined
  return { ...state, progress: beforePause(progress), counts: progress.quiet?.counts ?? state.counts }
}
