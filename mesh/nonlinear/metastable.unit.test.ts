import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  apiNode,
  functionNode,
  invoke,
  loadedWith,
  meshFrom,
  servers,
  serviceNode,
  tokens,
} from '../../test/meshes.ts'
import { serviceTimes } from '../queueing/sample.ts'
import { seeded } from '../random.ts'
import { ratesOf } from '../static/rates.ts'
import { curveOf, factorAt, foldOf } from './curve.ts'
import { type Capacity, late } from './failing.ts'
import { nonlinear } from './nonlinear.ts'
import { roomFor, sourcesOf, steadyAt } from './settle.ts'
import { sitesOf } from './sites.ts'

/** One server behind callers that wait for so long and try so often. */
const behind = (load: number, given: { capacity: number; attempts: number; timeout: number }) =>
  loadedWith(
    meshFrom(
      [apiNode('api'), serviceNode('s', [servers(1)])],
      [invoke('api', 's', given.attempts, given.timeout)],
    ),
    { api: load },
    { s: 1 / given.capacity },
  )

/** Published: Bronson et al., HotOS 2021, section 2. */
describe('metastable failure: 300/s, one retry after 1 s', () => {
  const system = { capacity: 300, attempts: 2, timeout: 1 }
  const siteAt = (load: number) => nonlinear(behind(load, system)).sites.find(({ at }) => at === 's')

  it('sticks at 560/s under 280/s: from 150/s on, and up to near 300/s nothing else does it', () => {
    const site = siteAt(280)
    expect(site?.low.rate).toBeCloseTo(280, 3)
    expect(site?.high.rate).toBeCloseTo(560, 3)
    expect((site?.hysteresis?.from ?? 0) * 280).toBeCloseTo(150, 3)
    expect((site?.hysteresis?.to ?? 0) * 280).toBeGreaterThan(290)
    expect((site?.hysteresis?.to ?? 0) * 280).toBeLessThan(300)
  })

  it.each([
    [149, 'stable', 149],
    [151, 'vulnerable', 302],
    [290, 'vulnerable', 580],
    // so near the capacity waiting alone begins it
    [299, 'overloaded', 598],
    [300, 'overloaded', 600],
  ])('%d/s is %s, and %d/s come when it sticks', (load, state, high) => {
    const site = siteAt(load)
    expect(site?.state).toBe(state)
    expect(site?.high.rate).toBeCloseTo(high, 3)
  })

  it('is stable up to 150/s', () => {
    expect(siteAt(150)?.state).toBe('stable')
  })

  it.each([280, 160, 140, 100])('is what an outage of 10 s leaves behind in a seeded run at %d/s', (load) => {
    const [low = 0, high = 0] = [siteAt(load)?.low.rate, siteAt(load)?.high.rate]
    const given = { ...system, load, until: 1000, window: 200, seed: 7 }
    expect(retryRun({ ...given, outage: { from: 50, to: 60 } }) / high).toBeCloseTo(1, 1)
    expect(retryRun({ ...given, outage: { from: 0, to: 0 }, until: 400 }) / low).toBeCloseTo(1, 1)
  })
})

/**
 * 30 servers of 0.1 s that refuse, behind 300 tokens a second: of x attempts the tokens let 300 in, and Erlang B of 30 servers
 * offered 30 refuses 0.1325 of these; x = 280 (1 + q), q = 1 - 300 · 0.8675 / x.
 */
describe('two limits of one site', () => {
  const at = (load: number) =>
    nonlinear(
      loadedWith(
        meshFrom(
          [apiNode('api'), functionNode('f', [servers(30, 'refuse'), tokens(300, 0)])],
          [invoke('api', 'f', 2)],
        ),
        { api: load },
        { f: 0.1 },
      ),
    )

  it('refuse no more than one after the other does, and do not fold', () => {
    const site = at(280).sites.find((one) => one.at === 'f')
    const [load, letIn] = [280, 300 * (1 - 0.1324603)]
    // x² = 280 (2x - 260.26)
    const x = load + Math.sqrt(load ** 2 - load * letIn)
    expect(site?.low.rate).toBeCloseTo(x, 1)
    expect(site?.low.failing).toBeCloseTo(1 - letIn / x, 4)
    expect(site).toMatchObject({ hysteresis: null, state: 'overloaded', critical: { by: 'capacity' } })
  })

  it('and of the only state, beyond the capacity, it is told what ends it', () => {
    const { whatIfs, mesh } = at(280)
    expect(mesh.twoStates).toEqual([])
    const removes = Object.fromEntries(whatIfs.map(({ what, removes: ends }) => [what, ends]))
    expect(removes).toMatchObject({
      'at most 1 attempts at each layer': true,
      'jitter alone': false,
      '2 times the capacity': true,
    })
    // without trying again 310 are too many all the same
    expect(at(310).whatIfs[0]).toMatchObject({ what: 'at most 1 attempts at each layer', removes: false })
  })

  it('that others share as well', () => {
    const pools = [servers(1000, 'refuse', 'concurrency'), { ...tokens(10_000, 0), shared: 'requests' }]
    const mesh = meshFrom([apiNode('api'), functionNode('f', pools)], [invoke('api', 'f')])
    const report = nonlinear(loadedWith(mesh, { api: 12_000 }, { f: 0.1 }))
    // 1,200 at once and 12,000 requests a second, each for 1,000 and 10,000: a sixth, and not a sixth of five sixths more
    expect(report.sites.find((one) => one.at === 'f')?.low.failing).toBeCloseTo(1 / 6, 2)
  })
})

/**
 * Poisson arrivals, one first come first served server that does not know who has given up, each caller tries again when an
 * attempt has no answer after `timeout`. During the outage nothing is served. Attempts a second over the last `window`.
 */
function retryRun(run: {
  capacity: number
  attempts: number
  timeout: number
  load: number
  outage: { from: number; to: number }
  until: number
  window: number
  seed: number
}): number {
  const random = seeded(run.seed)
  const service = serviceTimes(1 / run.capacity, 1, random)
  const between = serviceTimes(1 / run.load, 1, random)
  // every attempt that fails comes again after the same time: who tries again does so in the order of the attempts
  const again: { at: number; left: number }[] = []
  let [next, first, free, tried] = [between(), 0, 0, 0]
  for (;;) {
    const retry = again[first]
    const fresh = retry === undefined || next <= retry.at
    const at = fresh ? next : retry.at
    const left = fresh ? run.attempts - 1 : retry.left
    if (at >= run.until) return tried / run.window
    if (fresh) next += between()
    else first++
    const begins = Math.max(at, free)
    free = (begins >= run.outage.from && begins < run.outage.to ? run.outage.to : begins) + service()
    if (at >= run.until - run.window) tried++
    if (free > at + run.timeout && left > 0) again.push({ at: at + run.timeout, left: left - 1 })
  }
}

/**
 * Published: U(t+1) = 1 - σ/U(t) (Pradhan, Hansen, Chakrabarti, Rev. Mod. Phys. 2010, section III), a bundle of fibres
 * with uniform thresholds that share the load. Each that stays bears x = σ/U, and the part x of all is broken: the curve of
 * attempts that are tried 1/(1 - x) times.
 */
describe('the fibre bundle', () => {
  const sources = (load: number) => [
    { rate: load, attempts: (x: number) => 1 / (1 - x), cap: Number.POSITIVE_INFINITY },
  ]

  it.each([
    [0.1, 0.8873],
    [0.2, 0.7236],
    [0.24, 0.6],
  ])('under %d keeps %d', (load, whole) => {
    expect(factorAt(sources(load), 1 - whole)).toBeCloseTo(1, 3)
  })

  it('breaks above 1/4', () => {
    const fold = foldOf(sources(1), curveOf(sources(1), 0.5, 0.999))
    expect(fold?.top.factor).toBeCloseTo(0.25, 9)
    expect(fold?.top.rate).toBeCloseTo(0.5, 3)
  })
})

describe('laws', () => {
  const capacity: Capacity = {
    servers: 1,
    over: 'wait',
    mean: 1,
    scv: 1,
    tokens: Number.POSITIVE_INFINITY,
    tokensOver: 'refuse',
  }

  it('M/M/1: the time in the system is exponential', () => {
    expect(late(capacity, 0.8, 7)).toBeCloseTo(Math.exp(-0.2 * 7), 9)
    expect(late(capacity, 1, 7)).toBe(1)
    expect(late({ ...capacity, scv: 0 }, 0, 0.9)).toBe(1)
    expect(late({ ...capacity, scv: 0 }, 0, 1.1)).toBe(0)
  })

  it('from below and from above enclose all steady states, and lie on the curve', () => {
    const arbitrary = fc.record({
      load: fc.double({ min: 0.05, max: 1.5, noNaN: true }),
      attempts: fc.integer({ min: 1, max: 6 }),
      timeout: fc.double({ min: 4, max: 40, noNaN: true }),
    })
    fc.assert(
      fc.property(arbitrary, ({ load, attempts, timeout }) => {
        const loaded = behind(load, { capacity: 1, attempts, timeout })
        const sites = sitesOf(loaded, ratesOf(loaded))
        const place = sites.findIndex(({ at }) => at === 's')
        const sources = sites.filter(({ at }) => at === 's').flatMap((site) => sourcesOf(site))
        const settled = (from: 'idle' | 'collapsed') => {
          const room = roomFor(sites)
          steadyAt(sites, [place], { factor: 1, from }, room)
          return room.rates[place] ?? 0
        }
        const [low, high] = [settled('idle'), settled('collapsed')]
        expect(low).toBeLessThanOrEqual(high * (1 + 1e-6))
        // near a fold the iteration stops a little early
        for (const x of [low, high]) expect(factorAt(sources, x)).toBeCloseTo(1, 3)
        for (let k = 0; k < 200; k++) {
          const x = (attempts * load * (k + 0.5)) / 200
          const inside = Math.abs(factorAt(sources, x) - 1) < 1e-9
          if (inside) expect(x >= low * (1 - 1e-6) && x <= high * (1 + 1e-6)).toBe(true)
        }
      }),
      { seed: 1 },
    )
  })
})
