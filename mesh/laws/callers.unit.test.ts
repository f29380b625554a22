import { expect, it } from 'vitest'
import { element, loadedWith, meshFrom, node, tokens } from '../../test/meshes.ts'
import { limitsOf } from '../dynamic/limits.ts'
import type { MeshElement, MeshNode } from '../model.ts'
import { analyseStatic } from '../static/analyse.ts'
import { ratesOf } from '../static/rates.ts'

const law = { ...tokens(10, 10, 'refuse', 'PutEvents'), shared: 'eventbridge-put-events/region' }

/** Twenty a second come to what leads to a bus that takes ten PutEvents a second. */
const loaded = (door: MeshNode, toBus: MeshElement, more: MeshNode[] = [], ways: MeshElement[] = []) =>
  loadedWith(
    meshFrom(
      [door, ...more, node('bus', 'bus', {}, [law]), node('function', 'last')],
      [...ways, toBus, element('delivery', 'bus', 'last')],
    ),
    { door: 20 },
    {},
  )

it.each<[string, ReturnType<typeof loaded>, number]>([
  ['of a bucket', loaded(node('bucket', 'door'), element('delivery', 'door', 'bus')), 0],
  ['of a machine', loaded(node('workflow', 'door'), element('call', 'door', 'bus')), 0],
  [
    'that somebody says a machine sends',
    loaded(node('workflow', 'door'), element('call', 'door', 'bus', { provenance: 'declared' })),
    20,
  ],
  ['of code', loaded(node('function', 'door'), element('call', 'door', 'bus')), 20],
  [
    'of a rule of another bus',
    loaded(
      node('bus', 'door'),
      element('delivery', 'rule', 'bus'),
      [node('rule', 'rule')],
      [element('delivery', 'door', 'rule')],
    ),
    20,
  ],
])('PutEvents are those of the account, not what AWS says by itself: %s', (_, mesh, demand) => {
  const { stresses, paths } = analyseStatic(mesh)
  expect(stresses.find(({ unit }) => unit === 'PutEvents')?.demand).toBe(demand)
  expect(limitsOf(mesh, ratesOf(mesh)).limits).toHaveLength(demand === 0 ? 0 : 1)
  expect(paths[0]?.refused).toBeCloseTo(demand === 0 ? 0 : 0.5, 9)
})
