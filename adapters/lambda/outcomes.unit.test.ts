import { afterEach, expect, test, vi } from 'vitest'
import type { Outcome } from '../../core/gate/record.ts'
import { tellOutcomes } from './outcomes.ts'

const lines = vi.spyOn(console, 'log').mockImplementation(() => undefined)
afterEach(() => lines.mockClear())

const outcomes: Outcome[] = [
  { status: 'unavailable', error: new Error('down') },
  { status: 'quarantined', reason: 'conflict', faults: [], digest: 'd' },
]
const told = (functionVersion: string) => {
  const context = { functionName: 'loadpath-prod-record', functionVersion, awsRequestId: 'r' }
  tellOutcomes(outcomes, context, { stage: 'prod', began: Date.now() })
  expect(lines).toHaveBeenCalledOnce()
  return JSON.parse(String(lines.mock.calls[0]?.[0]))
}
const directivesOf = (line: ReturnType<typeof told>) =>
  line._aws.CloudWatchMetrics.map(
    ({ Dimensions, Metrics }: { Dimensions: string[][]; Metrics: { Name: string }[] }) => [
      Dimensions,
      Metrics.map(({ Name }) => Name),
    ],
  )

const inAll = ['Recorded', 'Known', 'Refused', 'Quarantined', 'Unavailable', 'Denied', 'Conflicts']

test('a batch is one line, whose metrics are those of the stage, and in sum of its function', () => {
  const line = told('$LATEST')
  expect(directivesOf(line)).toEqual([
    [[['stage']], [...inAll, 'Accepted', 'Rejected', 'DurationMs']],
    [[['stage', 'function']], ['Accepted', 'Rejected']],
  ])
  expect(line).toMatchObject({ stage: 'prod', function: 'loadpath-prod-record', level: 'WARN' })
  expect(line).toMatchObject({ Quarantined: 1, Conflicts: 1, Unavailable: 1, Accepted: 0, Rejected: 2 })
  expect(line).not.toHaveProperty('version')
})

test('a conflict that is answered over HTTP is turned away, as one by a queue is: each counts once', () => {
  const conflict: Outcome = { status: 'conflict', identity: { project: 'main', source: '/a', id: 'a' } }
  const context = { functionName: 'loadpath-prod-ingest', functionVersion: '7', awsRequestId: 'r' }
  tellOutcomes([conflict, ...outcomes.slice(1)], context, { stage: 'prod', began: Date.now() })
  expect(JSON.parse(String(lines.mock.calls[0]?.[0]))).toMatchObject({ Conflicts: 2, Rejected: 2 })
})

test('a version counts for itself too: alarms on a canary ask for just that', () => {
  const line = told('7')
  expect(directivesOf(line).slice(2)).toEqual([
    [[['stage', 'function', 'version']], ['Accepted', 'Rejected']],
  ])
  expect(line).toMatchObject({ stage: 'prod', function: 'loadpath-prod-record', version: '7' })
})

test('each metric of the doors comes with every batch: what is not told cannot be held against another version', () => {
  const context = { functionName: 'loadpath-prod-ingest', functionVersion: '7', awsRequestId: 'r' }
  tellOutcomes([], context, { stage: 'prod', began: Date.now(), denied: 1 })
  expect(JSON.parse(String(lines.mock.calls[0]?.[0]))).toMatchObject({ Accepted: 0, Rejected: 1, Denied: 1 })
})
