import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { documents } from './documents.ts'

const docs = import.meta.dirname
const derived = documents()

it.each([...derived.keys()])('docs/%s is what the code says (else: npm run docs)', (path) => {
  expect(readFileSync(join(docs, path), 'utf8')).toBe(derived.get(path))
})

it('keeps no schema of a type or version that is gone', () => {
  const present = readdirSync(join(docs, 'schemas'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.json'))
    .map((path) => `schemas/${path}`)
  expect(present.filter((path) => !derived.has(path))).toEqual([])
})

describe('the schema of rates', () => {
  const schema = z.fromJSONSchema(JSON.parse(derived.get('schemas/mesh/rates.json') ?? '{}'))

  it.each([
    { version: 1 },
    { version: 1, arrivals: { http: { push: '2/s', pull: 0.5 } }, service: { record: { mean: '40ms' } } },
    { version: 1, sends: [{ from: 'a', to: 'b' }], failures: { a: 0.01 } },
  ])('takes %j', (rates) => expect(schema.safeParse(rates).success).toBe(true))

  it.each([
    {},
    { version: 2 },
    { version: 1, arrival: {} },
    { version: 1, arrivals: { http: { push: '2/y' } } },
    { version: 1, arrivals: { http: { push: 0 } } },
    { version: 1, failures: { a: 2 } },
  ])('refuses %j', (rates) => expect(schema.safeParse(rates).success).toBe(false))
})
