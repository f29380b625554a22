import { describe, expect, it } from 'vitest'
import { MeshError } from '../../faults.ts'
import { lookupWith } from '../../laws/constant-values.ts'
import type { Json } from '../json.ts'
import { integrationOf, retriesOf } from './task.ts'
import { runOf, tasksIn } from './walk.ts'

const limits = { inline: 40, distributed: 10_000 }
const task = (more: object = { End: true }) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  ...more,
})
const shapes = (definition: Json) =>
  Object.fromEntries(
    tasksIn(definition, limits).map(({ path, times, concurrency }) => [path.join('/'), [times, concurrency]]),
  )

describe('how often a task runs in one run', () => {
  it('once, when every run comes by', () => {
    const states = {
      A: task({ Next: 'W' }),
      W: { Type: 'Wait', Seconds: 1, Next: 'P' },
      P: { Type: 'Pass', Next: 'B' },
      B: task({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Recover' }], Next: 'Done' }),
      Recover: task({ Next: 'Done' }),
      Done: { Type: 'Succeed' },
    }
    // what only an error leads to runs as often as there are errors
    expect(shapes({ StartAt: 'A', States: states })).toEqual({ A: [1, 1], B: [1, 1], Recover: [null, 1] })
  })

  it('nobody knows, behind a Choice or in a loop; but where the ways meet again all come by', () => {
    const states = {
      Pick: { Type: 'Choice', Choices: [{ Variable: '$.a', IsNull: true, Next: 'A' }], Default: 'B' },
      A: task({ Next: 'Both' }),
      B: task({ Next: 'Both' }),
      Both: task({ Next: 'Loop' }),
      Loop: task({ Next: 'Again' }),
      Again: {
        Type: 'Choice',
        Choices: [{ Variable: '$.more', BooleanEquals: true, Next: 'Loop' }],
        Default: 'End',
      },
      End: { Type: 'Fail' },
    }
    expect(shapes({ StartAt: 'Pick', States: states })).toEqual({
      A: [null, 1],
      B: [null, 1],
      Both: [1, 1],
      Loop: [null, 1],
    })
  })

  it('in all branches of a Parallel, and for each item of a Map that is known', () => {
    const one = (name: string) => ({ StartAt: name, States: { [name]: task() } })
    const states = {
      Par: { Type: 'Parallel', Branches: [one('A'), one('B')], Next: 'Known' },
      Known: {
        Type: 'Map',
        Items: [1, 2, 3],
        MaxConcurrency: 2,
        ItemProcessor: { ...one('C') },
        Next: 'Inline',
      },
      Inline: { Type: 'Map', Iterator: one('D'), Next: 'Many' },
      Many: {
        Type: 'Map',
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED' },
          StartAt: 'Each',
          States: { Each: { Type: 'Map', MaxConcurrency: 5, ItemProcessor: one('E'), End: true } },
        },
        MaxConcurrency: 100,
        End: true,
      },
    }
    expect(shapes({ StartAt: 'Par', States: states })).toEqual({
      'Par/A': [1, 1],
      'Par/B': [1, 1],
      'Known/C': [3, 2],
      'Inline/D': [null, 40],
      'Many/Each/E': [null, 500],
    })
  })
})

describe('what has run before a task', () => {
  const ran = (definition: Json) =>
    Object.fromEntries(tasksIn(definition, limits).map((each) => [each.path.join('/'), each.before]))
  const one = (name: string) => ({ StartAt: name, States: { [name]: task() } })
  const unknown: string[] = []

  it('is what every run passes, one after the other', () => {
    const states = {
      A: task({ Next: 'W' }),
      W: { Type: 'Wait', Seconds: 3, Next: 'B' },
      B: task({ Next: 'P' }),
      P: { Type: 'Pass', Next: 'C' },
      C: task(),
    }
    const definition = { StartAt: 'A', States: states }
    expect(ran(definition)).toEqual({
      A: { steps: [], unknown },
      B: { after: 'A', steps: [{ seconds: 3 }], unknown },
      C: { after: 'B', steps: [], unknown },
    })
    expect(runOf(definition, limits)).toEqual({ after: 'C', steps: [], unknown })
  })

  it.each<[string, Json]>([
    ['a Wait by its path', { Type: 'Wait', SecondsPath: '$.seconds', Next: 'B' }],
    ['a Wait by an expression', { Type: 'Wait', Seconds: '{% $seconds %}', Next: 'B' }],
    ['a Wait for a time', { Type: 'Wait', Timestamp: '2030-01-01T00:00:00Z', Next: 'B' }],
    ['a Map over the input', { Type: 'Map', ItemsPath: '$.all', ItemProcessor: one('I'), Next: 'B' }],
    [
      'a Map that the input says how many of run at once',
      {
        ...{ Type: 'Map', Items: [1, 2], MaxConcurrencyPath: '$.most' },
        ItemProcessor: one('I'),
        Next: 'B',
      },
    ],
  ])('is not known behind %s', (_, W) => {
    const { B } = ran({ StartAt: 'A', States: { A: task({ Next: 'W' }), W, B: task() } })
    expect(B).toEqual({ after: 'A', steps: [], unknown: ['W'] })
  })

  it('is not known of what a Choice, a loop or an error decides', () => {
    const states = {
      A: task({ Next: 'Pick', Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Undo' }] }),
      Pick: { Type: 'Choice', Choices: [{ Variable: '$.b', IsNull: true, Next: 'B' }], Default: 'Ask' },
      B: task({ Next: 'Ask', Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Undo' }] }),
      Ask: task({ Next: 'Again' }),
      Again: { Type: 'Choice', Choices: [{ Variable: '$.c', IsNull: true, Next: 'W' }], Default: 'End' },
      W: { Type: 'Wait', Seconds: 9, Next: 'Ask' },
      End: task({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Late' }] }),
      Undo: task({ Next: 'Told' }),
      Told: task(),
      Late: task(),
    }
    expect(ran({ StartAt: 'A', States: states })).toEqual({
      A: { steps: [], unknown },
      B: { after: 'A', steps: [], unknown },
      // the loop comes after it came there first
      Ask: { after: 'A', steps: [], unknown: ['B'] },
      End: { after: 'Ask', steps: [], unknown: ['B', 'Ask', 'W'] },
      // A may have failed at once
      Undo: { steps: [], unknown: ['A', 'B'] },
      Told: { after: 'Undo', steps: [], unknown: ['A', 'B'] },
      Late: { after: 'Ask', steps: [], unknown: ['B', 'Ask', 'W', 'End'] },
    })
  })

  it('goes on in branches and items, and counts them for what is behind', () => {
    const branches = [
      { StartAt: 'X', States: { X: task({ Next: 'Y' }), Y: task() } },
      { StartAt: 'Z', States: { Z: { Type: 'Wait', Seconds: 8 } } },
    ]
    const states = {
      A: task({ Next: 'Par' }),
      Par: { Type: 'Parallel', Branches: branches, Next: 'Each' },
      Each: { Type: 'Map', Items: [1, 2, 3], MaxConcurrency: 2, ItemProcessor: one('I'), Next: 'B' },
      B: task(),
    }
    const passed = { longest: [[{ task: 'Par/X' }, { task: 'Par/Y' }], [{ seconds: 8 }]] }
    const item = [{ task: 'Each/I' }]
    expect(ran({ StartAt: 'A', States: states })).toEqual({
      A: { steps: [], unknown },
      'Par/X': { after: 'A', steps: [], unknown },
      'Par/Y': { after: 'Par/X', steps: [], unknown },
      'Each/I': { after: 'A', steps: [passed, { times: 1 / 3, steps: item }], unknown },
      B: { after: 'A', steps: [passed, { times: 2, steps: item }], unknown },
    })
  })
})

it('a Retry has the defaults of the language', () => {
  const retries = retriesOf(
    {
      Retry: [
        { ErrorEquals: ['States.ALL'] },
        {
          ErrorEquals: ['A'],
          MaxAttempts: 0,
          IntervalSeconds: 5,
          BackoffRate: 1.5,
          MaxDelaySeconds: 9,
          JitterStrategy: 'FULL',
        },
      ],
    },
    lookupWith(),
    () => new MeshError(''),
  )
  expect(retries).toEqual([
    {
      attempts: 4,
      interval: 1,
      backoff: 2,
      jitter: false,
      errors: ['States.ALL'],
      from: 'states-retry-attempts',
    },
    { attempts: 1, interval: 5, backoff: 1.5, maxDelay: 9, jitter: true, errors: ['A'], from: 'template' },
  ])
})

describe('what a task does', () => {
  it.each<[string, Json, object]>([
    [
      'a function by its ARN',
      { Resource: 'arn:aws:lambda:eu-west-1:1:function:f' },
      { action: 'lambda:Invoke', mode: 'request' },
    ],
    [
      'a function with a token',
      { Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken', Arguments: { FunctionName: 'f' } },
      { action: 'lambda:Invoke', mode: 'token', targets: [{ text: 'f', count: 1 }] },
    ],
    [
      'a job',
      { Resource: 'arn:aws:states:::ecs:runTask.sync', Parameters: { TaskDefinition: 't' } },
      { action: 'ecs:RunTask', mode: 'sync', targets: [{ text: 't', count: 1 }] },
    ],
    [
      'a machine',
      { Resource: 'arn:aws:states:::states:startExecution.sync:2', Parameters: { StateMachineArn: 'm' } },
      { action: 'states:StartExecution', mode: 'sync' },
    ],
    [
      'by the SDK',
      { Resource: 'arn:aws:states:::aws-sdk:sfn:startExecution', Arguments: { StateMachineArn: 'm' } },
      { service: 'states', action: 'states:StartExecution' },
    ],
    [
      'what the run names, in JSONata',
      { Resource: 'arn:aws:states:::sqs:sendMessage', Arguments: { QueueUrl: '{% $q %}' } },
      { targets: [], dynamic: ['{% $q %}'] },
    ],
    [
      'what the run names, in JSONPath',
      { Resource: 'arn:aws:states:::sqs:sendMessage', Parameters: { 'QueueUrl.$': '$.q' } },
      { targets: [], dynamic: ['{% $.q %}'] },
    ],
    [
      'events',
      {
        Resource: 'arn:aws:states:::events:putEvents',
        Parameters: {
          Entries: [{ DetailType: 'b', EventBusName: 'x' }, { DetailType: 'a' }, { DetailType: 'a' }],
        },
      },
      {
        action: 'events:PutEvents',
        types: ['a', 'b'],
        targets: [
          { text: 'x', count: 1 },
          { text: 'default', count: 2 },
        ],
      },
    ],
    [
      'an activity',
      { Resource: 'arn:aws:states:eu-west-1:1:activity:a' },
      { action: 'states:GetActivityTask', mode: 'token' },
    ],
  ])('%s', (_, state, does) => {
    expect(integrationOf(state)).toMatchObject(does)
  })
})
