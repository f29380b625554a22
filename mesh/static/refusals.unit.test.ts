import fc from 'fast-check'
import { expect, it } from 'vitest'
import { element, loadedWith, meshFrom, node, queueNode, tokens } from '../../test/meshes.ts'
import { attemptsOf, type Capacity, refused } from '../nonlinear/failing.ts'
import { analyseStatic } from './analyse.ts'

const bucket = (rate: number): Capacity => ({
  servers: Number.POSITIVE_INFINITY,
  over: 'wait',
  mean: null,
  scv: 1,
  tokens: rate,
  tokensOver: 'refuse',
})

it('attempts make no tokens: what is refused at the first of n is the fixed point of attempts and refusals', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1.1, max: 20, noNaN: true }),
      fc.integer({ min: 1, max: 6 }),
      (times, attempts) => {
        const retry = { attempts, interval: 1, backoff: 1, jitter: false, from: 'template' }
        const mesh = meshFrom(
          [queueNode('door'), node('workflow', 'machine', {}, [tokens(10, 0)])],
          [element('delivery', 'door', 'machine', { kept: false, retry })],
        )
        const { paths } = analyseStatic(loadedWith(mesh, { door: 10 * times }, {}))
        const { refused: q = 0, lost = 0 } = paths[0] ?? {}
        expect(lost).toBeCloseTo(1 - 1 / times, 9)
        const policy = { attempts, budget: Number.POSITIVE_INFINITY, breaker: 2 }
        expect(refused(bucket(10), 10 * times * attemptsOf(policy, q))).toBeCloseTo(q, 6)
      },
    ),
  )
})

it('what is polled waits, until it was received too often, and nothing is refused below the rate', () => {
  const mesh = (rate: number) =>
    meshFrom(
      [queueNode('door'), node('function', 'worker', {}, [tokens(rate, 0)])],
      [element('poll', 'door', 'worker')],
    )
  expect(analyseStatic(loadedWith(mesh(5), { door: 10 }, {})).paths).toMatchObject([
    { refused: 0, lost: 0.5 },
  ])
  expect(analyseStatic(loadedWith(mesh(20), { door: 10 }, {})).paths).toMatchObject([{ refused: 0, lost: 0 }])
  const called = meshFrom(
    [node('api', 'door'), node('bus', 'bus', {}, [tokens(10, 0)])],
    [element('call', 'door', 'bus')],
  )
  expect(analyseStatic(loadedWith(called, { door: 10 }, {})).paths).toMatchObject([{ refused: 0, lost: 0 }])
})
