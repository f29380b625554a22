import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { ratesSlice } from '../core/books/rates.ts'
import { Failure } from '../core/errors.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { cursorOf, positionOf } from './paging.ts'
import { json, refused } from './problems.ts'
import { time } from './shapes.ts'

/** What API Gateway waits for is 30 s, and what has been begun is brought to its end. */
const secondsPerSlice = 10
const hour = 3_600_000

const count = z.number().int()
const slice = z
  .object({
    window: z.object({ since: z.string(), until: z.string() }),
    events: count,
    left: count.openapi({ description: 'listed, and not there or not to be read' }),
    measured: z.object({
      arrived: z.array(z.object({ door: z.string(), type: z.string(), count })),
      sent: z.array(z.object({ door: z.string(), type: z.string(), subscriber: z.string(), count })),
      handled: z.array(
        z.object({ subscriber: z.string(), type: z.string(), count, attempts: count, failed: count }),
      ),
      emitted: z.array(
        z.object({ by: z.string(), per: z.string(), door: z.string(), type: z.string(), count }),
      ),
    }),
    next: z.string().optional(),
  })
  .openapi('RatesSlice')

const query = z.object({
  since: time.optional().openapi({ description: 'recorded at this time or later; an hour ago without it' }),
  until: time.optional().openapi({ description: 'recorded before this time; now without it' }),
  shard: z
    .string()
    .regex(/^[0-3]$/, { error: '0, 1, 2 or 3' })
    .transform(Number)
    .optional()
    .openapi({
      type: 'integer',
      description: 'of the four of the timeline only this one: four calls count side by side',
    }),
  cursor: z.string().max(4096).optional().openapi({ description: '`next` of the slice before' }),
})

const position = z.object({
  since: z.string(),
  until: z.string(),
  read: z.array(z.string()).length(4),
})

/** What went where, for the mesh of the system under the load that it has. */
export function meshRates(app: Api, deps: ApiDeps): void {
  const reading = needs(deps, 'events:read')
  const show = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/mesh/rates',
    summary: 'What arrived, was sent, handled and emitted in a window, slice by slice: the slices add up',
    description: `${reading.description} Each call reads for ${secondsPerSlice} seconds at most: one query for each event, and a read for each cause that it has not come by.`,
    request: { query },
    responses: { 200: json('A slice of what was measured', slice), ...refused },
  })
  app.openapi(show, async (c) => {
    const { project } = c.var.principal
    const asked = c.req.valid('query')
    const from = positionOf('mesh-rates', position, asked.cursor)
    const { since, until } = from ?? windowOf(asked, deps.now())
    const { history, now: clock } = deps
    const { next, events, left, measured } = await ratesSlice(
      { project, since, until, shard: asked.shard },
      from?.read,
      { history, clock },
      secondsPerSlice,
    )
    const { arrived, sent, handled, emitted } = measured
    return c.json(
      {
        ...{ window: { since, until }, events, left },
        measured: { arrived: [...arrived], sent: [...sent], handled: [...handled], emitted: [...emitted] },
        ...(next && { next: cursorOf('mesh-rates', { since, until, read: next }) }),
      },
      200,
    )
  })
}

/** @throws Failure Invalid */
function windowOf(asked: { since?: string | undefined; until?: string | undefined }, now: string) {
  const until = asked.until !== undefined && asked.until < now ? asked.until : now
  const since = asked.since ?? new Date(Date.parse(until) - hour).toISOString()
  if (since < until) return { since, until }
  throw new Failure('Invalid', 'the window is empty', {
    faults: [{ path: 'query.since', expected: `a time before ${until}`, got: since }],
  })
}
