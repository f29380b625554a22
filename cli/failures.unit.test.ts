import { createServer } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { loadpath } from '../test/cli/terminal.ts'
import { httpTransport } from './client.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A server that gives every request one answer, or none. */
async function answering(
  answer: { status: number; type?: string; body: string } | undefined,
): Promise<string> {
  const server = createServer((_, response) => {
    if (answer === undefined) return
    response.writeHead(answer.status, { 'content-type': answer.type ?? 'application/json' }).end(answer.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : ''
}

const asking = (api: string, words: string[], key: string | undefined = 'lp_k') =>
  loadpath(words, { env: { LOADPATH_STAGE: 'test', LOADPATH_API: api, LOADPATH_API_KEY: key } })

const problem = {
  type: 'https://loadpath.dev/problems/Invalid',
  title: 'The request or event does not fit its schema',
  status: 422,
  detail: 'not a valid event',
  faults: [
    { path: 'data.ref', expected: 'a full ref', got: '"main"' },
    { path: '', expected: 'an object', got: '[]' },
  ],
}

describe('an answer that is a refusal', () => {
  it('is a message with the path of each fault; with --json the problem itself', async () => {
    const api = await answering({
      status: 422,
      type: 'application/problem+json',
      body: JSON.stringify(problem),
    })
    expect(await asking(api, ['routes'])).toEqual({
      code: 2,
      out: '',
      err: [
        'error: not a valid event (422)',
        '  data.ref: expected a full ref, got "main"',
        '  (whole): expected an object, got []',
        '',
      ].join('\n'),
    })
    const { err } = await asking(api, ['routes', '--json'])
    expect(JSON.parse(err)).toEqual({ error: problem })
  })

  it('says how to get a key, where there is none', async () => {
    const body = JSON.stringify({ title: 'No valid credential', status: 401 })
    const api = await answering({ status: 401, body })
    expect((await asking(api, ['routes'], '')).err).toBe(
      'error: No valid credential (401)\nNo API key is configured. Set LOADPATH_API_KEY, or make a key with AWS credentials: loadpath keys create <name> --scope admin --aws --save\n',
    )
    expect((await asking(api, ['routes'])).err).not.toContain('No API key is configured')
  })

  it('does not write control characters of the other side to the terminal', async () => {
    const body = JSON.stringify({ title: 'x', detail: 'see \u001b]0;title\u0007' })
    const { err } = await asking(await answering({ status: 404, body }), ['why', '1'])
    expect(err).toBe('error: see \ufffd]0;title\ufffd (404)\n')
  })
})

describe('something else than the API', () => {
  it('is said to be none', async () => {
    const gateway = await asking(await answering({ status: 404, body: '{"message":"Not Found"}' }), [
      'routes',
    ])
    expect(gateway.code).toBe(1)
    expect(gateway.err).toMatch(/answered 404 \{"message":"Not Found"\}\nThat is not Loadpath's API/)
    const page = await asking(await answering({ status: 200, type: 'text/html', body: '<p>hello' }), [
      'routes',
    ])
    expect(page.err).toMatch(/\/v1\/routes answered 200 with something else than expected: .*expected object/)
    const shape = await asking(await answering({ status: 200, body: '{"items":[{"subscriber":5}]}' }), [
      'routes',
    ])
    expect(shape.err).toContain('items[0].subscriber')
  })

  it('nothing that answers is named, with what to do', async () => {
    const { code, err } = await asking('http://127.0.0.1:9', ['routes'])
    expect(code).toBe(1)
    expect(err).toMatch(/^error: Nothing answers at http:\/\/127\.0\.0\.1:9 \(.+\): is it running\? /)
    const local = await loadpath(['routes'], {
      env: { LOADPATH_API: 'http://127.0.0.1:9', AWS_ENDPOINT_URL: 'http://127.0.0.1:9' },
      home: '/nowhere',
    })
    expect(local.err).toContain('is it running? Start it: loadpath up')
  })

  it('nothing at all is waited for within a deadline', async () => {
    const silent = httpTransport(await answering(undefined), { start: '', deadline: 50 })
    await expect(silent({ method: 'GET', path: '/', headers: {} })).rejects.toThrow(
      'did not answer within 0.05 s',
    )
  })
})
