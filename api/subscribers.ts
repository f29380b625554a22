import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { controlOf, controlRecord, pauseOf } from '../core/hold/control.ts'
import { everyone, pause, resume } from '../core/hold/pause.ts'
import { releaseRate } from '../core/job/release-job.ts'
import { countOpen } from '../core/sweep/sweep-open.ts'
import type { Route } from '../events/route.ts'
import { routes } from '../events/routes.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { badBody, body, conflicting, json, missing, refused } from './problems.ts'
import { why } from './shapes.ts'

const pausedBy = z.object({ by: z.string(), at: z.string(), reason: z.string().optional() })

const circuit = z.object({
  downstream: z.string().openapi({ description: 'empty for the subscriber as a whole' }),
  state: z.enum(['open', 'half-open']),
  since: z.string(),
  reason: z.string(),
  probeAt: z.string().openapi({ description: 'from when on a delivery tries it' }),
  probes: z.number().int(),
  lastProbe: z.string().optional(),
})

const subscriber = z
  .object({
    subscriber: z.string(),
    kind: z.enum(['function', 'workflow']),
    effect: z.enum(['state', 'outside']),
    ordered: z.boolean(),
    attempts: z.number().int(),
    unpausable: z.string().optional().openapi({ description: 'why it cannot be paused' }),
    paused: pausedBy.optional(),
    circuits: z.array(circuit).openapi({ description: 'those that are open' }),
    open: z
      .object({ retrying: z.number().int(), parked: z.number().int(), dead: z.number().int() })
      .openapi({ description: 'deliveries that are not done, by state; counted up to 1000' }),
    oldest: z.string().optional().openapi({ description: 'when the first of them changed last' }),
    queued: z
      .number()
      .int()
      .openapi({ description: 'messages in its queue, of all projects: about so many' }),
  })
  .openapi('Subscriber')

const rebuild = z.string().optional().openapi({
  description: 'a rebuild that holds the subscriber back as well, and lets it go when it ends',
})

const paused = z
  .object({ subscriber: z.string(), changed: z.boolean(), paused: pausedBy, rebuild })
  .openapi('Paused')

const resumed = z
  .object({
    subscriber: z.string(),
    changed: z.boolean(),
    closed: z.array(z.string()).readonly().openapi({ description: 'circuits that were closed' }),
    open: z.array(z.string()).readonly().openapi({ description: 'circuits that still hold back' }),
    job: z.string().optional().openapi({ description: 'what sends the parked deliveries' }),
    rebuild,
  })
  .openapi('Resumed')

const params = z.object({
  subscriber: idInPath.openapi({ description: `a name of the routes, or \`${everyone}\`` }),
})

const pausing = z.strictObject({ reason: why.openapi({ description: '`all` needs one' }) })

const resuming = z.strictObject({
  rate: z.number().int().min(1).max(1000).default(releaseRate).openapi({
    description: 'parked deliveries that are sent a second',
  }),
  circuits: z.boolean().default(false).openapi({ description: 'close the open circuits as well' }),
})

/** Who handles events: whether it runs, and what waits for it. */
export function subscribers(app: Api, deps: ApiDeps): void {
  const { memory, history, now: clock, newId } = deps
  const commanding = { memory, history, clock, newId, routes }
  const writing = needs(deps, 'deliveries:write')

  const list = createRoute({
    ...needs(deps, 'events:read'),
    method: 'get',
    path: '/v1/subscribers',
    summary: 'Subscribers: what holds them back, and what waits for them',
    responses: { 200: json('All subscribers', z.object({ items: z.array(subscriber) })), ...refused },
  })
  app.openapi(list, async (c) => {
    const { project } = c.var.principal
    const names = routes.map((route) => route.subscriber)
    const counts = await countOpen(project, names, deps)
    const items = await Promise.all(
      routes.map(async (route: Route) => {
        const { subscriber: name, kind, effect, attempts, ordered = false, unpausable } = route
        const [record, queued] = await Promise.all([
          memory.get(controlRecord(project, name)),
          deps.queues.depth(name),
        ])
        const control = controlOf(record)
        const { retrying = 0, parked = 0, dead = 0, oldest } = counts[name] ?? {}
        const facts = { subscriber: name, kind, effect, ordered, attempts, unpausable }
        return {
          ...facts,
          paused: pauseOf(control),
          circuits: control.circuits,
          open: { retrying, parked, dead },
          oldest,
          queued,
        }
      }),
    )
    return c.json({ items }, 200)
  })

  const halt = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/subscribers/{subscriber}/pause',
    summary: 'Park what comes for a subscriber, until it is resumed',
    request: { params, body: body(pausing) },
    responses: {
      200: json('Each that was meant; `changed` is false where it was paused before', listOf(paused)),
      ...missing,
      ...conflicting,
      ...badBody,
      ...refused,
    },
  })
  app.openapi(halt, async (c) => {
    const { project, actor: by } = c.var.principal
    const command = { project, by, ...c.req.valid('param'), ...c.req.valid('json') }
    return c.json({ items: await pause(command, commanding) }, 200)
  })

  const goOn = createRoute({
    ...writing,
    method: 'post',
    path: '/v1/subscribers/{subscriber}/resume',
    summary: 'Let a subscriber run, and send it what was parked',
    request: { params, body: body(resuming) },
    responses: {
      200: json('Each that was meant; `changed` is false where nothing held it back', listOf(resumed)),
      ...missing,
      ...conflicting,
      ...badBody,
      ...refused,
    },
  })
  app.openapi(goOn, async (c) => {
    const { project, actor: by } = c.var.principal
    const command = { project, by, ...c.req.valid('param'), ...c.req.valid('json') }
    return c.json({ items: await resume(command, commanding) }, 200)
  })
}

function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item) })
}
