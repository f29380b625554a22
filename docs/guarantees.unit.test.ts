import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { invariants } from '../test/simulation/invariants.ts'

const page = readFileSync(join(import.meta.dirname, 'guarantees.md'), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (hop|what) \|/.test(line))
  .map((line) => line.slice(2, -2).split(' | '))

test.each(rows.map((cells) => [cells[0], cells] as const))(
  '%s is proved by tests that there are and held by invariants that there are',
  (_, cells) => {
    const [, , , tests = '', held = ''] = cells
    expect(cells).toHaveLength(5)
    const files = [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file)
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) expect(existsSync(join(import.meta.dirname, '..', file)), file).toBe(true)
    if (held !== '–') for (const name of held.split(', ')) expect(Object.keys(invariants)).toContain(name)
  },
)

test('it has rows at all', () => expect(rows.length).toBeGreaterThan(20))
