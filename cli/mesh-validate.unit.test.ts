import { afterAll, beforeAll, expect, it } from 'vitest'
import { meshValidated } from '../events/mesh.validated.ts'
import { type Served, serve } from '../test/cli/served.ts'
import { loadpath } from '../test/cli/terminal.ts'

let here: Served
beforeAll(async () => {
  here = await serve('dev')
})
afterAll(() => here.close())

const now = () => Date.parse('2026-11-22T00:27:35.237Z')
const run = (...words: string[]) => loadpath(['mesh', 'validate', ...words], { env: here.env, now })

it('starts the function of the stage under a name of its own, and shows what it tells', async () => {
  const asked: unknown[] = []
  here.operations['Lambda.invocations'] = (input) => {
    asked.push(input)
    return { told: true, data: meshValidated.example }
  }
  const { code, out } = await run()
  expect(code).toBe(0)
  expect(asked).toEqual([{ run: 'by-hand-2026-11-22T002735.237Z', name: 'loadpath-dev-validate-mesh' }])
  expect(out).toMatch(/^score 59, strained, -22.5 since 2026-11-16 .*, then healthy\n/)
  expect(out).toContain('health fell from healthy to strained')
  expect(out).toMatch(/^latency +- +30 +s +-$/m)
  expect(out).toContain('findings: 1 high, 0 medium, 4 low')
  expect(out).toContain('new, high: orders gives up what fails without keeping it.')
  expect(out).toContain('audit/main/mesh/2026-W47.html')
  expect(JSON.parse((await run('--json')).out)).toEqual(meshValidated.example)
})

it('says when the stage has no such function yet', async () => {
  const { 'validate-mesh': name = '', ...others } = here.config.functions
  here.config.functions = others
  const { code, err } = await run()
  here.config.functions['validate-mesh'] = name
  expect({ code, err }).toEqual({
    code: 1,
    err: expect.stringContaining('no function validate-mesh: deploy'),
  })
})
