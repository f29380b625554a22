import { expect, it } from 'vitest'
import { element, loadedWith, meshFrom, node } from '../../test/meshes.ts'
import { fracture } from './analyse.ts'

it('a pipe needs what it asks before it hands on, and what that reads', () => {
  const mesh = meshFrom(
    [
      node('queue', 'source'),
      node('pipe', 'pipe', { enrichment: 'enrich' }),
      node('function', 'enrich'),
      node('table', 'table'),
      node('queue', 'end'),
      node('bus', 'others'),
    ],
    [
      element('poll', 'source', 'pipe'),
      element('invoke', 'pipe', 'enrich'),
      element('call', 'enrich', 'table', { carries: false }),
      element('call', 'pipe', 'end'),
      element('delivery', 'others', 'enrich'),
    ],
  )
  const availability = { queue: 1, bus: 1, pipe: 1, function: 0.9, table: 0.8 }
  const { flows, removals } = fracture(loadedWith(mesh, { source: 1, others: 1 }, {}), { availability })
  const [others, source] = flows
  expect(source?.sinks.map(({ nodes }) => nodes)).toEqual([['end'], ['enrich']])
  const end = source?.sinks.find(({ nodes }) => nodes[0] === 'end')
  expect(end?.points).toEqual(['end', 'enrich', 'pipe', 'table', 'source'])
  expect(end?.now).toBeCloseTo(0.9 * 0.8, 12)
  for (const at of ['enrich', 'table', 'invoke:pipe>enrich'])
    expect(
      removals.find((one) => one.at === at)?.losses.find(({ door }) => door === 'source'),
      at,
    ).toMatchObject({ lost: 2, of: 2, share: 1 })
  // what comes to the function by another way goes nowhere from there
  expect(others?.sinks.map(({ nodes }) => nodes)).toEqual([['enrich']])
})
