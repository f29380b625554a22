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
}
