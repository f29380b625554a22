import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { restartRuns } from './restarted-runs.ts'

/** An API that answers what the test puts there, by method and path; lists have two pages. */
let answers: Record<string, { status: number; body: unknown }> = {}
let asked: string[] = []
const server = createServer((request, response) => {
  const call = `${request.method} ${request.url}`
  asked.push(call)
  const { status, body } = answers[call] ?? { status: 500, body: { title: `unexpected: ${call}` } }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
})
const api = { api: '', apiKey: 'key' }

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  api.api = typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : ''
})
afterAll(() => server.close())

const run = (name: string, error?: string) => ({ workflow: 'test-and-validate', run: name, error })
const shown = (name: string, error?: string) => ({ status: 200, body: run(name, error) })
const retry = (name: string) => `POST /v1/runs/test-and-validate/${name}/retry`

beforeEach(() => {
  asked = []
  answers = {
    'GET /v1/runs?status=running&limit=100': {
      status: 200,
      body: { items: [run('broken'), run('alive')], next: 'more' },
    },
    'GET /v1/runs?status=running&limit=100&cursor=more': { status: 200, body: { items: [run('b/2')] } },
    'GET /v1/runs/test-and-validate/broken': shown('broken', 'States.ServiceRestart'),
    'GET /v1/runs/test-and-validate/alive': shown('alive'),
    'GET /v1/runs/test-and-validate/b%2F2': shown('b/2', 'States.ServiceRestart'),
    'GET /v1/runs?status=failed&limit=100': {
      status: 200,
      body: { items: [run('earlier', 'States.ServiceRestart'), run('own fault', 'Invalid')] },
    },
    [retry('broken')]: { status: 202, body: {} },
    [retry('b%2F2')]: { status: 202, body: {} },
    [retry('earlier')]: { status: 409, body: { title: 'it was retried already' } },
  }
})

test('runs that the restart failed are started once more, and no others', async () => {
  expect(await restartRuns(api)).toBe(2)
  expect(asked.filter((call) => call.startsWith('POST'))).toEqual([
    retry('broken'),
    retry('b%2F2'),
    retry('earlier'),
  ])
})

test("where a restart failed the run of a job, the job goes on; a run that is its job's no more is left", async () => {
  const ofJob = (name: string) => ({ workflow: 'redrive', run: name, error: 'States.ServiceRestart' })
  const interrupted = (id: string, name: string) => ({ id, run: { workflow: 'redrive', run: name } })
  answers['GET /v1/runs?status=failed&limit=100'] = {
    status: 200,
    body: { items: [ofJob('its'), ofJob('an earlier attempt')] },
  }
  answers['GET /v1/jobs?state=interrupted&limit=100'] = {
    status: 200,
    body: { items: [interrupted('j1', 'its'), interrupted('j2', 'failed by itself')] },
  }
  answers['POST /v1/jobs/j1/resume'] = { status: 202, body: {} }
  expect(await restartRuns(api)).toBe(3)
  expect(asked.filter((call) => call.startsWith('POST'))).toEqual([
    retry('broken'),
    retry('b%2F2'),
    'POST /v1/jobs/j1/resume',
  ])
})

test('a retry that fails in another way than that it was done already is told', async () => {
  answers[retry('broken')] = { status: 503, body: { title: 'not now' } }
  await expect(restartRuns(api)).rejects.toThrow(
    'POST /v1/runs/test-and-validate/broken/retry was answered 503: {"title":"not now"}',
  )
})
