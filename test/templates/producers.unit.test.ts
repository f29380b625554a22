import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, describe, expect, test } from 'vitest'
import * as catalogue from '../../events/catalogue.ts'
import type { EventType } from '../../events/event-type.ts'
import type { Route } from '../../events/route.ts'
import { producers, routes } from '../../events/routes.ts'
import { functionNames } from '../../infra/bundle.ts'

/** What each part of the code makes events of, read off its bundle: what it does not use has been shaken out of that. */
const root = join(import.meta.dirname, '..', '..')
const apiModules = readdirSync(join(root, 'api'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'app.ts')
  .filter((name) => pathsIn(name).length > 0)

let made = new Map<string, string[]>()
beforeAll(async () => {
  const entries = [
    ...apiModules.map((name) => [`api/${name}`, join(root, 'api', name)]),
    ...functionNames().map((name) => [`functions/${name}`, join(root, 'functions', name, 'handler.ts')]),
  ]
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(entries),
    outdir: 'nowhere',
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  })
  made = new Map(entries.map(([name = ''], index) => [name, typesIn(outputFiles[index]?.text ?? '')]))
})

/** A type stands in a constant of its name, `repository.updated` in `repositoryUpdated`. */
function typesIn(bundle: string): string[] {
  const constants = new Map(
    catalogue.eventTypes.map(({ type }) => [
      type.replace(/[.-](\w)/g, (_, letter: string) => letter.toUpperCase()),
      type,
    ]),
  )
  const found = [...bundle.matchAll(/\btype: (\w+?)\d*\b[,} ]/g)].flatMap(
    ([, name = '']) => constants.get(name) ?? [],
  )
  return [...new Set(found)].sort()
}

function pathsIn(name: string): string[] {
  const code = readFileSync(join(root, 'api', name), 'utf8')
  return [...code.matchAll(/method: '(post|put|delete)',\s+path: '([^']+)'/g)].map(
    ([, method = '', path = '']) => `${method.toUpperCase()} ${path}`,
  )
}

/** Commands beside those that make events, which make none. */
const quiet = ['POST /v1/rebuilds/count', 'POST /v1/replays/count']

const saidOf = (...names: readonly string[]): string[] =>
  [...new Set(names.flatMap((name) => (producers[name] ?? []).map(({ type }) => type)))].sort()
const typesOf = (types: readonly EventType[]) => types.map(({ type }) => type)
const routed: readonly Route[] = routes
const inWorkflows = routed.flatMap(({ kind, emits }) => (kind === 'workflow' ? typesOf(emits) : []))

describe('producers say what is made', () => {
  test.each(apiModules)('by the commands of api/%s', (name) => {
    const types = made.get(`api/${name}`) ?? []
    expect(saidOf(...pathsIn(name))).toEqual(types)
    const unsaid = pathsIn(name).filter((path) => producers[path] === undefined)
    if (types.length > 0) expect(unsaid.filter((path) => !quiet.includes(path))).toEqual([])
  })

  test.each(functionNames().filter((name) => name !== 'api'))('by functions/%s', (name) => {
    const route = routed.find(({ subscriber }) => subscriber === name)
    const types = made.get(`functions/${name}`) ?? []
    if (producers[`functions/${name}`]) expect(saidOf(`functions/${name}`)).toEqual(types)
    const mayMake = [
      ...saidOf(`functions/${name}`),
      ...(route ? [...typesOf(route.emits), ...saidOf('the functions of subscribers')] : inWorkflows),
      ...(name === 'start-workflow' ? saidOf('the functions of subscribers') : []),
    ]
    expect(types.filter((type) => !mayMake.includes(type))).toEqual([])
  })

  test('and name no command or function that there is not', () => {
    const known = [
      ...apiModules.flatMap(pathsIn),
      ...functionNames().map((name) => `functions/${name}`),
      'the functions of subscribers',
      'Step Functions status events',
    ]
    expect(Object.keys(producers).filter((name) => !known.includes(name))).toEqual([])
  })
})

test('they are read off the bundles at all', () => {
  expect(made.get('api/repositories.ts')).toEqual(['repository.updated'])
  expect(made.get('functions/analyze-push')).toContain('repository.analyzed')
})
