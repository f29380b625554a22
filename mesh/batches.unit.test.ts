import { describe, expect, it } from 'vitest'
import { apiNode, element, functionNode, invoke, meshFrom, queueNode, servers } from '../test/meshes.ts'
import { dynamic } from './dynamic/dynamic.ts'
import { dynamicReport } from './dynamic/report.ts'
import { load } from './load.ts'
import { parseLoads } from './loads.ts'
import { nonlinear } from './nonlinear/nonlinear.ts'
import { analyseStatic } from './static/analyse.ts'
import { demandsOf } from './static/demand.ts'
import { ratesOf } from './static/rates.ts'

/** q → f, ten messages a batch and so many batches at once. */
const loaded = (rate: number, service: object, { most = 2, window = 0 } = {}) => {
  const poll = element('poll', 'q', 'f', { laws: [servers(most)], window })
  const mesh = meshFrom([queueNode('q'), functionNode('f')], [poll])
  const given = { version: 1, arrivals: { q: { t: rate } }, service: { f: service } }
  return load(mesh, parseLoads('rates.yaml', given, mesh))
}
/** 90 ms and 10 ms for each message: full batches at two servers are 2 · 10 / 0.19 = 105.26 a second. */
const known = { mean: 0.1, each: 0.01, batch: 1 }
const full = 20 / 0.19

describe('a function of which it is known what each message takes', () => {
  it('is used by full batches, and runs as often as batches fill by themselves', () => {
    const given = loaded(50, known)
    const { stresses, safety } = analyseStatic(given)
    const [stress] = stresses
    expect(stress).toMatchObject({ unit: 'servers', limit: 2, utilisation: expect.closeTo(50 / full, 9) })
    expect(stress).not.toHaveProperty('least')
    expect(safety?.factor).toBeCloseTo(full / 50, 9)
    const demand = demandsOf(given, ratesOf(given)).ofNode('f')
    // runs of that queue say 3.2 a batch (queueing/waiting.unit.test.ts)
    expect(50 / demand.requests).toBeCloseTo(3.2, 1)
    expect(demand.busy).toBeCloseTo(demand.requests * 0.09 + 50 * 0.01, 9)
  })

  it('takes one at a time where little comes, and keeps up to the end', () => {
    const few = loaded(0.1, known)
    expect(demandsOf(few, ratesOf(few)).ofNode('f').requests).toBeCloseTo(0.1, 3)
    const [path] = analyseStatic(few).paths
    expect(path?.delay?.mean).toBeCloseTo(0.1, 2)
    expect(analyseStatic(loaded(105, known)).paths[0]?.delay).not.toBeNull()
    expect(analyseStatic(loaded(106, known)).paths[0]?.delay).toBeNull()
  })

  it('begins with what came together', () => {
    // 140 ms for five at a time are the same 90 and 10
    const given = loaded(1, { mean: 0.14, each: 0.01, batch: 5 })
    expect(demandsOf(given, ratesOf(given)).ofNode('f').requests).toBeCloseTo(0.2, 3)
  })

  it('is called with as many as it was measured with: nobody fills what a caller brings', () => {
    const mesh = meshFrom([apiNode('door'), functionNode('f')], [invoke('door', 'f')])
    const service = { f: { mean: 0.14, each: 0.01, batch: 5 } }
    const given = { version: 1, arrivals: { door: { t: 10 } }, service }
    const calls = load(mesh, parseLoads('rates.yaml', given, mesh))
    const { requests, busy, full: at } = demandsOf(calls, ratesOf(calls)).ofNode('f')
    expect({ requests, busy, at }).toEqual({
      requests: expect.closeTo(2, 9),
      busy: expect.closeTo(0.28, 9),
      at: { least: expect.closeTo(0.28, 9), most: expect.closeTo(0.28, 9) },
    })
  })

  it('waits for its window, and so has fuller batches', () => {
    // two poll: one a second each, three seconds
    const given = loaded(2, known, { window: 3 })
    expect(2 / demandsOf(given, ratesOf(given)).ofNode('f').requests).toBeCloseTo(4, 1)
    expect(analyseStatic(given).paths[0]?.delay?.mean).toBeGreaterThan(1.5)
    expect(analyseStatic(loaded(2, { mean: 0.1 }, { window: 3 })).paths[0]?.delay?.mean).toBeGreaterThan(1.5)
  })

  // 20 a second, ten a batch at most; five runs of 180,000 messages say what is to the right, within 0.6 %
  it.each([
    [5, 0.3, 0.12, 1, 1.003, 5.2],
    [5, 0.3, 0.12, 0, 0.909, 1.79],
    [10, 0.8, 0.32, 0, 3.27, 4.84],
    [10, 2.1, 0.09, 0, 3.61, 4.92],
  ])(
    'a message is in the larger batches: %d at once, %d + %d·n s, scv %d',
    (most, fixed, each, scv, mean, p99) => {
      const { paths } = analyseStatic(loaded(20, { mean: fixed + each, each, batch: 1, scv }, { most }))
      const { delay } = paths[0] ?? {}
      expect((delay?.mean ?? 0) / mean).toBeGreaterThan(0.97)
      expect((delay?.mean ?? 0) / mean).toBeLessThan(1.1)
      // of constant services a lognormal is longer
      expect((delay?.p99 ?? 0) / p99).toBeGreaterThan(0.97)
      expect((delay?.p99 ?? 0) / p99).toBeLessThan(1.3)
    },
  )

  it('keeps nobody for longer than its window', () => {
    // runs of it (one a second each, both gather, 100,000 messages): mean 3.07 s, p99 5.7 s with 0.105 s of SQS at most
    const given = loaded(2, { mean: 0.12, each: 0.02, batch: 1 }, { window: 5 })
    const { mean, p99 } = analyseStatic(given).paths[0]?.delay ?? { mean: 0, p99: 0 }
    expect(mean).toBeGreaterThan(2.95)
    expect(mean).toBeLessThan(3.15)
    expect(p99).toBeGreaterThan(5.2)
    expect(p99).toBeLessThan(6)
  })

  it('works a surge off by full batches, and the simulation says the same', () => {
    const report = dynamic(loaded(50, known), { shape: 'step', hold: 100, runs: 8, arrivals: 40_000 })
    expect(dynamicReport.parse(report)).toEqual(report)
    const [limit] = report.limits
    const peak = (500 - full) * 100
    expect(limit?.peakBacklog.messages).toBeCloseTo(peak, 6)
    expect(limit?.drainedAt).toBeCloseTo(160 + peak / (full - 50), 6)
    expect(limit).not.toHaveProperty('filled')
    const { peakBacklog, drainedAt } = limit?.simulation ?? {}
    expect(Math.abs((peakBacklog?.mean ?? 0) - peak) / peak).toBeLessThan(0.03)
    expect(Math.abs((drainedAt?.mean ?? 0) / (limit?.drainedAt ?? 0) - 1)).toBeLessThan(0.05)
  })

  it('has its critical load where full batches end', () => {
    const { critical } = nonlinear(loaded(50, known)).mesh
    expect(critical).toEqual({ factor: expect.closeTo(full / 50, 3), by: 'capacity' })
  })
})

describe('a function of which one time is known', () => {
  it('is used as if its time were all of messages, and at least as if none of it were', () => {
    const { stresses, assumptions } = analyseStatic(loaded(50, { mean: 0.1, batch: 2 }))
    expect(stresses[0]).toMatchObject({
      utilisation: expect.closeTo(1.25, 9),
      least: expect.closeTo(0.25, 9),
    })
    expect(assumptions.join('\n')).toContain('would be used to 25 % instead of 125 %')
  })

  it('works a surge off somewhere between the two', () => {
    const surge = (factor: number) =>
      dynamic(loaded(5, { mean: 0.1, batch: 1 }, { most: 1 }), { shape: 'step', factor, hold: 100, runs: 2 })
    const [limit] = surge(40).limits
    expect(limit?.peakBacklog.messages).toBeCloseTo((200 - 10) * 100, 6)
    // ten of them in the same 0.1 s: 100 a second
    expect(limit?.filled?.peakBacklog.messages).toBeCloseTo((200 - 100) * 100, 6)
    expect(limit?.filled?.drainedAt).toBeCloseTo(160 + 10_000 / 95, 6)
    const filled = 'if an invocation took as long with however many messages: '
    expect(limit?.notes).toContain(`${filled}10000 at most, drained after 265 s`)
    expect(surge(4).limits[0]?.notes).toContain(`${filled}nothing would wait`)
    expect(surge(1).limits[0]).not.toHaveProperty('filled')
  })
})

it('a message cannot take longer than its invocation', () => {
  expect(() => loaded(1, { mean: 0.1, each: 0.06, batch: 2 })).toThrow(
    'service.f.each: 2 messages of 0.06 s take longer than the 0.1 s of an invocation',
  )
  expect(loaded(1, { mean: 0.1, each: 0, batch: 2 }).service.get('f')?.each).toBe(0)
})
