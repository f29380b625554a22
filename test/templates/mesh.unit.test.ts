import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { type Route, typeName } from '../../events/route.ts'
import { routes } from '../../events/routes.ts'
import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../../mesh/assembly/read/read.ts'
import { type Mesh, type MeshElement, meshDocument } from '../../mesh/model.ts'
import { assembled } from './synthesize.ts'

const made = (stage: string): Mesh => assembled({ stage }, (folder) => meshOf(readAssembly(folder)))
const meshes = new Map<string, Mesh>()
const meshAt = (stage: string): Mesh => {
  const mesh = meshes.get(stage) ?? made(stage)
  meshes.set(stage, mesh)
  return mesh
}

beforeAll(() => {
  for (const stage of ['local', 'prod']) meshAt(stage)
}, 120_000)

const counted = (values: readonly string[]) =>
  Object.fromEntries(
    [...Map.groupBy(values, (value) => value)].toSorted().map(([value, all]) => [value, all.length]),
  )

it.each(['local', 'prod'])('of %s everything is known and every reference followed', (stage) => {
  const { unknown, unresolved } = meshDocument.parse(meshAt(stage))
  expect({ unknown, unresolved }).toEqual({ unknown: [], unresolved: [] })
})

it('has the nodes and the elements that the templates say', async () => {
  const { nodes, elements } = meshAt('prod')
  const names = new Map(nodes.map(({ id, name }) => [id, name]))
  const template = elements.filter(({ provenance }) => provenance === 'template')
  const summary = {
    nodes: counted(nodes.map(({ kind }) => kind)),
    elements: counted(elements.map(({ kind, provenance }) => `${kind}, ${provenance}`)),
    template: template.map(({ kind, from, to }) => `${kind}: ${names.get(from)} -> ${names.get(to)}`),
  }
  await expect(`${JSON.stringify(summary, null, 2)}\n`).toMatchFileSnapshot('meshes/prod.json')
})

const routed: readonly Route[] = routes

it.each(routed.map((route) => [route.subscriber, route] as const))(
  '%s is reached from its queue, which the gate fills with each of its types',
  (subscriber, { types }) => {
    const { nodes, elements } = meshAt('prod')
    const node = (name: string) => nodes.find((other) => other.name === name)
    const queue = node(`${subscriber}-queue`) ?? node(`${subscriber}-ordered-queue`)
    const gates = ['record', 'ingest', 'relay'].map((name) => node(name)?.id)
    expect(elements.some(({ kind, from }) => kind === 'poll' && from === queue?.id)).toBe(true)
    const filled = elements.flatMap((element) =>
      element.kind === 'call' && element.to === queue?.id && gates.includes(element.from)
        ? (element.types ?? [])
        : [],
    )
    expect([...new Set(filled)].toSorted()).toEqual(types.map(typeName).toSorted())
  },
)

/** The same templates without what they say of themselves. */
const undeclared = (stage: string): Mesh =>
  assembled({ stage }, (folder) => {
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.template.json'))) {
      const template = JSON.parse(readFileSync(join(folder, name), 'utf8'))
      for (const { Metadata } of Object.values<{ Metadata?: Record<string, unknown> }>(template.Resources))
        delete Metadata?.mesh
      writeFileSync(join(folder, name), JSON.stringify(template))
    }
    return meshOf(readAssembly(folder))
  })

/** Who hands something on to whom, but for what goes to the default bus, which no permission says. */
function waysOf({ nodes, elements }: Mesh, provenances: readonly MeshElement['provenance'][]): string[] {
  const named = new Map(nodes.map((node) => [node.id, node]))
  const nameOf = (id: string) => {
    const node = named.get(id)
    return (node?.kind === 'task' ? named.get(node.settings.workflow) : node)?.name
  }
  const ways = elements.flatMap((element) =>
    element.kind === 'call' &&
    element.carries &&
    provenances.includes(element.provenance) &&
    !element.to.startsWith('external/')
      ? [`${nameOf(element.from)} -> ${nameOf(element.to)}`]
      : [],
  )
  return [...new Set(ways)].toSorted()
}

it('declares what permissions allow to send, and nothing else', () => {
  // large bodies go where what a poll gives up goes: of these permissions the mesh takes one for the other
  const implied = ['relay -> bucket', 'sweep -> bucket']
  const permitted = [...waysOf(undeclared('prod'), ['inferred', 'template']), ...implied].toSorted()
  expect(waysOf(meshAt('prod'), ['declared'])).toEqual(permitted)
  expect(waysOf(meshAt('prod'), ['inferred'])).toEqual([])
}, 60_000)

it('says what mends and steers apart from what carries events: nothing is sent there but after a failure', () => {
  const { nodes, elements } = meshAt('prod')
  const nameOf = (id: string) => nodes.find((node) => node.id === id)?.name
  const quiet = Map.groupBy(
    elements.flatMap((element) => (element.kind === 'call' && element.ratio === 0 ? [element] : [])),
    ({ from }) => nameOf(from) ?? '',
  )
  const shown = [...quiet].map(([from, all]) => [from, all.map(({ to }) => nameOf(to)).toSorted()] as const)
  const queues = routed.map(({ subscriber, ordered }) => `${subscriber}${ordered ? '-ordered' : ''}-queue`)
  const all = [...queues, 'bucket', 'history-table'].toSorted()
  const of = Object.fromEntries(shown)
  for (const name of ['api', 'sweep', 'dead-letter', 'redrive-batch', 'replay-batch'])
    expect([name, of[name]]).toEqual([name, all])
  expect(of.ingest).toContain('record-queue')
  expect(of.notify).toEqual(['bucket', 'ephemeral-table', 'memory-table', 'record-queue'])
  expect(of['track-build']).toEqual(['bucket', 'ephemeral-table', 'record-queue'])
})

it('is the same when it is made again', () => {
  expect(JSON.stringify(made('local'))).toBe(JSON.stringify(meshAt('local')))
}, 60_000)
