import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { ratesSlice } from '../core/books/rates.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { cursorOf, positionOf } from './paging.ts'
import { json, refused } from './problems.ts'
import { windowOf, windowQuery } from './window.ts'

/** What API Gateway waits for is 30 s, and what has been begun is brought to its end. */
const secondsPerSlice = 10

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
  ...windowQuery,
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
