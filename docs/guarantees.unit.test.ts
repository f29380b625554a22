import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const page = readFileSync(join(import.meta.dirname, 'guarantees.md'), 'utf8')
/** Those that are held at each step are named where they are. */
const simulation = globSync(join(import.meta.dirname, '../test/simulation/*.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n')
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
    if (held !== '–') for (const name of held.split(', ')) expect(simulation).toContain(`'${name}'`)
  },
)

test('it has rows at all', () => expect(rows.length).toBeGreaterThan(20))
