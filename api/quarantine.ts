import { createRoute, z } from '@hono/zod-openapi'
import { Failure } from '../core/errors.ts'
import type { Quarantined } from '../core/ports.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { chain, pageOf, pageQuery } from './paging.ts'
import { json, missing, refused } from './problems.ts'
import { fault } from './shapes.ts'

const entry = {
  digest: z.string(),
  reason: z.enum(['invalid', 'forged', 'conflict', 'loop', 'unreadable']),
  faults: z.array(fault).readonly(),
  door: z.string(),
  received: z.string(),
  type: z.string().optional(),
  source: z.string().optional(),
  id: z.string().optional(),
}
const listed = z.object(entry).openapi('QuarantineEntry')
const whole = z
  .object({ ...entry, raw: z.string().openapi({ description: 'as it came' }) })
  .openapi('QuarantinedText')

/** What came in and could not be taken for an event. */
export function quarantine(app: Api, deps: ApiDeps): void {
  const allowed = needs(deps, 'events:read')

  const list = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/quarantine',
    summary: 'What was refused and kept',
    request: { query: z.object(pageQuery) },
    responses: { 200: json('A page of quarantine', pageOf(listed)), ...refused },
  })
  app.openapi(list, async (c) => {
    const { project } = c.var.principal
    const lists = [
      (inner: { cursor: string | undefined; limit: number }) =>
        deps.history.quarantined({ project, ...inner }),
    ]
    const found = await chain('quarantine', lists, c.req.valid('query'))
    return c.json({ ...found, items: found.items.map(withoutText) }, 200)
  })

  const show = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/quarantine/{digest}',
    summary: 'One of them, as it came',
    request: { params: z.object({ digest: z.string() }) },
    responses: { 200: json('The entry', whole), ...missing, ...refused },
  })
  app.openapi(show, async (c) => {
    const { digest } = c.req.valid('param')
    const found = await deps.history.getQuarantined(c.var.principal.project, digest)
    if (found === undefined) throw new Failure('NotFound', `nothing in quarantine has the digest ${digest}`)
    return c.json({ ...withoutText(found), raw: await text(found, deps) }, 200)
  })
}

const withoutText = ({ project: _, raw: __, rawref: ___, ...entry }: Quarantined) => entry

async function text({ raw, rawref }: Quarantined, { bodies }: Pick<ApiDeps, 'bodies'>): Promise<string> {
  if (rawref === undefined) return raw
  const body = await bodies.get(rawref)
  if (body === undefined) throw new Failure('NotFound', 'its text lay in the bucket and is there no longer')
  return Buffer.from(body).toString('utf8')
}
