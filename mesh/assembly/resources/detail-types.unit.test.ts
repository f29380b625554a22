import { describe, expect, it } from 'vitest'
import { arnOf, lambda, meshIn, queue } from '../../../test/mesh-in-template.ts'
import { load } from '../../load.ts'
import { noLoads } from '../../loads.ts'

const rule = (type: string, to: string) => ({
  Type: 'AWS::Events::Rule',
  Properties: {
    ...{ EventBusName: { Ref: 'Bus' }, EventPattern: { 'detail-type': [type] } },
    Targets: [{ Id: '1', Arn: arnOf(to) }],
  },
})

/** How many of each that is put on the bus the two functions get: that of `changed` and that of `row`, which comes in. */
function taken(resources: object, door?: string): Record<string, number | null> {
  const mesh = meshIn({
    ...{ Bus: { Type: 'AWS::Events::EventBus' }, Changed: lambda, Row: lambda },
    ...{ OnChanged: rule('changed', 'Changed'), OnRow: rule('row', 'Row'), ...resources },
  })
  const arrivals = new Map(door === undefined ? [] : [[`s/${door}`, new Map([['row', 1]])]])
  const { states, streams } = load(mesh, { ...noLoads, arrivals })
  const end = streams.filter(({ element: { from } }) => from.startsWith('s/On'))
  return Object.fromEntries(
    end.map(({ to, gain }) => [`${states[to]?.node.name} ${states[to]?.type}`, gain] as const),
  )
}

const pipe = (parameters: object) => ({
  Q: queue,
  P: {
    Type: 'AWS::Pipes::Pipe',
    Properties: {
      ...{ Source: arnOf('Q'), Target: arnOf('Bus') },
      TargetParameters: { EventBridgeEventBusParameters: parameters },
    },
  },
})

const api = (DetailType: string, more: object = {}) => ({
  A: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'HTTP' } },
  I: {
    Type: 'AWS::ApiGatewayV2::Integration',
    Properties: {
      ...{ ApiId: { Ref: 'A' }, IntegrationType: 'AWS_PROXY', IntegrationSubtype: 'EventBridge-PutEvents' },
      RequestParameters: { Detail: '$request.body', DetailType, Source: 's', EventBusName: { Ref: 'Bus' } },
    },
    ...more,
  },
})

describe('the type of what is put on a bus is that which the template says', () => {
  it('of a pipe', () => {
    expect(taken(pipe({ DetailType: 'changed', Source: 'ledger' }), 'Q')).toEqual({ 'Changed changed': 1 })
    for (const unsaid of [{ DetailType: '$.body.type' }, {}])
      expect(taken(pipe(unsaid), 'Q')).toEqual({ 'Row row': 1 })
  })

  it('of a schedule', () => {
    const schedule = (more: object) => ({
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        ScheduleExpression: 'rate(1 minute)',
        Target: { Arn: arnOf('Bus'), ...more },
      },
    })
    expect(
      taken({ Tick: schedule({ EventBridgeParameters: { DetailType: 'changed', Source: 's' } }) }),
    ).toEqual({
      'Changed changed': 1,
    })
    expect(Object.keys(taken({ Tick: schedule({}) }))).toEqual(['Changed changed', 'Row row'])
  })

  it('of an integration, which takes what it is said to take all the same', () => {
    expect(taken(api('changed'), 'A')).toEqual({ 'Changed changed': 1 })
    expect(taken(api('changed', { Metadata: { mesh: { takes: ['row'] } } }), 'A')).toEqual({
      'Changed changed': 1,
    })
    expect(taken(api('changed', { Metadata: { mesh: { takes: ['order'] } } }), 'A')).toEqual({})
    expect(taken(api('$request.header.type'), 'A')).toEqual({ 'Row row': 1 })
  })
})
