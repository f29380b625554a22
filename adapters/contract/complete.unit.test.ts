import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const adapters = join(import.meta.dirname, '..')
const filesIn = (pattern: string): string[] => globSync(pattern, { cwd: adapters })
const textOf = (pattern: string): string =>
  filesIn(pattern)
    .map((file) => readFileSync(join(adapters, file), 'utf8'))
    .join('\n')
const found = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, name = '']) => name)

const contracts = found(textOf('contract/*.ts'), /^export function (\w+)Contract\(/gm)
const [inMemory, onAws] = [textOf('in-memory/*.unit.test.ts'), textOf('aws/*.int.test.ts')]

test.each(contracts)('what every implementation promises of "%s" is held against both', (contract) => {
  expect(inMemory).toContain(`${contract}Contract(`)
  expect(onAws).toContain(`${contract}Contract(`)
})

test('every port that stands in memory has such a promise', () => {
  const ports = found(textOf('in-memory/*.ts'), /^export function inMemory(\w+)\(/gm)
  expect(ports.length).toBeGreaterThan(5)
  const promised = ports.filter((port) => contracts.includes(port.toLowerCase()))
  expect(promised).toEqual(ports)
})
