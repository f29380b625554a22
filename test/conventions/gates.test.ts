import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { root } from './sources.ts'

const run = promisify(execFile)

/** Answers what a tool says when it fails, '' when it is content. */
const complaints = (tool: string, ...args: string[]): Promise<string> =>
  run(`node_modules/.bin/${tool}`, args, { cwd: root, maxBuffer: 2 ** 24 }).then(
    () => '',
    (error: { stdout?: string; stderr?: string }) => `${error.stdout ?? ''}${error.stderr ?? ''}`,
  )

it.each([
  ['tsc', '-p', '.'],
  ['tsc', '-p', 'infra'],
  ['biome', 'check', '--error-on-warnings'],
])('%s %s %s has nothing to say', { timeout: 120_000 }, async (tool, ...args) => {
  expect(await complaints(tool, ...args)).toBe('')
})
