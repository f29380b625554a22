import type { Route } from '../../events/route.ts'
import type { Bodies } from '../ports.ts'
import { ago, minute } from '../time.ts'
import type { RebuildProgress } from './rebuild-state.ts'
import { type RebuildAsked, scopeOf } from './replay-job.ts'
import { judgeTaken, liveOf } from './replay-match.ts'
import { ofReplay, type Verdict } from './replay-pass.ts'
import type { RecordedFate, Scope, WalkPosition } from './replay-step.ts'

/** A page is named before it is written: one may come so late into what was walked through already. */
const pagePatience = 5 * minute

/** `of`: what the walk is there for. `sequence`: of a key, where the first walk through it ended. */
export type Walk = {
  of: 'history' | 'ahead' | 'on its way' | 'key' | 'beyond' | 'since'
  scope: Scope
  from: WalkPosition
  sequence?: number
}

/**
 * The walks of a stage. All of the history up to some minutes before it was asked for, from where too much is on its way
 * to be kept in mind as `ahead`; then, with the subscriber paused, what was on its way when it was come upon, what was
 * passed over by `ahead`, and what was written down since. Together they take each event once, except that those of a key
 * are all walked through by its own walk.
 */
export function walksOf(
  {
    project,
    route,
    asked,
    since,
  }: { project: string; route: Route; asked: string; since?: string | undefined },
  { stage, doing, later, quiet }: RebuildProgress,
): Walk[] {
  const before = ago(asked, pagePatience)
  const scope = scopeOf(project, { since }, route, asked)
  const main = { ...scope, to: before }
  const reach = later.reach
  if (stage === 'history') {
    const ended = doing === 'settle' ? reach?.place : undefined
    const ahead: Walk[] =
      reach === undefined || later.doneBefore === undefined ? [] : [{ of: 'ahead', scope: main, from: reach }]
    return [{ of: 'history', scope: { ...main, upTo: ended }, from: {} }, ...ahead]
  }
  const all = { ...main, to: quiet?.until ?? asked }
  const onTheirWay: Walk[] =
    later.events.length === 0 ? [] : [{ of: 'on its way', scope: { ...all, among: later.events }, from: {} }]
  const keys = later.keys.map(
    ({ key, sequence }): Walk => ({
      of: 'key',
      scope: { ...all, selection: { ...all.selection, key } },
      from: {},
      sequence,
    }),
  )
  const latest = scope.after > before ? scope.after : before
  const beyond: Walk[] = reach === undefined ? [] : [{ of: 'beyond', scope: main, from: reach }]
  return [...onTheirWay, ...keys, ...beyond, { of: 'since', scope: { ...all, after: latest }, from: {} }]
}

export async function judgeRebuild(
  found: RecordedFate,
  walk: Walk,
  { doing, later, quiet }: Pick<RebuildProgress, 'doing' | 'later' | 'quiet'>,
  of: { route: Route; replay: string; asked: RebuildAsked; bodies: Pick<Bodies, 'get'> },
): Promise<Verdict> {
  const { route, asked, bodies } = of
  const { source, id, partitionkey, sequence = 0 } = found.stored.event
  const own = later.keys.find(({ key }) => key === partitionkey)
  if (walk.of === 'key' && sequence < (walk.sequence ?? 0)) return 'no'
  if (walk.of === 'since' && own !== undefined) return 'no'
  if (walk.of === 'history' && doing === 'settle') {
    if (own !== undefined && sequence >= own.sequence) return 'no'
    if (later.events.some((one) => one.source === source && one.id === id)) return 'no'
  }
  if (walk.of === 'beyond' && isCopied(found, quiet, of)) return 'no'
  const verdict = await judgeCopied(route, found, asked.asRecorded === true, bodies)
  return walk.of === 'ahead' ? judgeAhead(verdict, found, later, route) : verdict
}

/** By what never changes, so that it is the same when it is seen what has come of it; what is not taken is come upon again. */
function judgeAhead(
  verdict: Verdict,
  { deliveries }: RecordedFate,
  { doneBefore = '' }: RebuildProgress['later'],
  { subscriber, ordered }: Route,
): Verdict {
  const live = liveOf(deliveries, subscriber)
  const isOpen = verdict === 'later' || (live !== undefined && live.changed >= doneBefore)
  if (isOpen) return ordered ? 'later' : 'no'
  return verdict === 'send' ? verdict : 'no'
}

/** Handled anew before the pause. */
function isCopied(
  found: RecordedFate,
  quiet: RebuildProgress['quiet'],
  of: { route: Route; replay: string },
): boolean {
  const copied = ofReplay(found, of)
  return copied?.state === 'done' && quiet !== undefined && copied.changed < quiet.at
}

/**
 * Whether an event belongs into the copy: what the live records have in them, and what has never come to them because
 * nobody expected it then. What is on its way comes to the live records later, and to the copy not at all.
 */
export function judgeCopied(
  route: Route,
  found: RecordedFate,
  asRecorded: boolean,
  bodies: Pick<Bodies, 'get'>,
): Promise<Verdict> {
  return judgeTaken(route, found, asRecorded, bodies, (live) => {
    // it has no place in any lane, and is dead for whatever handles it
    if (route.ordered && found.stored.event.sequence === undefined) return 'left'
    if (live === undefined) return found.stored.expects.includes(route.subscriber) ? 'later' : 'send'
    if (live.state === 'dropped') return 'left'
    return live.state === 'done' ? 'send' : 'later'
  })
}

/** While the subscriber goes on. */
export const isBeforePause = ({ of }: Walk): boolean => of === 'history' || of === 'ahead'

/** Together with the report they stand in the job's record. */
const mostLater = 100

export const isFull = ({ later: { events, keys } }: RebuildProgress): boolean =>
  events.length + keys.length >= mostLater

export function withLater(
  progress: RebuildProgress,
  found: readonly RecordedFate[],
  route: Route,
): RebuildProgress {
  const { events, keys } = progress.later
  const later = found.map(({ stored: { event } }) => event)
  return {
    ...progress,
    later: route.ordered
      ? {
          events,
          keys: [...keys, ...later.map((one) => ({ key: one.partitionkey, sequence: one.sequence ?? 0 }))],
        }
      : { events: [...events, ...later.map(({ source, id }) => ({ source, id }))], keys },
  }
}
