import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'

/** As API Gateway, or somebody with AWS credentials, hands a request over. */
const event = (rawPath: string, requestContext: object = {}, headers: Record<string, string> = {}) => ({
  version: '2.0',
  routeKey: '$default',
  rawPath,
  rawQueryString: '',
  headers,
  isBase64Encoded: false,
  requestContext: { http: { method: 'GET', path: rawPath }, domainName: 'api', ...requestContext },
})

// biome-ignore lint/suspicious/noExplicitAny: the handler is called as Lambda does, past its types
let handler: (...given: any[]) => Promise<any>
beforeAll(async () => {
  for (const name of [
    'STAGE',
    'HISTORY_TABLE',
    'MEMORY_TABLE',
    'BUCKET',
    'QUEUE_PREFIX',
    'STATE_MACHINE_PREFIX',
  ])
    vi.stubEnv(name, name.toLowerCase())
  vi.stubEnv('AWS_REGION', 'us-east-1')
  handler = (await import('./handler.ts')).handler
})

describe('functions/api', () => {
  it('answers, and writes one line', async () => {
    const log = vi.spyOn(console, 'log').mockReturnValue()
    const answer = await handler(event('/v1/health'), {})
    expect(answer).toMatchObject({ statusCode: 200, isBase64Encoded: false })
    const { version } = JSON.parse(
      readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
    )
    expect(JSON.parse(answer.body)).toMatchObject({ status: 'ok', stage: 'stage', version })
    expect(log.mock.calls.map(([line]) => JSON.parse(line))).toEqual([
      { function: 'api', method: 'GET', path: '/v1/health', status: 200 },
    ])
    log.mockRestore()
  })

  it('lets in who invokes it by AWS credentials, and nobody who only says so', async () => {
    const iam = { authorizer: { iam: { userArn: 'arn:aws:iam::1:user/x' } } }
    expect((await handler(event('/v1/routes', iam), {})).statusCode).toBe(200)
    for (const other of [{}, { authorizer: {} }, { authorizer: { iam: null } }, { authorizer: { jwt: {} } }])
      expect((await handler(event('/v1/routes', other), {})).statusCode).toBe(401)
    const headers = { 'x-authorizer': JSON.stringify(iam), requestcontext: JSON.stringify(iam) }
    expect((await handler(event('/v1/routes', {}, headers), {})).statusCode).toBe(401)
  })

  it('answers problems as text, for paths that API Gateway has decoded too', async () => {
    for (const path of ['/v1/events/50% naïve #1', '/v1/nothing/\uD800']) {
      const answer = await handler(event(path), {})
      expect([401, 404]).toContain(answer.statusCode)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(answer.isBase64Encoded).toBe(false)
    }
  })
})
