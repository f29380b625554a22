import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { inMemoryStacks } from '../../adapters/in-memory/stacks.ts'
import { ratesFile } from '../../cli/mesh/rates-file.ts'
import { deployedMesh } from '../../core/mesh/deployed.ts'
import { eventTypes } from '../../events/catalogue.ts'
import { type Route, typeName } from '../../events/route.ts'
import { producers, routes } from '../../events/routes.ts'
import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../../mesh/assembly/read/read.ts'
import { acceptedOf, settled } from '../../mesh/comprehensive/accepted.ts'
import { findingsOf } from '../../mesh/findings/findings.ts'
import { load } from '../../mesh/load.ts'
import { parseLoads } from '../../mesh/loads.ts'
import { type Mesh, type MeshElement, meshDocument } from '../../mesh/model.ts'
import { ratesOf } from '../../mesh/static/rates.ts'
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
})

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
  const implied = ['relay -> bucket', 'sweep -> bucket', 'validate-mesh -> bucket']
  const permitted = [...waysOf(undeclared('prod'), ['inferred', 'template']), ...implied].toSorted()
  expect(waysOf(meshAt('prod'), ['declared'])).toEqual(permitted)
  expect(waysOf(meshAt('prod'), ['inferred'])).toEqual([])
})

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

it('understands what `loadpath mesh rates` writes, which says all that the templates leave open of events', () => {
  const mesh = meshAt('prod')
  const names = mesh.nodes.flatMap(({ kind, name }) => (kind === 'function' ? [name] : []))
  const arrived = [
    ...['github.push', 'deployment.failed', 'test.completed'].map((type) => ({
      door: 'http',
      type,
      count: 100,
    })),
    { door: 'bus', type: 'deployment.failed', count: 10 },
    { door: 'emit', type: 'repository.analyzed', count: 70 },
    { door: 'emit', type: 'quality-gate.evaluated', count: 60 },
    { door: 'states', type: 'workflow.started', count: 60 },
    { door: 'states', type: 'workflow.succeeded', count: 60 },
    { door: 'outbox', type: 'build.status-changed', count: 20 },
    { door: 'outbox', type: 'repository.updated', count: 30 },
  ]
  const sent = arrived.flatMap(({ door, type, count }) =>
    routed
      .filter(({ types }) => types.some((taken) => typeName(taken) === type))
      .map(({ subscriber, when }) => ({
        ...{ door, type, subscriber },
        count: when?.some((condition) => condition.type === type) ? count / 2 : count,
      })),
  )
  const handled = sent.map(({ subscriber, type, count }) => ({
    ...{ subscriber, type, count, attempts: count + 1, failed: 1 },
  }))
  const by = (name: string, per: string, door: string, type: string, count: number) => ({
    ...{ by: name, per, door, type, count },
  })
  const emitted = [
    by('analyze-push', 'github.push', 'emit', 'repository.analyzed', 70),
    by('test-and-validate', 'github.push', 'emit', 'quality-gate.evaluated', 60),
    by('track-build', 'test.completed', 'outbox', 'build.status-changed', 20),
  ]
  const time = { mean: 10, scv: 1, batch: 2, count: 100 }
  const text = ratesFile({
    window: { since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T00:01:40.000Z' },
    ...{ events: 550, left: 0, routes, producers },
    measured: { arrived, sent, handled, emitted },
    times: { of: new Map(names.map((name) => [name, time])), from: 'a test', notes: [] },
  })
  expect(text).toContain('# Measured from 2026-01-01T00:00:00.000Z to 2026-01-01T00:01:40.000Z: 550 events')
  const loaded = load(mesh, parseLoads('rates.yaml', parse(text), mesh))
  const { rates, complete } = ratesOf(loaded)
  const at = (name: string, type: string) =>
    loaded.states.flatMap((state, index) =>
      state.node.name === name && state.type === type && !state.asked
        ? [[rates[index], complete[index]]]
        : [],
    )
  expect(at('ingest', 'github.push')).toEqual([[1, true]])
  expect(at('analyze-push', 'github.push')).toEqual([[0.5, true]])
  expect(at('notify', 'deployment.failed')).toEqual([[1.1, true]])
  expect(at('record', 'repository.analyzed')[0]).toEqual([expect.closeTo(0.7, 3), true])
  expect(at('relay', 'repository.updated')).toEqual([[0.3, true]])
  expect(at('publish', 'build.status-changed')[0]).toEqual([expect.closeTo(0.2, 3), true])
  const events = new Set(eventTypes.map(({ type }) => type))
  const carriers = ['queue', 'bus', 'topic', 'workflow']
  const open = loaded.states.flatMap(({ node, type, asked }, index) =>
    !complete[index] && !asked && events.has(type) && carriers.includes(node.kind)
      ? [`${node.name} ${type}`]
      : [],
  )
  expect(open).toEqual([])
})

it.each(['dev', 'prod'])(
  'of %s nothing is found that nobody has decided on, under infra/mesh.yaml',
  (stage) => {
    const mesh = meshAt(stage)
    const file = parse(readFileSync(join(import.meta.dirname, '../../infra/mesh.yaml'), 'utf8'))
    const loaded = load(mesh, parseLoads('infra/mesh.yaml', file, mesh))
    const { findings, needless } = settled(findingsOf(loaded), acceptedOf(loaded))
    expect(findings.map(({ rule, name }) => `${rule} ${name}`)).toEqual([])
    expect(needless).toEqual([])
  },
  60_000,
)

it('is the same when it is made again', () => {
  expect(JSON.stringify(made('local'))).toBe(JSON.stringify(meshAt('local')))
})

it('is the same when it is read from the templates that are deployed', async () => {
  // the CDK's command line writes construct paths into them
  const context = { stage: 'prod', 'aws:cdk:enable-path-metadata': 'true' }
  const stacks = inMemoryStacks()
  const names = ['Loadpath-prod-State', 'Loadpath-prod-App']
  const synthesized = assembled(context, (folder) => {
    for (const name of names)
      stacks.deploy(name, JSON.parse(readFileSync(join(folder, `${name}.template.json`), 'utf8')))
    return meshOf(readAssembly(folder))
  })
  const bare = ({ nodes, elements, watched, unknown, unresolved }: Mesh) => ({
    // limits are those of the region, which a template by itself does not know
    nodes: nodes.map(({ source, laws, ...node }) => node),
    elements: elements.map(({ laws, ...element }) => element),
    ...{ watched, unknown, unresolved },
  })
  const deployed = await deployedMesh(names, 'eu-central-1', stacks)
  // what is of AWS's own in a region has the region's name
  const elsewhere = JSON.parse(JSON.stringify(bare(deployed)).replaceAll('.eu-central-1', ''))
  expect(elsewhere).toEqual(JSON.parse(JSON.stringify(bare(synthesized))))
  expect(deployed.stacks.map(({ region }) => region)).toEqual(['eu-central-1', 'eu-central-1'])
})
