import { afterAll, beforeAll, expect, it } from 'vitest'
import { track } from '../core/domain/repository-history.ts'
import { type Served, serve } from '../test/cli/served.ts'
import { loadpath } from '../test/cli/terminal.ts'

let here: Served
beforeAll(async () => {
  here = await serve()
})
afterAll(() => here.close())

const run = (...words: string[]) => loadpath(['repositories', 'changes', ...words], { env: here.env })

async function declared(repository: string, ...versions: [version: number, deployBranch: string][]) {
  const name = { project: 'main', kind: 'repository-history', name: repository }
  for (const [version, deployBranch] of versions) {
    const event = { project: 'main', received: here.now(), actor: 'user:k1' }
    const record = await here.memory.get(name)
    const { writes } = track(event, { repository, deployBranch, gates: [], version }, record)
    await here.memory.commit({ writes, outbox: [] })
  }
}

it('shows what each declaration changed, newest first', async () => {
  await declared('octo/hello', [1, 'main'], [2, 'trunk'])
  const { code, out } = await run('octo/hello')
  const rows = out.trimEnd().split('\n')
  expect([code, rows.length]).toEqual([0, 4])
  expect(rows[2]).toMatch(/^2 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +user:k1 +\/deployBranch: "main" -> "trunk"$/)
  expect(rows[3]).toMatch(/^1 +.* +user:k1 +\/deployBranch: "main"; \/gates: \[\]$/)
  const json = JSON.parse((await run('octo/hello', '--json')).out)
  expect(json).toMatchObject({ version: 2, since: 1, steps: [{ version: 2 }, { version: 1 }] })
})

it('says where it begins', async () => {
  await declared('octo/old', [6, 'main'])
  expect((await run('octo/old')).out).toContain('What was declared before version 6 is not known.')
})

it('says where versions are missing', async () => {
  await declared('octo/gap', [1, 'main'], [4, 'trunk'])
  const { out } = await run('octo/gap')
  expect(out).toMatch(/^4 +.* +\/deployBranch: "main" -> "trunk"$/m)
  expect(out).toContain('Between 1 and 4: dropped, or not here yet. What 4 changed is told against 1.')
  expect(JSON.parse((await run('octo/gap', '--json')).out).steps[0]).toMatchObject({ version: 4, after: 1 })
})

it.each([
  ['hello', 2, 'expected <owner>/<name>'],
  ['octo/none', 1, 'no change of octo/none is known'],
])('of %s says what is wrong', async (name, exit, why) => {
  const { code, err } = await run(name)
  expect(code).toBe(exit)
  expect(err).toContain(why)
})
