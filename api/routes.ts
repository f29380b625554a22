import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { type Route, typeName } from '../events/route.ts'
import { routes as table } from '../events/routes.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { json, refused } from './problems.ts'

const route = z
  .object({
    subscriber: z.string(),
    kind: z.enum(['function', 'workflow']),
    types: z.array(z.string()),
    conditional: z.array(z.string()).openapi({ description: 'types of which only some events are taken' }),
    effect: z.enum(['state', 'outside']),
    batch: z.number().int(),
    concurrency: z.number().int(),
    attempts: z.number().int(),
    timeout: z.number().int().openapi({ description: 'seconds' }),
    emits: z.array(z.string()),
    loop: z.string().optional(),
    ordered: z
      .boolean()
      .optional()
      .openapi({ description: 'one after the other per partition key, in sequence' }),
    unpausable: z.string().optional().openapi({ description: 'why it cannot be paused' }),
  })
  .openapi('Route')

/** Who gets what. */
export function routes(app: Api, deps: ApiDeps): void {
  const list = createRoute({
    ...needs(deps, 'events:read'),
    method: 'get',
    path: '/v1/routes',
    summary: 'The routes: which subscriber gets which types, and how',
    responses: { 200: json('All routes', z.object({ items: z.array(route) })), ...refused },
  })
  app.openapi(list, (c) => c.json({ items: table.map(shown) }, 200))
}

function shown({ types, when, emits, downstream: _, ...rest }: Route): z.infer<typeof route> {
  return {
    ...rest,
    types: types.map(typeName),
    conditional: (when ?? []).map((condition) => condition.type),
    emits: emits.map((type) => type.type),
  }
}
