import { beforeAll, expect, it } from 'vitest'
import { routes } from '../../events/routes.ts'
import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../../mesh/assembly/read/read.ts'
import { type Mesh, meshDocument } from '../../mesh/model.ts'
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

it.each(routes.map(({ subscriber }) => subscriber))(
  '%s is reached from its queue, which the recorder may fill',
  (subscriber) => {
    const { nodes, elements } = meshAt('prod')
    const node = (name: string) => nodes.find((other) => other.name === name)
    const queue = node(`${subscriber}-queue`) ?? node(`${subscriber}-ordered-queue`)
    const recorder = node('record')
    expect(elements.some(({ kind, from }) => kind === 'poll' && from === queue?.id)).toBe(true)
    expect(
      elements.find(({ kind, from, to }) => kind === 'call' && from === recorder?.id && to === queue?.id),
    ).toMatchObject({
      ...{ action: 'sqs:SendMessage', carries: true, provenance: 'inferred', ratio: null },
    })
  },
)

it('is the same when it is made again', () => {
  expect(JSON.stringify(made('local'))).toBe(JSON.stringify(meshAt('local')))
}, 60_000)
