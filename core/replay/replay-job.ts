import * as z from 'zod'
import { retentionDays } from '../../events/event-type.ts'
import { replaySelection } from '../../events/replay.ts'
import type { Route } from '../../events/route.ts'
import { Failure } from '../errors.ts'
import type { Job } from '../job/job.ts'
import { after, ago, day, hour, minute } from '../time.ts'
import { pass } from './replay-pass.ts'
import type { Scope } from './replay-step.ts'

/** What a replay was asked to do; `emit`: what it emits is sent, under ids of its own, instead of compared. */
export const replayAsked = replaySelection().extend({ emit: z.boolean().optional() })
export type ReplayAsked = z.infer<typeof replayAsked>

/** What a rebuild was asked to do; `switch`: live records that differ are replaced. */
export const rebuildAsked = replaySelection()
  .pick({ since: true, asRecorded: true })
  .extend({ switch: z.boolean().optional() })
export type RebuildAsked = z.infer<typeof rebuildAsked>

/** An event whose handling would have emitted something else than it did: what was noted on its delivery. */
const differing = z.object({ source: z.string(), id: z.string(), notes: z.array(z.string()) })

export const replayProgress = z.object({
  doing: z.enum(['send', 'settle']),
  pass,
  /** the first so many */
  differing: z.array(differing),
})
export type ReplayProgress = z.infer<typeof replayProgress>

/** @throws Failure Conflict when the subscriber has left the routes since it was asked for */
export function routeOfJob(job: Pick<Job, 'id' | 'subscriber'>, routes: readonly Route[]): Route {
  const route = routes.find(({ subscriber }) => subscriber === job.subscriber)
  if (route === undefined) throw new Failure('Conflict', withoutRoute(job))
  return route
}

export const withoutRoute = ({ id, subscriber }: Pick<Job, 'id' | 'subscriber'>): string =>
  `${subscriber}, which job ${id} is for, is in no route any more`

/**
 * What is walked through for a selection, as of the time at which it was asked for. An event may be written down an hour
 * after it was received; clocks of two machines differ by less than a minute. Without `since`: for as long as what the
 * route takes is kept.
 */
export function scopeOf(
  project: string,
  { since, until, type, key, story, event }: ReplayAsked,
  route: Route,
  asked: string,
): Scope {
  const selection = { since, until, type, key, story, event }
  const end = until === undefined ? asked : after(until, hour)
  // found by its id, whenever it was written down
  const oldest = event === undefined && story === undefined ? ago(asked, daysKept(route) * day) : ''
  return {
    project,
    selection,
    after: since === undefined ? oldest : ago(since, minute),
    to: end < asked ? end : asked,
  }
}

const retentions = ({ types }: Route): number[] =>
  types.map((type) => retentionDays[typeof type === 'string' ? 'project' : type.retention])

const daysKept = (route: Route): number => Math.max(...retentions(route))

/** Whether all that the route takes is still kept, of a project that is there since `registered`. */
export const isAllKept = (route: Route, registered: string, now: string): boolean =>
  registered > ago(now, Math.min(...retentions(route)) * day)
