import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { element, meshFrom, node, servers, tokens } from '../../test/meshes.ts'
import { load } from '../load.ts'
import { parseLoads } from '../loads.ts'
import type { Mesh } from '../model.ts'
import { analyseStatic } from './analyse.ts'

const analyse = (mesh: Mesh, loads: object) =>
  analyseStatic(load(mesh, parseLoads('rates.yaml', { version: 1, ...loads }, mesh)))

/** api → front → queue → worker, and the worker emits what comes back to the queue by half. */
const line = (worker = servers(100)) =>
  meshFrom(
    [
      node('api', 'door'),
      node('function', 'front', {}, [servers(1000, 'refuse')]),
      node('queue', 'work'),
      node('function', 'worker', {}, [worker]),
    ],
    [
      element('invoke', 'door', 'front'),
      element('call', 'front', 'work'),
      element('poll', 'work', 'worker', { laws: [{ law: 'latency', p50: 0.016, p99: 0.105, from: 'sqs' }] }),
    ],
  )

describe('demand', () => {
  it.each([
    [100, 0.5, 50],
    [10, 3, 30],
  ])('%d a second of %d s keep %d busy', (rate, mean, busy) => {
    const { stresses } = analyse(line(), {
      arrivals: { door: { order: rate } },
      service: { worker: { mean } },
    })
    const stress = stresses.find(({ at }) => at === 'worker')
    expect(stress).toMatchObject({ limit: 100, complete: true })
    expect(stress?.demand).toBeCloseTo(busy, 9)
  })

  it('what fails comes again, up to what the queue allows', () => {
    const { stresses } = analyse(line(), {
      arrivals: { door: { order: 10 } },
      service: { worker: { mean: 1 } },
      failures: { worker: 0.5 },
    })
    expect(stresses.find(({ at }) => at === 'worker')?.demand).toBeCloseTo((10 * (1 - 0.5 ** 5)) / 0.5, 9)
  })

  it('is tried as often as the way says that it came by, and what is switched off counts for none', () => {
    const sources = (enabled: boolean) =>
      meshFrom(
        [
          node('queue', 'a', { maxReceiveCount: 2 }),
          node('queue', 'b', { maxReceiveCount: 100 }),
          node('function', 'f', {}, [servers(100)]),
        ],
        [element('poll', 'a', 'f'), element('poll', 'b', 'f', { enabled })],
      )
    const busy = (enabled: boolean, arrivals: object) =>
      analyse(sources(enabled), {
        arrivals,
        service: { f: { mean: 1 } },
        failures: { f: 0.9 },
      }).stresses.find(({ at }) => at === 'f')?.demand
    expect(busy(false, { a: { x: 1 }, b: { y: 2 } })).toBeCloseTo(1.9, 9)
    const hundred = (1 - 0.9 ** 100) / 0.1
    expect(busy(true, { a: { x: 1 }, b: { y: 2 } })).toBeCloseTo(1.9 + 2 * hundred, 9)
    // who calls from outside is not known to try again
    expect(busy(true, { a: { x: 1 }, f: { z: 3 } })).toBeCloseTo(1.9 + 3, 9)
  })

  it('what was measured is tried as what leads there, and the rest as the way that nobody knows', () => {
    const measured = (ratio: number | null) =>
      analyse(
        meshFrom(
          [
            node('api', 'door'),
            node('queue', 'a', { maxReceiveCount: 2 }),
            node('function', 'f', {}, [servers(100)]),
          ],
          [element('call', 'door', 'a', { ratio }), element('poll', 'a', 'f')],
        ),
        {
          arrivals: { door: { x: 4 } },
          measured: { f: { x: 2 } },
          service: { f: { mean: 1 } },
          failures: { f: 0.5 },
        },
      ).stresses.find(({ at }) => at === 'f')?.demand
    expect(measured(1)).toBeCloseTo(2 * 1.5, 9)
    expect(measured(null)).toBeCloseTo(2 * 1.5, 9)
  })

  it('batches are requests of several', () => {
    const { stresses } = analyse(line(tokens(10, 10)), {
      arrivals: { door: { order: 10 } },
      service: { worker: { mean: 0.1, batch: 5 } },
    })
    expect(stresses.find(({ at }) => at === 'worker')?.utilisation).toBeCloseTo(0.2, 9)
  })

  it('a limit that is shared is asked by all that share it', () => {
    const mesh = meshFrom(
      ['a', 'b'].flatMap((name) => [
        node('queue', `${name}-queue`),
        node('function', name, {}, [servers(10, 'wait', 'account')]),
      ]),
      ['a', 'b'].map((name) => element('poll', `${name}-queue`, name)),
    )
    const { stresses, safety } = analyse(mesh, {
      arrivals: { 'a-queue': { x: 1 }, 'b-queue': { y: 2 } },
      service: { a: { mean: 1 }, b: { mean: 2 } },
    })
    expect(stresses).toMatchObject([{ at: 'account', demand: 5, limit: 10 }])
    expect(safety).toMatchObject({ factor: 2, at: 'account' })
  })
})

describe('what is not known', () => {
  it('a time that nobody has said is listed, not guessed', () => {
    const { unavailable, safety } = analyse(line(), { arrivals: { door: { order: 1 } } })
    expect(unavailable.map(({ at }) => at)).toEqual(['front', 'worker'])
    expect(safety).toBeNull()
  })

  it('behind a ratio that nobody has said, rates are the least that they can be', () => {
    const mesh = line()
    const unsaid = {
      ...mesh,
      elements: mesh.elements.map((e) => (e.kind === 'call' ? { ...e, ratio: null } : e)),
    }
    const { rates } = analyse(unsaid, { arrivals: { door: { order: 7 } } })
    expect(rates.find(({ node: at }) => at === 'front')).toMatchObject({ rate: 7, complete: true })
    expect(rates.find(({ node: at }) => at === 'worker')).toMatchObject({ rate: 0, complete: false })
  })

  it('a measured rate makes it known again, and tells what is unexplained', () => {
    const mesh = line()
    const unsaid = {
      ...mesh,
      elements: mesh.elements.map((e) => (e.kind === 'call' ? { ...e, ratio: null } : e)),
    }
    const { rates, unexplained } = analyse(unsaid, {
      arrivals: { door: { order: 7 } },
      measured: { work: { order: 12 } },
    })
    expect(rates.find(({ node: at }) => at === 'worker')).toMatchObject({ rate: 12, complete: true })
    expect(unexplained).toEqual([{ node: 'work', type: 'order', rate: 12 }])
  })

  it('a loop that grows has a gain and no rates; what it does not lead to has', () => {
    const mesh = line()
    const looping = {
      ...mesh,
      elements: [...mesh.elements, element('call', 'worker', 'work', { ratio: 1.25 })],
    }
    const { loops, rates } = analyse(looping, { arrivals: { door: { order: 1 } } })
    expect(loops).toMatchObject([{ gain: Math.sqrt(1.25) }])
    expect(loops[0]?.nodes.toSorted()).toEqual(['work', 'worker'])
    expect(rates.map(({ node: at, rate, complete }) => [at, rate, complete]).toSorted()).toEqual([
      ['door', 1, true],
      ['front', 1, true],
      ['work', 0, false],
      ['worker', 0, false],
    ])
  })
})

describe('laws that hold for every load', () => {
  const loads = fc.record({
    rate: fc.double({ min: 0.01, max: 100, noNaN: true }),
    mean: fc.double({ min: 0.001, max: 2, noNaN: true }),
    factor: fc.double({ min: 0.1, max: 10, noNaN: true }),
  })
  const at = (rate: number, mean: number, limit = 100) =>
    analyse(line(servers(limit)), {
      arrivals: { door: { order: rate } },
      service: { worker: { mean }, front: { mean } },
    })

  it('rates grow with the load, and the factor of safety falls by as much', () => {
    fc.assert(
      fc.property(loads, ({ rate, mean, factor }) => {
        const [one, more] = [at(rate, mean), at(rate * factor, mean)]
        one.rates.forEach((state, i) => {
          expect(more.rates[i]?.rate).toBeCloseTo(state.rate * factor, 6)
        })
        expect(more.safety?.factor).toBeCloseTo((one.safety?.factor ?? 0) / factor, 6)
      }),
    )
  })

  it('more capacity never lowers the factor of safety', () => {
    fc.assert(
      fc.property(loads, fc.integer({ min: 1, max: 100 }), ({ rate, mean }, extra) => {
        expect(at(rate, mean, 100 + extra).safety?.factor).toBeGreaterThanOrEqual(
          at(rate, mean).safety?.factor ?? 0,
        )
      }),
    )
  })
})

describe('paths', () => {
  it('go from the door to the last handler, with their delay', () => {
    const { paths } = analyse(line(), {
      arrivals: { door: { order: 1 } },
      service: { front: { mean: 0.01 }, worker: { mean: 0.2 } },
    })
    expect(paths).toHaveLength(1)
    expect(paths[0]?.nodes).toEqual(['door', 'front', 'work', 'worker'])
    expect(paths[0]?.delay?.mean).toBeGreaterThan(0.226)
    expect(paths[0]?.delay?.p99).toBeGreaterThan(paths[0]?.delay?.p50 ?? 0)
  })
})
