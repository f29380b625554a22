import { OpenAPIHono } from '@hono/zod-openapi'
import * as z from 'zod'
import type { ApiDeps, ApiEnv } from '../../api/context.ts'
import { jobs } from '../../api/jobs.ts'
import { answerErrors, refuseInvalid } from '../../api/problems.ts'
import { runs } from '../../api/runs.ts'
import { Failure, type FailureCode } from '../../core/errors.ts'
import type { Ports } from './ports.ts'

/** Requests of people to the API itself, on the ports of one of its processes. */

export const by = 'user:op'
/** Deliveries a second, as they ask for them. */
export const rates = [1, 5, 50] as const

const problem = z.object({ type: z.string(), detail: z.string() })

/** A POST to a resource of jobs or runs. @throws Failure as the API answers it, Error where it failed itself */
export async function post(
  ports: Ports,
  { project, path, body }: { project: string; path: string; body?: object },
): Promise<unknown> {
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid })
  const deps: ApiDeps = {
    ...ports,
    now: ports.clock,
    newSecret: ports.newId,
    version: '',
    log: () => undefined,
    trusted: () => ({ actor: by, project, scopes: ['admin'] }),
  }
  answerErrors(app, deps)
  jobs(app, deps)
  runs(app, deps)
  const response = await app.request(path, {
    method: 'POST',
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const answer: unknown = await response.json()
  if (response.ok) return answer
  const { type, detail } = problem.parse(answer)
  if (response.status === 500) throw new Error(detail)
  throw new Failure(type.split('/').at(-1) as FailureCode, detail)
}
