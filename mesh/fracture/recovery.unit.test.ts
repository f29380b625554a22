import { describe, expect, it } from 'vitest'
import { element, loadedWith, meshFrom, node, servers, tokens } from '../../test/meshes.ts'
import type { Law, Mesh } from '../model.ts'
import { fracture } from './analyse.ts'

const queues = ['a', 'b'].map((id) => node('queue', id, { maxReceiveCount: 20 }))
const recoveryIn = (mesh: Mesh, arrivals: Record<string, number>, service: Record<string, number>) => {
  const { removals } = fracture(loadedWith(mesh, arrivals, service), { outage: 600 })
  return (at: string) => removals.find((one) => one.at === at)?.recovery.seconds
}

describe('what waited is made up for out of what is left of the servers', () => {
  it('of a function that others ask, too: λᵢW/(μ - λ)', () => {
    const mesh = meshFrom(
      [...queues, node('function', 'f', {}, [servers(3)])],
      [element('poll', 'a', 'f'), element('poll', 'b', 'f')],
    )
    const seconds = recoveryIn(mesh, { a: 20, b: 7 }, { f: 0.1 })
    expect(seconds('poll:a>f')).toBeCloseTo((600 * 20) / (30 - 27), 6)
    expect(seconds('poll:b>f')).toBeCloseTo((600 * 7) / (30 - 27), 6)
    expect(seconds('f')).toBeCloseTo((600 * 27) / (30 - 27), 6)
  })

  it.each([1, 3])('of who sends to it %d of each, too: what failed is handled again', (ratio) => {
    const mesh = meshFrom(
      [...queues, node('function', 'f', {}, [servers(3)]), node('queue', 'next')],
      [element('poll', 'a', 'f'), element('poll', 'b', 'f'), element('call', 'f', 'next', { ratio })],
    )
    const seconds = recoveryIn(mesh, { a: 20, b: 7 }, { f: 0.1 })
    expect(seconds('next')).toBeCloseTo((600 * 27) / (30 - 27), 6)
    expect(seconds('call:f>next')).toBeCloseTo((600 * 27) / (30 - 27), 6)
  })

  it('of an account, by the time that each needs of it', () => {
    const account: Law[] = [servers(10, 'wait', 'account')]
    const mesh = meshFrom(
      [...queues, node('function', 'f', {}, account), node('function', 'g', {}, account)],
      [element('poll', 'a', 'f'), element('poll', 'b', 'g')],
    )
    const seconds = recoveryIn(mesh, { a: 20, b: 2 }, { f: 0.1, g: 3 })
    expect(seconds('f')).toBeCloseTo((600 * 2) / (10 - 8), 6)
    expect(seconds('g')).toBeCloseTo((600 * 6) / (10 - 8), 6)
  })

  it('of requests that are shared nothing where nobody waits for them', () => {
    const requests = [{ ...tokens(100, 100, 'refuse', 'synchronous requests'), shared: 'account' }]
    const mesh = meshFrom(
      [
        ...[node('bus', 'a'), node('rule', 'r'), node('api', 'b')],
        ...['pushed', 'called'].map((id) => node('function', id, {}, requests)),
      ],
      [element('delivery', 'a', 'r'), element('delivery', 'r', 'pushed'), element('invoke', 'b', 'called')],
    )
    const { removals } = fracture(loadedWith(mesh, { a: 90, b: 90 }, { pushed: 0.1, called: 0.1 }))
    expect(removals.find(({ at }) => at === 'pushed')?.recovery).toMatchObject({ seconds: 0 })
  })

  it('of an account nothing by what has all that it needs for it alone', () => {
    const account: Law[] = [servers(10, 'wait', 'account')]
    const mesh = meshFrom(
      [...queues, node('function', 'f', { provisioned: 8 }, account), node('function', 'g', {}, account)],
      [element('poll', 'a', 'f'), element('poll', 'b', 'g')],
    )
    const seconds = recoveryIn(mesh, { a: 80, b: 80 }, { f: 0.1, g: 0.1 })
    expect(seconds('f')).toBe(0)
    expect(seconds('g')).toBeCloseTo((600 * 8) / (10 - 8), 6)
  })

  it('of what only one of them is polled with, by that', () => {
    const mesh = meshFrom(
      [...queues, node('function', 'f', {}, [servers(30)])],
      [element('poll', 'a', 'f'), element('poll', 'b', 'f', { laws: [servers(1)] })],
    )
    const seconds = recoveryIn(mesh, { a: 20, b: 7 }, { f: 0.1 })
    expect(seconds('poll:a>f')).toBeCloseTo((600 * 20) / (300 - 27), 6)
    expect(seconds('poll:b>f')).toBeCloseTo((600 * 7) / (10 - 7), 6)
    expect(seconds('f')).toBeCloseTo((600 * 7) / (10 - 7), 6)
  })

  it('of a table that is only used, all that it does', () => {
    const table = node('table', 't', {}, [
      { law: 'tokens', rate: 30, burst: 0, unit: 'reads', over: 'refuse', from: 'template' },
    ])
    const mesh = meshFrom(
      [...queues, node('function', 'f', {}, [servers(30)]), node('function', 'g', {}, [servers(30)]), table],
      [
        element('poll', 'a', 'f'),
        element('poll', 'b', 'g'),
        ...['f', 'g'].map((from) => element('call', from, 't', { carries: false })),
      ],
    )
    expect(recoveryIn(mesh, { a: 20, b: 7 }, { f: 0.1, g: 0.1 })('t')).toBeCloseTo((600 * 27) / (30 - 27), 6)
  })
})

it('of calls in calls, however many there are', () => {
  const names = Array.from({ length: 6000 }, (_, place) => `f${place}`)
  const mesh = meshFrom(
    [node('queue', 'q'), ...names.map((name) => node('function', name, {}, [servers(1000)]))],
    [
      element('poll', 'q', 'f0'),
      ...names.slice(1).map((name, before) => element('invoke', `f${before}`, name)),
    ],
  )
  const { removals } = fracture(loadedWith(mesh, { q: 1 }, {}), {})
  expect(removals).toHaveLength(2 * names.length + 1)
})
