// Longer than 300 lines: each published case with its numbers.

import { describe, expect, it } from 'vitest'
import { analyseNetwork } from './analyse.ts'
import { parseNetwork } from './network.ts'

const analyse = (value: unknown) => analyseNetwork('net.json', parseNetwork('net.json', value)).nodes
const single = (node: object, rate: number) =>
  analyse({ nodes: { a: node }, arrivals: { a: { job: rate } } }).a?.job

describe('published results', () => {
  it('Jackson network with feedback (Bolch et al., example 7.4)', () => {
    const route = (from: string, to: string, probability: number) => ({ from, to, class: 'job', probability })
    const nodes = analyse({
      nodes: {
        cpu: { service: { job: 0.04 } },
        disk: { service: { job: 0.03 } },
        print: { service: { job: 0.06 } },
        input: { service: { job: 0.05 } },
      },
      routes: [
        route('cpu', 'disk', 0.5),
        route('cpu', 'print', 0.5),
        route('disk', 'cpu', 1),
        route('print', 'cpu', 0.6),
        route('input', 'cpu', 1),
      ],
      arrivals: { input: { job: 4 } },
    })
    const all = [nodes.cpu?.job, nodes.disk?.job, nodes.print?.job, nodes.input?.job]
    const near = (expected: number[], got: (number | null | undefined)[]) => {
      for (const [i, value] of expected.entries()) expect(got[i]).toBeCloseTo(value, 3.5)
    }
    near(
      [20, 10, 10, 4],
      all.map((m) => m?.arrivalRate),
    )
    near(
      [0.8, 0.3, 0.6, 0.2],
      all.map((m) => m?.utilisation),
    )
    near(
      [0.2, 0.0429, 0.15, 0.0625],
      all.map((m) => m?.time),
    )
    near(
      [4, 0.4286, 1.5, 0.25],
      all.map((m) => m?.number),
    )
  })

  /**
   * A central server: every visit of a device but the first begins at the processor, and after one of its visits[0] visits
   * the job leaves; so many visits of each, and services of so many seconds.
   */
  const central = (rate: number, visits: readonly number[], services: readonly number[]) => {
    const [first = 1, ...others] = visits
    const name = (place: number) => `device-${place}`
    const answered = analyse({
      nodes: Object.fromEntries(
        services.map((service, place) => [name(place), { service: { job: service } }]),
      ),
      routes: others.flatMap((count, place) => [
        { from: name(0), to: name(place + 1), class: 'job', probability: count / first },
        { from: name(place + 1), to: name(0), class: 'job' },
      ]),
      arrivals: { [name(0)]: { job: rate } },
    })
    return visits.map((_, place) => answered[name(place)]?.job)
  }
  /** Half a unit of the last digit that is printed. */
  const asPrinted = (found: number | null | undefined, printed: string) => {
    const half = 0.5 * 10 ** -(printed.split('.')[1]?.length ?? 0)
    expect(Math.abs((found ?? Number.NaN) - Number(printed))).toBeLessThanOrEqual(half * (1 + 1e-9))
  }

  it('a central server by its visits (Jain 1991, example 34.1)', () => {
    const found = central(3, [16, 7, 8], [0.01, 0.02, 0.03])
    for (const [place, printed] of ['48', '21', '24'].entries()) asPrinted(found[place]?.throughput, printed)
    for (const [place, printed] of ['0.48', '0.42', '0.72'].entries())
      asPrinted(found[place]?.utilisation, printed)
    for (const [place, printed] of ['0.0192', '0.0345', '0.107'].entries())
      asPrinted(found[place]?.time, printed)
  })

  it('an open model of a processor and two disks (Lazowska et al. 1984, p. 113)', () => {
    const [cpu, one, two] = central(0.3, [121, 70, 50], [0.005, 0.03, 0.027])
    asPrinted(cpu?.throughput, '36.3')
    asPrinted(cpu?.utilisation, '0.182')
    asPrinted(cpu?.number, '0.222')
    // Little's law and the sum of the visits: what is in all devices is what comes by how long it stays
    const stays = 121 * (cpu?.time ?? 0) + 70 * (one?.time ?? 0) + 50 * (two?.time ?? 0)
    expect((cpu?.number ?? 0) + (one?.number ?? 0) + (two?.number ?? 0)).toBeCloseTo(0.3 * stays, 9)
  })

  it('two servers (M/M/2, λ = 9, μ = 5)', () => {
    const found = single({ servers: 2, service: { job: 0.2 } }, 9)
    expect((found?.number ?? 0) - 9 * 0.2).toBeCloseTo(7.674, 3)
    expect(found?.time).toBeCloseTo(1.053, 3)
  })

  it('classes that change on the way, under processor sharing (LINE, oqn_cs_routing)', () => {
    const nodes = analyse({
      nodes: {
        first: { discipline: 'ps', service: { A: 0.2, B: 0.3 } },
        second: { discipline: 'ps', service: { C: 0.15 } },
      },
      routes: [
        { from: 'first', to: 'second', class: 'A', becomes: 'C' },
        { from: 'first', to: 'second', class: 'B', becomes: 'C' },
      ],
      arrivals: { first: { A: 2, B: 1 } },
    })
    expect(nodes.first?.A?.utilisation).toBeCloseTo(0.4, 6)
    expect(nodes.first?.B?.utilisation).toBeCloseTo(0.3, 6)
    expect(nodes.second?.C?.utilisation).toBeCloseTo(0.45, 6)
    expect(nodes.first?.A?.time).toBeCloseTo(0.6667, 4)
    expect(nodes.first?.B?.time).toBeCloseTo(1, 6)
    expect(nodes.second?.C?.time).toBeCloseTo(0.2727, 4)
  })

  it.each([
    ['M/D/1', { service: { job: 0.8 }, scv: 0 }, 1, 0.8 + (0.8 * 0.8) / (2 * 0.2)],
    ['M/H2/1', { service: { job: { mean: 0.5, scv: 3 } } }, 1, 0.5 + (0.5 * 0.5 * 2) / 0.5],
    ['M/M/1/3', { service: { job: 1 }, buffer: 2 }, 1, 2],
    ['M/G/∞', { service: { job: 3 }, discipline: 'delay' }, 10, 3],
  ])('%s', (_, node, rate, time) => {
    expect(single(node, rate)?.time).toBeCloseTo(time, 6)
  })

  it('Erlang B: 100 erlangs on 117 lines lose about 1 %', () => {
    const nodes = analyse({
      nodes: { a: { servers: 117, discipline: 'loss', service: { call: 100 }, scv: 9 } },
      arrivals: { a: { call: 1 } },
    })
    expect(nodes.a?.call?.loss).toBeCloseTo(0.0098, 3)
  })

  it('a loop that nothing gets into refuses nothing; one that something gets into is refused', () => {
    const round = [
      { from: 'b', to: 'c', class: 'job' },
      { from: 'c', to: 'b', class: 'job' },
    ]
    const service = { job: 0.5 }
    const nodes = { a: { service }, b: { service }, c: { service } }
    const found = analyse({ nodes, routes: round, arrivals: { a: { job: 1 } } })
    expect(found.a?.job?.time).toBeCloseTo(1, 12)
    expect(found.b?.job).toMatchObject({ arrivalRate: 0, number: 0 })
    expect(() => analyse({ nodes, routes: round, arrivals: { b: { job: 1 } } })).toThrow(
      /nothing ever leaves the loop of/,
    )
  })

  it('what comes and what is lost settle on each other, however little leaves at a time', () => {
    for (const rate of [1, 2, 3, 4, 5]) {
      const found = analyse({
        nodes: { a: { servers: 3, service: { job: 0.05 }, scv: 2, buffer: 19 } },
        routes: [{ from: 'a', to: 'a', class: 'job', probability: 0.98 }],
        arrivals: { a: { job: rate } },
      }).a?.job
      expect(found?.arrivalRate).toBeCloseTo(rate + 0.98 * (found?.throughput ?? 0), 8)
    }
  })

  it('M/G/1 with feedback: the number is that of one long service (Takács)', () => {
    const nodes = analyse({
      nodes: { a: { service: { job: 0.1 }, scv: 0 } },
      routes: [{ from: 'a', to: 'a', class: 'job', probability: 0.5 }],
      arrivals: { a: { job: 4 } },
    })
    const rho = 0.8
    const scv = 0.5
    expect(nodes.a?.job?.number).toBeCloseTo(rho + (rho * rho * (1 + scv)) / (2 * (1 - rho)), 6)
    expect(nodes.a?.job?.arrivalRate).toBeCloseTo(8, 9)
  })
})

describe('who comes back at once', () => {
  const back = (kind: string, probability: number) => ({ from: 'a', to: 'a', class: kind, probability })
  const looped = (node: object, rate: number, probabilities: readonly number[]) =>
    analyse({
      nodes: { a: node },
      routes: probabilities.map((probability) => back('job', probability)),
      arrivals: { a: { job: rate } },
    }).a?.job

  it('of two classes that are alike is one queue with the others (BCMP)', () => {
    const found = analyse({
      nodes: { a: { service: { A: 0.25, B: 0.25 } } },
      arrivals: { a: { A: 1, B: 1 } },
      routes: [back('A', 0.5)],
    }).a
    expect(found?.A?.number).toBeCloseTo(2, 9)
    expect(found?.B?.number).toBeCloseTo(1, 9)
  })

  it('by two routes comes back as often as by one', () => {
    const node = { service: { job: 0.1 }, scv: 0 }
    expect(looped(node, 4, [0.25, 0.25])).toEqual(looped(node, 4, [0.5]))
  })

  it('finds the place that it has left (M/M/1/4; Erlang B)', () => {
    for (const [node, number] of [
      [{ service: { job: 0.5 }, buffer: 3 }, 2],
      [{ service: { job: 0.5 }, discipline: 'loss', servers: 2 }, 0.8],
    ] as const) {
      const found = looped(node, 1, [0.5])
      const lost = 1 - (found?.throughput ?? 0) / 2
      expect(found?.number).toBeCloseTo(number, 9)
      expect(lost).toBeCloseTo(0.2, 9)
      expect(found?.loss).toBeCloseTo(lost / (lost + (found?.throughput ?? 0)), 9)
      expect(found?.loss).toBeCloseTo(1 / 9, 9)
    }
  })
})

it('what streams join is Poisson but for rounding (M/D/1/5)', () => {
  const found = analyse({
    nodes: {
      s: { service: { job: 0.01 } },
      r: { service: { job: 0.01 } },
      t: { service: { job: 3.08641975308642 }, scv: 0, buffer: 4 },
    },
    arrivals: { s: { job: 2.8 }, r: { job: 2.6 } },
    routes: ['s', 'r'].map((from) => ({ from, to: 't', class: 'job', probability: 0.06 })),
  }).t?.job
  expect(found?.number).toBeCloseTo(2.546, 3)
  expect(found?.loss).toBeCloseTo(0.1034, 4)
})

describe('what is not exact says so, and why', () => {
  const why = (nodes: object, routes: readonly object[] = [], arrivals: object = { a: { job: 0.5 } }) => {
    const found = analyse({ nodes, routes, arrivals })
    return Object.entries(found).flatMap(([name, { job }]) =>
      job?.approximate === undefined ? [] : [`${name}: ${job.approximate}`],
    )
  }
  const node = (more: object = {}) => ({ service: { job: 1 }, ...more })
  const route = (from: string, to: string, probability = 1) => ({ from, to, class: 'job', probability })

  it.each([
    ['M/M/c', node({ servers: 2 })],
    ['M/G/1', node({ scv: 3 })],
    ['M/M/c/K', node({ servers: 2, buffer: 3 })],
    ['M/D/1/K', node({ scv: 0, buffer: 3 })],
    ['M/G/c/c', node({ scv: 3, discipline: 'loss', servers: 4 })],
    ['M/G/∞', node({ scv: 3, discipline: 'delay' })],
    ['M/G/1-PS', node({ scv: 3, discipline: 'ps' })],
  ])('%s is exact, with who comes back at once too', (name, a) => {
    expect(why({ a })).toEqual([])
    if (name !== 'M/D/1/K') expect(why({ a }, [route('a', 'a', 0.25)])).toEqual([])
  })

  it.each([
    ['M/G/c', node({ scv: 3, servers: 2 }), 1, /a: of its services two moments are known \(Allen-Cunneen\)/],
    ['M/G/1/K', node({ scv: 3, buffer: 2 }), 1, /a: of its services two moments are known/],
    ['M/D/c/K', node({ scv: 0, buffer: 2, servers: 2 }), 1, /a: of its services two moments are known/],
    ['GI/M/1', node(), 2, /a: of its arrivals two moments are known/],
  ])('%s is not', (_, a, scv, reason) => {
    const [found] = why({ a }, [], { a: { job: { rate: 0.5, scv } } })
    expect(found).toMatch(reason)
  })

  it('behind a full place, and in a loop with it', () => {
    const full = node({ buffer: 1 })
    expect(why({ a: full, b: node() }, [route('a', 'b')])).toEqual([
      'b: what comes by way of a is not Poisson, and is taken by two moments',
    ])
    expect(why({ a: full, b: node() }, [route('a', 'b'), route('b', 'a', 0.5)])[0]).toMatch(
      /a: what comes back/,
    )
    expect(why({ a: node(), b: full }, [route('a', 'b')])).toEqual([])
    // a delay holds them however they come
    const slow = node({ discipline: 'delay' })
    expect(why({ a: full, b: slow }, [route('a', 'b')])).toEqual([])
    expect(why({ a: node({ buffer: 1, scv: 3 }), b: slow }, [route('a', 'b')])[1]).toMatch(
      /b: how much a lets/,
    )
  })

  it('not of what does not come', () => {
    expect(why({ a: node(), b: node({ scv: 3, servers: 2 }) })).toEqual([])
  })
})

describe('behind a full node, by runs of 600,000 events', () => {
  const behind = (full: object, next: object, rate: number) =>
    analyse({
      nodes: { a: full, b: next },
      routes: [{ from: 'a', to: 'b', class: 'job' }],
      arrivals: { a: { job: rate } },
    }).b?.job
  const line = { service: { job: 1 }, discipline: 'loss' }

  it('departures are steadier than arrivals', () => {
    const queue = behind(line, { service: { job: 1.4 } }, 2)
    expect(Math.abs((queue?.number ?? 0) - 10.37)).toBeLessThan(1)
    expect(behind(line, line, 5)?.loss).toBeCloseTo(0.415, 1.5)
    // M/M/1/4, then M/M/1
    const slight = behind({ service: { job: 1 }, buffer: 3 }, { service: { job: 0.8 } }, 1)
    expect(Math.abs((slight?.number ?? 0) / 1.585 - 1)).toBeLessThan(0.1)
  })
})

describe('arrivals that are not Poisson, by runs of some million events', () => {
  const classes = (all: { rate: number; scv: number }[], more: object = {}) => {
    const kinds = all.map((_, place) => `k${place}`)
    return analyse({
      nodes: { a: { service: Object.fromEntries(kinds.map((kind) => [kind, 1])), ...more } },
      routes: [],
      arrivals: { a: Object.fromEntries(kinds.map((kind, place) => [kind, all[place]])) },
    }).a?.k0
  }

  it('of many streams together are nearly Poisson', () => {
    const poisson = (rate: number) => ({ rate, scv: 1 })
    const ten = (one: { rate: number; scv: number }) => Array.from({ length: 10 }, () => one)
    // 2.274 ± 0.006; as one stream it would be 4
    expect(Math.abs((classes(ten({ rate: 0.05, scv: 5 }))?.time ?? 0) / 2.274 - 1)).toBeLessThan(0.05)
    // 0.217 ± 0.002
    const lost = classes(ten({ rate: 0.4, scv: 5 }), { discipline: 'loss', servers: 5 })?.loss ?? 0
    expect(Math.abs(lost / 0.217 - 1)).toBeLessThan(0.08)
    // of Poisson streams it makes no difference how many they are
    expect(classes([poisson(0.4), { rate: 0.2, scv: 9 }])?.time).toBeCloseTo(
      classes([poisson(0.1), poisson(0.3), { rate: 0.2, scv: 9 }])?.time ?? 0,
      9,
    )
  })

  it('leave processor sharing of exponential services as they leave a queue of these: as many are there', () => {
    const behind = (discipline: string) =>
      analyse({
        nodes: { a: { service: { job: 1 }, discipline }, b: { service: { job: 1 } } },
        routes: [{ from: 'a', to: 'b', class: 'job' }],
        arrivals: { a: { job: { rate: 0.7, scv: 9 } } },
      }).b?.job?.time
    expect(behind('ps')).toBeCloseTo(behind('fifo') ?? 0, 9)
  })
})
