import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { Failure } from '../core/errors.ts'
import { projectHeader } from '../core/gate/access.ts'
import { limits } from '../events/envelope.ts'
import { approvals } from './approvals.ts'
import { balance } from './balance.ts'
import { builds } from './builds.ts'
import type { Api, ApiDeps, ApiEnv } from './context.ts'
import { deadLetters } from './dead-letters.ts'
import { deliveries } from './deliveries.ts'
import { events } from './events.ts'
import { healthOf } from './health.ts'
import { howIdsAreSent } from './ids.ts'
import { jobs } from './jobs.ts'
import { keys } from './keys.ts'
import { meshRates } from './mesh.ts'
import { answerErrors, answerOtherMethods, refuseInvalid } from './problems.ts'
import { quarantine } from './quarantine.ts'
import { replays } from './replays.ts'
import { repositories } from './repositories.ts'
import { routes } from './routes.ts'
import { runs } from './runs.ts'
import { subscribers } from './subscribers.ts'
import { traces } from './trace.ts'

const resources = [
  healthOf,
  events,
  traces,
  deadLetters,
  deliveries,
  quarantine,
  balance,
  meshRates,
  runs,
  jobs,
  replays,
  approvals,
  keys,
  repositories,
  routes,
  subscribers,
  builds,
]

export const documentPath = '/v1/openapi.json'

/** The HTTP API as a web-standard application: `fetch` it a Request, and what the host has to say of it beside. */
export function createApi(deps: ApiDeps): Api {
  const app: Api = new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid })
  answerErrors(app, deps)
  app.use(async (c, next) => {
    await next()
    const { principal } = c.var
    const { method, path } = c.req
    deps.log({ method, path, status: c.res.status, actor: principal?.actor, project: principal?.project })
  })
  app.use(
    bodyLimit({
      maxSize: limits.event,
      onError: () => {
        throw new Failure('TooLarge', `a body is at most ${limits.event} bytes`)
      },
    }),
  )
  for (const resource of resources) resource(app, deps)
  describe(app, deps)
  answerOtherMethods(app)
  return app
}

/** OpenAPI 3.1, derived from the routes. */
function describe(app: Api, { version }: ApiDeps): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'lp_<id>_<secret>',
    description: `An API key. It names the project; with the scope \`admin\` the header \`${projectHeader}\` names another.`,
  })
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKeyHeader', {
    type: 'apiKey',
    in: 'header',
    name: 'x-api-key',
  })
  app.doc31(documentPath, {
    openapi: '3.1.0',
    info: {
      title: 'Loadpath',
      version,
      description: `Events, their fate, runs and approvals. Errors are RFC 9457 problems with \`faults\`: path, expected, got. Lists go on with \`cursor\`. Ids: ${howIdsAreSent}. Events are sent to \`POST /events\`, another door.`,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
  })
}
