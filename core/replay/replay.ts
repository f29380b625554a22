import { replayCompleted } from '../../events/replay.completed.ts'
import { replayRequested } from '../../events/replay.requested.ts'
import { type Route, typeName } from '../../events/route.ts'
import { Failure, type Fault } from '../errors.ts'
import type { Emission } from '../event/handler.ts'
import { type Job, newJob } from '../job/job.ts'
import type { Bodies, Clock } from '../ports.ts'
import { after, second } from '../time.ts'
import { type ReplayAsked, scopeOf } from './replay-job.ts'
import { judgeTaken } from './replay-match.ts'
import type { Verdict } from './replay-pass.ts'
import type { RecordedFate, WalkDeps, WalkPosition } from './replay-step.ts'
import { walk } from './replay-walk.ts'

export type Asked = { project: string; id: string; by: string; asked: string; rate: number }

/** The route of a subscriber. @throws Failure NotFound, with the names there are */
export function routeNamed(routes: readonly Route[], name: string): Route {
  const route = routes.find(({ subscriber }) => subscriber === name)
  if (route !== undefined) return route
  throw new Failure('NotFound', `there is no subscriber ${name}`, {
    faults: [
      { path: 'subscriber', expected: `one of ${routes.map((one) => one.subscriber).join(', ')}`, got: name },
    ],
  })
}

/**
 * A replay that may be: of a subscriber of effect outside, by a selection that names something.
 * @throws Failure Invalid, Conflict
 */
export function checkReplay(route: Route, selection: ReplayAsked): void {
  const { subscriber, effect, kind, unpausable } = route
  if (unpausable !== undefined)
    throw new Failure('Conflict', `what ${subscriber} does is never replayed: ask for a new job instead`)
  if (effect === 'state')
    throw new Failure(
      'Conflict',
      `${subscriber} keeps records of its own: they are rebuilt (loadpath rebuild ${subscriber}), and nothing is replayed into them`,
    )
  if (kind === 'workflow' && selection.emit)
    throw new Failure('Conflict', `a run of ${subscriber} emits under ids of its own: leave emit out`)
  const faults = faultsOf(route, selection)
  if (faults.length > 0) throw new Failure('Invalid', 'the selection does not fit', { faults })
}

function faultsOf(route: Route, selection: ReplayAsked): Fault[] {
  const { since, until, type, key, story, event } = selection
  const names = route.types.map(typeName)
  const faults: [boolean, Fault][] = [
    [
      [since, until, type, key, story, event].every((named) => named === undefined),
      {
        path: 'since',
        expected: 'at least one of since, until, type, key, story, event',
        got: 'nothing',
      },
    ],
    [
      type !== undefined && !names.includes(type),
      { path: 'type', expected: `one of ${names.join(', ')}`, got: `${type}` },
    ],
    [
      since !== undefined && until !== undefined && since > until,
      { path: 'until', expected: `a time after ${since}`, got: `${until}` },
    ],
  ]
  return faults.flatMap(([applies, fault]) => (applies ? [fault] : []))
}

/**
 * The job that replays, and the event that asks for its run, to be committed together. Its id is the replay's.
 * @throws Failure NotFound, Invalid, Conflict
 */
export function newReplay(
  { project, ...asked }: Asked,
  subscriber: string,
  selection: ReplayAsked,
  routes: readonly Route[],
) {
  checkReplay(routeNamed(routes, subscriber), selection)
  const { emit, ...named } = selection
  const data = {
    job: asked.id,
    kind: 'replay' as const,
    subscriber,
    rate: asked.rate,
    selection: named,
    ...(emit ? { emit } : {}),
  }
  const job = { ...asked, kind: 'replay' as const, subscriber, selection }
  return newJob(project, job, { type: replayRequested, data })
}

/** What tells that a replay or a rebuild has ended, one way or the other; to be committed with its end. */
export function replayEnd(job: Job): Emission[] {
  const { id, subscriber, counts, reason } = job
  const data = {
    job: id,
    kind: job.kind === 'rebuild' ? ('rebuild' as const) : ('replay' as const),
    subscriber,
    state: job.state === 'done' ? ('done' as const) : ('stopped' as const),
    ...(reason === undefined ? {} : { reason }),
    counts,
  }
  return [{ type: replayCompleted, data }]
}

/** What a person dropped is left out: somebody decided that it is not to be handled, or something took its place. */
export const judgeReplay = (
  route: Route,
  found: RecordedFate,
  asRecorded: boolean,
  bodies: Pick<Bodies, 'get'>,
): Promise<Verdict> =>
  judgeTaken(route, found, asRecorded, bodies, (live) => (live?.state === 'dropped' ? 'left' : 'send'))

/** What a replay would send, as far as one look went; `next`: where to go on, undefined at the end. */
export type Counted = {
  types: Readonly<Record<string, number>>
  left: number
  unreadable: number
  next: WalkPosition | undefined
}

type CountDeps = Omit<WalkDeps, 'route' | 'consistent'> & { bodies: Pick<Bodies, 'get'>; clock: Clock }

/** Events that one look counts at most. */
const mostCounted = 2000

/** Counts what a replay would send, by type, without sending; ends after so many seconds with what it has. */
export async function countReplay(
  { project, asked }: Pick<Asked, 'project' | 'asked'>,
  { route, selection, judge }: { route: Route; selection: ReplayAsked; judge: typeof judgeReplay },
  from: WalkPosition,
  deps: CountDeps,
  seconds: number,
): Promise<Counted> {
  const deadline = after(deps.clock(), seconds * second)
  const types: Record<string, number> = {}
  let [left, unreadable, looked] = [0, 0, 0]
  const scope = scopeOf(project, selection, route, asked)
  for await (const step of walk(scope, from, { ...deps, route, consistent: false })) {
    const { found } = step
    const verdict = step.unreadable
      ? 'unreadable'
      : found && (await judge(route, found, selection.asRecorded === true, deps.bodies))
    if (verdict === 'unreadable') unreadable++
    if (verdict === 'left' || verdict === 'later') left++
    if (verdict === 'send' && found) {
      const { type } = found.stored.event
      types[type] = (types[type] ?? 0) + 1
    }
    if (found !== undefined) looked++
    if (looked >= mostCounted || deps.clock() > deadline) return { types, left, unreadable, next: step.at }
  }
  return { types, left, unreadable, next: undefined }
}
