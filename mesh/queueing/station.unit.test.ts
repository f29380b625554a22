import { describe, expect, it } from 'vitest'
import { type Demand, measure, type Station } from './station.ts'

const at = (station: Partial<Station>, demand: Partial<Demand>, arrivalScv = 1) => {
  const [found] = measure(
    { servers: 1, discipline: 'fifo', buffer: null, ...station },
    [{ rate: 1, mean: 1, scv: 1, ...demand }],
    arrivalScv,
  )
  if (found === undefined) throw new Error('nothing measured')
  return found
}

/** Relative; where it was simulated, the half of its 95 % interval and what the fit is off. */
const expectNear = (found: number | null, wanted: number, within: number) =>
  expect(Math.abs((found ?? Number.NaN) / wanted - 1)).toBeLessThan(within)

describe('few places, by runs of 3,000,000 events', () => {
  it.each([
    // servers, buffer, rate, scv of services and of arrivals, number, loss
    [3, 3, 3, 0, 1, 3.628, 0.1221],
    [3, 3, 3, 4, 1, 3.434, 0.199],
    [10, 5, 10, 0, 1, 10.838, 0.0755],
    [5, 5, 4, 0, 1, 4.681, 0.0178],
    [70, 7, 67, 0, 1, 66.17, 0.0286],
    [70, 7, 67, 4, 1, 65.56, 0.0378],
    [70, 30, 67, 4, 1, 73.05, 0.0164],
    [1, 4, 0.9, 1, 0.25, 2.2, 0.0716],
    [1, 4, 0.9, 1, 4, 2.15, 0.2373],
    [1, 4, 0.9, 1, 0, 2.15, 0.0504],
  ])(
    '%d servers and %d places at %d/s, scv %d, arrivals %d',
    (servers, buffer, rate, scv, arrivalScv, number, loss) => {
      const found = at({ servers, buffer }, { rate, scv }, arrivalScv)
      expectNear(found.number, number, 0.015)
      expectNear(found.loss, loss, 0.15)
    },
  )

  it.each([
    [4, 0.2059],
    [0, 0.0588],
  ])('ten lines and no place to wait, arrivals of scv %d', (arrivalScv, loss) => {
    expectNear(at({ servers: 10, discipline: 'loss' }, { rate: 8 }, arrivalScv).loss, loss, 0.02)
  })

  it.each([
    [1, [0.1, 0.9, 1, 3]],
    [2, [0.1, 0.9, 1, 3]],
    [3, [0.1, 0.9, 1, 3]],
    [8, [0.1, 0.9, 1, 3]],
    [100, [0.1, 0.9]],
    [100, [1, 3]],
  ])(
    '%d servers at %j: never more are there than there are places, nor fewer than are served',
    (servers, loads) => {
      for (const buffer of [0, 1, 3, 50])
        for (const load of loads)
          for (const scv of [0, 0.3, 1, 4])
            for (const arrivalScv of [0, 0.3, 1, 4]) {
              const found = at({ servers, buffer }, { rate: load * servers, scv }, arrivalScv)
              expect(found.number).toBeLessThanOrEqual((servers + buffer) * (1 + 1e-9))
              expect(found.number).toBeGreaterThanOrEqual(found.throughput * (1 - 1e-9))
              expect(found.throughput).toBeLessThanOrEqual(servers * (1 + 1e-9))
            }
    },
  )
})

describe('places by the thousand', () => {
  it.each([
    ['M/M/2, ρ 1.1', { servers: 2, buffer: 10_000 }, { rate: 22, mean: 0.1 }, 9992, 1 / 11],
    ['M/M/2, ρ 2', { servers: 2, buffer: 2000 }, { rate: 4 }, 2001, 0.5],
    ['M/M/2, 1e9 places', { servers: 2, buffer: 1e9 }, { rate: 4 }, 1e9 + 1, 0.5],
    ['ps, ρ 1.1', { discipline: 'ps', buffer: 10_000 }, { rate: 1.1 }, 9991, 1 / 11],
    ['M/M/1, ρ 1', { buffer: 999 }, { rate: 1 }, 500, 1 / 1001],
    ['M/M/1, ρ .5', { buffer: 40 }, { rate: 0.5 }, 1, 2.273_736_754_432_321e-13],
    ['M/M/1 without places, ρ 41', { buffer: 0 }, { rate: 41 }, 41 / 42, 41 / 42],
    ['M/M/1 with one, ρ 41', { buffer: 1 }, { rate: 41 }, 3403 / 1723, 1681 / 1723],
    ['M/D/1, ρ .9', { buffer: 1_000_000 }, { rate: 9, mean: 0.1, scv: 0 }, 4.95, 0],
    ['M/D/1, ρ 1.1', { buffer: 1_000_000 }, { rate: 11, mean: 0.1, scv: 0 }, 999_995.838_6, 1 / 11],
  ] as const)('%s', (_, station, demand, number, loss) => {
    const found = at(station, demand)
    expectNear(found.number, number, 1e-8)
    expect(found.loss).toBeCloseTo(loss, 12)
    if (loss > 0) expectNear(found.loss, loss, 1e-8)
  })

  it('ρ next to 1 is no case of its own', () => {
    const [below, one, above] = [-1e-7, 0, 1e-7].map((off) =>
      at({ servers: 2, buffer: 1000 }, { rate: 2 + off }),
    )
    expect(((below?.loss ?? 0) + (above?.loss ?? 0)) / 2 / (one?.loss ?? 0)).toBeCloseTo(1, 8)
  })

  it('a rare long service: more than 745 come during one', () => {
    const found = measure({ servers: 1, discipline: 'fifo', buffer: 1500 }, [
      { rate: 0.05, mean: 10, scv: 0 },
      { rate: 99.95, mean: 0.004, scv: 0 },
    ])
    expect(found[0]?.loss).toBeCloseTo(0.099, 4)
    expect((found[0]?.number ?? 0) + (found[1]?.number ?? 0)).toBeCloseTo(602.02, 1)
  })

  it('a constant service is the limit of many phases, and arrivals that are nearly Poisson are', () => {
    const constant = at({ buffer: 4 }, { rate: 0.324, mean: 1 / 0.324, scv: 0 })
    expect(constant.number).toBeCloseTo(2.546, 3)
    expect(at({ buffer: 4 }, { rate: 0.324, mean: 1 / 0.324, scv: 0 }, 1 - 2e-16)).toEqual(constant)
    const nearly = at({ buffer: 4 }, { rate: 0.324, mean: 1 / 0.324, scv: 0 }, 1 - 1e-6)
    expectNear(nearly.number, constant.number ?? 0, 1e-3)
  })
})

it('numbers stay numbers, however far from each other they are', () => {
  for (const [servers, rate, mean, scv, arrivalScv] of [
    [65, 5e31, 1.3, 0.5, 4],
    [63, 25_000, 1.2e-3, 1e30, 0.7],
    [5000, 0.04, 0.9, 1, 0.01],
    [30, 3e20, 1e-20, 0.01, 0],
  ] as const)
    for (const buffer of [0, 2, 12_345]) {
      const found = at({ servers, buffer }, { rate, mean, scv }, arrivalScv)
      expect(found.number).toBeLessThanOrEqual((servers + buffer) * (1 + 1e-9))
      expect(found.utilisation).toBeLessThanOrEqual(1 + 1e-9)
      expect(found.loss).toBeGreaterThanOrEqual(0)
      expect(found.loss).toBeLessThanOrEqual(1)
    }
})

describe('queues without end', () => {
  // exact: number ρ / (1 - σ), σ = exp(-(1 - σ)/ρ)
  it.each([
    ['D/M/1', 0.5, 0, 0.627_5, 0.005],
    ['D/M/1', 0.8, 0, 2.154, 0.01],
    ['E4/M/1', 0.5, 0.25, 0.715, 0.025],
  ])('%s at %d, arrivals of scv %d', (_, rate, arrivalScv, number, within) => {
    expectNear(at({}, { rate }, arrivalScv).number, number, within)
  })

  it.each([
    // arrivals, services, servers, utilisation, time by three runs of 400,000
    [0, 1, 1, 0.8, 2.675, 0.03],
    [4, 1, 1, 0.8, 11.21, 0.03],
    [0, 0, 1, 0.85, 1, 1e-9],
    [0, 0.25, 1, 0.85, 1.865, 0.1],
    [0.25, 0, 1, 0.85, 2.176, 0.05],
    [0.25, 4, 1, 0.6, 2.098, 0.06],
    [4, 0, 1, 0.85, 23.03, 0.06],
    [4, 4, 1, 0.85, 10.74, 0.1],
    [0, 0.25, 4, 0.85, 1.151, 0.02],
    [4, 0, 4, 0.85, 6.149, 0.12],
  ])(
    'processor sharing, arrivals of scv %d, services of %d, %d servers at %d: by runs',
    (arrivalScv, scv, servers, rho, time, within) => {
      const found = at({ discipline: 'ps', servers }, { rate: rho * servers, scv }, arrivalScv)
      expectNear(found.time, time, within)
    },
  )

  it('ten classes that come to 1 but for rounding cannot be kept up with', () => {
    const classes = Array.from({ length: 10 }, () => ({ rate: 1, mean: 0.1, scv: 1 }))
    for (const found of measure({ servers: 1, discipline: 'fifo', buffer: null }, classes))
      expect(found).toMatchObject({ number: null, time: null })
  })
})

describe('beyond capacity', () => {
  it.each([
    // by runs: .618 and .764, .61 and 4.04
    [
      [1, 1],
      [1, 0.5],
      [0.618, 0.764],
    ],
    [
      [2, 5],
      [1, 0.1],
      [0.61, 4.04],
    ],
  ])('processor sharing serves more of the short ones: %j of %j s', (rates, means, served) => {
    const demands = rates.map((rate, kind) => ({ rate, mean: means[kind] ?? 0, scv: 1 }))
    const found = measure({ servers: 1, discipline: 'ps', buffer: null }, demands)
    found.forEach(({ throughput }, kind) => {
      expectNear(throughput, served[kind] ?? 0, 0.03)
    })
    expect(found.reduce((sum, { throughput }, kind) => sum + throughput * (means[kind] ?? 0), 0)).toBeCloseTo(
      1,
      9,
    )
  })

  // by runs of others: .750 ± .007, .850 ± .009, 1.154 ± .011, .406 ± .005, 1.868 ± .024
  it.each([
    [1, 1.3, 0, 0.75, 0.01],
    [1, 1.3, 0.25, 0.85, 0.015],
    [1, 1.3, 4, 1.154, 0.015],
    [1, 2, 0, 0.406, 0.015],
    [3, 4.5, 0, 1.868, 0.015],
  ])(
    'what piles up has had a part of its service: %d servers, %d/s of scv %d',
    (servers, rate, scv, served, within) => {
      expectNear(at({ discipline: 'ps', servers }, { rate, scv }).throughput, served, within)
    },
  )

  it('constants that share, by hand: of g = 1.3(1 - e^-g) the root, and 1.3 - g are served', () => {
    const throughput = at({ discipline: 'ps' }, { rate: 1.3, scv: 0 }).throughput
    const growth = 1.3 - throughput
    expect(growth).toBeCloseTo(1.3 * (1 - Math.exp(-growth)), 9)
    expect(growth).toBeGreaterThan(0.5)
  })

  it('of what nothing comes to the time is its service', () => {
    expect(at({ discipline: 'ps' }, { rate: 0, mean: 2 })).toMatchObject({ number: 0, time: 2 })
  })

  it('of a class that does not come there is none', () => {
    const [one, other] = measure({ servers: 1, discipline: 'fifo', buffer: null }, [
      { rate: 2, mean: 1, scv: 1 },
      { rate: 0, mean: 1, scv: 1 },
    ])
    expect(one?.number).toBeNull()
    expect(other?.number).toBe(0)
  })

  it.each([
    // by a chain of 2,310 states; the others by runs of some million events
    [2, 3, 0.1, 0.1, 0.8, 0.00027, 0.1],
    [3, 1, 0.1, 0.1, 0.9, 0.0591, 0.1],
    [2, 2, 0.2, 0.1, 0.9, 0.0313, 0.1],
    [2, 5, 0.25, 0, 0.9, 0.0015, 0.3],
    [3, 10, 0.1, 0, 1, 0.0051, 0.2],
  ])(
    '%d servers, %d places, arrivals of %d and services of %d at %d: the steady lose little',
    (servers, buffer, arrivalScv, scv, rho, known, off) => {
      const [found] = measure(
        { servers, discipline: 'fifo', buffer },
        [{ rate: rho * servers, mean: 1, scv }],
        arrivalScv,
      )
      expect(Math.abs((found?.loss ?? 0) / known - 1)).toBeLessThan(off)
    },
  )
})
