import { beforeAll, expect, it, vi } from 'vitest'
import { reportOf } from './report.ts'
import { runSchedule } from './schedule.ts'

beforeAll(() => {
  for (const name of ['log', 'warn'] as const) vi.spyOn(console, name).mockReturnValue()
})

it.each([1, 2, 3, 17, 4711])(
  'seed %i is one schedule: the same steps each time, traced or not',
  async (seed) => {
    const first = await runSchedule(seed)
    const again = await runSchedule(seed)
    const traced = await runSchedule(seed, { trace: true })
    expect(first.steps).toBeGreaterThan(100)
    expect([again.hash, again.steps, again.options]).toEqual([first.hash, first.steps, first.options])
    expect([traced.hash, traced.seen]).toEqual([first.hash, first.seen])
    expect(traced.trace.length).toBeGreaterThan(10)
  },
)

it('two seeds are two schedules', async () => {
  const [one, other] = [await runSchedule(5), await runSchedule(6)]
  expect(one.hash).not.toBe(other.hash)
  expect(one.options).not.toEqual(other.options)
})

it('what fails says its seed, its options, what was violated, the steps to it, and how to see it again', async () => {
  const bug = 'the marker is written before the effect'
  let seed = 1
  while ((await runSchedule(seed, { bug })).violations.length === 0) seed++
  const report = await reportOf(seed, { bug })
  expect(report).toContain(`seed ${seed} with "${bug}"`)
  expect(report).toMatch(/options: \{"seed":\d+,"events":\d+/)
  expect(report).toMatch(/violated: [a-z ]+: .+/)
  expect(report).toMatch(/ {2}\d\d:\d\d:\d\d\.\d{3} .+ -> .+: run 1/)
  expect(report).toContain(`npm run simulate -- --seed ${seed} --schedules 1 --bug "${bug}"`)
  expect(await reportOf(seed, { bug })).toBe(report)
})
