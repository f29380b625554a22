import { describe, expect, it } from 'vitest'
import { elementIn, elementsIn, lambda, meshIn, queue } from '../../../test/mesh-in-template.ts'
import { load } from '../../load.ts'
import { noLoads } from '../../loads.ts'
import { ratesOf } from '../../static/rates.ts'

const table = { Type: 'AWS::DynamoDB::Table', Properties: { StreamSpecification: {} } }
const mapping = (from: string, mesh?: object, type = 'AWS::Lambda::EventSourceMapping') => ({
  Type: type,
  Properties: { EventSourceArn: { 'Fn::GetAtt': [from, 'Arn'] }, FunctionName: { Ref: 'F' } },
  ...(mesh && { Metadata: { mesh } }),
})

it('a ratio may be unknown, or nothing', () => {
  const sends = [
    { to: 'Q', type: 'a', ratio: null },
    { to: 'Q', type: 'b', ratio: 0 },
  ]
  const mesh = meshIn({ Q: queue, F: { ...lambda, Metadata: { mesh: { sends } } } })
  expect(elementsIn(mesh, 'call').map(({ types, ratio }) => [types, ratio])).toEqual([
    [['a'], null],
    [['b'], 0],
  ])
})

describe('what a way takes', () => {
  it('is said at its mapping', () => {
    const mesh = meshIn({ F: lambda, T: table, M: mapping('T', { takes: ['b', 'a'] }) })
    expect(elementIn(mesh, 'poll', 'T', 'F').types).toEqual(['a', 'b'])
    expect(elementIn(meshIn({ F: lambda, T: table, M: mapping('T') }), 'poll', 'T', 'F').types).toBeNull()
  })

  it('is said at the integration of an API', () => {
    const integration = (mesh: object) => ({
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: { ApiId: { Ref: 'A' }, IntegrationUri: { 'Fn::GetAtt': ['F', 'Arn'] } },
      Metadata: { mesh },
    })
    const api = { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'HTTP' } }
    const mesh = meshIn({
      F: lambda,
      A: api,
      I: integration({ takes: ['a'] }),
      J: integration({ takes: ['a'] }),
    })
    expect(elementIn(mesh, 'invoke', 'A', 'F').types).toEqual(['a'])
  })

  it('is said at a rule, whose pattern asks for more then without leaving anything out', () => {
    const rule = (mesh?: object) => ({
      Type: 'AWS::Events::Rule',
      Properties: { EventPattern: { 'detail-type': ['a'], detail: { of: ['us'] } } },
      ...(mesh && { Metadata: { mesh } }),
    })
    const settingsOf = (mesh?: object) =>
      meshIn({ R: rule(mesh) }).nodes.flatMap((one) => (one.kind === 'rule' ? [one.settings] : []))
    expect(settingsOf()).toMatchObject([{ types: ['a'], narrower: true }])
    expect(settingsOf({ takes: ['a'] })).toMatchObject([{ types: ['a'], narrower: false }])
  })

  it('of a rule that takes more by its pattern, no other type gets behind it', () => {
    const rule = {
      Type: 'AWS::Events::Rule',
      Properties: {
        EventBusName: { Ref: 'Bus' },
        EventPattern: { source: ['shop'] },
        Targets: [{ Id: '0', Arn: { 'Fn::GetAtt': ['Q', 'Arn'] } }],
      },
      Metadata: { mesh: { takes: ['t'] } },
    }
    const mesh = meshIn({ Q: queue, Bus: { Type: 'AWS::Events::EventBus' }, R: rule })
    const loaded = load(mesh, {
      ...noLoads,
      arrivals: new Map([['s/Bus', new Map(Object.entries({ t: 5, u: 7 }))]]),
    })
    const { rates, complete } = ratesOf(loaded)
    const behind = loaded.states.flatMap(({ node, type }, state) =>
      node.id === 's/Q' ? [{ type, rate: rates[state], complete: complete[state] }] : [],
    )
    expect(behind).toEqual([{ type: 't', rate: 5, complete: true }])
  })

  it('is nothing that other resources say', () => {
    expect(() => meshIn({ Q: { ...queue, Metadata: { mesh: { takes: ['a'] } } } })).toThrow(
      /Resources\.Q\.Metadata\.mesh\.takes: a AWS::SQS::Queue lets everything pass: write it at one of AWS::Lambda/,
    )
    expect(() => meshIn({ F: lambda, Q: queue, M: mapping('Q', { takes: [1] }) })).toThrow(
      /Resources\.M\.Metadata\.mesh\.takes\.0/,
    )
  })
})

it('what a state machine declares is in the place of what its tasks send there', () => {
  const definition = {
    StartAt: 'Tell',
    States: {
      Tell: {
        Type: 'Task',
        Resource: 'arn:aws:states:::sqs:sendMessage',
        Parameters: { QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/111111111111/orders' },
        End: true,
      },
    },
  }
  const machine = {
    Type: 'AWS::StepFunctions::StateMachine',
    Properties: { DefinitionString: JSON.stringify(definition) },
  }
  const of = (more: object) =>
    elementsIn(
      meshIn({ Q: { ...queue, Properties: { QueueName: 'orders' } }, S: { ...machine, ...more } }),
      'call',
    ).map(({ from, types }) => [from, types])
  expect(of({})).toEqual([['s/S#Tell', null]])
  expect(of({ Metadata: { mesh: { sends: [{ to: 'orders', type: 'told' }] } } })).toEqual([['s/S', ['told']]])
})
