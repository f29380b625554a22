import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { routes } from '../../events/routes.ts'
import { ofType, synthesized, target } from './synthesize.ts'

const runbook = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'runbook.md'), 'utf8')
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')).trim(), section]),
)
const alarms = ofType(synthesized({ stage: 'prod' }), 'AWS::CloudWatch::Alarm').map(
  ([, { Properties }]) => Properties,
)
const anchorOf = (description: string) => /Runbook: docs\/runbook\.md#([a-z-]+)$/.exec(description)?.[1] ?? ''

describe('each alarm', () => {
  test.each(alarms.map((alarm) => [alarm.AlarmName, alarm]))('%s', (_, alarm) => {
    const [impact = ''] = alarm.AlarmDescription.split(' Runbook: ')
    expect(impact).toMatch(/^[A-Za-z].{20,}\.$/)
    expect([...sections.keys()]).toContain(anchorOf(alarm.AlarmDescription))
    expect(alarm.AlarmActions).toHaveLength(1)
    expect(target(alarm.AlarmActions[0])).toContain('notifications')
  })
})

describe('each section of the runbook about alarms', () => {
  const anchors = new Set(alarms.map((alarm) => anchorOf(alarm.AlarmDescription)))

  test.each([...anchors])('%s says what it means, what to look at and what to do, in commands', (anchor) => {
    const section = sections.get(anchor)
    expect(section).toMatch(/^\*\*Means\*\* /m)
    expect(section).toMatch(/^\*\*Look\*\*/m)
    expect(section).toMatch(/^\*\*Do\*\*/m)
    expect(section).toMatch(/^ *(npx )?loadpath [a-z]+/m)
  })
})

test('there is an alarm for each concern', () => {
  const concerns = new Set(alarms.map((alarm) => anchorOf(alarm.AlarmDescription)))
  expect([...concerns].sort()).toEqual([
    'backlog',
    'canary',
    'circuit-open',
    'dead-letters',
    'errors',
    'failing-handler',
    'http-errors',
    'letters-waiting',
    'lost-on-the-way',
    'mesh-not-validated',
    'missing',
    'oldest-message',
    'outbox-waits',
    'parked',
    'quarantine',
    'relay-stopped',
    'stream-age',
    'sweep-behind',
    'sweep-failing',
    'sweep-stopped',
    'throttles',
    'unrecorded',
    'workflow-failed',
  ])
})

test('what is about subscribers knows each of them', () => {
  const queries = alarms
    .flatMap((alarm) => alarm.Metrics ?? [])
    .flatMap(({ Expression = '' }) => (Expression.startsWith('SELECT') ? [Expression] : []))
  expect(queries).toHaveLength(4)
  for (const query of queries) {
    expect(query).toContain("WHERE stage = 'prod' GROUP BY subscriber ORDER BY")
  }
  const names = alarms.map((alarm) => alarm.AlarmName)
  for (const { subscriber } of routes) expect(names).toContain(`loadpath-prod-oldest-message-${subscriber}`)
})

test('dead letters ring for as long as they lie: redriven, edited or dropped they end it', () => {
  const alarm = alarms.find(({ AlarmName }) => AlarmName === 'loadpath-prod-dead-letters')
  expect(alarm?.Metrics[0].Expression).toMatch(/^SELECT MAX\(OpenDead\) /)
  expect(alarm).toMatchObject({ Threshold: 0, DatapointsToAlarm: 1, EvaluationPeriods: 5 })
})

test('letters ring in each dead letter queue', () => {
  const stage = synthesized({ stage: 'prod' })
  const dead = ofType(stage, 'AWS::SQS::Queue').flatMap(([id, { Properties }]) =>
    Properties.RedrivePolicy === undefined ? [id] : [],
  )
  const watched = alarms.flatMap(({ AlarmName, Dimensions }) =>
    AlarmName.endsWith('letters-waiting')
      ? [target(Dimensions[0].Value['Fn::GetAtt'] ? Dimensions[0].Value : {})]
      : [],
  )
  expect(dead).toHaveLength(3)
  expect(watched.sort()).toEqual(dead.sort())
})

test.each(['local', 'prod'])('in %s each function that crashes or times out rings, by its name', (stage) => {
  const of = synthesized({ stage })
  const watched = ofType(of, 'AWS::CloudWatch::Alarm').flatMap(([, { Properties }]) =>
    Properties.AlarmName.startsWith(`loadpath-${stage}-errors-`)
      ? [[Properties.AlarmName.replace('-errors-', '-'), target(Properties.Dimensions[0].Value)]]
      : [],
  )
  expect(watched.sort()).toEqual(
    ofType(of, 'AWS::Lambda::Function')
      .map(([id, { Properties }]) => [Properties.FunctionName, id])
      .sort(),
  )
})

test('docs/deploy.md says what they cost: each metric that one watches is paid for', () => {
  const deploy = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'deploy.md'), 'utf8')
  const countOf = (stage: string) => {
    const all = ofType(synthesized({ stage }), 'AWS::CloudWatch::Alarm')
    const metrics = all.flatMap(([, { Properties }]) =>
      Properties.Metrics
        ? Properties.Metrics.filter(({ MetricStat }: { MetricStat?: object }) => MetricStat)
        : [0],
    )
    return `${all.length} alarms on ${metrics.length} metrics`
  }
  expect(deploy).toContain(`| ${countOf('prod')}, `)
  expect(deploy).toContain(`canary: ${countOf('dev')}, `)
})

test('throttling of any function rings', () => {
  const [throttles] = alarms.filter(({ MetricName }) => MetricName === 'Throttles')
  expect(throttles).toMatchObject({ Namespace: 'AWS/Lambda', Statistic: 'Sum' })
  expect(throttles?.Dimensions).toBeUndefined()
})

test('silence is health, but for what must come each minute', () => {
  for (const alarm of alarms)
    expect(alarm.TreatMissingData).toBe(
      alarm.AlarmName.endsWith('sweep-stopped') ? 'breaching' : 'notBreaching',
    )
})
