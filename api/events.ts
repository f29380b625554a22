import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { attempt } from '../core/attempt.ts'
import { fateOf, findIdentity, shownDeliveries, why } from '../core/books/fate.ts'
import { Failure } from '../core/errors.ts'
import { dataOf } from '../core/event/body.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { cursorOf, page, pageOf, pageQuery, positionOf } from './paging.ts'
import { conflicting, json, missing, refused } from './problems.ts'
import { delivery, deliveryShape, eventSummary, eventWithData, time } from './shapes.ts'
import { position, timeline } from './timeline.ts'

const entry = z
  .object({
    source: z.string(),
    id: z.string(),
    type: z.string(),
    received: z.string(),
    partitionkey: z.string(),
    correlationid: z.string(),
  })
  .openapi('EventEntry')

const shown = z
  .object({
    event: eventWithData,
    expects: z.array(z.string()).readonly(),
    bodyGone: z
      .literal(true)
      .optional()
      .openapi({ description: 'its body lay in the bucket and is there no longer' }),
    deliveries: z.array(delivery),
  })
  .openapi('ShownEvent')

const emitted = z.object({
  source: z.string(),
  id: z.string(),
  type: z.string().optional(),
  recorded: z.boolean(),
})

const fate = z
  .object({
    event: eventSummary,
    expects: z.array(z.string()).readonly(),
    deliveries: z.array(z.object({ ...deliveryShape, emitted: z.array(emitted).readonly() })).readonly(),
    truncated: z
      .boolean()
      .openapi({ description: 'the story is so long that emitted events may be missing' }),
  })
  .openapi('Fate')

const named = {
  params: z.object({ id: idInPath }),
  query: z.object({
    source: z.string().optional().openapi({ description: 'needed where several sources sent this id' }),
  }),
}

/** Events: list, show, and what became of one. */
export function events(app: Api, deps: ApiDeps): void {
  const allowed = needs(deps, 'events:read')

  const list = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/events',
    summary: 'Events, newest first',
    description: `${allowed.description} By the timeline, newest written first. One answer looks through at most 24 hours or 1,000 pages of it: where little happened it has few items or none, and \`next\` goes on into the past. \`until\` finds what was written within an hour of its receipt.`,
    request: {
      query: z.object({
        type: z.string().optional(),
        key: z.string().optional().openapi({ description: 'partition key' }),
        since: time.optional().openapi({ description: 'received at this time or later' }),
        until: time.optional().openapi({ description: 'received at this time or earlier' }),
        ...pageQuery,
      }),
    },
    responses: { 200: json('A page of events', pageOf(entry)), ...refused },
  })
  app.openapi(list, async (c) => {
    const { key: partitionkey, cursor, ...query } = c.req.valid('query')
    const { project } = c.var.principal
    const from = positionOf('events', position, cursor)
    const found = await timeline(deps.history, { ...query, partitionkey, project }, from, deps.now())
    return c.json(page(found.items, found.next && cursorOf('events', found.next)), 200)
  })

  const show = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/events/{id}',
    summary: 'An event with its data and deliveries',
    request: named,
    responses: { 200: json('The event', shown), ...missing, ...conflicting, ...refused },
  })
  app.openapi(show, async (c) => {
    const { source } = c.req.valid('query')
    const identity = await findIdentity(deps, c.var.principal.project, c.req.valid('param').id, source)
    const { stored, deliveries } = await fateOf(deps, identity)
    const data = await dataOf(stored.event, deps.bodies)
    const gone = stored.event.dataref !== undefined && data === undefined
    const answer = {
      event: { ...stored.event, ...(data === undefined ? {} : { data }) },
      expects: stored.expects,
      ...(gone ? { bodyGone: true as const } : {}),
      deliveries: await shownDeliveries(deps, stored, deliveries),
    }
    return c.json(answer, 200)
  })

  const explain = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/events/{id}/fate',
    summary: 'What became of an event: each expected delivery, and what it caused',
    request: named,
    responses: { 200: json('Its fate', fate), ...missing, ...conflicting, ...refused },
  })
  app.openapi(explain, async (c) => {
    const { project } = c.var.principal
    const id = c.req.valid('param').id
    const { source } = c.req.valid('query')
    const told = await attempt(async () => why(deps, await findIdentity(deps, project, id, source)))
    if ('value' in told) return c.json(told.value, 200)
    throw (await keptApart(deps, project, id)) ?? told.error
  })
}

/** entries of the quarantine that are looked through for an event that is not recorded */
const entriesLookedAt = 100

/** Somebody who asks why nothing came of an event is told when it was refused: it may lie in quarantine. */
async function keptApart({ history }: ApiDeps, project: string, id: string): Promise<Failure | undefined> {
  const { items } = await history.quarantined({ project, limit: entriesLookedAt })
  const kept = items.find((entry) => entry.id === id)
  return (
    kept &&
    new Failure(
      'NotFound',
      `${id} was not recorded: it is in quarantine as ${kept.digest} (${kept.reason})`,
      {
        faults: kept.faults,
      },
    )
  )
}
