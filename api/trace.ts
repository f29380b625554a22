import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { type TraceNode, trace } from '../core/books/trace.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { cursorOf, positionOf, treeQuery } from './paging.ts'
import { conflicting, json, missing, refused } from './problems.ts'
import { deliveryShape, eventSummary } from './shapes.ts'

const node: z.ZodType<TraceNode> = z
  .object({
    event: eventSummary,
    deliveries: z.array(
      z.object({
        ...deliveryShape,
        emitted: z.array(z.lazy(() => node)),
        unseen: z.array(z.string()),
      }),
    ),
    caused: z.array(z.lazy(() => node)),
  })
  .openapi('TraceNode')

const tree = z
  .object({
    story: z.string(),
    events: z.number().int().openapi({ description: 'how many events this answer holds' }),
    roots: z.array(node),
    next: z.string().optional().openapi({
      description:
        'the story is longer: send it as `cursor`. What later pages hold of earlier causes are roots there.',
    }),
  })
  .openapi('Trace')

/** A story as a tree of events, deliveries and runs. */
export function traces(app: Api, deps: ApiDeps): void {
  const show = createRoute({
    ...needs(deps, 'events:read'),
    method: 'get',
    path: '/v1/trace/{idOrStory}',
    summary: 'The story of an event, as a tree',
    request: {
      params: z.object({ idOrStory: idInPath }),
      query: z.object({ source: z.string().optional(), ...treeQuery }),
    },
    responses: { 200: json('The story', tree), ...missing, ...conflicting, ...refused },
  })
  app.openapi(show, async (c) => {
    const { source, limit, cursor } = c.req.valid('query')
    const found = await trace(deps, {
      project: c.var.principal.project,
      key: c.req.valid('param').idOrStory,
      source,
      limit,
      cursor: positionOf('trace', z.string(), cursor),
    })
    const { next, ...rest } = found
    return c.json({ ...rest, ...(next === undefined ? {} : { next: cursorOf('trace', next) }) }, 200)
  })
}
