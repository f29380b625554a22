import { replayRequested } from '../../events/replay.requested.ts'
import type { Route } from '../../events/route.ts'
import type { Counts } from '../counts.ts'
import { Failure, isTerminal, reasonOf } from '../errors.ts'
import { registeredAt } from '../gate/access.ts'
import type { PauseDeps } from '../hold/pause.ts'
import { type Job, newJob } from '../job/job.ts'
import { type LaneKey, type Lanes, laneOf, releaseLane } from '../lane/lane.ts'
import { dropping } from '../mend/open-delivery.ts'
import type { Bodies, Delivery, History, Memory, Queues } from '../ports.ts'
import { ago, minute } from '../time.ts'
import { compareLive, compareRebuilt, switchSome } from './rebuild-compare.ts'
import { pauseFor, resumeAfter, secondsUntilQuiet, stillPaused } from './rebuild-pause.ts'
import { beforePause, firstProgress, type RebuildProgress, rebuildProgress } from './rebuild-state.ts'
import { isBeforePause, isFull, judgeRebuild, walksOf, withLater } from './rebuild-walks.ts'
import { type Asked, routeNamed } from './replay.ts'
import type { Advanced, Limits } from './replay-advance.ts'
import { isAllKept, type RebuildAsked, rebuildAsked } from './replay-job.ts'
import { liveOf } from './replay-match.ts'
import { firstPass, type Pass, type PassDeps, sendSlice, settleSlice } from './replay-pass.ts'
import type { RecordedFate } from './replay-step.ts'

export type RebuildDeps = PauseDeps & {
  history: History
  memory: Memory
  queues: Queues
  bodies: Bodies
  lanes: Lanes
}

/** @throws Failure Conflict when the subscriber keeps no state */
export function checkRebuild({ subscriber, effect }: Route): void {
  if (effect !== 'state')
    throw new Failure(
      'Conflict',
      `${subscriber} keeps no records of its own: it is replayed (loadpath replay ${subscriber})`,
    )
}

/**
 * The job that rebuilds the records of a subscriber of effect state, and the event that asks for its run.
 * @throws Failure NotFound, Conflict, Invalid when a part of the history alone is to replace live records
 */
export function newRebuild(
  { project, ...asked }: Asked,
  subscriber: string,
  selection: RebuildAsked,
  routes: readonly Route[],
) {
  checkRebuild(routeNamed(routes, subscriber))
  if (selection.switch && selection.since !== undefined)
    throw new Failure('Invalid', 'records that are built from a part of the history replace no live ones', {
      faults: [{ path: 'since', expected: 'none together with switch', got: selection.since }],
    })
  const { switch: replaces, ...named } = selection
  const data = {
    job: asked.id,
    kind: 'rebuild' as const,
    subscriber,
    rate: asked.rate,
    selection: named,
    ...(replaces ? { switch: replaces } : {}),
  }
  const job = { ...asked, kind: 'rebuild' as const, subscriber, selection }
  return newJob(project, job, { type: replayRequested, data })
}

type Step = { project: string; job: Job; route: Route; progress: RebuildProgress; limits: Limits }

/** One step of a rebuild. What can never be done gives it up, and the subscriber is resumed first. */
export async function advanceRebuild(
  project: string,
  job: Job,
  route: Route,
  limits: Limits,
  deps: RebuildDeps,
): Promise<Advanced> {
  const progress = job.progress === undefined ? firstProgress : rebuildProgress.parse(job.progress)
  const step = { project, job, route, progress, limits }
  if (progress.stage === 'end') return finish(step, deps)
  try {
    return await advance(step, deps)
  } catch (error) {
    if (!isTerminal(error)) throw error
    return going({ ...progress, stage: 'end', reason: reasonOf(error) })
  }
}

const going = (progress: RebuildProgress, more: Partial<Advanced> = {}): Advanced => ({
  counts: {},
  sent: 0,
  wait: 0,
  ...more,
  progress,
})

async function advance(step: Step, deps: RebuildDeps): Promise<Advanced> {
  const { project, job, progress } = step
  const { stage, quiet } = progress
  if (stage === 'history') return passOn(step, deps)
  if (stage === 'quiet') return untilQuiet(step, deps)
  if (quiet === undefined || !(await stillPaused(project, job, quiet, deps.memory)))
    throw new Failure('Conflict', `${job.subscriber} was resumed before it was rebuilt`)
  if (stage === 'rest') return passOn(step, deps)
  return sideBySide(step, quiet, deps)
}

async function finish({ project, job, progress }: Step, deps: RebuildDeps): Promise<Advanced> {
  await resumeAfter(project, job, deps)
  return going(progress, { ended: { reason: progress.reason } })
}

/** Seconds between two looks whether it is quiet. */
const look = 5

async function untilQuiet({ project, job, route, progress }: Step, deps: RebuildDeps): Promise<Advanced> {
  const { quiet } = progress
  const now = deps.clock()
  if (quiet === undefined || !(await stillPaused(project, job, quiet, deps.memory))) {
    const paused = await pauseFor(project, job, deps)
    if (paused === undefined) return going(progress, { wait: look })
    return going({ ...progress, quiet: { ...paused, counts: job.counts } }, { wait: 1 })
  }
  const elapsed = (Date.parse(now) - Date.parse(quiet.at)) / 1000
  const left = Math.ceil(secondsUntilQuiet(route) - elapsed)
  if (left > 0) return going(progress, { wait: Math.min(look, left) })
  return going({
    ...beforePause(progress),
    stage: 'rest',
    quiet: { ...quiet, until: now },
  })
}

// ---- handling again

/** Sends all walks of a stage, then sees what has come of them. */
async function passOn(step: Step, deps: RebuildDeps): Promise<Advanced> {
  const { project, job, route, progress, limits } = step
  const asked = rebuildAsked.parse(job.selection)
  const about = { project, route, asked: job.asked, since: asked.since }
  const walks = walksOf(about, progress)
  const walk = walks[progress.turn]
  if (walk === undefined) {
    const next = afterAll(progress)
    // copies without a live record are found by the list of them alone, which shows the last a moment later
    return going(next, next.stage === 'compare' ? { wait: look } : {})
  }
  const behind = (pass: Pass, end: boolean, now = progress): Partial<RebuildProgress> =>
    end ? { turn: now.turn + 1, pass: { at: walksOf(about, now)[now.turn + 1]?.from ?? {} } } : { pass }
  const held = new Set<string>()
  const passing: PassDeps = {
    ...deps,
    ...limits,
    route,
    replay: job.id,
    consistent: true,
    judge: async (found) => {
      const of = { route, replay: job.id, asked, bodies: deps.bodies }
      const verdict = await judgeRebuild(found, walk, progress, of)
      if (verdict !== 'later' || isBeforePause(walk)) return verdict
      // nothing moves now: what is done behind it is in the live records, and belongs into the copy
      const live = liveOf(found.deliveries, route.subscriber)
      if (live?.state === 'dead') held.add(found.stored.event.partitionkey)
      return 'left'
    },
    frameOf: ({ stored: { event } }) => ({ event, replay: job.id, rebuild: true }),
  }
  if (progress.doing === 'send') {
    const { pass, counts: seen, end, sent, later } = await sendSlice(walk.scope, progress.pass, passing)
    // what cannot be read there is come upon again
    const { unreadable, ...counts } = seen
    const again = walk.of === 'ahead' || unreadable === undefined ? {} : { unreadable }
    const known = walk.of === 'history' ? withLater(progress, later, route) : progress
    const full = walk.of === 'history' && !end && isFull(known) && pass.at.lane === undefined
    const doneBefore = ago(deps.clock(), minute)
    const next = full ? { ...known, later: { ...known.later, reach: pass.at, doneBefore } } : known
    const keysHeld = route.ordered && held.size > 0 ? { keysHeld: held.size } : {}
    return going(
      { ...next, ...behind(pass, end || full, next) },
      { counts: { ...counts, ...again, ...keysHeld }, sent },
    )
  }
  const { pass, counts, end, settled, wait } = await settleSlice(walk.scope, progress.pass, passing)
  const failed = settled.filter(({ delivery }) => delivery.state !== 'done')
  await dropAll(step, failed, deps)
  const { dead: _, parked: __, dropped: ___, ...others } = counts
  const report = {
    ...progress.report,
    failed: [...progress.report.failed, ...failed.map(whyOf)].slice(0, 20),
  }
  return going(
    { ...progress, ...behind(pass, end), report },
    { counts: failed.length === 0 ? others : { ...others, failed: failed.length }, wait },
  )
}

const afterAll = (progress: RebuildProgress): RebuildProgress => {
  const anew = { ...progress, turn: 0, pass: firstPass }
  if (progress.doing === 'send') return { ...anew, doing: 'settle' }
  return { ...anew, doing: 'send', stage: progress.stage === 'history' ? 'quiet' : 'compare' }
}

type Ended = { found: RecordedFate; delivery: Delivery }

const whyOf = ({ found: { stored }, delivery: { reason = 'nothing was noted' } }: Ended) => {
  const { source, id } = stored.event
  return { source, id, reason: reason.slice(0, 500) }
}

/** What could not be handled anew is told of in the report; nobody can mend it, so it waits for nobody. */
async function dropAll(
  { project, job, route }: Step,
  failed: readonly Ended[],
  deps: RebuildDeps,
): Promise<void> {
  const held = failed.filter(({ delivery: { state } }) => state === 'dead' || state === 'parked')
  const lanes = new Map<string, LaneKey>()
  for (const { found, delivery } of held) {
    const { source, id } = found.stored.event
    const key = { project, source, id, subscriber: route.subscriber, replay: job.id }
    const dead = { key, delivery, stored: found.stored }
    const reason = `of rebuild ${job.id}: ${delivery.reason ?? delivery.state}`
    await deps.history.transition(dropping(dead, reason, deps.clock()))
    const ordered = laneOf(key, found.stored.event, [route])
    if (ordered === undefined) continue
    await deps.lanes.leave(ordered.lane, { key, sequence: ordered.sequence })
    lanes.set(ordered.lane.partitionkey, ordered.lane)
  }
  for (const lane of lanes.values()) await releaseLane(lane, { dead: [] }, deps)
}

// ---- side by side

async function sideBySide(
  { project, job, route, progress }: Step,
  quiet: { at: string },
  { memory, clock }: RebuildDeps,
): Promise<Advanced> {
  const { stage, cursor, report, lists, todo, turn } = progress
  const registered = await registeredAt(memory, project)
  const whole = registered !== undefined && isAllKept(route, registered, quiet.at)
  const rebuilt = { project, replay: job.id, subscriber: job.subscriber, whole }
  if (todo.length > 0) {
    await switchSome(rebuilt, todo, quiet, memory)
    return going({ ...progress, todo: [] }, { counts: { switched: todo.length } })
  }
  const spoiled = spoiledBy(job.counts)
  const switches = rebuildAsked.parse(job.selection).switch === true
  const replaces = switches && spoiled === undefined
  if (stage === 'compare') {
    const compared = await compareRebuilt(rebuilt, { cursor, report, lists }, clock(), memory)
    const replaced = replaces ? [...compared.differ] : []
    const next = { ...progress, report: compared.report, lists: [...compared.lists], todo: replaced }
    return going(
      { ...next, cursor: compared.next, stage: compared.next === undefined ? 'only live' : stage },
      { counts: compared.counts },
    )
  }
  const list = lists[turn]
  if (list === undefined)
    return going({ ...progress, stage: 'end', ...(switches && spoiled ? { reason: spoiled } : {}) })
  const looked = await compareLive(rebuilt, list, cursor, report, memory)
  const further = looked.next === undefined ? { turn: turn + 1 } : {}
  return going(
    {
      ...progress,
      ...further,
      cursor: looked.next,
      report: looked.report,
      todo: replaces ? [...looked.differ] : [],
    },
    { counts: looked.counts },
  )
}

/** Why what was rebuilt may not be put in the place of what is live. */
function spoiledBy({ failed = 0, open = 0, unreadable = 0 }: Counts): string | undefined {
  const missing = failed + open + unreadable
  return missing === 0
    ? undefined
    : `nothing was switched: ${missing} events could not be handled anew (failed ${failed}, open ${open}, unreadable ${unreadable})`
}
