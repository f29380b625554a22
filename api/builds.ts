import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { buildOf, overall } from '../core/domain/build.ts'
import type { MemoryRecord } from '../core/ports.ts'
import { buildStatus } from '../events/build.status-changed.ts'
import { repositoryName } from '../events/github.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { chain, pageOf, pageQuery } from './paging.ts'
import { json, refused } from './problems.ts'

const build = z
  .object({
    repository: z.string(),
    branch: z.string(),
    commit: z.string(),
    status: buildStatus,
    failing: z.array(z.string()).openapi({ description: 'names of the builds that fail' }),
  })
  .openapi('Build')

/** How the branches of a repository stand. */
export function builds(app: Api, deps: ApiDeps): void {
  const list = createRoute({
    ...needs(deps, 'events:read'),
    method: 'get',
    path: '/v1/builds',
    summary: 'The build status of each branch, the branch with the newest commit first',
    request: {
      query: z.object({
        repository: repositoryName,
        ...pageQuery,
      }),
    },
    responses: { 200: json('A page of branches', pageOf(build)), ...refused },
  })
  app.openapi(list, async (c) => {
    const { project } = c.var.principal
    const { repository, ...query } = c.req.valid('query')
    const lists = [
      (inner: { cursor: string | undefined; limit: number }) =>
        deps.memory.list({ project, list: `builds/${repository}`, ...inner }),
    ]
    const found = await chain('builds', lists, query)
    return c.json({ ...found, items: found.items.flatMap(shown) }, 200)
  })
}

function shown(record: MemoryRecord): z.infer<typeof build>[] {
  const state = buildOf(record)
  const stands = overall(state)
  return state && stands ? [{ repository: state.repository, branch: state.branch, ...stands }] : []
}
