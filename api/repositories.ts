import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { commitDecision } from '../core/commit-decision.ts'
import { declare, declareRepository, repositoryOf, repositoryRecord } from '../core/domain/repository.ts'
import { historyOf, historyRecord } from '../core/domain/repository-history.ts'
import { Failure } from '../core/errors.ts'
import { outboxItems } from '../core/event/outbox.ts'
import { repositoryUpdated } from '../events/repository.updated.ts'
import { type Api, type ApiDeps, needs } from './context.ts'
import { idInPath } from './ids.ts'
import { chain, pageOf, pageQuery } from './paging.ts'
import { badBody, body, conflicting, json, missing, refused } from './problems.ts'
import { changes } from './shapes.ts'

const repository = z.object(repositoryUpdated.schema.shape).openapi('Repository')

const repositoryChanges = z
  .object({
    repository: z.string(),
    version: z.number().int().openapi({ description: 'the newest that is known here' }),
    since: z.number().int().openapi({ description: 'the first that is known here: what was before is not' }),
    steps: z.array(
      z.object({
        version: z.number().int(),
        at: z.string(),
        by: z.string(),
        after: z.number().int().optional().openapi({
          description:
            'the version that it is held against, where that is not the one before: those between were dropped, or have not come yet',
        }),
        changes,
      }),
    ),
  })
  .openapi('RepositoryChanges')

const params = z.object({ owner: idInPath, name: idInPath })

/** Repositories: which branch is deployed, and the gates that a change must pass. */
export function repositories(app: Api, deps: ApiDeps): void {
  const reading = needs(deps, 'repositories:read')

  const post = createRoute({
    ...needs(deps, 'repositories:write'),
    method: 'post',
    path: '/v1/repositories',
    summary: 'Declare a repository; declaring it again replaces the whole',
    request: { body: body(declareRepository) },
    responses: {
      200: json('It was there; changed if it differed', repository),
      201: json('It is new', repository),
      ...conflicting,
      ...badBody,
      ...refused,
    },
  })
  app.openapi(post, async (c) => {
    const { project, actor } = c.var.principal
    const command = c.req.valid('json')
    const decided = await commitDecision(
      (change) => deps.memory.commit(change),
      'the repository',
      async () => {
        const record = await deps.memory.get(repositoryRecord(project, command.repository))
        const change = declare(project, command, record)
        const outbox = change && outboxItems(change, { project, actor, by: 'api' })
        return {
          change: change && outbox && { writes: change.writes, outbox },
          answer: {
            state: known(change?.emits[0]?.data ?? repositoryOf(record)),
            isNew: record === undefined,
          },
        }
      },
    )
    const { state, isNew } = decided.answer
    return isNew ? c.json(state, 201) : c.json(state, 200)
  })

  const list = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/repositories',
    summary: 'Declared repositories, by name',
    request: { query: z.object(pageQuery) },
    responses: { 200: json('A page of repositories', pageOf(repository)), ...refused },
  })
  app.openapi(list, async (c) => {
    const { project } = c.var.principal
    const lists = [
      (inner: { cursor: string | undefined; limit: number }) =>
        deps.memory.list({ project, list: 'repositories', oldestFirst: true, ...inner }),
    ]
    const found = await chain('repositories', lists, c.req.valid('query'))
    return c.json({ ...found, items: found.items.map((record) => known(repositoryOf(record))) }, 200)
  })

  const show = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/repositories/{owner}/{name}',
    summary: 'A declared repository',
    request: { params },
    responses: { 200: json('The repository', repository), ...missing, ...refused },
  })
  app.openapi(show, async (c) => {
    const { owner, name } = c.req.valid('param')
    const key = repositoryRecord(c.var.principal.project, `${owner}/${name}`)
    return c.json(known(repositoryOf(await deps.memory.get(key))), 200)
  })

  const changes = createRoute({
    ...reading,
    method: 'get',
    path: '/v1/repositories/{owner}/{name}/changes',
    summary: 'What each declaration of a repository changed, newest first: the last hundred',
    request: { params },
    responses: { 200: json('Its changes', repositoryChanges), ...missing, ...refused },
  })
  app.openapi(changes, async (c) => {
    const { owner, name } = c.req.valid('param')
    const key = historyRecord(c.var.principal.project, `${owner}/${name}`)
    const found = historyOf(await deps.memory.get(key))
    if (found === undefined) throw new Failure('NotFound', `no change of ${owner}/${name} is known`)
    const { repository, version, since, steps } = found
    return c.json({ repository, version, since, steps }, 200)
  })
}

function known<State>(state: State | undefined): State {
  if (state === undefined) throw new Failure('NotFound', 'no such repository was declared')
  return state
}
