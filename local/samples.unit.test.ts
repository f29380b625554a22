import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { githubPullRequestOpened } from '../events/github.pull-request.opened.ts'
import { githubPush } from '../events/github.push.ts'
import { githubWorkflowRunCompleted } from '../events/github.workflow-run.completed.ts'
import { samples, send } from './samples.ts'

test('the samples are payloads that our types take', () => {
  const [push, opened, completed] = samples()
  const { head_commit, after, deleted } = githubPush.schema.parse(JSON.parse(push.body))
  expect(head_commit?.id).toBe(after)
  expect(deleted).toBe(false)
  githubPullRequestOpened.schema.parse(JSON.parse(opened?.body ?? ''))
  githubWorkflowRunCompleted.schema.parse(JSON.parse(completed?.body ?? ''))
})

test('each time the push is of another commit, so that it is not taken for one that is known', () => {
  expect(samples()[0].body).not.toBe(samples()[0].body)
})

const seen: { url: string | undefined; headers: NodeJS.Dict<string | string[]>; body: string }[] = []
let status = 202
const server = createServer(async (request, response) => {
  const body = (await request.toArray()).join('')
  seen.push({ url: request.url, headers: request.headers, body })
  response.writeHead(status).end('no such source')
})
let api = ''

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  api = typeof address === 'object' ? `http://127.0.0.1:${address?.port}/base` : ''
})
afterAll(() => server.close())

test('a sample is signed over the bytes that are sent', async () => {
  await send({ event: 'push', delivery: 'd-1', body: '{"ä":1}' }, api, 'secret')
  const [{ url, headers, body } = { url: '', headers: {}, body: '' }] = seen
  expect(url).toBe('/base/webhooks/github')
  expect(headers['x-github-event']).toBe('push')
  expect(headers['x-github-delivery']).toBe('d-1')
  const digest = createHmac('sha256', 'secret').update(body, 'utf8').digest('hex')
  expect(headers['x-hub-signature-256']).toBe(`sha256=${digest}`)
})

test('a refused sample says what was answered', async () => {
  status = 404
  await expect(send({ event: 'push', delivery: 'd-2', body: '{}' }, api, 'secret')).rejects.toThrow(
    'the sample push was answered 404: no such source',
  )
})
