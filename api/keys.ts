import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { commitDecision } from '../core/commit-decision.ts'
import { Failure } from '../core/errors.ts'
import {
  type KeyListing,
  keyList,
  keyRecord,
  keysProject,
  newKey,
  registerProject,
  requireProject,
  revokedKey,
  scope,
  shownKey,
} from '../core/gate/access.ts'
import { projectName } from '../events/envelope.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { chain, pageOf, pageQuery } from './paging.ts'
import { badBody, body, conflicting, json, missing, refused } from './problems.ts'

const listed = {
  id: z.string(),
  name: z.string(),
  project: z.string(),
  scopes: z.array(scope),
  created: z.string(),
  createdBy: z.string(),
  expires: z.string().optional(),
  revoked: z.string().optional(),
}
const key = z.object(listed).openapi('ApiKey')
const created = z
  .object({ key: z.string().openapi({ description: 'the credential; it is never shown again' }), ...listed })
  .openapi('NewApiKey')

const request = z.strictObject({
  name: z.string().min(1).max(100),
  scopes: z.array(scope).min(1),
  project: projectName.optional().openapi({ description: 'another than the own needs the scope `admin`' }),
  expiresInDays: z.number().int().min(1).max(3650).optional(),
})

const day = 86_400_000

/** API keys. */
export function keys(app: Api, deps: ApiDeps): void {
  const allowed = needs(deps, 'keys:write')

  const create = createRoute({
    ...allowed,
    method: 'post',
    path: '/v1/keys',
    summary: 'A new API key',
    description: `${allowed.description} A key can hand out no scope that it does not hold.`,
    request: { body: body(request) },
    responses: { 201: json('The key', created), ...conflicting, ...badBody, ...refused },
  })
  app.openapi(create, async (c) => {
    const { principal } = c.var
    const { name, scopes, project = principal.project, expiresInDays } = c.req.valid('json')
    const now = deps.now()
    const expires =
      expiresInDays === undefined ? undefined : new Date(Date.parse(now) + expiresInDays * day).toISOString()
    const { credential, write } = newKey({ name, scopes, project, expires }, principal, {
      id: deps.newId(),
      secret: deps.newSecret(),
      now,
    })
    await registerProject(deps.memory, project, now)
    if ((await deps.memory.commit({ writes: [write], outbox: [] })) !== 'committed')
      throw new Failure('Busy', 'the id of the new key is taken: try again')
    return c.json({ key: credential, ...shownKey(write) }, 201)
  })

  const list = createRoute({
    ...allowed,
    method: 'get',
    path: '/v1/keys',
    summary: 'API keys, newest first, without their secrets',
    request: { query: z.object({ project: projectName.optional(), ...pageQuery }) },
    responses: { 200: json('A page of keys', pageOf(key)), ...refused },
  })
  app.openapi(list, async (c) => {
    const { principal } = c.var
    const { project = principal.project, ...query } = c.req.valid('query')
    requireProject(principal, project)
    const lists = [
      (inner: { cursor: string | undefined; limit: number }) =>
        deps.memory.list({ project: keysProject, list: keyList(project), ...inner }),
    ]
    const found = await chain(`keys ${project}`, lists, query)
    return c.json({ ...found, items: found.items.map(shownKey) }, 200)
  })

  const revoke = createRoute({
    ...allowed,
    method: 'delete',
    path: '/v1/keys/{id}',
    summary: 'Revoke a key: it is refused from now on',
    request: { params: z.object({ id: idInPath }) },
    responses: { 200: json('The key, revoked', key), ...missing, ...conflicting, ...refused },
  })
  app.openapi(revoke, async (c) => {
    const { principal } = c.var
    const { id } = c.req.valid('param')
    const revoked = await commitDecision(
      (change) => deps.memory.commit(change),
      'the key',
      async () => {
        const record = await deps.memory.get(keyRecord(id))
        const known = record && shownKey(record)
        if (record === undefined || known === undefined || !maySee(known, principal))
          throw new Failure('NotFound', `no key ${id} in project ${principal.project}`)
        const write = revokedKey(record, deps.now())
        return { change: write && { writes: [write], outbox: [] }, answer: write ?? record }
      },
    )
    return c.json(shownKey(revoked.answer), 200)
  })
}

const maySee = (
  { project }: KeyListing,
  principal: { project: string; scopes: readonly string[] },
): boolean => project === principal.project || principal.scopes.includes('admin')
