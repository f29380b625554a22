import { describe, expect, it } from 'vitest'
import { noon } from '../../test/world.ts'
import {
  type Circuits,
  circuits,
  claimed,
  closed,
  closedAt,
  covering,
  failedAgain,
  mayProbe,
  mostCircuits,
  open,
  undecided,
} from './circuit.ts'

const at = (seconds: number): string => new Date(Date.parse(noon) + seconds * 1000).toISOString()
const none: Circuits = circuits.parse({})

const opened = (state: Circuits, downstream: string, seconds = 0) => {
  const opening = open(state, { downstream, reason: 'no answer', now: at(seconds) })
  if (opening === undefined) throw new Error(`${downstream} is open already`)
  return opening
}

const of = (state: Circuits, downstream: string) => {
  const circuit = covering(state, downstream)
  if (circuit === undefined) throw new Error(`${downstream} is closed`)
  return circuit
}

describe('an open circuit', () => {
  it('covers its own downstream, and that of the whole subscriber every one', () => {
    const { next } = opened(none, 'a')
    expect(covering(next, 'a')).toMatchObject({ downstream: 'a', state: 'open', probes: 0 })
    expect(covering(next, 'b')).toBeUndefined()
    const whole = opened(next, '').next
    expect(covering(whole, 'b')).toMatchObject({ downstream: '' })
    expect(covering(whole, 'a')).toMatchObject({ downstream: '' })
  })

  it('is opened once', () => {
    const { next } = opened(none, 'a')
    expect(open(next, { downstream: 'a', reason: 'x', now: at(1) })).toBeUndefined()
    const whole = opened(none, '').next
    expect(open(whole, { downstream: 'a', reason: 'x', now: at(1) })).toBeUndefined()
  })

  it('may be of any word that an event brings', () => {
    const { next } = opened(none, '__proto__')
    const kept = circuits.parse(JSON.parse(JSON.stringify(next)))
    expect(covering(kept, '__proto__')).toBeDefined()
    expect(covering(kept, 'constructor')).toBeUndefined()
  })

  it('of too many downstreams is one of the whole subscriber', () => {
    let state = none
    for (let n = 0; n < mostCircuits; n++) state = opened(state, `d${n}`).next
    const { next, opened: last } = opened(state, 'one more')
    expect(last.downstream).toBe('')
    expect(next.circuits).toHaveLength(mostCircuits + 1)
    expect(open(next, { downstream: 'and another', reason: 'x', now: at(1) })).toBeUndefined()
  })
})

describe('the probe', () => {
  it('is let through after 30 seconds, alone, and given up after 60 more', () => {
    const { next, opened: circuit } = opened(none, '')
    expect(mayProbe(circuit, at(29.999))).toBe(false)
    expect(mayProbe(circuit, at(30))).toBe(true)
    const tried = claimed(next, circuit, at(30))
    expect(of(tried, '')).toMatchObject({ state: 'half-open', probes: 1, lastProbe: at(30) })
    expect(mayProbe(of(tried, ''), at(89.999))).toBe(false)
    expect(mayProbe(of(tried, ''), at(90))).toBe(true)
  })

  it('that fails doubles the pause, up to ten minutes', () => {
    let { next: state } = opened(none, '')
    const pauses: number[] = []
    let now = 30
    for (let n = 0; n < 7; n++) {
      state = claimed(state, of(state, ''), at(now))
      state = failedAgain(state, of(state, ''), at(now))
      const pause = (Date.parse(of(state, '').probeAt) - Date.parse(at(now))) / 1000
      pauses.push(pause)
      now += pause
    }
    expect(pauses).toEqual([60, 120, 240, 480, 600, 600, 600])
  })

  it('that decides nothing leaves it to the next delivery, at once', () => {
    const { next, opened: circuit } = opened(none, '')
    const tried = claimed(next, circuit, at(30))
    const state = undecided(tried, of(tried, ''), at(31))
    expect(of(state, '')).toMatchObject({ state: 'open', probes: 0, probeAt: at(31) })
    expect(mayProbe(of(state, ''), at(31))).toBe(true)
  })
})

describe('a circuit that closed', () => {
  const flap = (state: Circuits, seconds: number): Circuits => {
    const { next } = opened(state, 'a', seconds)
    const tried = claimed(next, of(next, 'a'), at(seconds + 1))
    return closed(tried, [of(tried, 'a')], at(seconds + 2))
  }

  it('is gone, and remembered for ten minutes', () => {
    const state = flap(none, 0)
    expect(covering(state, 'a')).toBeUndefined()
    expect(closedAt(state, 'a')).toBe(at(2))
  })

  it('and opens again goes on with longer pauses: one that flaps is tried ever more rarely', () => {
    const twice = flap(flap(none, 0), 100)
    const { opened: third } = opened(twice, 'a', 200)
    expect(third).toMatchObject({ probes: 2, probeAt: at(320) })
  })

  it('and was quiet since for ten minutes begins anew', () => {
    const { opened: later } = opened(flap(none, 0), 'a', 602)
    expect(later).toMatchObject({ probes: 0, probeAt: at(632) })
  })

  it('is forgotten with the others after that', () => {
    let state = none
    for (let n = 0; n < 5; n++) {
      const { next, opened: circuit } = opened(state, `d${n}`, n)
      state = closed(next, [circuit], at(n))
    }
    expect(state.closed).toHaveLength(5)
    const { next, opened: circuit } = opened(state, 'late', 700)
    expect(closed(next, [circuit], at(700)).closed).toEqual([{ downstream: 'late', at: at(700), probes: 0 }])
  })
})
