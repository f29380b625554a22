import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { Failure } from '../core/errors.ts'
import { runName } from '../core/identity.ts'
import { type Job, jobList, jobOf, loadJob, pause, resume, stop, workflowOf } from '../core/job/job.ts'
import { commandJob } from '../core/job/job-command.ts'
import { redriveEnd } from '../core/mend/redrive.ts'
import { replayEnd } from '../core/replay/replay.ts'
import { shortfallOf } from '../core/replay/shortfall.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { chain, pageOf, pageQuery } from './paging.ts'
import { badBody, body, conflicting, json, missing, refused } from './problems.ts'
import { why } from './shapes.ts'
import { startAgain } from './start-run.ts'

const kind = z.enum(['redrive', 'replay', 'rebuild'])
const state = z.enum(['running', 'paused', 'done', 'stopped', 'interrupted'])

export const job = z
  .object({
    id: z.string(),
    kind,
    subscriber: z
      .string()
      .openapi({ description: '`all`: each delivery to the subscriber that has it open' }),
    by: z.string(),
    asked: z.string(),
    rate: z.number().int().openapi({ description: 'deliveries a second' }),
    state: state.openapi({ description: 'interrupted: its run has ended before it; resume it' }),
    reason: z.string().optional().openapi({ description: 'why it was stopped' }),
    ended: z.string().optional(),
    attempt: z.number().int(),
    run: z.object({ workflow: z.string(), run: z.string() }),
    selection: z.unknown(),
    counts: z.record(z.string(), z.number()),
    incomplete: z.string().optional().openapi({
      description: 'of a replay or rebuild that is done: what it lacks of what was asked for',
    }),
  })
  .openapi('Job')

/** A run is started by an event that is on its way for some seconds: before that nothing is wrong. */
const startPatience = 15 * 60_000

/** A job as people see it. Of one that runs, its run is asked after: it may have died. */
export async function shownJob(
  project: string,
  value: Job,
  deps: Pick<ApiDeps, 'workflows' | 'now'>,
): Promise<z.infer<typeof job>> {
  const { batches: _, request: __, progress: ___, attempted: ____, ...shown } = value
  const run = runOf(project, value)
  const isInterrupted = value.state === 'running' && (await hasEnded(run, value, deps))
  const incomplete = shortfallOf(value)
  const verdict = incomplete === undefined ? {} : { incomplete }
  return { ...shown, ...verdict, state: isInterrupted ? 'interrupted' : value.state, run }
}

function runOf(project: string, { kind, request, attempt }: Job): { workflow: string; run: string } {
  const workflow = workflowOf(kind)
  return {
    workflow,
    run: runName({ project, source: request.source, id: request.id }, workflow, '', attempt),
  }
}

async function hasEnded(
  { workflow, run }: { workflow: string; run: string },
  { asked, attempted = asked }: Job,
  { workflows, now }: Pick<ApiDeps, 'workflows' | 'now'>,
): Promise<boolean> {
  const described = await workflows.describe(workflow, run)
  if (described !== undefined) return described.status !== 'RUNNING'
  return Date.parse(now()) - Date.parse(attempted) > startPatience
}

const params = z.object({ job: idInPath })

/** Work over many deliveries: redrives, replays and rebuilds. */
export function jobs(app: Api, deps: ApiDeps): void {
  const { memory } = deps
  const reading = needs(deps, 'events:read')
  const writing = needs(deps, 'deliveries:write')

  const list = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/jobs',
    summary: 'Jobs: open ones, then ended ones, each newest first',
    request: { query: z.object({ kind: kind.optional(), state: state.optional(), ...pageQuery }) },
    responses: { 200: json('A page of jobs', pageOf(job)), ...refused },
  })
  app.openapi(list, async (c) => {
    const { project } = c.var.principal
    const { kind: wantedKind, state: wantedState, ...query } = c.req.valid('query')
    const all = async (inner: { cursor: string | undefined; limit: number }) => {
      const { items, next } = await memory.list({ project, list: jobList, ...inner })
      const shown = await Promise.all(
        items.map((item) => {
          const found = jobOf(item)
          return found === undefined ? [] : shownJob(project, found, deps)
        }),
      )
      return { items: shown.flat(), next }
    }
    const wanted = (one: z.infer<typeof job>) =>
      (wantedKind ?? one.kind) === one.kind && (wantedState ?? one.state) === one.state
    return c.json(await chain('jobs', [all], query, wanted), 200)
  })

  const show = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/jobs/{job}',
    summary: 'A job, and how far it is',
    request: { params },
    responses: { 200: json('The job', job), ...missing, ...refused },
  })
  app.openapi(show, async (c) => {
    const { project } = c.var.principal
    return c.json(
      await shownJob(project, await loadJob(project, c.req.valid('param').job, memory), deps),
      200,
    )
  })

  const halt = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/jobs/{job}/pause',
    summary: 'Pause a job after the slice that it is at',
    request: { params },
    responses: { 200: json('The job', job), ...missing, ...conflicting, ...refused },
  })
  app.openapi(halt, async (c) => {
    const { project, actor: by } = c.var.principal
    const command = { project, id: c.req.valid('param').job, by, to: 'paused' } as const
    const paused = await commandJob(command, memory, pause)
    return c.json(await shownJob(project, paused, deps), 200)
  })

  const goOn = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/jobs/{job}/resume',
    summary: 'Go on with a job that is paused, or whose run was interrupted',
    request: { params },
    responses: { 202: json('The job', job), ...missing, ...conflicting, ...refused },
  })
  app.openapi(goOn, async (c) => {
    const { project, actor: by } = c.var.principal
    const { job: id } = c.req.valid('param')
    const before = await loadJob(project, id, memory)
    const { state: stands, run } = await shownJob(project, before, deps)
    if (stands === 'running')
      throw new Failure('Conflict', `job ${id} is running: run ${run.run} of ${run.workflow}`)
    const asking = { project, source: before.request.source, id: before.request.id }
    if ((await deps.history.getEvents([asking]))[0] === undefined)
      throw new Failure(
        'Conflict',
        `job ${id} was asked for just now and has not begun: try again in a moment`,
      )
    const command = { project, id, by, to: 'resumed' } as const
    const resumed = await commandJob(command, memory, (now) => {
      if (now.attempt !== before.attempt) throw new Failure('Conflict', `job ${id} was resumed just now`)
      return resume(now, deps.now)
    })
    const { kind, attempt } = resumed
    try {
      await startAgain(deps, workflowOf(kind), asking, { replay: '', attempt })
    } catch (error) {
      // nothing runs it: so that it may be resumed again, at once
      const isOurs = (now: Job) => now.attempt === attempt && now.state === 'running'
      const undone = { ...command, to: 'paused', reason: 'its run could not be started' } as const
      await commandJob(undone, memory, (now) => (isOurs(now) ? pause(now) : undefined))
      throw error
    }
    return c.json(await shownJob(project, resumed, deps), 202)
  })

  const end = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/jobs/{job}/stop',
    summary: 'End a job before it is done; it cannot be resumed',
    description: `${writing.description} Parked deliveries that it leaves are sent by the sweep some minutes later, in order where their route is ordered, unless their subscriber is paused.`,
    request: { params, body: body(z.strictObject({ reason: why })) },
    responses: { 200: json('The job', job), ...missing, ...conflicting, ...badBody, ...refused },
  })
  app.openapi(end, async (c) => {
    const { project, actor: by } = c.var.principal
    const { reason } = c.req.valid('json')
    const why = `stopped by ${by}${reason === undefined ? '' : `: ${reason}`}`
    const command = { project, id: c.req.valid('param').job, by, to: 'stopped', reason } as const
    const stopped = await commandJob(command, memory, (now) => stop(now, why, deps.now), endOf)
    return c.json(await shownJob(project, stopped, deps), 200)
  })
}

/** What is told of a job that somebody has stopped. */
const endOf = (stopped: Job) => (stopped.kind === 'redrive' ? redriveEnd(stopped) : replayEnd(stopped))
