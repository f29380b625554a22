import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { derivedDocuments } from './document.ts'

const docs = join(import.meta.dirname, '..', 'docs')
const documents = derivedDocuments()

it.each([...documents.keys()])('docs/%s is what events/ says (else: npm run docs)', (path) => {
  expect(readFileSync(join(docs, path), 'utf8')).toBe(documents.get(path))
})

it('keeps no schema of a type or version that is gone', () => {
  const present = readdirSync(join(docs, 'schemas'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.json'))
    .map((path) => `schemas/${path}`)
  expect(present.filter((path) => !documents.has(path))).toEqual([])
})
