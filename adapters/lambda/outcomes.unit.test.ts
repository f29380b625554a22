import { afterEach, expect, test, vi } from 'vitest'
import type { Outcome } from '../../core/record.ts'
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

test('a batch is one line, whose metrics are those of the stage', () => {
  const line = told('$LATEST')
  expect(directivesOf(line)).toEqual([
    [[['stage']], ['Recorded', 'Known', 'Refused', 'Quarantined', 'Conflicts', 'Unavailable', 'DurationMs']],
  ])
  expect(line).toMatchObject({ stage: 'prod', Quarantined: 1, Conflicts: 1, Unavailable: 1, level: 'WARN' })
  expect(line).not.toHaveProperty('version')
})

test('a version counts for itself too: alarms on a canary ask for just that', () => {
  const line = told('7')
  expect(directivesOf(line).slice(1)).toEqual([
    [[['stage', 'function', 'version']], ['Recorded', 'Known', 'Quarantined', 'Unavailable']],
  ])
  expect(line).toMatchObject({ stage: 'prod', function: 'loadpath-prod-record', version: '7' })
})
