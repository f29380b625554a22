import { describe, expect, it } from 'vitest'
import { analyseNetwork } from '../network/analyse.ts'
import { parseNetwork } from '../network/network.ts'
import { seeded } from '../random.ts'
import { manyServers } from './finite.ts'
import { estimated, serviceTimes } from './sample.ts'
import { measure } from './station.ts'

/*
 * The formulas against runs of what they describe. Each run: first come first served, the arrivals given, `servers` alike,
 * at most `buffer` waiting. The mean of ten seeded runs and half of its 95 % interval.
 */

type Arrivals = readonly number[]
type Served = { departures: number[]; loss: number; wait: number }

const poisson = (rate: number, count: number, random: () => number): number[] => {
  const next = serviceTimes(1 / rate, 1, random)
  let time = 0
  return Array.from({ length: count }, () => {
    time += next()
    return time
  })
}

const soonest = (free: readonly number[]): number => {
  let first = 0
  for (let server = 1; server < free.length; server++)
    if ((free[server] ?? 0) < (free[first] ?? 0)) first = server
  return first
}

/** Through one station; the first tenth warms up. */
function serve(
  arrivals: Arrivals,
  servers: number,
  service: () => number,
  buffer = Number.POSITIVE_INFINITY,
): Served {
  const free = Array.from({ length: servers }, () => 0)
  // starts of those that may still wait, in order: first come first served starts in the order of arrival
  const starts: number[] = []
  const departures: number[] = []
  const warm = arrivals.length / 10
  let [head, counted, lost, waited] = [0, 0, 0, 0]
  arrivals.forEach((time, place) => {
    while (head < starts.length && (starts[head] ?? 0) <= time) head++
    const counts = place >= warm
    if (counts) counted++
    const first = soonest(free)
    if ((free[first] ?? 0) > time && starts.length - head >= buffer) {
      if (counts) lost++
      return
    }
    const start = Math.max(time, free[first] ?? 0)
    starts.push(start)
    free[first] = start + service()
    departures.push(free[first] ?? 0)
    if (counts) waited += start - time
  })
  return {
    departures: departures.toSorted((a, b) => a - b),
    loss: lost / counted,
    wait: waited / (counted - lost),
  }
}

const runs = 10
const each = (run: (random: () => number) => number) =>
  estimated(Array.from({ length: runs }, (_, seed) => run(seeded(seed + 1))))

/**
 * By how much of the run's mean the formula may be above or below it: `known`, where it is an approximation, found by six
 * runs of a million; and what ten runs may be off by chance.
 */
const expectOff = (
  formula: number,
  { mean, halfWidth }: { mean: number; halfWidth: number },
  known: number,
) => expect(Math.abs(formula / mean - 1 - known)).toBeLessThan(0.03 + (1.5 * halfWidth) / mean)

describe('queues without end: the mean wait', () => {
  it.each([
    // servers, utilisation, scv, by how much the formula is off
    [1, 0.8, 1, 0],
    [1, 0.8, 0, 0],
    [1, 0.8, 4, 0],
    [4, 0.8, 1, 0],
    [4, 0.8, 0, -0.03],
    [4, 0.8, 4, 0.08],
    [16, 0.9, 0, -0.04],
    [16, 0.9, 4, 0.09],
    [16, 0.6, 4, 0.65],
  ])('%d servers at %d, scv %d: off by %d', (servers, utilisation, scv, known) => {
    const rate = servers * utilisation
    const found = each(
      (random) => serve(poisson(rate, 60_000, random), servers, serviceTimes(1, scv, random)).wait,
    )
    const [formula] = measure({ servers, discipline: 'fifo', buffer: null }, [{ rate, mean: 1, scv }])
    expectOff((formula?.time ?? 0) - 1, found, known)
  })
})

describe('few places to wait: the part that is turned away', () => {
  it.each([
    [1, 0.9, 0, 3, 0],
    [1, 0.9, 4, 3, 0],
    [1, 1.2, 0.5, 5, 0],
    [4, 0.9, 1, 3, 0],
    [4, 1.2, 1, 5, 0],
    [4, 0.9, 0, 4, 0.03],
    [4, 0.9, 4, 4, 0],
    [4, 1.2, 0, 4, -0.01],
    [4, 1.2, 4, 4, 0],
    [5, 0.8, 4, 0, 0],
  ])('%d servers at %d, scv %d, %d places: off by %d', (servers, utilisation, scv, buffer, known) => {
    const rate = servers * utilisation
    const found = each(
      (random) => serve(poisson(rate, 30_000, random), servers, serviceTimes(1, scv, random), buffer).loss,
    )
    const [formula] = measure({ servers, discipline: 'fifo', buffer }, [{ rate, mean: 1, scv }])
    expectOff(formula?.loss ?? 0, found, known)
  })
})

describe('one station after the other (Queueing Network Analyzer): the mean wait at the second', () => {
  it.each([
    // scv of the first and the second, utilisation of both, by how much the formula is off
    [1, 1, 0.8, 0.8, 0],
    [0, 1, 0.8, 0.8, 0],
    [4, 1, 0.8, 0.8, 0.03],
    [4, 0, 0.6, 0.9, 0.21],
    [0, 0, 0.6, 0.9, -0.19],
  ])('scv %d then %d at %d and %d: off by %d', (first, second, one, other, known) => {
    const found = each((random) => {
      const { departures } = serve(poisson(1, 60_000, random), 1, serviceTimes(one, first, random))
      return serve(departures, 1, serviceTimes(other, second, random)).wait
    })
    const network = parseNetwork('tandem', {
      nodes: {
        a: { service: { job: { mean: one, scv: first } } },
        b: { service: { job: { mean: other, scv: second } } },
      },
      routes: [{ from: 'a', to: 'b', class: 'job' }],
      arrivals: { a: { job: 1 } },
    })
    const formula = (analyseNetwork('tandem', network).nodes.b?.job?.time ?? 0) - other
    expectOff(formula, found, known)
  })
})

describe('far over its capacity, with thousands of places to wait', () => {
  it.each([
    [1, 2, 2000, 0.5, 2000],
    [2, 4, 2000, 0.5, 2001],
    [10, 1e6, 5000, 1 - 1e-5, 5010],
  ])(
    '%d servers offered %d: what they cannot serve is lost, and all places are taken',
    (servers, offered, waiting, loss, number) => {
      const found = manyServers(servers, offered, waiting)
      expect(found.loss).toBeCloseTo(loss, 12)
      expect(found.number).toBeCloseTo(number, 3)
    },
  )

  it('is the sum over its states where that can be had', () => {
    const weights = Array.from({ length: 42 }, (_, n) => (n < 2 ? 3 ** n : 3 * 1.5 ** (n - 1)))
    const total = weights.reduce((sum, each) => sum + each)
    const { loss, number } = manyServers(2, 3, 39)
    expect(loss).toBeCloseTo((weights.at(-1) ?? 0) / total, 12)
    expect(number).toBeCloseTo(weights.reduce((sum, each, n) => sum + n * each, 0) / total, 9)
  })
})
