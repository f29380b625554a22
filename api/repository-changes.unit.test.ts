import { expect, it } from 'vitest'
import { track } from '../core/domain/repository-history.ts'
import type { MemoryWrite } from '../core/ports.ts'
import { type World, world } from '../test/api-world.ts'

/** What these branches to deploy, declared one after the other, leave behind. */
async function changed(w: World, project: string, repository: string, ...branches: string[]) {
  let record: MemoryWrite | undefined
  for (const [index, deployBranch] of branches.entries()) {
    const event = { project, received: w.now(), actor: 'user:k1' }
    const { writes } = track(event, { repository, deployBranch, gates: [], version: index + 1 }, record)
    record = writes[0]
    await w.memory.commit({ writes, outbox: [] })
  }
}

it('tells what each declaration of a repository changed, newest first', async () => {
  const w = world()
  await changed(w, 'acme', 'octo/hello', 'main', 'trunk')
  const key = await w.key('acme', ['repositories:read'])
  const { status, body } = await w.ask(key, 'GET /v1/repositories/octo/hello/changes')
  expect(status).toBe(200)
  expect(body).toEqual({
    repository: 'octo/hello',
    version: 2,
    since: 1,
    steps: [
      {
        version: 2,
        at: w.now(),
        by: 'user:k1',
        changes: [{ path: '/deployBranch', before: 'main', after: 'trunk' }],
      },
      expect.objectContaining({ version: 1 }),
    ],
  })
})

it('knows none of another project, and needs the scope', async () => {
  const w = world()
  await changed(w, 'acme', 'octo/hello', 'main')
  const foreign = await w.key('other', ['repositories:read'])
  expect(await w.ask(foreign, 'GET /v1/repositories/octo/hello/changes')).toMatchObject({
    status: 404,
    body: { detail: 'no change of octo/hello is known' },
  })
  const none = await w.key('acme', ['events:read'])
  expect((await w.ask(none, 'GET /v1/repositories/octo/hello/changes')).status).toBe(403)
})
