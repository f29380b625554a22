import { beforeEach, expect, it } from 'vitest'
import { githubPush } from '../events/github.push.ts'
import { type World, world } from '../test/api-world.ts'

let w: World
beforeEach(() => {
  w = world()
})

const put = (project: string, id: string) =>
  w.put(project, { id, type: 'github.push', data: githubPush.example })

it('answers what came and what was sent for it, of the project of the key alone', async () => {
  await put('acme', 'a')
  await put('acme', 'b')
  await put('other', 'c')
  w.wait(1000)
  const { status, body } = await w.ask(await w.key('acme', ['events:read']), 'GET /v1/mesh/rates')
  expect(status).toBe(200)
  expect(body).toEqual({
    window: { since: expect.any(String), until: w.now() },
    events: 2,
    left: 0,
    measured: {
      arrived: [{ door: 'http', type: 'github.push', count: 2 }],
      sent: ['analyze-push', 'test-and-validate'].map((subscriber) => ({
        ...{ door: 'http', type: 'github.push', subscriber, count: 2 },
      })),
      handled: [],
      emitted: [],
    },
  })
})

it('needs the scope, a window, and a cursor of its own', async () => {
  const other = await w.key('acme', ['events:write'])
  expect((await w.ask(other, 'GET /v1/mesh/rates')).status).toBe(403)
  const reader = await w.key('acme', ['events:read'])
  const empty = await w.ask(reader, 'GET /v1/mesh/rates?since=2030-01-01T00:00:00.000Z')
  expect(empty).toMatchObject({ status: 422, body: { faults: [{ path: 'query.since' }] } })
  expect((await w.ask(reader, 'GET /v1/mesh/rates?cursor=abc')).status).toBe(400)
})
