import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { type Run, runOf, runRecord } from '../core/domain/run.ts'
import { Failure } from '../core/errors.ts'
import { statusOf } from '../core/event/run-status.ts'
import { workflowInput } from '../core/frame.ts'
import type { Principal } from '../core/gate/access.ts'
import { runName } from '../core/identity.ts'
import type { RunDescription } from '../core/ports.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { chain, pageOf, pageQuery } from './paging.ts'
import { badBody, body, conflicting, json, missing, refused } from './problems.ts'
import { name, onceHeader, source, why } from './shapes.ts'
import { refuseJobs, startAgain, startWithData, startWithEvent, workflowRoute } from './start-run.ts'

const status = z.enum(['running', 'succeeded', 'failed'])

const run = z
  .object({
    workflow: z.string(),
    run: z.string(),
    status,
    started: z.string(),
    ended: z.string().optional(),
    error: z.string().optional(),
    cause: z.string().optional(),
    arn: z.string().optional(),
    event: z.object({ source: z.string(), id: z.string(), type: z.string() }).optional(),
    attempt: z.number().int(),
    replay: z.string(),
  })
  .openapi('Run')

const described = run
  .extend({
    live: z
      .object({
        status: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']),
        input: z.unknown().optional(),
        output: z.unknown().optional(),
      })
      .optional()
      .openapi({ description: 'what Step Functions says of it now, where it still knows it' }),
  })
  .openapi('DescribedRun')

const start = z
  .object({
    workflow: z.string(),
    data: z.unknown().optional().openapi({ description: 'of the workflow’s `…-requested` type' }),
    event: z
      .object({ id: name, source: source.optional() })
      .optional()
      .openapi({ description: 'an event that is recorded already' }),
  })
  .refine(({ data, event }) => (data === undefined) !== (event === undefined), {
    error: 'either `data` or `event`',
  })

const started = z.object({
  workflow: z.string(),
  run: z.string(),
  event: z.object({ source: z.string(), id: z.string(), type: z.string() }),
})

const params = z.object({ workflow: idInPath, run: idInPath })

/** Runs of workflows. */
export function runs(app: Api, deps: ApiDeps): void {
  const reading = needs(deps, 'runs:read')
  const writing = needs(deps, 'runs:write')

  const post = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/runs',
    summary: 'Start a run, with data or for a recorded event',
    request: {
      headers: onceHeader,
      body: body(start),
    },
    responses: {
      202: json('It will start', started),
      ...missing,
      ...conflicting,
      ...badBody,
      ...refused,
    },
  })
  app.openapi(post, async (c) => {
    const { workflow, data, event } = c.req.valid('json')
    const once = c.req.valid('header')['idempotency-key']
    const request = { workflow, once, principal: c.var.principal }
    return c.json(
      event === undefined
        ? await startWithData(deps, request, data)
        : await startWithEvent(deps, request, event),
      202,
    )
  })

  const list = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/runs',
    summary: 'Runs: open ones, then ended ones, each newest first',
    request: {
      query: z.object({ workflow: z.string().optional(), status: status.optional(), ...pageQuery }),
    },
    responses: { 200: json('A page of runs', pageOf(run)), ...refused },
  })
  app.openapi(list, async (c) => {
    const { project } = c.var.principal
    const { workflow, status: wanted, ...query } = c.req.valid('query')
    const names = wanted === undefined ? ['open', 'ended'] : [wanted === 'running' ? 'open' : 'ended']
    const lists = names.map((name) => async (inner: { cursor: string | undefined; limit: number }) => {
      const listing = await deps.memory.list({ project, list: `runs/${name}`, ...inner })
      return { ...listing, items: listing.items.flatMap((record) => runOf(record) ?? []) }
    })
    const matches = (found: Run) =>
      (workflow ?? found.workflow) === found.workflow && (wanted ?? found.status) === found.status
    return c.json(await chain(`runs ${wanted ?? ''}`, lists, query, matches), 200)
  })

  const show = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/runs/{workflow}/{run}',
    summary: 'A run',
    request: { params },
    responses: { 200: json('The run', described), ...missing, ...refused },
  })
  app.openapi(show, async (c) => {
    const { known, live } = await find(deps, c.var.principal, c.req.valid('param'))
    const { status: now, input, output } = live ?? {}
    return c.json({ ...known, ...(now === undefined ? {} : { live: { status: now, input, output } }) }, 200)
  })

  const stop = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/runs/{workflow}/{run}/stop',
    summary: 'Stop a run',
    request: {
      params,
      body: {
        content: {
          'application/json': { schema: z.strictObject({ reason: why }) },
        },
      },
    },
    responses: {
      202: json('It will stop', run.pick({ workflow: true, run: true })),
      ...missing,
      ...conflicting,
      ...badBody,
      ...refused,
    },
  })
  app.openapi(stop, async (c) => {
    const { principal } = c.var
    const { known } = await find(deps, principal, c.req.valid('param'))
    const { workflow, run: name } = known
    refuseJobs(workflow, 'loadpath jobs stop <job>')
    if (known.status !== 'running') throw new Failure('Conflict', `it has ${known.status} already`)
    const { reason } = c.req.valid('json')
    await deps.workflows.stop(workflow, name, reason ?? `stopped by ${principal.actor}`)
    return c.json({ workflow, run: name }, 202)
  })

  const retry = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/runs/{workflow}/{run}/retry',
    summary: 'Run it again, as the next attempt, when it has failed',
    request: { params },
    responses: {
      202: json('It will start', run.pick({ workflow: true, run: true, attempt: true })),
      ...missing,
      ...conflicting,
      ...refused,
    },
  })
  app.openapi(retry, async (c) => {
    const { principal } = c.var
    const { known } = await find(deps, principal, c.req.valid('param'))
    const { workflow, event, replay } = known
    refuseJobs(workflow, 'loadpath jobs resume <job>')
    if (known.status !== 'failed')
      throw new Failure('Conflict', known.status === 'running' ? 'it is running' : 'it has succeeded')
    if (event === undefined)
      throw new Failure('Conflict', 'it was started past Loadpath, so there is no event to start it with')
    const identity = { project: principal.project, source: event.source, id: event.id }
    const attempt = known.attempt + 1
    const next = runName(identity, workflow, replay, attempt)
    if ((await lookUp(deps, principal, workflow, next)) !== undefined)
      throw new Failure('Conflict', `it was retried already: attempt ${attempt} is run ${next}`)
    const name = await startAgain(deps, workflow, identity, { replay, attempt })
    return c.json({ workflow, run: name, attempt }, 202)
  })
}

type KnownRun = { known: Run; live: RunDescription | undefined }

/** @throws Failure NotFound, for a run of another project too */
async function find(
  deps: ApiDeps,
  principal: Principal,
  { workflow, run: name }: { workflow: string; run: string },
): Promise<KnownRun> {
  workflowRoute(workflow)
  const found = await lookUp(deps, principal, workflow, name)
  if (found === undefined) throw new Failure('NotFound', `no run ${name} of ${workflow}`)
  return found
}

/** What is recorded of a run, and what Step Functions says: news of its end may be late, and of its start too. */
async function lookUp(
  deps: ApiDeps,
  { project }: Principal,
  workflow: string,
  name: string,
): Promise<KnownRun | undefined> {
  const recorded = runOf(await deps.memory.get(runRecord(project, workflow, name)))
  const described = await deps.workflows.describe(workflow, name)
  // names say nothing of whose they are: a run that is not recorded here must be of this project by its input
  const input = workflowInput.safeParse(described?.input).data
  const live = recorded !== undefined || input?.event.project === project ? described : undefined
  if (live === undefined) return recorded && { known: recorded, live }
  const told = statusOf(live)
  const base = recorded ?? {
    attempt: input?.attempt ?? 1,
    replay: input?.replay ?? '',
    ...(input === undefined
      ? {}
      : { event: { source: input.event.source, id: input.event.id, type: input.event.type } }),
  }
  return { known: { ...base, ...told.data, status: statuses[live.status] }, live }
}

const statuses = {
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'failed',
  ABORTED: 'failed',
} as const satisfies Record<RunDescription['status'], Run['status']>
