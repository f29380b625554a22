import { expect, it } from 'vitest'
import { element, functionNode, meshFrom, node, queueNode, servers } from '../../test/meshes.ts'
import { load } from '../load.ts'
import { parseLoads } from '../loads.ts'
import { analyseStatic } from '../static/analyse.ts'
import { numbersOf } from './heat.ts'

it('a box is as stressed as the tightest limit of its own, of its polls, or that it shares', () => {
  const shared = servers(100, 'refuse', 'lambda-concurrency/us-east-1')
  const mesh = meshFrom(
    [
      queueNode('Q'),
      node('function', 'Polled', {}, [shared]),
      queueNode('R'),
      node('function', 'Shares', {}, [shared]),
      node('function', 'Reserved', {}, [servers(100, 'refuse')]),
      queueNode('U'),
      node('function', 'Untimed', {}, [shared]),
      functionNode('Idle'),
    ],
    [
      element('poll', 'Q', 'Polled', { batch: 1, laws: [servers(10)] }),
      element('poll', 'R', 'Shares', { batch: 1 }),
      element('poll', 'U', 'Untimed', { batch: 1 }),
    ],
  )
  const service = Object.fromEntries(['Polled', 'Shares', 'Reserved'].map((name) => [name, { mean: 1 }]))
  const arrivals = { Q: { t: 5 }, R: { t: 5 }, U: { t: 5 }, Reserved: { t: 40 } }
  const report = analyseStatic(load(mesh, parseLoads('r.yaml', { version: 1, arrivals, service }, mesh)))
  const { used } = numbersOf(report, mesh)
  const of = (id: string) => used.get(id)
  expect(['Polled', 'Shares', 'Reserved', 'Untimed', 'Idle'].map(of)).toEqual([
    ...[0.5, 0.1, 0.4, undefined, undefined],
  ])
})
