import type { OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import {
  actingIn,
  authenticate,
  credentialOf,
  type Principal,
  projectHeader,
  requireScope,
  type Scope,
} from '../core/gate/access.ts'
import type { Lanes } from '../core/lane/lane.ts'
import type { Bodies, Clock, History, Memory, Queues, Random, Workflows } from '../core/ports.ts'

/** What the API needs of the world; nothing here knows where it is hosted. */
export type ApiDeps = {
  history: History
  memory: Memory
  queues: Queues
  bodies: Bodies
  workflows: Workflows
  lanes: Lanes
  now: Clock
  random: Random
  /** a name that nothing else has: lower case letters and digits, at least 16 */
  newId: () => string
  /** 32 random bytes as 64 hex digits */
  newSecret: () => string
  stage: string
  version: string
  /** one line per request, and one per unexpected error */
  log: (line: Readonly<Record<string, unknown>>) => void
  /** Who the host itself vouches for, told from what it hands to `fetch` beside the request. */
  trusted?: (host: unknown) => Principal | undefined
}

export type ApiEnv = { Variables: { principal: Principal } }
export type Api = OpenAPIHono<ApiEnv>

/** Who asks. @throws Failure Unauthenticated, Forbidden, Invalid */
export async function principalOf(
  deps: ApiDeps,
  host: unknown,
  headers: Readonly<Record<string, string | undefined>>,
): Promise<Principal> {
  const principal =
    deps.trusted?.(host) ?? (await authenticate(deps.memory, credentialOf(headers), deps.now()))
  return actingIn(principal, headers[projectHeader])
}

/** What a route says to be open only to who holds a scope: checked before anything of the request is looked at. */
export const needs = (deps: ApiDeps, scope: Scope) => ({
  security: [{ apiKey: [] }, { apiKeyHeader: [] }],
  description: `Needs the scope \`${scope}\`.`,
  middleware: guard(deps, scope),
})

const guard =
  (deps: ApiDeps, scope: Scope): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const principal = await principalOf(deps, c.env, c.req.header())
    requireScope(principal, scope)
    c.set('principal', principal)
    await next()
  }
