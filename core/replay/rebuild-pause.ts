import type { Route } from '../../events/route.ts'
import { attempt } from '../attempt.ts'
import { controlOf, controlRecord, heldList } from '../hold/control.ts'
import { type PauseDeps, pauseForRebuild, resumeForRebuild } from '../hold/pause.ts'
import { runName, uuid5 } from '../identity.ts'
import { changeJob, type Job, jobOf, jobRecord, stop } from '../job/job.ts'
import { releaseRate } from '../job/release-job.ts'
import type { Clock, Memory, MemoryRecord, Workflows } from '../ports.ts'
import { beforePause, type RebuildProgress, rebuildProgress } from './rebuild-state.ts'
import { replayEnd } from './replay.ts'
import { withoutRoute } from './replay-job.ts'

/** Processes look whether they may run every five seconds, and clocks differ a little. */
const secondsUntilSeen = 10

/** After so long nothing of a paused subscriber runs any more: an invocation that had begun has come to its end. */
export const secondsUntilQuiet = ({ timeout }: Route): number => secondsUntilSeen + timeout

/** Pauses the subscriber of a rebuild; undefined: another rebuild holds it, and has to end before. Once is as good as twice. */
export async function pauseFor(
  project: string,
  job: Job,
  deps: PauseDeps,
): Promise<{ at: string } | undefined> {
  const { subscriber, by, id } = job
  const held = await pauseForRebuild({ project, subscriber, by }, id, deps)
  return held.job === id ? { at: held.at } : undefined
}

/** The control record of the subscriber while it is paused for this rebuild as it was seen; undefined: it was let go. */
export async function stillPaused(
  project: string,
  { subscriber, id }: { subscriber: string; id: string },
  { at }: { at: string },
  memory: Pick<Memory, 'get'>,
): Promise<MemoryRecord | undefined> {
  const record = await memory.get(controlRecord(project, subscriber))
  const { rebuild } = controlOf(record)
  return rebuild?.job === id && rebuild.at === at ? record : undefined
}

/** Takes back the pause of a rebuild, and has sent what was parked; any other pause stands. */
export async function resumeAfter(project: string, job: Job, deps: PauseDeps): Promise<void> {
  const { subscriber, by, id } = job
  const { rebuild } = controlOf(await deps.memory.get(controlRecord(project, subscriber)))
  if (rebuild?.job !== id) return
  await resumeForRebuild({ project, subscriber, by, rate: releaseRate }, deps)
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
 * died. Where it is resumed, it pauses the subscriber anew; that of a subscriber which has left the routes is ended.
 * Answers how many were. @throws what the first of those threw that could not be resumed, behind all others
 */
export async function resumeAbandoned(project: string, deps: AbandonedDeps): Promise<number> {
  const { items } = await deps.memory.list({ project, list: heldList, oldestFirst: true, limit: perPass })
  const failures: unknown[] = []
  let resumed = 0
  for (const item of items) {
    const tried = await attempt(() => resumeWhereAbandoned(project, item, deps))
    if ('error' in tried) failures.push(tried.error)
    else if (tried.value) resumed++
  }
  if (failures.length > 0) throw failures[0]
  return resumed
}

async function resumeWhereAbandoned(
  project: string,
  item: MemoryRecord,
  deps: AbandonedDeps,
): Promise<boolean> {
  const { rebuild } = controlOf(item)
  if (rebuild === undefined) return false
  const job = jobOf(await deps.memory.get(jobRecord(project, rebuild.job)))
  if (job === undefined || job.subscriber !== item.name) return false
  if (await isAlive(project, job, deps)) return false
  const isRouted = deps.routes.some(({ subscriber }) => subscriber === job.subscriber)
  if (isRouted) await changeJob(project, job.id, deps.memory, startedOver)
  else await giveUp(project, job, deps)
  const newId = () => uuid5([project, job.id, deps.clock()].join('\n')).replaceAll('-', '')
  await resumeAfter(project, job, { ...deps, newId })
  return true
}

const hasEnded = ({ state }: Job): boolean => state === 'done' || state === 'stopped'

const giveUp = (project: string, job: Job, { memory, clock }: AbandonedDeps): Promise<Job> =>
  changeJob(
    project,
    job.id,
    memory,
    (state) => (hasEnded(state) ? undefined : stop(state, withoutRoute(job), clock)),
    { news: replayEnd },
  )

async function isAlive(project: string, job: Job, deps: AbandonedDeps): Promise<boolean> {
  if (job.state !== 'running') return false
  const { request, asked, attempted = asked } = job
  const { source, id } = request
  const run = runName({ project, source, id }, 'replay', '', job.attempt)
  const description = await deps.workflows.describe('replay', run)
  if (description !== undefined) return description.status === 'RUNNING'
  return Date.parse(deps.clock()) - Date.parse(attempted) < startsWithin
}

const paused: readonly RebuildProgress['stage'][] = ['rest', 'compare', 'only live']

function startedOver(state: Job): Job | undefined {
  const progress = rebuildProgress.safeParse(state.progress).data
  if (progress === undefined || hasEnded(state) || !paused.includes(progress.stage)) return undefined
  return { ...state, progress: beforePause(progress), counts: progress.quiet?.counts ?? state.counts }
}
