import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as made from '../../test/meshes.ts'
import { meshOfOneLoop } from '../../test/meshes-of-size.ts'
import { load } from '../load.ts'
import { analyseStatic } from '../static/analyse.ts'
import { ratesOf } from '../static/rates.ts'
import { type DynamicOptions, dynamic } from './dynamic.ts'
import { flowThrough } from './fluid.ts'
import { limitsOf } from './limits.ts'
import { dynamicReport } from './report.ts'

const { apiNode, delivery, functionNode, invoke, loadedWith, meshFrom, poll, queueNode, send } = made
const { scaling, servers, tokens } = made

/** 10/s into a queue, 20 at once of .5 s each: 40/s at most. */
const worker = (laws = [servers(20)], rate = 10) =>
  loadedWith(meshFrom([queueNode('q'), functionNode('f')], [poll('q', 'f', laws)]), { q: rate }, { f: 0.5 })
const quick: DynamicOptions = { shape: 'step', runs: 2, arrivals: 2000 }
const only = (report: ReturnType<typeof dynamic>, law = 'servers', at?: string) =>
  report.limits.find((limit) => limit.law === law && (at === undefined || limit.at === at))

describe('closed forms', () => {
  it('a step: peak (λp-μ)D, drained (λp-μ)D/(μ-λ0) after it', () => {
    const report = dynamic(worker(), { ...quick, hold: 100 })
    expect(dynamicReport.parse(report)).toEqual(report)
    const found = only(report)
    const peak = (100 - 40) * 100
    expect(found?.peakBacklog.messages).toBeCloseTo(peak, 6)
    expect(found?.peakBacklog.at).toBeCloseTo(160, 6)
    expect(found?.drainedAt).toBeCloseTo(160 + peak / 30, 6)
    // who comes last of the step waits for all before it
    expect(found?.oldestAge.seconds).toBeCloseTo(peak / 40, 6)
    expect(found?.overAt).toBe(60)
    expect(found?.lag).toBeCloseTo(100, 6)
    expect(found).toMatchObject({ lost: 0, throttled: 0, state: 'recovered' })
  })

  it('a ramp: the backlog is the area above the capacity', () => {
    const found = only(dynamic(worker(), { ...quick, shape: 'ramp', rise: 90, hold: 0, after: 0 }))
    // 10 + t per second: over 40 from 30 s to 90 s
    expect(found?.overAt).toBeCloseTo(30, 6)
    expect(found?.peakBacklog.messages).toBeCloseTo((60 * 60) / 2, 6)
    expect(found?.drainedAt).toBeCloseTo(90 + 1800 / 30, 6)
  })

  it('servers that come while it is behind', () => {
    // 5 servers do 10/s; 300 more a minute are 10/s more each second; 100/s come
    const found = only(dynamic(worker([scaling(5, 300, 1000)]), { ...quick, hold: 600 }), 'scaling')
    expect(found?.overAt).toBe(60)
    expect(found?.lag).toBeCloseTo(9, 6)
    expect(found?.peakBacklog.messages).toBeCloseTo((90 * 9) / 2, 6)
    // and after as long again the backlog is gone: the capacity goes on growing until then
    expect(found?.drainedAt).toBeCloseTo(60 + 18, 6)
    // 90t - 5t² wait; who came at t left when 10t + 5t² is what came: the longest wait is at the turn of both rates
    expect(found?.oldestAge.seconds).toBeCloseTo(4.05, 6)
  })

  it('a load that grows slower than servers come never waits', () => {
    const found = only(dynamic(worker([scaling(5, 300, 1000)]), { ...quick, shape: 'ramp' }), 'scaling')
    expect(found).toMatchObject({ state: 'kept up', peakBacklog: { messages: 0 } })
    const capped = only(dynamic(worker([scaling(5, 300, 20)]), { ...quick, shape: 'ramp' }), 'scaling')
    // 10 + .75t reaches 40/s after 40 s
    expect(capped?.overAt).toBeCloseTo(100, 6)
  })

  it('a burst of tokens lasts burst/(x-r), then what is over is refused', () => {
    const mesh = meshFrom([apiNode('api', [tokens(50, 500, 'refuse')])], [])
    const found = only(dynamic(loadedWith(mesh, { api: 10 }, {}), { ...quick, hold: 100 }), 'tokens')
    expect(found?.overAt).toBeCloseTo(70, 6)
    expect(found?.lost).toBeCloseTo(50 * 90, 5)
    expect(found?.throttled).toBeCloseTo(50 * 90, 5)
    expect(found?.peakBacklog.messages).toBe(0)
  })

  it('a ramp into a limit that refuses loses the area above it', () => {
    const mesh = meshFrom([apiNode('api', [tokens(40, 0, 'refuse')])], [])
    const found = only(
      dynamic(loadedWith(mesh, { api: 10 }, {}), { ...quick, shape: 'ramp', rise: 90, hold: 10 }),
      'tokens',
    )
    expect(found?.lost).toBeCloseTo(1800 + 600, 5)
  })

  it('what waits too long is given up: age stays at the limit, the rest is lost', () => {
    const mesh = meshFrom(
      [queueNode('q', { visibility: 10, maxReceiveCount: 3 }), functionNode('f', [servers(20, 'refuse')])],
      [poll('q', 'f')],
    )
    const found = only(dynamic(loadedWith(mesh, { q: 10 }, { f: 0.5 }), { ...quick, hold: 100 }))
    expect(found?.notes).toContainEqual(expect.stringMatching(/^lost are at least/))
    // three receives, the last after 20 s
    expect(found?.oldestAge.seconds).toBeCloseTo(20, 6)
    // 100/s come and 40/s go: the age grows by .6 a second, 20 s after 33.3 s; then 60/s are given up, up to the last
    // that came in the step, and who still waits then leaves at 40/s
    expect(found?.lost).toBeCloseTo(60 * (100 + 20 - 100 / 3), 5)
    expect(found?.peakBacklog.messages).toBeCloseTo(2000, 5)
    expect(found?.throttled).toBeGreaterThan(9_000)
  })

  it('of one receive nothing waits: what is refused is lost', () => {
    const mesh = meshFrom(
      [queueNode('q', { maxReceiveCount: 1 }), functionNode('f', [servers(20, 'refuse')])],
      [poll('q', 'f')],
    )
    const found = only(dynamic(loadedWith(mesh, { q: 10 }, { f: 0.5 }), { ...quick, hold: 100 }))
    expect(found?.lost).toBeCloseTo(60 * 100, 5)
    expect(found?.oldestAge.seconds).toBeCloseTo(0, 6)
  })

  it('a record of a stream waits no longer than its poller lets it', () => {
    const mesh = meshFrom(
      [made.node('stream', 's'), functionNode('f')],
      [made.element('poll', 's', 'f', { batch: 1, maxAge: 20, laws: [servers(20)] })],
    )
    const found = only(dynamic(loadedWith(mesh, { s: 10 }, { f: 0.5 }), { ...quick, hold: 100 }))
    expect(found?.oldestAge.seconds).toBeCloseTo(20, 6)
    expect(found?.lost).toBeCloseTo(60 * (100 + 20 - 100 / 3), 5)
  })
})

describe('over a mesh', () => {
  it('what fails comes again as often as its own way says', () => {
    const mesh = meshFrom(
      [queueNode('q', { maxReceiveCount: 2 }), queueNode('off', { maxReceiveCount: 100 }), functionNode('f')],
      [poll('q', 'f', [servers(20)]), made.element('poll', 'off', 'f', { enabled: false })],
    )
    const failing = loadedWith(mesh, { q: 10 }, { f: 0.5 }, { failures: new Map([['f', 0.5]]) })
    expect(only(dynamic(failing, quick))?.utilisation).toBeCloseTo((100 * 1.5 * 0.5) / 20, 9)
  })

  it('the first limit shields the second; what is behind passes its capacity on', () => {
    const mesh = meshFrom(
      [queueNode('q'), functionNode('f'), queueNode('r'), functionNode('g')],
      [poll('q', 'f', [servers(20)]), send('f', 'r'), poll('r', 'g', [servers(30)])],
    )
    const report = dynamic(loadedWith(mesh, { q: 10 }, { f: 0.5, g: 1 }), { ...quick, hold: 100 })
    const [first, second] = [only(report, 'servers', 'poll:q>f'), only(report, 'servers', 'poll:r>g')]
    // 40/s for 300 s, of which 30/s are worked off
    expect(first?.drainedAt).toBeCloseTo(360, 6)
    expect(second?.peakBacklog.messages).toBeCloseTo(10 * 300, 5)
    expect(second?.drainedAt).toBeCloseTo(360 + 3000 / 20, 5)
  })

  it('types that share a queue leave it in the order in which they came', () => {
    const mesh = meshFrom(
      [apiNode('a'), apiNode('b'), queueNode('q'), functionNode('f'), queueNode('r'), functionNode('g')],
      [
        send('a', 'q'),
        send('b', 'q'),
        poll('q', 'f', [servers(40)]),
        send('f', 'r', 1, 'u'),
        poll('r', 'g', [servers(10)]),
      ],
    )
    const loaded = loadedWith(
      mesh,
      {},
      { f: 1, g: 1 },
      {
        arrivals: new Map([
          ['a', new Map([['t', 10]])],
          ['b', new Map([['u', 5]])],
        ]),
      },
    )
    // 100 t and 5 u a second for 100 s, 40 a second leave: u's part of them is 5/105, then, behind them, a third
    const report = dynamic(loaded, { ...quick, types: ['t'], hold: 100 })
    const first = only(report, 'servers', 'poll:q>f')
    const second = only(report, 'servers', 'poll:r>g')
    expect(first?.peakBacklog.messages).toBeCloseTo(65 * 100, 6)
    expect(first?.drainedAt).toBeCloseTo(160 + 6500 / 25, 5)
    // from when the step has left (10 500/40 s after its begin) up to when q is empty, 40/3 u a second come
    const from = 60 + 10_500 / 40
    expect(second?.overAt).toBeCloseTo(from, 5)
    expect(second?.peakBacklog.messages).toBeCloseTo((420 - from) * (40 / 3 - 10), 4)
  })

  it('who may not wait gets the part that it is of what comes', () => {
    const shared = servers(60, 'refuse', 'pool')
    const mesh = meshFrom(
      [apiNode('api'), functionNode('f', [shared]), queueNode('q'), functionNode('g', [shared])],
      [invoke('api', 'f', 3), poll('q', 'g')],
    )
    const report = dynamic(loadedWith(mesh, { api: 10, q: 20 }, { f: 1, g: 1 }), {
      ...quick,
      factor: 4,
      hold: 100,
    })
    const found = only(report, 'servers', 'pool')
    expect(found?.lost).toBeCloseTo(100 * (40 - 20), 5)
    expect(found?.peakBacklog.messages).toBeCloseTo(100 * (80 - 40), 5)
  })

  it('goes round a loop', () => {
    const mesh = meshFrom(
      [queueNode('q'), functionNode('f')],
      [poll('q', 'f', [servers(40)]), send('f', 'q', 0.5)],
    )
    const found = only(dynamic(loadedWith(mesh, { q: 10 }, { f: 1 }), { ...quick, factor: 4, hold: 100 }))
    // 20/s before; behind, 40 come and half of 40 again
    expect(found?.peakBacklog.messages).toBeCloseTo(100 * (40 + 20 - 40), 5)
    expect(found?.drainedAt).toBeCloseTo(160 + 2000 / (40 - 20 - 10), 4)
  })

  it('follows one large loop to the end', () => {
    const { mesh, loads } = meshOfOneLoop(400)
    const report = dynamic(load(mesh, loads), quick)
    expect(report.until).toBe(report.horizon)
    // ten times what comes is ten times what goes round
    const { stresses } = analyseStatic(load(mesh, loads))
    const before = new Map(stresses.map(({ at, utilisation }) => [at, utilisation]))
    for (const { at, utilisation } of report.limits)
      expect((utilisation ?? 0) / (10 * (before.get(at) ?? 0))).toBeCloseTo(1, 9)
  })

  it('goes no further round a loop than something is left of what comes', () => {
    const { mesh, loads } = meshOfOneLoop(1000, 0.2)
    const loaded = load(mesh, loads)
    const doors = () => [1, 10, 1].map((at, place) => ({ from: 300 * place, line: { at, slope: 0 } }))
    const options = { horizon: 20_000, doors, fine: 10, mostWork: 2000 }
    const { until } = flowThrough(limitsOf(loaded, ratesOf(loaded)), loaded.states.length, options)
    expect(until).toBe(options.horizon)
  })

  it('names what is not known', () => {
    const mesh = meshFrom(
      [functionNode('g'), queueNode('q'), functionNode('f')],
      [send('g', 'q', null), poll('q', 'f', [servers(20)])],
    )
    const report = dynamic(loadedWith(mesh, { g: 10, q: 1 }, {}), quick)
    expect(report.limits).toEqual([])
    expect(report.unavailable.map(({ why }) => why)).toEqual([
      'nobody has said how many go here for each t',
      'nobody has said how long one takes at f',
    ])
    const loop = meshFrom([queueNode('q'), functionNode('f')], [poll('q', 'f'), send('f', 'q')])
    expect(dynamic(loadedWith(loop, { q: 1 }, {}), quick).unavailable[0]?.why).toMatch(/never fades/)
  })

  it('refuses options that fit nothing', () => {
    const odd = { ...quick, runs: Number.NaN, arrivals: -1, seed: 0.5 }
    expect(() => dynamic(worker(), odd)).toThrow(
      /seed: expected a whole number.*0.5\n.*runs: .*NaN\n.*arrivals: expected more than 0, not -1/,
    )
    expect(() => dynamic(worker(), { ...quick, factor: 0, doors: ['p'], types: ['u'] })).toThrow(
      /factor: expected more than 0.*nothing comes in at p; .*one of q.*no u comes in, only t/s,
    )
  })

  it('more than a limit takes before the change, and no end of it', () => {
    const found = only(dynamic(worker([servers(4)]), { ...quick, horizon: 1000, hold: 10 }))
    expect(found).toMatchObject({ overAt: 0, drainedAt: null, state: 'behind' })
    expect(found?.remaining).toBeCloseTo(2 * 1000 + 90 * 10, 5)
    expect(found?.notes).toContain('over its limit before the change')
  })

  it('a delivery that is refused waits for its age', () => {
    const mesh = meshFrom(
      [apiNode('bus'), functionNode('f', [servers(20, 'refuse')])],
      [delivery('bus', 'f', 3600)],
    )
    const found = only(dynamic(loadedWith(mesh, { bus: 10 }, { f: 0.5 }), { ...quick, hold: 100 }))
    expect(found).toMatchObject({ lost: 0, state: 'recovered' })
    expect(found?.notes).toEqual([expect.stringMatching(/^oldest age and drained are at least/)])
    expect(found?.peakBacklog.messages).toBeCloseTo(6000, 6)
  })
})

describe('laws', () => {
  it('the simulation of what is driven over its capacity agrees with the fluid', () => {
    const arbitrary = fc.record({
      count: fc.integer({ min: 10, max: 40 }),
      factor: fc.integer({ min: 4, max: 12 }),
      hold: fc.integer({ min: 60, max: 200 }),
      seed: fc.nat(1000),
    })
    fc.assert(
      fc.property(arbitrary, ({ count, factor, hold, seed }) => {
        const loaded = worker([servers(count)], count)
        const report = dynamic(loaded, { shape: 'step', factor, hold, seed, arrivals: 100_000 })
        const found = only(report)
        const { simulation } = found ?? {}
        if (found === undefined || !simulation) throw new Error('no simulation')
        // six standard errors, and the wait that chance adds where the fluid has none
        const { peakBacklog, oldestAge, drainedAt } = simulation
        const close = (got: { mean: number; halfWidth: number }, fluid: number, slack: number) =>
          expect(Math.abs(got.mean - fluid)).toBeLessThan(3 * got.halfWidth + slack)
        close(peakBacklog, found.peakBacklog.messages, 0.02 * found.peakBacklog.messages)
        close(oldestAge, found.oldestAge.seconds, 0.02 * found.oldestAge.seconds + 1)
        if (drainedAt === null) throw new Error('not drained')
        close(drainedAt, found.drainedAt ?? Number.NaN, 0.02 * (found.drainedAt ?? 0) + 1)
      }),
      { numRuns: 8, seed: 1 },
    )
  })
})
