import { describe, expect, it } from 'vitest'
import {
  delivery,
  element,
  functionNode,
  loadedWith,
  meshFrom,
  node,
  queueNode,
  servers,
} from '../../test/meshes.ts'
import type { MeshNode } from '../model.ts'
import { analyseStatic } from './analyse.ts'

const times = { f: 0.2, g: 0.2 }
const failures = new Map([['f', 0.3]])

/** A queue, whose dead letters a function of their own takes. */
const mended = (queue: MeshNode, most = 10) =>
  meshFrom(
    [queue, functionNode('f'), queueNode('dead', { deadLetters: true }), functionNode('g', [servers(5)])],
    [
      element('poll', 'q', 'f', { batch: 1, laws: [servers(most, 'refuse')] }),
      element('dead-letter', 'q', 'dead'),
      element('poll', 'dead', 'g', { batch: 1 }),
    ],
  )
const rateAt = (report: ReturnType<typeof analyseStatic>, id: string) =>
  report.rates
    .filter((each) => each.node === id)
    .map(({ type, rate, complete }) => ({ type, rate, complete }))

describe('what fails for good', () => {
  it('is dead-lettered by qⁿ, of the type that it was, and handled by whoever takes it there', () => {
    const report = analyseStatic(
      loadedWith(mended(queueNode('q', { maxReceiveCount: 3 })), { q: 20 }, times, { failures }),
    )
    const letters = { type: 't', rate: expect.closeTo(20 * 0.3 ** 3, 9), complete: true }
    for (const id of ['dead', 'g']) expect(rateAt(report, id)).toEqual([letters])
    expect(report.loads.map(({ rate }) => rate)).toEqual([20, letters.rate, letters.rate])
    expect(report.stresses.find(({ at }) => at === 'g')?.demand).toBeCloseTo(20 * 0.3 ** 3 * 0.2, 9)
    expect(report.paths.map(({ nodes }) => nodes)).toEqual([['q', 'f']])
  })

  it('is not dead-lettered where it expires first', () => {
    const queue = queueNode('q', { maxReceiveCount: 3, visibility: 60, retention: 120 })
    const report = analyseStatic(loadedWith(mended(queue), { q: 20 }, times, { failures }))
    expect(rateAt(report, 'dead')).toEqual([{ type: 't', rate: 0, complete: true }])
  })

  it('is at least that where more comes than there is room for', () => {
    const report = analyseStatic(
      loadedWith(mended(queueNode('q', { maxReceiveCount: 3 }), 2), { q: 20 }, times, { failures }),
    )
    for (const id of ['dead', 'g']) expect(rateAt(report, id)).toMatchObject([{ complete: false }])
    expect(report.loads.map(({ complete }) => complete)).toEqual([true, false, false])
    expect(report.stresses.find(({ at }) => at === 'g')?.complete).toBe(false)
  })

  it('of a function that is invoked and not waited for goes where it says, to a bus as an outcome', () => {
    const mesh = meshFrom(
      [node('topic', 's'), functionNode('f'), queueNode('dead'), node('bus', 'b')],
      [
        delivery('s', 'f', 21_600, 3),
        element('dead-letter', 'f', 'dead', { of: 'async' }),
        element('dead-letter', 'f', 'b', { of: 'async' }),
        // what its own subscription keeps, a function never fails to take
        element('dead-letter', 's', 'dead', { of: 'delivery' }),
      ],
    )
    const report = analyseStatic(loadedWith(mesh, { s: 10 }, times, { failures }))
    const rate = expect.closeTo(10 * 0.3 ** 3, 9)
    expect(rateAt(report, 'dead')).toEqual([{ type: 't', rate, complete: true }])
    expect(rateAt(report, 'b')).toEqual([
      { type: 'Lambda Function Invocation Result - Failure', rate, complete: true },
    ])
  })

  it('by one of several dead letter queues of a rule, is not known', () => {
    const failing = new Map([['x', 0.5]])
    const letters = ['dead', 'other'].map((id) => element('dead-letter', 's', id, { of: 'delivery' }))
    const nodes = [node('rule', 's'), node('external', 'x'), queueNode('dead'), queueNode('other')]
    const report = analyseStatic(
      loadedWith(meshFrom(nodes, [delivery('s', 'x'), ...letters]), { s: 10 }, times, { failures: failing }),
    )
    expect(rateAt(report, 'dead')).toEqual([{ type: 't', rate: 0, complete: false }])
  })
})
