import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const run = (...words: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, 'run.ts'), ...words], { encoding: 'utf8' })

it.each([
  [['--schedules', 'abc'], '--schedules: expected a whole number from 1 on, got "abc"'],
  [['--schedules', '1,000'], '--schedules: expected'],
  [['--seed', '1.5'], '--seed: expected'],
  [['--workers', '0'], '--workers: expected'],
  [['--schedule', '5'], "Unknown option '--schedule'"],
  [['5'], "Unexpected argument '5'"],
  [['--bug', 'none-such', '--schedules', '1'], '--bug: expected all, '],
])('%j is one line, and exit code 2', (words, why) => {
  const { status, stdout, stderr } = run(...words)
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain(why)
  expect(stderr.trim().split('\n')).toHaveLength(1)
})

it('says how it is used', () => {
  expect(run('--help')).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^usage: npm run simulate/),
  })
})
