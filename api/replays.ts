import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { findIdentity } from '../core/books/fate.ts'
import { Failure } from '../core/errors.ts'
import { requireScope } from '../core/gate/access.ts'
import { type Job, loadJob } from '../core/job/job.ts'
import { checkRebuild, newRebuild } from '../core/replay/rebuild.ts'
import { rebuildProgress } from '../core/replay/rebuild-state.ts'
import { judgeCopied } from '../core/replay/rebuild-walks.ts'
import { checkReplay, countReplay, judgeReplay, newReplay, routeNamed } from '../core/replay/replay.ts'
import { type ReplayAsked, replayProgress } from '../core/replay/replay-job.ts'
import { position } from '../core/replay/replay-step.ts'
import { routes } from '../events/routes.ts'
import { askJob } from './ask-job.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { job, shownJob } from './jobs.ts'
import { cursorOf, positionOf } from './paging.ts'
import { badBody, body, conflicting, json, missing, refused } from './problems.ts'
import { changes, name, onceHeader, source, time } from './shapes.ts'

const rate = z.number().int().min(1).max(1000).default(50).openapi({ description: 'deliveries a second' })
const cursor = z.string().max(4096).optional().openapi({ description: '`next` of the answer before' })

const selection = {
  subscriber: z.string().max(40),
  since: time.optional().openapi({ description: 'received at or after' }),
  until: time.optional().openapi({ description: 'received at or before' }),
  type: z.string().max(256).optional(),
  key: z.string().max(256).optional().openapi({ description: 'a partition key' }),
  story: z.string().max(256).optional().openapi({ description: 'a correlation id' }),
  event: z
    .strictObject({ id: name, source: source.optional() })
    .optional()
    .openapi({ description: 'the source is needed where several sent this id' }),
  asRecorded: z.boolean().optional().openapi({
    description: 'what expected the subscriber when it was recorded, instead of what its route takes now',
  }),
}

const replayed = {
  ...selection,
  emit: z.boolean().optional().openapi({
    description: 'send what it emits, under ids of this replay; without it that is compared',
  }),
}

const replaying = z.strictObject({ ...replayed, rate })

const rebuilt = {
  subscriber: z.string().max(40),
  since: time.optional().openapi({
    description: 'only what was received since, and not together with `switch`; default: all that is kept',
  }),
  asRecorded: selection.asRecorded,
}

const rebuilding = z.strictObject({
  ...rebuilt,
  switch: z.boolean().optional().openapi({
    description:
      'replace live records that differ, but for those made from events that are kept no more; without `since` alone',
  }),
  rate,
})

const counted = z.object({
  types: z.record(z.string(), z.number()).openapi({ description: 'how many would be sent, by type' }),
  left: z.number().int().openapi({ description: 'left out: dropped, or still on their way' }),
  unreadable: z.number().int(),
  next: z.string().optional().openapi({
    description: 'these are not all: send it as `cursor`, and add up',
  }),
})

const asked = job.extend({
  note: z.string().optional().openapi({ description: 'what one should know of it' }),
})

const names = z.array(z.object({ kind: z.string(), name: z.string() }))
const event = z.object({ source: z.string(), id: z.string() })

const shownReplay = job
  .extend({
    step: z.string().openapi({ description: 'what it is at' }),
    differing: z
      .array(event.extend({ notes: z.array(z.string()) }))
      .optional()
      .openapi({ description: 'events whose handling would have emitted something else: the first 100' }),
    report: z
      .object({
        different: z.array(
          z.object({
            kind: z.string(),
            name: z.string(),
            changes,
          }),
        ),
        onlyRebuilt: names,
        onlyLive: names.openapi({ description: 'that no event of the history explains; left alone' }),
        older: names.openapi({
          description: 'different, and made from events that are kept no more; left alone',
        }),
        failed: z.array(event.extend({ reason: z.string() })),
      })
      .optional()
      .openapi({ description: 'of a rebuild: records that are not the same, the first 100 of each' }),
  })
  .openapi('Replay')

const params = z.object({ job: idInPath })

/** Events of the history, handed to one subscriber again. */
export function replays(app: Api, deps: ApiDeps): void {
  const reading = needs(deps, 'events:read')
  const writing = needs(deps, 'deliveries:write')
  const responses = { ...missing, ...conflicting, ...badBody, ...refused }

  const chosen = async (
    project: string,
    { event: named, ...rest }: Omit<z.infer<typeof replaying>, 'subscriber' | 'rate'>,
  ): Promise<ReplayAsked> => {
    if (named === undefined) return rest
    const { source, id } = await findIdentity(deps, project, named.id, named.source)
    return { ...rest, event: { source, id } }
  }

  const count = async (
    project: string,
    list: string,
    subscriber: string,
    { selection: wanted, judge }: { selection: ReplayAsked; judge: typeof judgeReplay },
    from: string | undefined,
  ) => {
    const known = positionOf(list, z.object({ at: position, asked: time }), from)
    const began = known?.asked ?? deps.now()
    const { next, ...found } = await countReplay(
      { project, asked: began },
      { route: routeNamed(routes, subscriber), selection: wanted, judge },
      known?.at ?? {},
      { ...deps, clock: deps.now },
      secondsOfCounting,
    )
    return { ...found, ...(next === undefined ? {} : { next: cursorOf(list, { at: next, asked: began }) }) }
  }

  const replay = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/replays',
    summary: 'Hand events to one subscriber of effect outside again, at a rate: a job',
    description: `${writing.description} At least one of since, until, type, key, story and event. To a workflow it starts runs, and needs the scope \`runs:write\` too.`,
    request: { headers: onceHeader, body: body(replaying) },
    responses: { 202: json('The job', asked), ...responses },
  })
  app.openapi(replay, async (c) => {
    const { project, actor: by } = c.var.principal
    const { subscriber, rate: perSecond, ...rest } = c.req.valid('json')
    const { kind } = routeNamed(routes, subscriber)
    const wanted = await chosen(project, rest)
    const once = c.req.valid('header')['idempotency-key']
    const about = { project, by, asked: deps.now(), rate: perSecond }
    const found = await askJob(deps, { project, kind: 'replay', once }, (id) => {
      const made = newReplay({ ...about, id }, subscriber, wanted, routes)
      if (kind === 'workflow') requireScope(c.var.principal, 'runs:write')
      return made
    })
    const note =
      kind === 'workflow' ? { note: 'a run is started for each event, beside the one that it had' } : {}
    return c.json({ ...(await shownJob(project, found, deps)), ...note }, 202)
  })

  const countReplays = createRoute({
    ...reading,
    method: 'post',
    path: '/v1/replays/count',
    summary: 'What a replay would send, by type; some thousand events for each answer',
    request: { body: body(z.strictObject({ ...replayed, cursor })) },
    responses: { 200: json('How many', counted), ...responses },
  })
  app.openapi(countReplays, async (c) => {
    const { project } = c.var.principal
    const { subscriber, cursor: from, ...rest } = c.req.valid('json')
    const wanted = await chosen(project, rest)
    checkReplay(routeNamed(routes, subscriber), wanted)
    const judged = { selection: wanted, judge: judgeReplay }
    return c.json(await count(project, 'replay', subscriber, judged, from), 200)
  })

  const rebuild = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/rebuilds',
    summary: 'Rebuild the records of a subscriber of effect state beside the live ones, and compare: a job',
    description: `${writing.description} It pauses the subscriber while it takes in the last events and compares, and resumes it.`,
    request: { headers: onceHeader, body: body(rebuilding) },
    responses: { 202: json('The job', asked), ...responses },
  })
  app.openapi(rebuild, async (c) => {
    const { project, actor: by } = c.var.principal
    const { subscriber, rate: perSecond, ...wanted } = c.req.valid('json')
    const once = c.req.valid('header')['idempotency-key']
    const about = { project, by, asked: deps.now(), rate: perSecond }
    const found = await askJob(deps, { project, kind: 'rebuild', once }, (id) =>
      newRebuild({ ...about, id }, subscriber, wanted, routes),
    )
    return c.json(await shownJob(project, found, deps), 202)
  })

  const countRebuild = createRoute({
    ...reading,
    method: 'post',
    path: '/v1/rebuilds/count',
    summary: 'What a rebuild would take in, by type; some thousand events for each answer',
    request: { body: body(z.strictObject({ ...rebuilt, cursor })) },
    responses: { 200: json('How many', counted), ...responses },
  })
  app.openapi(countRebuild, async (c) => {
    const { project } = c.var.principal
    const { subscriber, cursor: from, ...wanted } = c.req.valid('json')
    checkRebuild(routeNamed(routes, subscriber))
    const judged = { selection: wanted, judge: judgeCopied }
    return c.json(await count(project, 'rebuild', subscriber, judged, from), 200)
  })

  const show = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/replays/{job}',
    summary: 'A replay or a rebuild: how far it is, and what it found',
    request: { params },
    responses: { 200: json('The replay', shownReplay), ...missing, ...refused },
  })
  app.openapi(show, async (c) => {
    const { project } = c.var.principal
    const found = await loadJob(project, c.req.valid('param').job, deps.memory)
    return c.json({ ...(await shownJob(project, found, deps)), ...foundBy(found) }, 200)
  })
}

/** An answer has to come within half a minute. */
const secondsOfCounting = 5

/** @throws Failure NotFound for another kind of job */
function foundBy({
  id,
  kind,
  progress,
}: Job): Pick<z.infer<typeof shownReplay>, 'step' | 'differing' | 'report'> {
  if (kind === 'redrive') throw new Failure('NotFound', `job ${id} is a redrive: see /v1/jobs/${id}`)
  if (progress === undefined) return { step: 'send' }
  if (kind === 'replay') {
    const { doing, differing } = replayProgress.parse(progress)
    return { step: doing, differing }
  }
  const { stage, doing, report } = rebuildProgress.parse(progress)
  return { step: stage === 'history' || stage === 'rest' ? `${stage}: ${doing}` : stage, report }
}
