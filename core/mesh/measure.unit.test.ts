import { beforeEach, expect, it } from 'vitest'
import type { Mesh } from '../../mesh/model.ts'
import { byHttp, push } from '../../test/arrivals.ts'
import { meshFrom, node } from '../../test/meshes.ts'
import { type World, world } from '../../test/world.ts'
import { registerProject } from '../gate/access.ts'
import { ago, day, hour } from '../time.ts'
import { type MeasureDeps, measuring } from './measure.ts'

let w: World
beforeEach(() => {
  w = world()
})

/** What the rates of our app are said of. */
const names: [Parameters<typeof node>[0], string][] = [
  ['api', 'http'],
  ['bus', 'inbox'],
  ['table', 'memory-table'],
  ['queue', 'record-queue'],
  ...['test-and-validate', 'redrive', 'replay'].map((name): ['workflow', string] => [
    'workflow',
    `${name}-workflow`,
  ]),
  ...[
    ...['ingest', 'record', 'relay', 'sweep', 'redrive-batch', 'replay-batch', 'request-approval'],
    'validate-mesh',
    ...['analyze-push', 'track-build', 'resume-workflow', 'track-run', 'notify', 'publish'],
    'track-repository',
  ].flatMap((name): [Parameters<typeof node>[0], string][] => [
    ['function', name],
    ['queue', name === 'track-repository' ? `${name}-ordered-queue` : `${name}-queue`],
  ]),
  ['queue', 'test-and-validate-queue'],
]
const ours: Mesh = meshFrom(
  names.map(([kind, name]) => node(kind, name)),
  [],
)

const asked: string[][] = []
const measured = (given: Partial<MeasureDeps> = {}, mesh = ours) =>
  measuring({
    ...{ history: w.deps.history, memory: w.stores.memory, clock: w.clock, seconds: 100 },
    times: async (functions) => {
      asked.push([...functions])
      const time = { mean: 40, scv: 1, batch: 2, count: 9 }
      return { of: new Map([['ingest', time]]), from: 'a test', notes: [] }
    },
    ...given,
  })(mesh, ago(w.clock(), 7 * day))

it('is what came in over the window, of every project, and how long it took', async () => {
  await registerProject(w.stores.memory, 'other', w.clock())
  await w.record(byHttp(push('a')), byHttp(push('b')), byHttp(push('c'), { project: 'other' }))
  w.advance(3 * hour)
  await w.record(byHttp(push('d')))
  w.advance(hour / 2)
  const { loads, unknown } = await measured()
  const [http] = ours.nodes
  const rate = loads.arrivals.get(http?.id ?? '')?.get('github.push') ?? 0
  expect(rate * 7 * 86_400).toBeCloseTo(4, 2)
  expect(loads.service.get('ingest')).toEqual({ mean: 0.04, scv: 1, batch: 2 })
  expect(unknown[0]).toMatch(/^4 events of 168 hours since /)
  expect(unknown[1]).toMatch(/^nobody knows how long these take: record, relay, /)
})

it('counts what it has time for, spread over the window, and says on how much it stands', async () => {
  await w.record(byHttp(push('a')))
  w.advance(60_000)
  const start = Date.parse(w.clock())
  let reads = 0
  const history: MeasureDeps['history'] = {
    ...w.deps.history,
    pages: async (at) => {
      reads++
      w.advance(500)
      return w.deps.history.pages(at)
    },
  }
  const { loads, unknown } = await measured({ history })
  expect(Date.parse(w.clock()) - start).toBeLessThan(110_000)
  const [, hours = ''] = /^1 event of (\d+) hours/.exec(unknown[0] ?? '') ?? []
  expect(Number(hours)).toBeGreaterThan(3)
  expect(Number(hours)).toBeLessThan(50)
  expect(reads).toBeGreaterThan(20)
  const [rate] = [...loads.arrivals.values()].flatMap((types) => [...types.values()])
  expect((rate ?? 0) * Number(hours) * 3600).toBeCloseTo(1, 2)
})

it('knows no rates where nothing came, where too much did, and where what came has no place in the mesh', async () => {
  expect(await measured()).toMatchObject({ unknown: [expect.stringMatching(/^no rates: nothing came in/)] })
  await w.record(byHttp(push('a')))
  w.advance(60_000)
  const slow: MeasureDeps['history'] = {
    ...w.deps.history,
    pages: async (at) => {
      w.advance(200_000)
      return w.deps.history.pages(at)
    },
  }
  expect((await measured({ history: slow })).unknown).toEqual([
    'no rates: so much came in that not one minute of it could be read',
  ])
  const { loads, unknown } = await measured({}, meshFrom([node('queue', 'q')], []))
  expect(unknown[0]).toMatch(/^no rates: what was measured: arrivals.http: there is no node http/)
  expect(loads.arrivals.size).toBe(0)
})
