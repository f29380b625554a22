import type { Route } from '../../events/route.ts'
import type { Counts } from '../counts.ts'
import type { Job } from '../job/job.ts'
import type { Bodies, Clock, History, Queues } from '../ports.ts'
import { judgeReplay } from './replay.ts'
import { type ReplayProgress, replayAsked, replayProgress, scopeOf } from './replay-job.ts'
import { firstPass, type PassDeps, sendSlice, settleSlice } from './replay-pass.ts'

export type AdvanceDeps = {
  history: History
  queues: Pick<Queues, 'send' | 'depth'>
  bodies: Pick<Bodies, 'get'>
  clock: Clock
}

/** How much may be done now: deliveries that may be sent, and until when (ISO 8601). */
export type Limits = { most: number; deadline: string }

/**
 * What one step of a job came to, to be noted: how far it is, and what that adds to its counts. `wait`: seconds that it
 * has to wait for. `ended`: it is through; with a reason it was given up.
 */
export type Advanced = {
  progress: unknown
  counts: Counts
  sent: number
  wait: number
  ended?: { reason?: string | undefined }
}

/** Deliveries whose differences are kept; the others are counted. */
const mostDiffering = 100
const mostNotes = 3
const longestNote = 200

const begin: ReplayProgress = { doing: 'send', pass: firstPass, differing: [] }

/** One step of a replay: some more are sent, or it is seen what has come of some more. */
export async function advanceReplay(
  project: string,
  job: Job,
  route: Route,
  limits: Limits,
  deps: AdvanceDeps,
): Promise<Advanced> {
  const { asRecorded = false, emit, ...asked } = replayAsked.parse(job.selection)
  const progress = job.progress === undefined ? begin : replayProgress.parse(job.progress)
  const scope = scopeOf(project, asked, route, job.asked)
  const passing: PassDeps = {
    ...deps,
    ...limits,
    route,
    replay: job.id,
    consistent: false,
    judge: (found) => judgeReplay(route, found, asRecorded, deps.bodies),
    frameOf: ({ stored: { event } }) => ({ event, replay: job.id, ...(emit ? { emit } : {}) }),
  }
  if (progress.doing === 'send') {
    const { pass, counts, end, sent } = await sendSlice(scope, progress.pass, passing)
    const next: ReplayProgress = end
      ? { ...progress, doing: 'settle', pass: firstPass }
      : { ...progress, pass }
    return { progress: next, counts, sent, wait: 0 }
  }
  const { pass, counts, end, settled, wait } = await settleSlice(scope, progress.pass, passing)
  const differing = settled.flatMap(({ found: { stored }, delivery: { notes = [] } }) => {
    const { source, id } = stored.event
    return notes.length === 0
      ? []
      : [{ source, id, notes: notes.slice(0, mostNotes).map((note) => note.slice(0, longestNote)) }]
  })
  const next: ReplayProgress = {
    ...progress,
    pass,
    differing: [...progress.differing, ...differing].slice(0, mostDiffering),
  }
  const counted = differing.length === 0 ? counts : { ...counts, differs: differing.length }
  return { progress: next, counts: counted, sent: 0, wait, ...(end ? { ended: {} } : {}) }
}
