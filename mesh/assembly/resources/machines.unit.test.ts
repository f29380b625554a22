// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
import { describe, expect, it } from 'vitest'
import {
  arnOf,
  elementIn,
  elementsIn,
  lambda,
  meshIn,
  nodeIn,
  queue,
} from '../../../test/mesh-in-template.ts'

const task = (more: object = { End: true }) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  ...more,
})

describe('a state machine', () => {
  const machine = (properties: object) => ({
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: properties,
  })
  const definition = {
    StartAt: 'Call',
    TimeoutSeconds: 60,
    States: {
      Call: task({
        Parameters: { FunctionName: '${Fn}' },
        TimeoutSeconds: 7,
        HeartbeatSeconds: 3,
        Retry: [
          { ErrorEquals: ['X'], MaxAttempts: 0 },
          { ErrorEquals: ['States.ALL'], MaxAttempts: 5 },
        ],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Send' }],
        Next: 'Send',
      }),
      Send: {
        Type: 'Task',
        Resource: 'arn:aws:states:::sqs:sendMessage',
        Arguments: { QueueUrl: '${Q}' },
        Next: 'Get',
      },
      Get: {
        Type: 'Task',
        Resource: 'arn:aws:states:::dynamodb:getItem',
        Arguments: { TableName: 't' },
        TimeoutSecondsPath: '$.t',
        Next: 'Ask',
      },
      Ask: { Type: 'Task', Resource: 'arn:aws:states:::aws-sdk:bedrockruntime:invokeModel', End: true },
    },
  }
  const DefinitionSubstitutions = { Fn: arnOf('F'), Q: { Ref: 'Q' } }
  const others = { F: lambda, Q: queue, T: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: 't' } } }

  it.each<[string, object]>([
    ['as a text', { DefinitionString: JSON.stringify(definition), DefinitionSubstitutions }],
    ['as an object', { Definition: definition, DefinitionSubstitutions }],
    [
      'as a text that is joined, the partition in it too',
      {
        DefinitionString: {
          'Fn::Join': [
            '',
            JSON.stringify(definition)
              .replaceAll('arn:aws:', 'arn:|:')
              .replace('${Fn}', '^')
              .replace('${Q}', '~')
              .split(/(?=[|^~])|(?<=[|^~])/)
              .map((part) =>
                part === '|'
                  ? { Ref: 'AWS::Partition' }
                  : part === '^'
                    ? arnOf('F')
                    : part === '~'
                      ? { Ref: 'Q' }
                      : part,
              ),
          ],
        },
      },
    ],
    [
      'as a text with substitutes of its own',
      { DefinitionString: { 'Fn::Sub': [JSON.stringify(definition), { Fn: arnOf('F'), Q: { Ref: 'Q' } }] } },
    ],
  ])('is read %s', (_, properties) => {
    const mesh = meshIn({ ...others, M: machine(properties) })
    expect(nodeIn(mesh, 'workflow', 'M')).toMatchObject({
      settings: { flavour: 'STANDARD', timeout: 60 },
      laws: [{ rate: 150, burst: 800 }],
    })
    expect(nodeIn(mesh, 'task', 'M#Call')).toMatchObject({
      name: 'Call',
      settings: { workflow: 's/M', timeout: 7, heartbeat: 3, catches: true, times: 1 },
    })
    expect(elementIn(mesh, 'invoke', 'M', 'M#Call')).toMatchObject({ timeout: 7, retry: { attempts: 1 } })
    expect(elementIn(mesh, 'invoke', 'M#Call', 'F')).toMatchObject({
      timeout: 7,
      retry: { attempts: 6, errors: ['States.ALL'] },
    })
    expect(elementIn(mesh, 'call', 'M#Send', 'Q')).toMatchObject({
      action: 'sqs:SendMessage',
      carries: true,
      ratio: 1,
      provenance: 'template',
    })
    expect(elementIn(mesh, 'call', 'M#Get', 'T').carries).toBe(false)
    expect(elementIn(mesh, 'call', 'M#Ask', 'external/bedrockruntime').carries).toBe(true)
    expect(mesh.unresolved).toEqual([{ at: 's/M#Get.TimeoutSeconds', reference: '$.t' }])
  })

  it('that starts another, and express ones', () => {
    const starts = {
      StartAt: 'A',
      States: {
        A: {
          Type: 'Task',
          Resource: 'arn:aws:states:::states:startExecution.sync:2',
          Arguments: { StateMachineArn: '${X}' },
          End: true,
        },
      },
    }
    const mesh = meshIn({
      M: machine({ Definition: starts, DefinitionSubstitutions: { X: { Ref: 'X' } } }),
      X: machine({
        StateMachineType: 'EXPRESS',
        Definition: { StartAt: 'P', States: { P: { Type: 'Pass', End: true } } },
      }),
    })
    expect(elementIn(mesh, 'call', 'M#A', 'X').action).toBe('states:StartExecution')
    expect(nodeIn(mesh, 'workflow', 'X')).toMatchObject({
      settings: { flavour: 'EXPRESS', timeout: 300 },
      laws: [{ rate: 6000, unit: 'StartExecution', shared: 'states-express-start/region' }],
    })
  })

  it('whose definition is broken is an error that says where; one that only a deployment knows is listed', () => {
    expect(() => meshIn({ M: machine({ DefinitionString: '{' }) })).toThrow(
      /s: Resources\.M\.Properties\.DefinitionString: the definition: no JSON/,
    )
    expect(() => meshIn({ M: machine({ DefinitionString: '{"a":1}' }) })).toThrow(
      /expected a definition in the Amazon States Language/,
    )
    const wrong = (state: object) =>
      meshIn({ M: machine({ Definition: { StartAt: 'A', States: { A: task(state) } } }) })
    expect(() => wrong({ Retry: [{}, { BackoffRate: 0.5 }] })).toThrow(
      /Resources\.M\.Properties\.DefinitionString: States\.A\.Retry\.1\.BackoffRate: expected a number of at least 1, not 0\.5/,
    )
    expect(() => wrong({ TimeoutSeconds: -1 })).toThrow(/States\.A\.TimeoutSeconds: expected/)
    const far = meshIn({
      M: machine({ DefinitionS3Location: { Bucket: 'b', Key: 'k' } }),
      N: machine({ DefinitionString: { 'Fn::ImportValue': 'x' } }),
    })
    expect(far.unresolved.map(({ at, reference }) => [at, reference])).toEqual([
      ['s/M.DefinitionString', 'a definition that lies outside of the assembly'],
      ['s/N.DefinitionString', 'a definition that is put together at deployment'],
    ])
  })

  it('whose tasks say all that they act on sends nothing more, whatever its role allows', () => {
    const role = {
      Type: 'AWS::IAM::Role',
      Properties: {
        Policies: [
          {
            PolicyDocument: {
              Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: arnOf('Q') }],
            },
          },
        ],
      },
    }
    const of = (QueueUrl: string) =>
      machine({
        RoleArn: arnOf('R'),
        Definition: {
          StartAt: 'A',
          States: {
            A: {
              Type: 'Task',
              Resource: 'arn:aws:states:::sqs:sendMessage',
              Arguments: { QueueUrl },
              End: true,
            },
          },
        },
      })
    const far = 'https://sqs.eu-west-1.amazonaws.com/111111111111/far'
    expect(elementsIn(meshIn({ R: role, Q: queue, M: of(far) }), 'call').map(({ to }) => to)).toEqual([
      'external/sqs:far',
    ])
    expect(elementIn(meshIn({ R: role, Q: queue, M: of('{% $q %}') }), 'call', 'M', 'Q').provenance).toBe(
      'inferred',
    )
  })
})

it('a task that hands a function an event is answered at once, and Lambda tries the function', () => {
  const definition = {
    StartAt: 'Tell',
    States: { Tell: task({ Parameters: { FunctionName: '${Fn}', InvocationType: 'Event' }, End: true }) },
  }
  const mesh = meshIn({
    F: lambda,
    M: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        DefinitionString: JSON.stringify(definition),
        DefinitionSubstitutions: { Fn: arnOf('F') },
      },
    },
  })
  expect(elementIn(mesh, 'delivery', 'M#Tell', 'F').retry.attempts).toBe(3)
  expect(elementsIn(mesh, 'invoke').map(({ to }) => to)).toEqual(['s/M#Tell'])
})
