import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { describe, expect, test } from 'vitest'
import { stageConfig } from '../../adapters/stage-config.ts'
import { type Route, typeName } from '../../events/route.ts'
import { routes } from '../../events/routes.ts'
import { functionNames } from '../../infra/bundle.ts'
import { addStacks, missingSubscribers } from '../../infra/stacks.ts'
import { stageOf, stages } from '../../infra/stages.ts'
import { cdkContext, ofType, type Resource, synthesized, type Template } from './synthesize.ts'

const names = Object.keys(stages)
const account = synthesized({ stage: 'prod' })

/** What differs from one synthesis to the next without meaning anything, and what is tested as its own file. */
const masked = (template: Template): string =>
  `${JSON.stringify(
    template,
    (key, value) => {
      if (key === 'DefinitionString') return '(statemachines/)'
      if (typeof value !== 'string') return value
      return value
        .replace(/[0-9a-f]{64}/g, '(hash)')
        .replace(/CurrentVersion[0-9A-F]{8}[0-9a-f]{32}/g, 'CurrentVersion(hash)')
    },
    1,
  ).replace(/CurrentVersion[0-9A-F]{8}[0-9a-f]{32}/g, 'CurrentVersion(hash)')}\n`

describe.each(names)('stage %s', (stage) => {
  const { state, app } = synthesized({ stage })

  test('is as its golden templates; `vitest -u` takes the new ones', async () => {
    await expect(masked(state)).toMatchFileSnapshot(`golden/${stage}-state.json`)
    await expect(masked(app)).toMatchFileSnapshot(`golden/${stage}-app.json`)
  })

  test('has under 400 resources a stack, of the 500 that CloudFormation takes', () => {
    for (const { Resources } of [state, app]) expect(Object.keys(Resources).length).toBeLessThan(400)
  })

  test('has no export: stacks find each other by name and parameter', () => {
    expect(JSON.stringify([state, app])).not.toContain('Fn::ImportValue')
    for (const { Outputs = {} } of [state, app])
      for (const output of Object.values(Outputs)) expect(output.Export).toBeUndefined()
  })

  test('tells its clients everything they ask for', () => {
    const [, config] =
      Object.entries(app.Resources).find(
        ([, { Properties }]) => Properties?.Name === `/loadpath/${stage}/config`,
      ) ?? []
    const text = JSON.stringify(config?.Properties.Value)
    for (const field of Object.keys(stageConfig.shape)) expect(text).toContain(`\\"${field}\\":`)
    for (const name of functionNames()) expect(text).toContain(`\\"${name}\\":`)
  })

  test('test and local have the same shape, account stages all have more', () => {
    const shape = (of: string) =>
      JSON.stringify(
        synthesized({ stage: of })
          .both.map(([, { Type }]) => Type)
          .sort(),
      )
    expect(shape(stage) === shape('local')).toBe(['local', 'test'].includes(stage))
  })
})

test('no golden template is left of a stage that is gone', () => {
  const files = readdirSync(join(import.meta.dirname, 'golden')).sort()
  expect(files).toEqual(names.flatMap((name) => [`${name}-app.json`, `${name}-state.json`]).sort())
})

describe('an emulated stage has nothing that emulators refuse', () => {
  const local = synthesized({ stage: 'local' })

  test('no resource type that fails a whole stack there', () => {
    const refused =
      /Events::(Archive|Connection|ApiDestination|EventBusPolicy)|CodeDeploy|CompositeAlarm|Scaling|RotationSchedule|EC2::|Backup/
    expect(local.both.filter(([, { Type }]) => refused.test(Type))).toEqual([])
  })

  test('no alarm on more than one plain metric', () => {
    for (const [, { Properties }] of ofType(local, 'AWS::CloudWatch::Alarm')) {
      expect(Properties.Metrics).toBeUndefined()
      expect(Properties.MetricName).toBeDefined()
    }
  })
})

describe('parameters', () => {
  const stageWith = (context: Record<string, string>) => () => stageOf(new App({ context }))

  test('without any it is dev, data kept', () => {
    expect(stageWith({})()).toMatchObject({ name: 'dev', data: 'retain', cmk: false, projects: {} })
  })

  test.each([
    [{ stage: 'staging' }, 'stage'],
    [{ cmk: 'yes' }, 'cmk'],
    [{ canary: 'yes' }, 'canary'],
    [{ stage: 'local', canary: 'on' }, 'canary'],
    [{ data: 'keep' }, 'data'],
    [{ notify: 'nobody' }, 'notify'],
    [{ projects: '{payments' }, 'not JSON'],
    [{ projects: '{"1234":"payments"}' }, 'projects.1234'],
    [{ projects: '{"111122223333":"Pay ments"}' }, 'a project is'],
  ])('%o is refused, and the parameter named', (context, said) => {
    expect(stageWith(context)).toThrow(said)
  })
})

test('the CDK is asked for all that it recommends', () => {
  const path = join(
    import.meta.dirname,
    '..',
    '..',
    'node_modules/aws-cdk-lib/recommended-feature-flags.json',
  )
  expect(cdkContext).toMatchObject(JSON.parse(readFileSync(path, 'utf8')))
})

describe('routes that cannot be deployed', () => {
  const route = (subscriber: string, kind: Route['kind']): Route => ({
    subscriber,
    kind,
    types: [],
    effect: 'outside',
    batch: 1,
    concurrency: 2,
    attempts: 1,
    timeout: 1,
    emits: [],
  })

  test('a subscriber that nobody wrote is named with its file', () => {
    expect(missingSubscribers([route('no-such', 'function'), route('nothing', 'workflow')])).toEqual([
      expect.stringContaining('functions/no-such/handler.ts'),
      expect.stringContaining('statemachines/nothing.asl.json'),
    ])
    expect(missingSubscribers(routes)).toEqual([])
  })

  test('stop synthesis, all of them at once', () => {
    const bad = [route('no-such', 'function'), { ...route('nor-this', 'workflow'), batch: 11 }]
    expect(() => addStacks(new App(), '', bad)).toThrow(/no-such[\s\S]*nor-this|nor-this[\s\S]*no-such/)
  })
})

test('each route is one queue, which says so itself, and one mapping', () => {
  for (const route of routes as readonly Route[]) {
    const name = route.ordered ? `${route.subscriber}.fifo` : route.subscriber
    const queues = ofType(account, 'AWS::SQS::Queue').filter(
      ([, { Properties }]) => Properties.QueueName === `loadpath-prod-${name}`,
    )
    expect(queues).toHaveLength(1)
    const [[id, { Metadata, Properties }]] = queues as [[string, Resource]]
    expect(Metadata?.['loadpath:route']).toEqual({
      subscriber: route.subscriber,
      kind: route.kind,
      types: route.types.map(typeName),
      effect: route.effect,
      batch: route.batch,
      concurrency: route.concurrency,
      attempts: route.attempts,
      timeout: route.timeout,
      emits: route.emits.map(typeName),
      ...(route.ordered ? { ordered: true } : {}),
    })
    expect(Properties.RedrivePolicy.maxReceiveCount).toBe(route.ordered ? 1000 : route.attempts + 3)
    const mappings = ofType(account, 'AWS::Lambda::EventSourceMapping').filter(
      ([, mapping]) => mapping.Properties.EventSourceArn?.['Fn::GetAtt']?.[0] === id,
    )
    expect(mappings).toHaveLength(1)
    expect(mappings[0]?.[1].Properties).toMatchObject({
      BatchSize: route.batch,
      ScalingConfig: { MaximumConcurrency: route.concurrency },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    })
  }
})
