import { afterEach, expect, test, vi } from 'vitest'
import type { SweepResult } from '../../core/sweep/sweep.ts'
import { tellOpen, tellSwept } from './swept.ts'

afterEach(() => vi.restoreAllMocks())

const idle = {
  project: 'shop',
  relayed: 0,
  stayed: 0,
  ended: 0,
  expired: 0,
  told: 0,
  parted: {},
  probed: 0,
  resumed: 0,
  open: {},
}

function linesOf(...results: SweepResult[]) {
  const log = vi.spyOn(console, 'log').mockReturnValue()
  const told = [
    { functionName: 'sweep', awsRequestId: 'r' },
    { stage: 'test', began: Date.now() },
  ] as const
  for (const result of results) tellSwept(result, ...told)
  const swept = results.map((result) => result.swept)
  tellOpen(swept, ...told)
  return log.mock.calls.map(([line]) => JSON.parse(line))
}

const metricsOf = (line: { _aws: { CloudWatchMetrics: { Metrics: { Name: string }[] }[] } }) =>
  line._aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name))

test('where nothing is to be told, one line with one metric', () => {
  const timeline = { resent: 0, missing: 0, behind: 0, pages: 3, unreadable: 0, lagMinutes: 0 }
  const lines = linesOf({ swept: { ...idle, ...timeline }, failures: [] })
  expect(lines).toMatchObject([{ level: 'INFO', project: 'shop', pages: 3 }])
  expect(lines.map(metricsOf)).toEqual([['DurationMs']])
})

test('what there is to be told is a metric each', () => {
  const timeline = { resent: 1, missing: 2, behind: 3, pages: 4, unreadable: 5, lagMinutes: 6 }
  const [line] = linesOf({ swept: { ...idle, ...timeline, relayed: 8, stayed: 7 }, failures: [] })
  expect(line).toMatchObject({
    level: 'WARN',
    Resent: 1,
    Missing: 2,
    Behind: 3,
    Unreadable: 5,
    TimelineLagMinutes: 6,
    Relayed: 8,
    Stayed: 7,
  })
  expect(metricsOf(line)).toHaveLength(8)
})

test('what stayed in the outbox can be found among warnings', () => {
  const [line] = linesOf({ swept: { ...idle, stayed: 1 }, failures: [] })
  expect(line).toMatchObject({ level: 'WARN', Stayed: 1 })
})

test('failed parts are counted and named; of the timeline nothing is said when it failed', () => {
  const [line] = linesOf({ swept: idle, failures: [new Error('down'), new Error('also')] })
  expect(line).toMatchObject({ level: 'ERROR', SweepFailures: 2, failures: ['Error: down', 'Error: also'] })
  expect(metricsOf(line).sort()).toEqual(['DurationMs', 'SweepFailures'])
})

test('a subscriber with something open has a line, zeros and all, so that its metric falls when it is settled', () => {
  const oldest = new Date(Date.now() - 5 * 60_000).toISOString()
  const none = { retrying: 0, parked: 0, dead: 0, oldest: undefined }
  const open = { a: { retrying: 1, parked: 2, dead: 3, oldest }, b: none }
  const [, a, b] = linesOf({ swept: { ...idle, open }, failures: [] })
  expect(a).toMatchObject({ subscriber: 'a', OpenRetrying: 1, OpenParked: 2, OpenDead: 3, OldestMinutes: 5 })
  expect(b).toMatchObject({ subscriber: 'b', OpenRetrying: 0, OpenParked: 0, OpenDead: 0, OldestMinutes: 0 })
  expect(metricsOf(b)).toHaveLength(4)
})

test('a subscriber with open circuits has a line that counts them', () => {
  const [line, a] = linesOf({ swept: { ...idle, parted: { a: 2 } }, failures: [] })
  expect(line).toMatchObject({ project: 'shop', parted: { a: 2 } })
  expect(a).toMatchObject({ subscriber: 'a', OpenCircuits: 2 })
  expect(metricsOf(a)).toEqual(['OpenCircuits'])
})

test('of more than can be counted it is said of what', () => {
  const many = { retrying: 1, parked: 0, dead: 1000, oldest: undefined, more: ['dead'] as const }
  const [, line] = linesOf({ swept: { ...idle, open: { a: many } }, failures: [] })
  expect(line).toMatchObject({ OpenDead: 1000, moreThanCounted: ['dead'] })
})

test('what is open in several projects is told once, in sum: a metric would show the largest of them', () => {
  const [older, newer] = [20, 5].map((minutes) => new Date(Date.now() - minutes * 60_000).toISOString())
  const a = { retrying: 1, parked: 0, dead: 3, oldest: newer }
  const more = { retrying: 0, parked: 2, dead: 1000, oldest: older, more: ['dead'] as const }
  const closed = { retrying: 0, parked: 0, dead: 0, oldest: undefined }
  const lines = linesOf(
    { swept: { ...idle, open: { a, b: closed }, parted: { a: 1 } }, failures: [] },
    { swept: { ...idle, project: 'other', open: { a: more, b: a }, parted: { a: 2 } }, failures: [] },
    { swept: { ...idle, project: 'third', open: { a: closed } }, failures: [] },
  )
  expect(lines.slice(0, 3)).toMatchObject([
    { project: 'shop', open: { a: { dead: 3 } } },
    { project: 'other', open: { a: { dead: 1000 } } },
    { project: 'third' },
  ])
  expect(lines.slice(3)).toMatchObject([
    {
      ...{ subscriber: 'a', OpenRetrying: 1, OpenParked: 2, OpenDead: 1003, OldestMinutes: 20 },
      moreThanCounted: ['dead'],
    },
    { subscriber: 'b', OpenRetrying: 1, OpenParked: 0, OpenDead: 3, OldestMinutes: 5 },
    { subscriber: 'a', OpenCircuits: 3 },
  ])
  expect(lines).toHaveLength(6)
})
