// Longer than 300 lines: each way in which what is refused or fails comes again, one test beside the other.
import { describe, expect, it } from 'vitest'
import * as made from '../../test/meshes.ts'
import { nonlinear } from './nonlinear.ts'
import { nonlinearReport } from './report.ts'

const { apiNode, functionNode, invoke, loadedWith, meshFrom, poll, queueNode, send, serviceNode, servers } =
  made

/** 300 servers of 1 s behind callers that wait 30 s: 300/s at most. */
const behindApi = (rate: number, attempts: number) =>
  loadedWith(
    meshFrom([apiNode('api'), serviceNode('s', [servers(300)])], [invoke('api', 's', attempts)]),
    { api: rate },
    { s: 1 },
  )
const siteOf = (report: ReturnType<typeof nonlinear>, at: string) =>
  report.sites.find((site) => site.at === at)
const whatIf = (report: ReturnType<typeof nonlinear>, what: RegExp) =>
  report.whatIfs.find((found) => what.test(found.what))

describe('one site', () => {
  it('has two states between μ/n and μ, and folds near the capacity', () => {
    const report = nonlinear(behindApi(280, 2))
    expect(nonlinearReport.parse(report)).toEqual(report)
    const site = siteOf(report, 's')
    expect(site).toMatchObject({ demand: 280, capacity: 300, attempts: 2, state: 'vulnerable' })
    expect(site?.amplification).toBeCloseTo(560 / 300, 9)
    expect(site?.low.rate).toBeCloseTo(280, 3)
    expect(site?.high.rate).toBeCloseTo(560, 3)
    expect(site?.high.failing).toBeCloseTo(1, 6)
    expect(site?.hysteresis?.from).toBeCloseTo(150 / 280, 2)
    expect(site?.hysteresis?.to).toBeCloseTo(300 / 280, 2)
    expect(site?.critical?.by).toBe('fold')
    expect(report.mesh).toMatchObject({ limiting: 's', twoStates: ['s'] })
    expect(report.mesh.critical?.factor).toBeCloseTo(site?.critical?.factor ?? 0, 9)
    // the curve turns back between its folds
    const factors = site?.curve.map(({ factor }) => factor) ?? []
    expect(factors.some((factor, place) => factor < (factors[place - 1] ?? 0))).toBe(true)
  })

  it('what takes the upper state away', () => {
    const report = nonlinear(behindApi(280, 3))
    expect(whatIf(report, /at most 1 attempt/)?.removes).toBe(true)
    expect(whatIf(report, /at most 2 attempt/)?.removes).toBe(false)
    // 280 · 1.1 is more than 300: a budget is not enough so near the capacity
    expect(whatIf(report, /budget/)?.removes).toBe(false)
    expect(whatIf(nonlinear(behindApi(260, 3)), /budget/)?.removes).toBe(true)
    expect(whatIf(report, /breaker/)?.removes).toBe(true)
    expect(whatIf(report, /jitter/)).toMatchObject({ removes: false, left: expect.arrayContaining(['s']) })
    // 840 is more than 600
    expect(whatIf(report, /2 times the capacity/)?.removes).toBe(false)
    expect(whatIf(nonlinear(behindApi(190, 3)), /2 times the capacity/)?.removes).toBe(true)
  })

  it.each([
    [140, 'stable'],
    [160, 'vulnerable'],
    [310, 'overloaded'],
  ])('%d/s is %s', (rate, state) => {
    expect(siteOf(nonlinear(behindApi(rate, 2)), 's')?.state).toBe(state)
  })

  it('without a second attempt there is no fold: it ends at its capacity', () => {
    const report = nonlinear(behindApi(200, 1))
    expect(report.mesh.critical).toMatchObject({ by: 'capacity' })
    expect(report.mesh.critical?.factor).toBeCloseTo(1.5, 3)
    expect(report.whatIfs.every(({ removes }) => removes === null)).toBe(true)
  })

  it('a poll holds back what there is no server for', () => {
    const mesh = meshFrom(
      [queueNode('q', { maxReceiveCount: 5 }), functionNode('f', [servers(50, 'refuse')])],
      [poll('q', 'f', [servers(40)])],
    )
    const site = siteOf(nonlinear(loadedWith(mesh, { q: 30 }, { f: 1 })), 'f')
    expect(site).toMatchObject({
      state: 'stable',
      capacity: 40,
      hysteresis: null,
      critical: { by: 'capacity' },
    })
    expect(site?.critical?.factor).toBeCloseTo(40 / 30, 2)
  })

  it('what is refused takes no server: more attempts, no second state', () => {
    const mesh = meshFrom(
      [apiNode('api'), functionNode('f', [servers(100, 'refuse')])],
      [invoke('api', 'f', 3)],
    )
    const site = siteOf(nonlinear(loadedWith(mesh, { api: 110 }, { f: 1 })), 'f')
    expect(site?.low.rate).toBeGreaterThan(110)
    expect(site?.low.rate).toBeCloseTo(site?.high.rate ?? 0, 2)
    expect(site?.hysteresis).toBeNull()
  })
})

describe('sites that depend on each other', () => {
  const layered = (rate: number) =>
    loadedWith(
      meshFrom(
        [
          queueNode('q', { maxReceiveCount: 3 }),
          functionNode('f', [], 900),
          serviceNode('s', [servers(100)]),
          queueNode('r'),
          functionNode('g'),
        ],
        [poll('q', 'f'), invoke('f', 's', 3, 30), send('f', 'r'), poll('r', 'g')],
      ),
      { q: rate },
      { f: 0.1, s: 1, g: 0.1 },
    )

  it('multiplies the attempts of layers that wait, and not of what is sent on', () => {
    const report = nonlinear(layered(50))
    expect(siteOf(report, 's')).toMatchObject({ demand: 50, attempts: 9, state: 'vulnerable' })
    expect(siteOf(report, 's')?.amplification).toBeCloseTo(4.5, 9)
    expect(siteOf(report, 's')?.low.rate).toBeCloseTo(50, 3)
    expect(siteOf(report, 's')?.high.rate).toBeCloseTo(450, 3)
    expect(siteOf(report, 'f')?.high.rate).toBeCloseTo(150, 3)
    expect(siteOf(report, 'g')).toMatchObject({ demand: 50, low: { rate: 50 }, high: { rate: 50 } })
    expect(report.mesh.coupled).toEqual([['f', 's']])
    // together it can stick from 100/9 on, at s alone from 100/3
    expect((report.mesh.hysteresis?.from ?? 0) * 50).toBeCloseTo(100 / 9, 0)
    expect((report.mesh.critical?.factor ?? 0) * 50).toBeGreaterThan(90)
  })

  it('does not multiply what starts a machine: once it runs, nobody starts it again for what fails in it', () => {
    const mesh = meshFrom(
      [
        made.node('schedule', 'hourly', { perSecond: 1 }),
        made.node('workflow', 'm', {}, [made.tokens(300, 0)]),
        made.node('task', 't', { workflow: 'm' }),
        functionNode('f', [servers(10, 'refuse')]),
      ],
      [
        made.element('delivery', 'hourly', 'm', {
          retry: { attempts: 186, interval: 1, backoff: 2, jitter: true, from: 'template' },
        }),
        invoke('m', 't'),
        invoke('t', 'f', 3),
      ],
    )
    const report = nonlinear(loadedWith(mesh, {}, { f: 1 }))
    expect(siteOf(report, 'f')).toMatchObject({ attempts: 3, amplification: 0.3, state: 'stable' })
    expect(siteOf(report, 'm')).toMatchObject({ attempts: 186 })
  })

  it('a limit that is shared ties those who share it', () => {
    const shared = servers(100, 'refuse', 'pool')
    const mesh = meshFrom(
      [apiNode('api'), functionNode('f', [shared]), apiNode('b'), functionNode('g', [shared])],
      [invoke('api', 'f', 2), invoke('b', 'g', 3)],
    )
    const report = nonlinear(loadedWith(mesh, { api: 40, b: 50 }, { f: 1, g: 1 }))
    expect(siteOf(report, 'pool')).toMatchObject({ demand: 90, capacity: 100, state: 'vulnerable' })
    expect(siteOf(report, 'pool')?.attempts).toBeCloseTo((40 * 2 + 50 * 3) / 90, 9)
    expect(report.mesh.coupled).toEqual([['f', 'g', 'pool']])
    expect(siteOf(report, 'g')?.low.failing).toBeGreaterThan(0)
  })
})

it('who is refused what it writes has failed, and writes it again', () => {
  const mesh = meshFrom(
    [
      queueNode('q', { maxReceiveCount: 3 }),
      functionNode('f'),
      made.node('table', 't', {}, [made.tokens(5, 0)]),
    ],
    [
      poll('q', 'f'),
      made.element('call', 'f', 't', {
        retry: { attempts: 3, interval: 1, backoff: 2, jitter: false, from: 'template' },
      }),
    ],
  )
  const report = nonlinear(loadedWith(mesh, { q: 10 }, { f: 0.05 }))
  // of 10/s 5 are let in: with 3 writes in each of 3 attempts q⁹ = 1/2. A seeded run with waits has 22.4 attempts a second
  const q = 0.5 ** (1 / 9)
  expect(siteOf(report, 'f')?.low.rate).toBeCloseTo((10 * (1 - q ** 9)) / (1 - q ** 3), 3)
  expect(siteOf(report, 'f')?.low.failing).toBeCloseTo(q ** 3, 4)
  expect(siteOf(report, 't')?.low.failing).toBeCloseTo(q, 4)
  expect(report.mesh.critical?.factor).toBeCloseTo(0.5, 3)
  expect(report.mesh).toMatchObject({ limiting: 't', critical: { by: 'capacity' }, hysteresis: null })
})

describe('a poll that has fewer servers than comes', () => {
  const two = [queueNode('q'), queueNode('r')]

  it('ends what it shares a function with, although the other has servers left', () => {
    const mesh = meshFrom(
      [...two, functionNode('f', [servers(20, 'refuse')])],
      [poll('q', 'f', [servers(2)]), poll('r', 'f', [servers(5)])],
    )
    const { sites, mesh: all, whatIfs } = nonlinear(loadedWith(mesh, { q: 30, r: 10 }, { f: 0.1 }))
    // 2 servers of 0.1 s for 30/s
    expect(all).toMatchObject({ limiting: 'f', critical: { by: 'capacity' } })
    expect(all.critical?.factor).toBeCloseTo(20 / 30, 6)
    expect(sites.find(({ at }) => at === 'f')).toMatchObject({
      demand: 40,
      state: 'overloaded',
      capacity: 70,
    })
    expect(whatIfs.find(({ what }) => what.startsWith('2 times'))?.removes).toBe(true)
  })

  it.each([1000, 30])('or with a limit of %d that others use as well', (concurrency) => {
    const pool = servers(concurrency, 'refuse', 'pool')
    const mesh = meshFrom(
      [queueNode('q'), apiNode('api'), functionNode('f', [pool]), functionNode('g', [pool])],
      [poll('q', 'f', [servers(2)]), invoke('api', 'f'), invoke('api', 'g')],
    )
    const report = nonlinear(loadedWith(mesh, { q: 30, api: 10 }, { f: 0.1, g: 0.5 }))
    expect(report.mesh.critical?.factor).toBeCloseTo(20 / 30, 3)
    expect(report.mesh.limiting).toBe('f')
    expect(siteOf(report, 'f')).toMatchObject({ state: 'overloaded' })
  })
})

it('names what is not known', () => {
  const mesh = meshFrom([apiNode('api'), serviceNode('s', [servers(3)])], [invoke('api', 's')])
  const report = nonlinear(loadedWith(mesh, { api: 5 }, {}))
  expect(siteOf(report, 's')).toMatchObject({ state: 'unknown', capacity: null, amplification: null })
  expect(report.unavailable).toEqual([{ at: 's', name: 's', why: expect.stringMatching(/how long/) }])
})

describe('a queue that nothing ends', () => {
  /** Four days of 30 s: 11,520 receives. */
  const forever = queueNode('q', { visibility: 30, retention: 345_600, maxReceiveCount: undefined })
  const polled = (target: ReturnType<typeof functionNode>, pollers: number) =>
    meshFrom([forever, target], [poll('q', 'f', [servers(pollers)])])

  it('hands a message out until its retention ends, and cannot stick where its poll holds back', () => {
    const site = siteOf(
      nonlinear(loadedWith(polled(functionNode('f', [servers(50, 'refuse')]), 40), { q: 30 }, { f: 1 })),
      'f',
    )
    expect(site).toMatchObject({ attempts: 11_520, amplification: 0.75, state: 'stable', hysteresis: null })
  })

  it('nor where it is refused what is beyond, whether or not anybody knows how long one takes', () => {
    const mesh = polled(functionNode('f', [servers(10, 'refuse'), made.tokens(100, 0)]), 1250)
    expect(siteOf(nonlinear(loadedWith(mesh, { q: 5 }, { f: 1 })), 'f')).toMatchObject({
      ...{ capacity: 10, amplification: 0.5, state: 'stable', critical: { by: 'capacity' } },
    })
    expect(siteOf(nonlinear(loadedWith(mesh, { q: 5 }, {})), 'f')).toMatchObject({
      ...{ capacity: 100, amplification: 0.05, state: 'stable' },
    })
  })

  it('sticks where pollers push into what lets them wait', () => {
    const mesh = polled(made.node('service', 'f', {}, [servers(50)]), 200)
    expect(siteOf(nonlinear(loadedWith(mesh, { q: 30 }, { f: 1 })), 'f')).toMatchObject({
      ...{ capacity: 50, amplification: 4, state: 'vulnerable' },
    })
  })

  it('what its consumer waits for gets no more than the polls can bring, however often each comes', () => {
    const one = polled(functionNode('f', [servers(50, 'refuse')], 900), 40)
    const mesh = {
      ...one,
      nodes: [...one.nodes, serviceNode('s', [servers(100)])],
      elements: [...one.elements, invoke('f', 's', 3, 30)],
    }
    const report = nonlinear(loadedWith(mesh, { q: 30 }, { f: 1, s: 1 }))
    expect(siteOf(report, 's')).toMatchObject({ attempts: 3 * 11_520, state: 'vulnerable' })
    expect(siteOf(report, 's')?.amplification).toBeCloseTo((40 * 3) / 100, 9)
  })
})

it('what tokens refuse of a service that pushes has used none of them: nothing can stick, however often it comes', () => {
  const limited = queueNode('q')
  limited.laws.push(made.tokens(300, 300))
  const pushed = meshFrom([made.node('topic', 't'), limited], [made.delivery('t', 'q', 1_987_200, 100_015)])
  const site = siteOf(nonlinear(loadedWith(pushed, { t: 200 }, {})), 'q')
  expect(site).toMatchObject({ state: 'stable', hysteresis: null })
  expect(site?.amplification).toBeCloseTo(200 / 300, 9)
  expect(site?.high.rate).toBeCloseTo(site?.low.rate ?? 0, 6)
})

it('nor of tokens that an account shares', () => {
  const starts = { law: 'tokens', rate: 6000, burst: 6000, unit: 'requests', over: 'refuse' } as const
  const started = made.node('workflow', 'm', {}, [
    { ...starts, shared: 'starts/us-east-1', from: 'template' },
  ])
  const pushed = meshFrom([made.node('rule', 'r'), started], [made.delivery('r', 'm', 86_400, 185)])
  const site = siteOf(nonlinear(loadedWith(pushed, { r: 1000 }, {})), 'starts/us-east-1')
  expect(site).toMatchObject({ state: 'stable' })
  expect(site?.amplification).toBeCloseTo(1 / 6, 9)
})

it('is told beside a loop that never fades', () => {
  const mesh = meshFrom(
    [queueNode('round'), functionNode('again'), apiNode('api'), serviceNode('s', [servers(300)])],
    [poll('round', 'again'), send('again', 'round'), invoke('api', 's', 2)],
  )
  const report = nonlinear(loadedWith(mesh, { round: 1, api: 280 }, { again: 0.1, s: 1 }))
  expect(siteOf(report, 's')).toMatchObject({ demand: 280, state: 'vulnerable' })
  expect(report.unavailable).toContainEqual(
    expect.objectContaining({ name: 'round', why: expect.stringMatching(/never fades/) }),
  )
})
