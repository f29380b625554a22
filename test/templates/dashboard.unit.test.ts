import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { routes } from '../../events/routes.ts'
import { functionNames } from '../../infra/bundle.ts'
import { ofType, type Resource, type Synthesized, synthesized, target } from './synthesize.ts'

const root = join(import.meta.dirname, '..', '..')
const prod = synthesized({ stage: 'prod' })

/** A value of CloudFormation as text; what is known at deployment only stands as the logical id of its resource. */
const textOf = (value: { 'Fn::Join': [string, unknown[]] }): string =>
  value['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : target(part as object))).join('')

type Metric = [string, string, ...unknown[]]
type Widget = {
  type: 'text' | 'alarm' | 'metric'
  y: number
  height: number
  properties: { markdown?: string; title?: string; metrics?: Metric[]; alarms?: string[] }
}

function widgetsOf(stage: Synthesized): Widget[] {
  const [[, { Properties }]] = ofType(stage, 'AWS::CloudWatch::Dashboard') as [[string, Resource]]
  return JSON.parse(textOf(Properties.DashboardBody)).widgets
}

const widgets = widgetsOf(prod)
const graphs = widgets.filter(({ type }) => type === 'metric')
const metrics = graphs.flatMap(({ properties }) => properties.metrics ?? [])
const all = JSON.stringify(widgets)

test('an account has one, and says where it is; an emulated stage has none: it makes no metrics of what functions tell', () => {
  for (const stage of ['dev', 'prod']) {
    const made = synthesized({ stage })
    const dashboards = ofType(made, 'AWS::CloudWatch::Dashboard')
    expect(dashboards.map(([, { Properties }]) => Properties.DashboardName)).toEqual([`loadpath-${stage}`])
    expect(JSON.stringify(made.app.Outputs)).toContain(`#dashboards/dashboard/loadpath-${stage}`)
  }
  for (const stage of ['local', 'test'])
    expect(ofType(synthesized({ stage }), 'AWS::CloudWatch::Dashboard')).toEqual([])
})

test('the first row says whether anything is wrong: every alarm, and what waits for a person', () => {
  const [first, second] = widgets
  expect(first?.properties.markdown).toContain('is anything wrong?')
  const alarms = ofType(prod, 'AWS::CloudWatch::Alarm').map(([id]) => id)
  expect(second).toMatchObject({ type: 'alarm' })
  expect(second?.properties.alarms?.toSorted()).toEqual(alarms.sort())
  // CloudWatch shows no more in one widget
  expect(alarms.length).toBeLessThanOrEqual(100)
  const beside = graphs.slice(0, 4).flatMap(({ properties }) => properties.metrics ?? [])
  const names = new Set(beside.map(([, name]) => name))
  expect([...names].sort()).toEqual(['Behind', 'Missing', 'OpenDead', 'OpenParked', 'Quarantined', 'Resent'])
})

test('each row says what good looks like, and which sections of the runbook to go on with', () => {
  const runbook = readFileSync(join(root, 'docs', 'runbook.md'), 'utf8')
  const texts = widgets.filter(({ type }) => type === 'text')
  expect(texts.length).toBeGreaterThan(5)
  for (const { properties } of texts) {
    expect(properties.markdown).toMatch(/^## .+\n\*\*Good:\*\* .+\. \*\*Else:\*\* docs/)
    const sections = [...(properties.markdown ?? '').matchAll(/docs\/runbook\.md#([a-z-]+)/g)]
    expect(sections.length).toBeGreaterThan(0)
    for (const [, section] of sections) expect(runbook).toContain(`\n## ${section}\n`)
  }
})

test('a row begins below the one before it', () => {
  const texts = widgets.filter(({ type }) => type === 'text')
  for (const [index, text] of texts.entries()) {
    const above = widgets.slice(0, widgets.indexOf(text))
    expect(text.y, `row ${index + 1}`).toBe(Math.max(0, ...above.map(({ y, height }) => y + height)))
  }
})

describe('it shows each', () => {
  const logicalIds = (type: string) => ofType(prod, type).map(([id]) => id)

  test.each([
    ['function', 'AWS::Lambda::Function'],
    ['queue', 'AWS::SQS::Queue'],
    ['workflow', 'AWS::StepFunctions::StateMachine'],
  ])('%s', (_, type) => {
    expect(logicalIds(type).length).toBeGreaterThan(0)
    for (const id of logicalIds(type)) expect(all, id).toContain(`"${id}"`)
  })

  test('subscriber: what it handled, what failed, what is open', () => {
    const ofBatches = ['Handled', 'Failed', 'Dead', 'Parked']
    const dimensions = (name: string) =>
      metrics.filter((metric) => metric[1] === name).map((metric) => metric[5])
    const open = ['OpenDead', 'OpenParked', 'OpenRetrying', 'OpenCircuits', 'OldestMinutes']
    for (const name of [...ofBatches, ...open])
      expect(dimensions(name).sort(), name).toEqual(routes.map(({ subscriber }) => subscriber).sort())
  })

  test('table, with its indexes, which AWS counts apart', () => {
    for (const [, { Properties }] of ofType(prod, 'AWS::DynamoDB::Table')) {
      expect(all).toContain(`"TableName","${Properties.TableName}"`)
      for (const { IndexName } of Properties.GlobalSecondaryIndexes ?? [])
        expect(all).toContain(
          `"GlobalSecondaryIndexName","${IndexName}","TableName","${Properties.TableName}"`,
        )
    }
  })

  test('log group of a function, by its real name', () => {
    for (const name of functionNames())
      expect(all).toContain(`"LogGroupName","/aws/lambda/loadpath-prod-${name}"`)
  })
})

test('each of our metrics that is asked for, here or by an alarm, is told by some function', () => {
  const folder = join(root, 'adapters', 'lambda')
  const told = readdirSync(folder)
    .filter((name) => !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
  const ofAlarms = ofType(prod, 'AWS::CloudWatch::Alarm').flatMap(([, { Properties }]) => {
    const several: { Expression?: string; MetricStat?: { Metric: Resource['Properties'] } }[] =
      Properties.Metrics ?? [{ MetricStat: { Metric: Properties } }]
    return several.flatMap(({ Expression = '', MetricStat }) => [
      ...(MetricStat?.Metric.Namespace === 'Loadpath' ? [MetricStat.Metric.MetricName] : []),
      ...[...Expression.matchAll(/SELECT \w+\((\w+)\)/g)].map(([, name]) => name),
    ])
  })
  const ours = metrics.flatMap(([namespace, name]) => (namespace === 'Loadpath' ? [name] : []))
  const asked = new Set<string>([...ours, ...ofAlarms])
  expect(asked.size).toBeGreaterThan(15)
  expect([...asked].filter((name) => !new RegExp(`\\b${name}\\b`).test(told))).toEqual([])
})
