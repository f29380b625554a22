import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventTypes } from '../../events/catalogue.ts'
import type { Route } from '../../events/route.ts'
import { routes } from '../../events/routes.ts'
import { importsOf, isTest, root, sources, textOf } from './sources.ts'

/** Room -> rooms it may import from. What is not listed may import nothing of ours but itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  events: [],
  core: ['events', 'mesh'],
  adapters: ['events', 'core'],
  api: ['events', 'core', 'adapters'],
  functions: ['events', 'core', 'adapters', 'api'],
  servers: ['events', 'core', 'adapters', 'api'],
  infra: ['events', 'adapters'],
  mesh: [],
  local: ['core', 'adapters', 'cli'],
  cli: ['events', 'adapters', 'local', 'core', 'mesh'],
  docs: ['events', 'cli', 'mesh'],
}

/** The folders of core/, each importing only from those before it. core/README.md says what each is. */
const coreInOrder = [
  '.',
  'event',
  'gate',
  'lane',
  'job',
  'hold',
  'consume',
  'mend',
  'quarantine',
  'domain',
  'replay',
  'books',
  'mesh',
  'sweep',
]

/** The folders of mesh/, each importing only from those before it; the files of `onTop` of all. mesh/README.md says what each is. */
const meshInOrder = [
  '.',
  'laws',
  'linear',
  'queueing',
  'network',
  'assembly',
  'static',
  'dynamic',
  'nonlinear',
  'fracture',
  'findings',
  'comprehensive',
  'report',
]
const onTop = ['mesh/index.ts', 'mesh/schemas.ts', 'mesh/under-load.ts']

/** The folders of mesh/assembly/, each importing only from those before it; json.ts is for all, mesh-of.ts for none. */
const assemblyInOrder = ['read', 'resolve', 'draft', 'producers', 'states', 'resources']

const room = (path: string): string => path.split('/')[0] ?? ''
const folderOfCore = (path: string): string => dirname(path.slice('core/'.length))
const folderOfMesh = (path: string): string => dirname(path.slice('mesh/'.length)).split('/')[0] ?? ''
const code = sources.filter((path) => !isTest(path) && path.includes('/') && path.endsWith('.ts'))

describe('imports go one way: events <- core <- adapters <- api <- functions and servers', () => {
  it.each(code)('%s', (path) => {
    const allowed = [room(path), ...(mayImport[room(path)] ?? [])]
    const wrong = importsOf(path).filter((imported) => !allowed.includes(room(imported)))
    expect(wrong, `${room(path)} may import from ${allowed.join(', ')}`).toEqual([])
  })

  it('core has no folder that is not in its order', () => {
    const folders = new Set(code.filter((path) => room(path) === 'core').map((path) => folderOfCore(path)))
    expect([...folders].toSorted()).toEqual(coreInOrder.toSorted())
    const named = [...textOf('core/README.md').matchAll(/^\| `(.+?)\/` \|/gm)].map((match) => match[1])
    expect(named).toEqual(coreInOrder.slice(1))
  })

  it.each(code.filter((path) => room(path) === 'core'))('%s, inside core', (path) => {
    const allowed = coreInOrder.slice(0, coreInOrder.indexOf(folderOfCore(path)) + 1)
    const ofCore = importsOf(path).filter((imported) => room(imported) === 'core')
    expect(ofCore.filter((imported) => !allowed.includes(folderOfCore(imported)))).toEqual([])
  })

  it('mesh has no folder that is not in its order', () => {
    const folders = new Set(code.filter((path) => room(path) === 'mesh').map((path) => folderOfMesh(path)))
    expect([...folders].toSorted()).toEqual(meshInOrder.toSorted())
    const named = [...textOf('mesh/README.md').matchAll(/^\| `(.+?)\/` \|/gm)].map((match) => match[1])
    expect(named).toEqual(meshInOrder.slice(1))
  })

  it.each(code.filter((path) => room(path) === 'mesh' && !onTop.includes(path)))(
    '%s, inside mesh',
    (path) => {
      const allowed = meshInOrder.slice(0, meshInOrder.indexOf(folderOfMesh(path)) + 1)
      const ofMesh = importsOf(path).filter((imported) => room(imported) === 'mesh')
      expect(ofMesh.filter((imported) => !allowed.includes(folderOfMesh(imported)))).toEqual([])
      expect(ofMesh.filter((imported) => onTop.includes(imported))).toEqual([])
    },
  )

  it('mesh/assembly has no circle of folders', () => {
    const folder = (path: string) => /^mesh\/assembly\/(.+)\/[^/]+$/.exec(path)?.[1]
    const inside = code.filter((path) => folder(path) !== undefined)
    expect([...new Set(inside.map(folder))].toSorted()).toEqual(assemblyInOrder.toSorted())
    const wrong = inside.flatMap((path) => {
      const allowed = assemblyInOrder.slice(0, assemblyInOrder.indexOf(folder(path) ?? '') + 1)
      return importsOf(path)
        .filter((imported) => imported.startsWith('mesh/assembly/') && imported !== 'mesh/assembly/json.ts')
        .filter((imported) => !allowed.includes(folder(imported) ?? ''))
        .map((imported) => `${path} imports ${imported}`)
    })
    expect(wrong).toEqual([])
  })

  it('core knows no AWS SDK, no clock, no chance and no environment', () => {
    const impure = /@aws-sdk|\bDate\.now\(|new Date\(\)|Math\.random\(|process\.env|randomUUID|randomBytes/
    expect(code.filter((path) => room(path) === 'core' && impure.test(textOf(path)))).toEqual([])
  })
})

describe('the tree', () => {
  it('has no room for odds and ends: name a file after what it does', () => {
    expect(sources.filter((path) => /(^|\/)(utils?|common|helpers?|lib)(\/|\.ts$)/.test(path))).toEqual([])
  })

  it('has an entry for every subscriber, where one looks first', () => {
    const all: readonly Route[] = routes
    const entry = ({ kind, subscriber }: Route) =>
      kind === 'function' ? `functions/${subscriber}/handler.ts` : `statemachines/${subscriber}.asl.json`
    expect(all.map(entry).filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it('has each type in the file of its name', () => {
    expect(
      eventTypes.map(({ type }) => `events/${type}.ts`).filter((path) => !existsSync(join(root, path))),
    ).toEqual([])
  })

  it('keeps handlers to a page of 50 lines: rules belong into core/', () => {
    const handlers = sources.filter((path) => /^functions\/[^/]+\/handler\.ts$/.test(path))
    expect(handlers.length).toBeGreaterThan(10)
    expect(handlers.filter((path) => textOf(path).trimEnd().split('\n').length > 50)).toEqual([])
  })
})

/** `as X` says to the compiler what nobody has checked. Variance is the one thing that types cannot say otherwise. */
const allowedCasts: Readonly<Record<string, RegExp>> = {
  'adapters/lambda/consume.ts': /compose\(\) as never/,
  'core/event/admit.ts': /partitionkey\?\.\(data as never\)/,
  'core/event/outbox.ts': /partitionkey\?\.\(data as never\)/,
  'core/event/versions.ts': /upcast\(current as never\)/,
  'events/route.ts': /matches\(data as never\)/,
}

describe('parse at every edge, cast nowhere', () => {
  it.each(code)('%s', (path) => {
    const casts = textOf(path)
      .split('\n')
      .filter(
        (line) => !/^\s*(\*|\/\/|\/\*)/.test(line) && !/\b(import|export)\b|^\s+\w+ as \w+,?$/.test(line),
      )
      .filter((line) =>
        /[\w)\]}] as (?!const\b)[A-Za-z{[(]/.test(line.replaceAll(/"[^"]*"|'[^']*'|`[^`]*`/g, "''")),
      )
      .filter((line) => !allowedCasts[path]?.test(line))
    expect(casts).toEqual([])
  })
})
