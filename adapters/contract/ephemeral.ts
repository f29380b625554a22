import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Ephemeral } from '../../core/ports.ts'
import { minute } from './samples.ts'

/** What every Ephemeral promises. `setTime` sets the clock that it was given. */
export function ephemeralContract(make: () => { ephemeral: Ephemeral; setTime(now: string): void }): void {
  test('the first value stays until its time is over', async () => {
    const { ephemeral, setTime } = make()
    const key = `lease/ü/${randomUUID()}`
    setTime(minute(0))
    expect(await ephemeral.putIfAbsent(key, 'first', 120)).toBe('first')
    expect(await ephemeral.putIfAbsent(key, 'second', 120)).toBe('first')
    expect(await ephemeral.putIfAbsent(`${key}2`, 'other', 120)).toBe('other')
    setTime(minute(1))
    expect(await ephemeral.putIfAbsent(key, 'third', 120)).toBe('first')
    setTime(minute(2))
    expect(await ephemeral.putIfAbsent(key, 'fourth', 120)).toBe('fourth')
    setTime(minute(3))
    expect(await ephemeral.putIfAbsent(key, 'fifth', 120)).toBe('fourth')
  })

  test('of ten at once one wins, and all hear of it', async () => {
    const { ephemeral, setTime } = make()
    const key = randomUUID()
    setTime(minute(0))
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => ephemeral.putIfAbsent(key, `caller ${n}`, 60)),
    )
    expect(new Set(answers).size).toBe(1)
    expect(await ephemeral.putIfAbsent(key, 'late', 60)).toBe(answers[0])
  })

  test('counters add up under one key, and say what all of them are', async () => {
    const { ephemeral, setTime } = make()
    const key = `tally/ü/${randomUUID()}`
    setTime(minute(0))
    expect(await ephemeral.tally(key, {}, 60)).toEqual({})
    expect(await ephemeral.tally(key, { handled: 3, 'failed 🦊.a-b': 1 }, 60)).toEqual({
      handled: 3,
      'failed 🦊.a-b': 1,
    })
    expect(await ephemeral.tally(key, { handled: 2, ttl: 7 }, 60)).toEqual({
      handled: 5,
      'failed 🦊.a-b': 1,
      ttl: 7,
    })
    expect(await ephemeral.tally(`${key}2`, { handled: 1 }, 60)).toEqual({ handled: 1 })
    expect(await ephemeral.tally(key, {}, 60)).toEqual({ handled: 5, 'failed 🦊.a-b': 1, ttl: 7 })
  })

  test('counters begin anew so long after the first that was added, whatever came since', async () => {
    const { ephemeral, setTime } = make()
    const key = randomUUID()
    setTime(minute(0))
    await ephemeral.tally(key, { a: 1, b: 1 }, 120)
    setTime(minute(1))
    expect(await ephemeral.tally(key, { a: 1 }, 120)).toEqual({ a: 2, b: 1 })
    setTime(minute(2))
    expect(await ephemeral.tally(key, {}, 120)).toEqual({})
    expect(await ephemeral.tally(key, { a: 1 }, 120)).toEqual({ a: 1 })
    setTime(minute(3))
    expect(await ephemeral.tally(key, { b: 4 }, 120)).toEqual({ a: 1, b: 4 })
  })

  test('of ten at once none is lost, at the beginning and where they begin anew', async () => {
    const { ephemeral, setTime } = make()
    const key = randomUUID()
    for (const n of [0, 5]) {
      setTime(minute(n))
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) => ephemeral.tally(key, { all: 1, [`caller ${n}`]: 1 }, 60)),
      )
      expect(answers.map(({ all }) => all).toSorted((a = 0, b = 0) => a - b)).toEqual(
        Array.from({ length: 10 }, (_, n) => n + 1),
      )
      expect(Object.keys(await ephemeral.tally(key, {}, 60))).toHaveLength(11)
    }
  })
}
