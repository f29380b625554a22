import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { recordItem } from '../../adapters/aws/memory-items.ts'
import { newKey, revokedKey } from '../../core/gate/access.ts'
import { push } from '../../test/arrivals.ts'
import { endpoint, type Reply, replyBy, type Seen, seen } from '../../test/aws-server.ts'
import { context, lines, setEnvironment } from '../../test/lambdas.ts'

/** The function as it is deployed, with its real ports, against a server that answers like AWS. */

const now = '2026-01-01T12:00:00.000Z'
const { credential, write } = newKey(
  { name: 'ci', project: 'main', scopes: ['events:write'] },
  { actor: 'user:k0', project: 'main', scopes: ['admin'] },
  { id: 'abcdefgh', secret: 'a'.repeat(64), now },
)

let handler: typeof import('./handler.ts').handler
let key = write
/** Answers of single operations, in the place of what goes well. */
let instead: Record<string, () => Reply> = {}

const operationOf = ({ headers }: Seen) => String(headers['x-amz-target']).split('.').at(-1) ?? ''
const operations = () => seen.map(operationOf)
const ok = (answer: object): Reply => ({ status: 200, body: JSON.stringify(answer) })

function answered(request: Seen): Reply {
  const operation = operationOf(request)
  const input = JSON.parse(request.body.toString())
  const other = instead[operation]
  if (other) return other()
  if (operation === 'GetItem') return ok({ Item: recordItem(key) })
  if (operation === 'BatchExecuteStatement') return ok({ Responses: input.Statements.map(() => ({})) })
  return ok({})
}

beforeAll(async () => {
  const names = ['HISTORY_TABLE', 'MEMORY_TABLE', 'EPHEMERAL_TABLE', 'BUCKET', 'WEBHOOK_SECRET_ARN']
  setEnvironment(Object.fromEntries(names.map((name) => [name, name.toLowerCase()])))
  vi.stubEnv('AWS_ENDPOINT_URL', endpoint)
  handler = (await import('./handler.ts')).handler
})
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(now) })
  replyBy(answered)
  instead = {}
})
afterEach(() => vi.useRealTimers())

const post = (body: unknown, { headers = {}, ...given }: Partial<APIGatewayProxyEventV2> = {}) => {
  const event = {
    rawPath: '/events',
    headers: {
      'content-type': 'application/cloudevents+json',
      authorization: `Bearer ${credential}`,
      ...headers,
    },
    requestContext: { http: { method: 'POST' } },
    isBase64Encoded: false,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...given,
  } as object as APIGatewayProxyEventV2
  return lines(() => handler(event, context))
}

describe('the door that speaks HTTP', () => {
  it('records and answers, and tells it in one line', async () => {
    const { answer, lines } = await post(push('a'))
    expect(answer).toMatchObject({ statusCode: 202, headers: { 'content-type': 'application/json' } })
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ outcome: 'recorded', id: 'a' })
    expect(lines).toMatchObject([
      { level: 'INFO', Recorded: 1, Unavailable: 0, Denied: 0, method: 'POST', path: '/events', status: 202 },
    ])
  })

  it('reads a body that API Gateway hands over as base64', async () => {
    const body = Buffer.from(JSON.stringify(push('ä'))).toString('base64')
    const { answer } = await post(body, { isBase64Encoded: true })
    expect(answer.statusCode).toBe(202)
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ id: 'ä' })
  })

  it('says by which scheme to come, to somebody who has no key', async () => {
    const { answer, lines } = await post(push(), { headers: { authorization: '' } })
    expect(answer).toMatchObject({
      statusCode: 401,
      headers: { 'www-authenticate': 'Bearer', 'content-type': 'application/problem+json' },
    })
    expect(lines).toMatchObject([{ level: 'INFO', status: 401, Unavailable: 0, Denied: 1 }])
  })

  it('tells of a failure of ours that nobody foresaw, in its line and not in its answer', async () => {
    vi.setSystemTime(Date.parse(now) + 60_000)
    instead = {
      GetItem: () => ({
        status: 400,
        body: '{"__type":"x#AccessDenied","message":"no right to memory_table"}',
      }),
    }
    const { answer, lines } = await post(push())
    expect(answer.statusCode).toBe(503)
    expect(answer.body).not.toContain('memory_table')
    expect(lines).toMatchObject([
      { level: 'WARN', Unavailable: 1, troubles: [{ reason: 'AccessDenied: no right to memory_table' }] },
    ])
  })

  it('shows where an event does not fit, and nothing of what is in it', async () => {
    const { answer, text, lines } = await post(push('bad', { data: { ref: 'hunter2' } }))
    expect(answer.statusCode).toBe(422)
    expect(answer.body).toContain('hunter2')
    expect(lines).toMatchObject([{ Refused: 1 }])
    expect(text).not.toContain('hunter2')
  })

  it('keeps an event on the queue while the history hangs, and within its ten seconds', async () => {
    instead = { PutItem: () => 'silence' }
    const began = performance.now()
    const { answer } = await post(push('kept'))
    expect(performance.now() - began).toBeLessThan(9000)
    expect(answer.statusCode).toBe(202)
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ outcome: 'queued' })
    expect(operations().at(-1)).toBe('SendMessageBatch')
  })
})

describe('a key', () => {
  it('is looked up once in ten seconds, and then a revoked one is refused', async () => {
    const at = (seconds: number) => vi.setSystemTime(Date.parse(now) + 600_000 + seconds * 1000)
    const statusOf = async () => (await post(push())).answer.statusCode
    at(0)
    expect(await statusOf()).toBe(202)
    key = revokedKey(write, now) ?? expect.fail()
    at(9.9)
    expect(await statusOf()).toBe(202)
    expect(operations().filter((operation) => operation === 'GetItem')).toHaveLength(1)
    at(10)
    expect(await statusOf()).toBe(401)
    key = write
    expect(await statusOf()).toBe(202)
  })
})
