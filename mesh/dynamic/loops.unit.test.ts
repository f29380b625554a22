import { expect, it } from 'vitest'
import { functionNode, loadedWith, meshFrom, poll, queueNode, send, servers } from '../../test/meshes.ts'
import { dynamic } from './dynamic.ts'

const quick = { shape: 'step', factor: 10, runs: 1, arrivals: 500 } as const

it('tells of all else beside a loop that never fades', () => {
  const [nodes, elements] = [
    [queueNode('q'), functionNode('f'), queueNode('r'), functionNode('g', [servers(10)])],
    [poll('q', 'f'), send('f', 'q'), poll('r', 'g')],
  ]
  const report = dynamic(loadedWith(meshFrom(nodes, elements), { q: 1, r: 20 }, { f: 1, g: 0.4 }), quick)
  const alone = dynamic(loadedWith(meshFrom(nodes.slice(2), elements.slice(2)), { r: 20 }, { g: 0.4 }), quick)
  expect(alone.limits).toHaveLength(1)
  expect(report.limits).toEqual(alone.limits)
})
