import { describe, expect, it } from 'vitest'
import { world } from '../test/api-world.ts'

const { app, ask } = world()
const { body: document } = await ask(undefined, 'GET /v1/openapi.json')

const paths: [string, Record<string, Operation>][] = Object.entries(document.paths)
const operations = paths.flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    operation,
  })),
)

type Schema = { $ref?: string }
type Operation = {
  summary?: string
  security?: Record<string, string[]>[]
  parameters?: { name: string; in: string; required?: boolean; schema?: unknown }[]
  requestBody?: { content: Record<string, { schema?: Schema }> }
  responses: Record<string, { description: string; content?: Record<string, { schema?: Schema }> }>
}

/** every `$ref` in a value */
function references(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(references)
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, member]) =>
    name === '$ref' && typeof member === 'string' ? [member] : references(member),
  )
}

describe('the OpenAPI document', () => {
  it('is one of OpenAPI 3.1', () => {
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Loadpath', version: '1.2.3' } })
    expect(document.info.description).toContain('`a/b`: `base64url:YS9i`')
    expect(Object.keys(document.components.securitySchemes)).toEqual(['apiKey', 'apiKeyHeader'])
  })

  it('holds every route that answers', () => {
    const served = new Set(
      app.routes
        .filter(({ method, path }) => method !== 'ALL' && path !== '/v1/openapi.json')
        .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
    )
    expect(operations.map(({ name }) => name).toSorted()).toEqual([...served].toSorted())
    expect(served.size).toBeGreaterThan(20)
  })

  it('points nowhere that is not there', () => {
    const found = new Set(references(document))
    expect(found.size).toBeGreaterThan(10)
    for (const reference of found) {
      const [, components, schemas, name = ''] = reference.split('/')
      expect([components, schemas]).toEqual(['components', 'schemas'])
      expect(document.components.schemas).toHaveProperty([name])
    }
  })

  it.each(operations)('$name: every answer has a schema, every failure is a problem', ({ operation }) => {
    const answers = Object.entries(operation.responses)
    expect(answers.some(([status]) => status.startsWith('2'))).toBe(true)
    for (const [status, answer] of answers) {
      const type = status.startsWith('2') ? 'application/json' : 'application/problem+json'
      expect(answer.description).not.toBe('')
      expect(Object.keys(answer.content ?? {})).toEqual([type])
      expect(answer.content?.[type]?.schema).toBeDefined()
      if (!status.startsWith('2'))
        expect(answer.content?.[type]?.schema).toEqual({ $ref: '#/components/schemas/Problem' })
    }
    expect(Object.keys(operation.responses)).toContain('500')
  })

  it.each(operations)('$name: says what it takes', ({ path, operation }) => {
    expect(operation.summary).toBeTruthy()
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path')
    expect(declared.map(({ name }) => name)).toEqual(inPath)
    for (const parameter of operation.parameters ?? []) expect(parameter.schema).toBeDefined()
    for (const content of Object.values(operation.requestBody?.content ?? {}))
      expect(content.schema).toBeDefined()
    if (operation.requestBody !== undefined)
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['413', '415']))
  })

  it.each(operations.filter(({ path }) => path !== '/v1/health'))(
    '$name: wants a key',
    async ({ name, operation }) => {
      expect(operation.security).toEqual([{ apiKey: [] }, { apiKeyHeader: [] }])
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403']))
      const answer = await ask(undefined, name.replaceAll(/\{(\w+)\}/g, 'x'))
      expect(answer).toMatchObject({ status: 401, type: 'application/problem+json' })
    },
  )
})
