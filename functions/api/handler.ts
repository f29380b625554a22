import { randomBytes } from 'node:crypto'
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda'
import * as z from 'zod'
import { environment } from '../../adapters/environment.ts'
import { lanesPort, memoryPort, recordPorts, workflowsPort } from '../../adapters/lambda/ports.ts'
import { createApi } from '../../api/app.ts'
import { asUrlPath } from '../../api/ids.ts'
import type { Principal } from '../../core/gate/access.ts'
import { version } from '../../core/version.ts'

const { STAGE } = environment(['STAGE'])
const { clock: now, ...ports } = recordPorts()

/**
 * Who may invoke this function by AWS credentials holds them for the whole stage. API Gateway writes `requestContext`
 * itself and its routes to us have no IAM authorizer, so nobody who comes by HTTP can put this there.
 */
const invokedByIam = z.object({
  requestContext: z.object({ authorizer: z.object({ iam: z.looseObject({}) }) }),
})
const operator: Principal = { actor: 'user:iam', project: 'main', scopes: ['admin'] }

const api = handle(
  createApi({
    ...ports,
    memory: memoryPort(),
    workflows: workflowsPort(),
    lanes: lanesPort(),
    now,
    newId: () => randomBytes(10).toString('hex'),
    newSecret: () => randomBytes(32).toString('hex'),
    stage: STAGE,
    version,
    log: (line) => console.log(JSON.stringify({ function: 'api', ...line })),
    trusted: (host) => (invokedByIam.safeParse(host).success ? operator : undefined),
  }),
)

/** Everything under /v1. */
export const handler = (event: Extract<LambdaEvent, { rawPath: string }>, context: LambdaContext) =>
  api({ ...event, rawPath: asUrlPath(event.rawPath) }, context)
