import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { sourcesDigest } from './sources.ts'

const directory = mkdtempSync(join(tmpdir(), 'loadpath-sources-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function write(path: string, text: string) {
  mkdirSync(dirname(join(directory, path)), { recursive: true })
  writeFileSync(join(directory, path), text)
}

const digest = (...more: string[]) => sourcesDigest(directory, more)

test.each(['functions/record/handler.ts', 'newly/made.asl.json', 'cdk.json', 'package-lock.json'])(
  'a change of %s is a change of what is deployed',
  (path) => {
    write(path, 'one')
    const before = digest()
    expect(digest()).toBe(before)
    write(path, 'two')
    expect(digest()).not.toBe(before)
  },
)

test.each([
  'docs/a.md',
  'test/e2e/a.ts',
  'core/gate/record.unit.test.ts',
  'README.md',
  'node_modules/a/index.js',
  '.loadpath/local.json',
  'cli/main.ts',
])('a change of %s is none', (path) => {
  const before = digest()
  write(path, String(Math.random()))
  expect(digest()).toBe(before)
})

test('the same content under another name, or for another stage, is a change', () => {
  write('core/a.ts', 'same')
  const before = digest('local')
  expect(digest('test')).not.toBe(before)
  rmSync(join(directory, 'core/a.ts'))
  write('core/b.ts', 'same')
  expect(digest('local')).not.toBe(before)
})
