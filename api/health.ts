import { createRoute } from '@hono/zod-openapi'
import * as z from 'zod'
import { attempt } from '../core/attempt.ts'
import { cursorKey, cursorOf } from '../core/books/sweep-cursor.ts'
import { reasonOf } from '../core/errors.ts'
import { ago, minute } from '../core/time.ts'
import { routes } from '../events/routes.ts'
import { type Api, type ApiDeps, principalOf } from './context.ts'
import { always, json, refused } from './problems.ts'

const health = z
  .object({
    status: z.enum(['ok', 'degraded']),
    stage: z.string(),
    version: z.string(),
    time: z.string(),
    parts: z
      .array(z.object({ name: z.string(), status: z.enum(['ok', 'failing']), detail: z.string() }))
      .optional()
      .openapi({ description: 'with a key only' }),
  })
  .openapi('Health')

/** Whether the API answers; with a key (of any scope), how each part that it needs does. */
export function healthOf(app: Api, deps: ApiDeps): void {
  const show = createRoute({
    method: 'get',
    path: '/v1/health',
    summary: 'Whether it works; with a key, each part of it',
    description: 'Answers 200 as long as the API itself works: `status` says how the parts do.',
    security: [{}, { apiKey: [] }, { apiKeyHeader: [] }],
    responses: {
      200: json('How it does', health),
      401: refused[401],
      403: refused[403],
      422: refused[422],
      ...always,
    },
  })
  app.openapi(show, async (c) => {
    const { stage, version } = deps
    const answer = { status: 'ok' as const, stage, version, time: deps.now() }
    const headers = c.req.header()
    const asked =
      headers.authorization !== undefined ||
      headers['x-api-key'] !== undefined ||
      deps.trusted?.(c.env) !== undefined
    if (!asked) return c.json(answer, 200)
    const { project } = await principalOf(deps, c.env, headers)
    const parts = await Promise.all(checks(deps, project).map(check))
    const status = parts.every((part) => part.status === 'ok') ? ('ok' as const) : ('degraded' as const)
    return c.json({ ...answer, status, parts }, 200)
  })
}

/** It runs each minute, and one pass may be left out. */
const sweepPatience = 5 * minute

type Check = { name: string; ask: () => Promise<string | { fault: string }> }

function checks(deps: ApiDeps, project: string): Check[] {
  const nothing = { project, source: '/health', id: 'health' }
  return [
    { name: 'history', ask: () => deps.history.getEvents([nothing]).then(() => 'readable') },
    {
      name: 'memory',
      ask: () => deps.memory.get({ project, kind: 'health', name: 'health' }).then(() => 'readable'),
    },
    ...['record', ...routes.map((route) => route.subscriber)].map((queue) => ({
      name: `queue ${queue}`,
      ask: async () => `${await deps.queues.depth(queue)} messages`,
    })),
    { name: 'sweep', ask: () => lastPass(deps, project) },
  ]
}

async function lastPass({ memory, now }: ApiDeps, project: string) {
  const at = cursorOf(await memory.get(cursorKey(project)))?.at
  if (at === undefined) return 'no pass has ended yet'
  const ended = `the last pass ended at ${at}`
  return at < ago(now(), sweepPatience) ? { fault: ended } : ended
}

async function check({ name, ask }: Check) {
  const asked = await attempt(ask)
  if ('error' in asked) return { name, status: 'failing' as const, detail: reasonOf(asked.error) }
  return typeof asked.value === 'string'
    ? { name, status: 'ok' as const, detail: asked.value }
    : { name, status: 'failing' as const, detail: asked.value.fault }
}
