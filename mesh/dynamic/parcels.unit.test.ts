import fc from 'fast-check'
import { expect, it } from 'vitest'
import { flowThrough } from './fluid.ts'
import type { Flow, Limit, Limits } from './limits.ts'
import { between, valueAt } from './lines.ts'
import { factorOver, type Shape } from './shape.ts'

/*
 * The exact fluid against one that goes in small steps of time, with parcels in the place of rates: slow, and simple enough
 * to be believed.
 */

const plain = (most: number, patience: number, over: Limit['over']): Limit => ({
  at: 'l',
  name: 'l',
  law: 'servers',
  unit: 'servers',
  from: 'template',
  over,
  most,
  scaling: null,
  burst: 0,
  shared: false,
  patience,
})

/** Two kinds from outside through a first limit, in turn to states that go through a second and a third. */
const meshes = fc.record({
  capacities: fc.array(fc.integer({ min: 10, max: 60 }), { minLength: 3, maxLength: 3 }),
  gains: fc.array(fc.double({ min: 0.2, max: 1.5, noNaN: true }), { minLength: 2, maxLength: 2 }),
  rates: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 2, maxLength: 2 }),
  works: fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 2, maxLength: 2 }),
  back: fc.double({ min: 0, max: 0.4, noNaN: true }),
  patience: fc.constantFrom(Number.POSITIVE_INFINITY, 20),
  factor: fc.integer({ min: 2, max: 10 }),
  rise: fc.constantFrom(0, 0, 30),
  hold: fc.integer({ min: 10, max: 60 }),
})
type Given = typeof meshes extends fc.Arbitrary<infer Of> ? Of : never

function limitsFor({ capacities, gains, rates, works, back, patience }: Given): Limits {
  const [one = 0, two = 0, three = 0] = capacities
  const to = (limit: number, work: number) => [{ limit, work, waits: true }]
  const flows: Flow[] = [
    { from: null, to: 0, gain: rates[0] ?? 0, passes: to(0, works[0] ?? 1) },
    { from: null, to: 1, gain: rates[1] ?? 0, passes: to(0, works[1] ?? 1) },
    { from: 0, to: 2, gain: gains[0] ?? 0, passes: to(1, 1) },
    { from: 1, to: 2, gain: gains[1] ?? 0, passes: to(1, 1) },
    { from: 2, to: 3, gain: 1, passes: to(2, 1) },
    { from: 3, to: 2, gain: back, passes: to(1, 1) },
  ]
  return {
    limits: [
      plain(one, Number.POSITIVE_INFINITY, 'wait'),
      plain(two, patience, 'wait'),
      plain(three, Number.POSITIVE_INFINITY, 'wait'),
    ],
    flows: flows.filter(({ gain }) => gain > 0),
    service: [null, null, null],
    unavailable: [],
  }
}

const step = 0.02
const horizon = 200

/** Peak and last backlog, messages lost, and the longest wait, of each limit. */
function parcels({ limits, flows }: Limits, shape: Shape) {
  const rows = limits.map((): { flow: number; messages: number; at: number }[] => [])
  const seen = limits.map(() => ({ peak: 0, left: 0, lost: 0, oldest: 0 }))
  const pieces = factorOver(shape)
  const heads = limits.map(() => 0)
  // one parcel of each flow a step
  const coming = flows.map(() => 0)
  const flush = (limit: number, time: number) => {
    flows.forEach(({ passes }, flow) => {
      const messages = coming[flow] ?? 0
      if (passes[0]?.limit !== limit || messages === 0) return
      coming[flow] = 0
      rows[limit]?.push({ flow, messages, at: time })
      const found = seen[limit]
      if (found !== undefined) found.left += messages
    })
  }
  const come = (flow: number, messages: number) => {
    coming[flow] = (coming[flow] ?? 0) + messages
  }
  const goOn = (flow: number, messages: number) => {
    const { to } = flows[flow] ?? {}
    flows.forEach(({ from, gain }, next) => {
      if (from === to) come(next, messages * gain)
    })
  }
  const serve = (limit: number, time: number) => {
    const { most = 0, patience = 0 } = limits[limit] ?? {}
    flush(limit, time)
    const [row = [], found] = [rows[limit], seen[limit]]
    if (found === undefined) return
    let [work, head] = [most * step, heads[limit] ?? 0]
    for (let next = row[head]; next !== undefined && work > 1e-12; next = row[head]) {
      const { flow, messages, at } = next
      const late = time - at > patience
      const needs = messages * (flows[flow]?.passes[0]?.work ?? 1)
      const part = late ? 1 : Math.min(1, work / needs)
      found.left -= messages * part
      if (late) found.lost += messages
      else {
        work -= needs * part
        found.oldest = Math.max(found.oldest, time - at)
        goOn(flow, messages * part)
      }
      if (part < 1) next.messages *= 1 - part
      else head++
    }
    heads[limit] = head
    found.peak = Math.max(found.peak, found.left)
  }
  for (let time = 0; time < horizon; time += step) {
    const piece = pieces.findLast(({ from }) => from <= time + step / 2)
    const factor = piece === undefined ? 1 : between(piece.line, time, time + step)
    flows.forEach(({ from, gain }, flow) => {
      if (from === null) come(flow, gain * factor)
    })
    limits.forEach((_, limit) => {
      serve(limit, time)
    })
  }
  return seen
}

it('is what parcels in small steps do', () => {
  fc.assert(
    fc.property(meshes, (given) => {
      const shape: Shape = {
        shape: 'step',
        factor: given.factor,
        after: 10,
        rise: given.rise,
        hold: given.hold,
      }
      const limits = limitsFor(given)
      const { stations, until } = flowThrough(limits, 4, {
        horizon,
        doors: () => factorOver(shape),
        fine: 2,
        mostWork: 1e6,
      })
      expect(until).toBe(horizon)
      parcels(limits, shape).forEach((slow, limit) => {
        const station = stations[limit]
        if (station === undefined) throw new Error('no station')
        const { seen, messages, over } = station
        const inflow = valueAt(station.all, 0) + 100
        const slack = (of: number) => 0.02 * of + inflow * 0.03
        expect(Math.abs(seen.peak.messages - slow.peak)).toBeLessThan(slack(slow.peak))
        expect(Math.abs((over ? messages : 0) - slow.left)).toBeLessThan(slack(slow.peak))
        expect(Math.abs(seen.lost - slow.lost)).toBeLessThan(slack(slow.lost + slow.peak))
        expect(Math.abs(seen.oldest.seconds - slow.oldest)).toBeLessThan(0.03 * slow.oldest + 0.2)
      })
    }),
    { numRuns: 100, seed: 3 },
  )
})
