import { availableParallelism } from 'node:os'
import { expect, it } from 'vitest'
import { bugs } from './bugs.ts'
import { foundAt } from './found-at.ts'
import { reportOf } from './report.ts'
import { hunt, simulate } from './simulate.ts'
import { unseen } from './sometimes.ts'

// others test beside it
const workers = Math.max(2, availableParallelism() - 1)

it('2,000 schedules violate nothing, and come past everything that is rare', {
  timeout: 1_200_000,
}, async () => {
  const { schedules, seen, failed } = await simulate({ seed: 1, schedules: 2000, workers })
  const [first] = failed
  expect(first && (await reportOf(first.seed))).toBeUndefined()
  expect(schedules).toBe(2000)
  expect(unseen(seen)).toEqual([])
})

it('each of the planted bugs is found', { timeout: 1_200_000 }, async () => {
  const findings = await hunt(Object.keys(bugs), { seed: 1, near: foundAt, schedules: 2000, workers })
  expect(findings.length).toBeGreaterThan(15)
  const found = findings.map(({ bug, told }) => [bug, told?.violations.map(({ invariant }) => invariant)])
  for (const [bug, by] of found) expect.soft(by, `nothing finds: ${bug}`).toBeDefined()
})
