import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { expect } from 'vitest'
import { inMemoryEphemeral } from '../../adapters/in-memory/ephemeral.ts'
import type { StageConfig } from '../../adapters/stage-config.ts'
import { asUrlPath } from '../../api/ids.ts'
import { authenticate } from '../../core/gate/access.ts'
import { ingest } from '../../core/gate/ingest.ts'
import { routes } from '../../events/routes.ts'
import { testCompleted } from '../../events/test.completed.ts'
import { type World, world } from '../api-world.ts'
import { loadpath, type Terminal } from './terminal.ts'

export const webhookSecret = 'it is a secret'
const apiId = 'abc123'

/** Answers an AWS operation by its target, such as `AmazonSSM.GetParameter`; throw an AwsFault to refuse. */
export type AwsOperations = Record<string, (input: Record<string, unknown>) => unknown>

export class AwsFault extends Error {}

const subscribed = routes.flatMap(({ kind, subscriber }) => (kind === 'function' ? [subscriber] : []))
const everything = ['record', 'ingest', 'api', 'start-workflow', 'validate-mesh', ...subscribed]

const configOf = (stage: string): StageConfig => ({
  stage,
  region: 'us-east-1',
  account: '000000000000',
  api: 'https://abc123.execute-api.us-east-1.amazonaws.com',
  apiId,
  inboxBus: `loadpath-${stage}-inbox`,
  eventsBus: `loadpath-${stage}-events`,
  historyTable: `loadpath-${stage}-history`,
  memoryTable: `loadpath-${stage}-memory`,
  ephemeralTable: `loadpath-${stage}-ephemeral`,
  bucket: 'bucket',
  queuePrefix: `http://localhost/000000000000/loadpath-${stage}-`,
  stateMachinePrefix: `arn:aws:states:us-east-1:000000000000:stateMachine:loadpath-${stage}-`,
  notificationTopic: 'topic',
  webhookSecret: 'arn:secret',
  functions: Object.fromEntries(everything.map((name) => [name, `loadpath-${stage}-${name}`])),
})

/**
 * The real API and the real doors on ports in memory, behind a real HTTP server, at the address that a local endpoint
 * would give them; the same server answers as AWS whatever `operations` knows.
 */
export async function serve(stage = 'test') {
  const here = world({
    trusted: (host) => (host === 'iam' ? operator : undefined),
    now: () => new Date().toISOString(),
  })
  const config = configOf(stage)
  const operations: AwsOperations = {
    'AmazonSSM.GetParameter': ({ Name }) => {
      if (Name !== `/loadpath/${stage}/config`) throw new AwsFault('ParameterNotFound')
      return { Parameter: { Name, Value: JSON.stringify(config) } }
    },
    'secretsmanager.GetSecretValue': () => ({
      SecretString: JSON.stringify({ 'github/main/current': webhookSecret }),
    }),
  }
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    void answer(here, operations, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const endpoint = `http://127.0.0.1:${address.port}`
  const key = await here.key('main', ['admin'])
  const env = { AWS_ENDPOINT_URL: endpoint, LOADPATH_STAGE: stage, LOADPATH_API_KEY: key }
  const run = (words: readonly string[], terminal: Terminal = {}) => loadpath(words, { env, ...terminal })
  return {
    ...here,
    config,
    operations,
    requests,
    endpoint,
    /** what a user has set */
    env,
    /** what they type */
    run,
    /** the one JSON document that a command writes */
    json: async (...words: string[]) => {
      const { code, out, err } = await run([...words, '--json'])
      expect({ code, err }).toEqual({ code: 0, err: '' })
      return JSON.parse(out)
    },
    /** puts an event of which nothing but its id matters */
    putTest: (id: string, ...more: string[]) => {
      const data = JSON.stringify(testCompleted.example)
      return run(['events', 'put', '--type', testCompleted.type, '--id', id, '--data', data, ...more])
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
export type Served = Awaited<ReturnType<typeof serve>>

const operator = { actor: 'user:iam', project: 'main', scopes: ['admin' as const] }

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

async function answer(
  here: World,
  operations: AwsOperations,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await bodyOf(request)
  const [, path] = /^\/_aws\/execute-api\/abc123\/%24default(\/.*)$/.exec(request.url ?? '') ?? []
  const target = operationOf(request)
  if (path === undefined && target !== undefined) {
    const { status, text } = await asAws(here, operations, target, body)
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(text)
    return
  }
  if (path === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"Not Found"}')
    return
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  )
  if (path === '/events' || path.startsWith('/webhooks')) {
    const said = await ingest({ method: request.method ?? '', path, headers, body }, ingestDeps(here))
    response.writeHead(said.status, { 'content-type': said.contentType }).end(JSON.stringify(said.body))
    return
  }
  const init = { method: request.method ?? 'GET', headers, ...(body.length > 0 ? { body } : {}) }
  // as API Gateway hands it on, and the function takes it
  const [raw = '', query] = path.split('?')
  const url = asUrlPath(decodeURIComponent(raw))
  const said = await here.app.request(query === undefined ? url : `${url}?${query}`, init)
  response
    .writeHead(said.status, { 'content-type': said.headers.get('content-type') ?? '' })
    .end(await said.text())
}

const ingestDeps = (here: World) => ({
  ...here.deps,
  clock: here.deps.now,
  random: Math.random,
  pause: async () => {},
  routes,
  ephemeral: inMemoryEphemeral({ clock: here.deps.now }),
  authenticate: (credential: string | undefined) => authenticate(here.memory, credential, here.deps.now()),
  webhookSecrets: async () => [webhookSecret],
})

/** JSON services say their operation in a header, Lambda in the path. */
function operationOf({ headers, method, url = '' }: IncomingMessage): string | undefined {
  const target = headers['x-amz-target']
  if (typeof target === 'string') return target
  const [, name, what] = /^\/2015-03-31\/functions\/([^/]+)\/(invocations|configuration)/.exec(url) ?? []
  if (name !== undefined) return `Lambda.${what} ${decodeURIComponent(name)}`
  if (method === 'GET' && url.startsWith('/2015-03-31/event-source-mappings')) return 'Lambda.mappings'
  return undefined
}

async function asAws(here: World, operations: AwsOperations, target: string, body: Buffer) {
  const input = body.length === 0 ? {} : JSON.parse(body.toString('utf8'))
  try {
    const [operation = '', name] = target.split(' ')
    if (operation === 'Lambda.invocations' && name?.endsWith('-api')) return await invoked(here, input)
    const handler = operations[target] ?? operations[operation]
    if (handler === undefined) throw new AwsFault(`UnknownOperation ${target}`)
    return { status: 200, text: JSON.stringify((await handler({ ...input, name })) ?? {}) }
  } catch (error) {
    if (!(error instanceof AwsFault)) throw error
    return { status: 400, text: JSON.stringify({ __type: error.message, message: error.message }) }
  }
}

type GatewayEvent = {
  rawPath: string
  rawQueryString: string
  headers: Record<string, string>
  body?: string
  requestContext: { http: { method: string }; authorizer?: { iam?: object } }
}

/** The API's function, as Lambda invokes it with what API Gateway sends. */
async function invoked(here: World, event: GatewayEvent) {
  const { rawPath, rawQueryString, headers, body, requestContext } = event
  const url = `http://lambda${asUrlPath(rawPath)}${rawQueryString === '' ? '' : `?${rawQueryString}`}`
  const request = new Request(url, { method: requestContext.http.method, headers, ...(body && { body }) })
  const said = await here.app.fetch(
    request,
    requestContext.authorizer?.iam === undefined ? 'http' : ('iam' as never),
  )
  const text = await said.text()
  const answer = {
    statusCode: said.status,
    headers: Object.fromEntries(said.headers),
    body: text,
    isBase64Encoded: false,
  }
  return { status: 200, text: JSON.stringify(answer) }
}
