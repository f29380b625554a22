import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as made from '../../test/meshes.ts'
import { nonlinear } from './nonlinear.ts'

const { apiNode, functionNode, invoke, loadedWith, meshFrom, poll, queueNode, servers } = made

/** Ten of what all functions share, of 0.5 s each, behind a door or a task that tries three times. */
const shared = (worker: string, { rate, task }: { rate: number; task: boolean }) =>
  nonlinear(
    loadedWith(
      meshFrom(
        [
          ...(task
            ? [made.node('workflow', 'm'), made.node('task', 'm#t', { workflow: 'm' })]
            : [apiNode('m')]),
          functionNode(worker, [servers(10, 'refuse', 'concurrency')], 30),
        ],
        task ? [invoke('m', 'm#t'), invoke('m#t', worker, 3, 60)] : [invoke('m', worker)],
      ),
      { m: rate },
      { [worker]: 0.5 },
    ),
  )

describe('what is shared and called', () => {
  // 36 % of 26.45 attempts a second are refused in a seeded run of 20,000 s with waits of 1 and 2 s between attempts
  it.each(['a', 'z'])('comes as often as callers try, whatever it is called: %s', (worker) => {
    const { sites, mesh } = shared(worker, { rate: 18, task: true })
    const site = sites.find(({ at }) => at === worker)
    expect(site?.low.rate).toBeCloseTo(26.5, 0)
    expect(site?.low.failing).toBeCloseTo(0.36, 1)
    expect(sites.find(({ at }) => at === 'concurrency')).toMatchObject({ state: 'overloaded' })
    expect(mesh.critical?.factor).toBeLessThan(1)
  })

  it.each(['a', 'z'])(
    'is at its capacity at 20/s, and nothing helps against 30/s but more of it: %s',
    (worker) => {
      const { mesh, whatIfs, sites } = shared(worker, { rate: 30, task: false })
      expect(mesh).toMatchObject({ limiting: 'concurrency', critical: { by: 'capacity' } })
      expect(mesh.critical?.factor).toBeCloseTo(20 / 30, 4)
      expect(sites[0]).toMatchObject({ at: 'concurrency', critical: mesh.critical })
      const removes = whatIfs.map(({ what, removes: ends }) => [what, ends])
      expect(Object.fromEntries(removes)).toMatchObject({
        'a retry budget of 10 %': false,
        '2 times the capacity': true,
      })
    },
  )
})

/** A function, and what leads to it: a door or a queue of its own, or one of those before it, which waits. */
const part = fc.record({
  by: fc.constantFrom('door', 'queue', 'caller', 'caller'),
  caller: fc.nat(),
  attempts: fc.integer({ min: 1, max: 4 }),
  patience: fc.constantFrom(1, 30),
  rate: fc.double({ min: 0.5, max: 8, noNaN: true }),
  mean: fc.double({ min: 0.1, max: 1, noNaN: true }),
  fails: fc.constantFrom(0, 0, 0.1, 0.3),
  reserved: fc.constantFrom(undefined, undefined, 4),
  pollers: fc.integer({ min: 1, max: 8 }),
  prefix: fc.constantFrom('a', 'c', 'x', 'z'),
})
const parts = fc.array(part, { minLength: 2, maxLength: 7 })
type Part = typeof part extends fc.Arbitrary<infer Value> ? Value : never

const solved = (given: readonly Part[], { scale = 1, named = (place: number) => `f${place}` } = {}) => {
  const doorOf = (place: number) => `${named(place)}-door`
  const ways = given.map(({ by, caller, attempts, patience, pollers }, place) =>
    by === 'caller' && place > 0
      ? invoke(named(caller % place), named(place), attempts, patience)
      : by === 'queue'
        ? poll(doorOf(place), named(place), [servers(pollers)])
        : invoke(doorOf(place), named(place), attempts),
  )
  const led = new Set(ways.map(({ from }) => from))
  const entries = <Value>(of: (each: Part, place: number) => [string, Value]) => new Map(given.map(of))
  const doors = given.flatMap(({ by }, place) =>
    led.has(doorOf(place)) ? [(by === 'queue' ? queueNode : apiNode)(doorOf(place))] : [],
  )
  const functions = given.map(({ reserved }, place) =>
    functionNode(named(place), [
      reserved === undefined ? servers(12, 'refuse', 'concurrency') : servers(reserved, 'refuse'),
    ]),
  )
  // as an assembly has them: by name
  const nodes = [...doors, ...functions].toSorted((one, other) => (one.id < other.id ? -1 : 1))
  const rates = entries(({ rate }, place) => [doorOf(place), rate * scale])
  return nonlinear(
    loadedWith(
      meshFrom(
        nodes,
        ways.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
      ),
      Object.fromEntries([...rates].filter(([door]) => led.has(door))),
      Object.fromEntries(entries(({ mean }, place) => [named(place), mean])),
      { failures: entries(({ fails }, place) => [named(place), fails]) },
    ),
  )
}

describe('of any mesh', () => {
  it('names change nothing', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const named = (place: number) => `${given[place]?.prefix}${given.length - place}`
        const [one, other] = [solved(given), solved(given, { named })]
        const places = given.map((_, place) => [`f${place}`, named(place)] as const)
        for (const [at, renamed] of [...places, ['concurrency', 'concurrency'] as const]) {
          const [site, same] = [one, other].map(({ sites }, report) =>
            sites.find((each) => each.at === (report === 0 ? at : renamed)),
          )
          expect(same?.state).toBe(site?.state)
          for (const side of ['low', 'high'] as const) {
            expect(same?.[side].failing ?? 0).toBeCloseTo(site?.[side].failing ?? 0, 4)
            expect(same?.[side].rate ?? 0).toBeCloseTo(site?.[side].rate ?? 0, 3)
          }
        }
        expect(other.mesh.critical?.factor ?? 0).toBeCloseTo(one.mesh.critical?.factor ?? 0, 4)
        expect(other.mesh.coupled.length).toBe(one.mesh.coupled.length)
        expect(other.whatIfs.map(({ removes }) => removes)).toEqual(one.whatIfs.map(({ removes }) => removes))
      }),
      { seed: 1, numRuns: 40, endOnFailure: true },
    )
  })

  it('more of everything that comes brings the critical load as much nearer', () => {
    fc.assert(
      fc.property(parts, fc.double({ min: 0.5, max: 2, noNaN: true }), (given, scale) => {
        const [one, other] = [solved(given).mesh.critical, solved(given, { scale }).mesh.critical]
        // beyond the largest load that is looked at there is none
        if (one === null || one.factor / scale > 2.99 || one.factor < 0.1 || one.factor / scale < 0.1) return
        expect(((other?.factor ?? 0) * scale) / one.factor).toBeCloseTo(1, 2)
      }),
      { seed: 1, numRuns: 40, endOnFailure: true },
    )
  })
})
