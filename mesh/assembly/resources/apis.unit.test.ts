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

describe('an HTTP API', () => {
  const api = { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'HTTP' } }
  const integration = (properties: object) => ({
    Type: 'AWS::ApiGatewayV2::Integration',
    Properties: { ApiId: { Ref: 'A' }, ...properties },
  })

  it('waits for functions and addresses', () => {
    const mesh = meshIn({
      ...{ A: api, F: lambda },
      I: integration({ IntegrationType: 'AWS_PROXY', IntegrationUri: arnOf('F'), TimeoutInMillis: 5000 }),
      J: integration({ IntegrationType: 'HTTP_PROXY', IntegrationUri: 'https://example.com/{proxy}' }),
    })
    expect(elementIn(mesh, 'invoke', 'A', 'F')).toMatchObject({ timeout: 5, retry: { attempts: 1 } })
    // the one that says nothing has the usual, whatever the other says
    expect(elementIn(mesh, 'invoke', 'A', 'external/example.com')).toMatchObject({
      ...{ timeout: 30, retry: { attempts: 1 } },
    })
    expect(nodeIn(mesh, 'api', 'A').settings).toEqual({ protocol: 'HTTP', timeout: 30 })
  })

  it('hands on to services', () => {
    const of = (subtype: string, RequestParameters: object) =>
      integration({ IntegrationType: 'AWS_PROXY', IntegrationSubtype: subtype, RequestParameters })
    const mesh = meshIn({
      ...{ A: api, Q: queue },
      I: of('SQS-SendMessage', { QueueUrl: { Ref: 'Q' } }),
      J: of('EventBridge-PutEvents', { Source: 'x' }),
      K: of('AppConfig-GetConfiguration', {}),
    })
    expect(elementIn(mesh, 'call', 'A', 'Q')).toMatchObject({
      action: 'sqs:SendMessage',
      carries: true,
      ratio: 1,
      provenance: 'template',
    })
    expect(elementIn(mesh, 'call', 'A', 'external/default-bus').action).toBe('events:PutEvents')
    expect(mesh.unresolved).toEqual([
      { at: 's/K.IntegrationSubtype', reference: 'AppConfig-GetConfiguration' },
    ])
  })

  it('asks what its integrations say of the types that they take, and what only reads carries nothing', () => {
    const mesh = meshIn({
      ...{ A: api, Q: queue },
      I: {
        ...integration({
          IntegrationSubtype: 'SQS-SendMessage',
          RequestParameters: { QueueUrl: { Ref: 'Q' } },
        }),
        Metadata: { mesh: { takes: ['order'] } },
      },
    })
    expect(elementIn(mesh, 'call', 'A', 'Q').types).toEqual(['order'])
  })

  it('brings nothing to an integration that none of its routes names', () => {
    const of = (id: string) => integration({ IntegrationType: 'AWS_PROXY', IntegrationUri: arnOf(id) })
    const mesh = meshIn({
      ...{ A: api, F: lambda, G: lambda, I: of('F'), J: of('G') },
      R: {
        Type: 'AWS::ApiGatewayV2::Route',
        Properties: {
          ...{ ApiId: { Ref: 'A' }, RouteKey: 'POST /' },
          Target: { 'Fn::Join': ['', ['integrations/', { Ref: 'I' }]] },
        },
      },
    })
    expect(elementsIn(mesh, 'invoke').map(({ to }) => to)).toEqual(['s/F'])
    expect(mesh.unresolved).toMatchObject([{ at: 's/J' }])
    expect(mesh.unknown).toEqual([])
  })

  it('is throttled by its stage, and with all others of the account', () => {
    const stage = {
      Type: 'AWS::ApiGatewayV2::Stage',
      Properties: {
        ApiId: { Ref: 'A' },
        DefaultRouteSettings: { ThrottlingRateLimit: 20, ThrottlingBurstLimit: 40 },
      },
    }
    expect(nodeIn(meshIn({ A: api, S: stage }), 'api', 'A').laws).toEqual([
      { law: 'tokens', rate: 20, burst: 40, unit: 'requests', over: 'refuse', from: 'template' },
      {
        ...{ law: 'tokens', rate: 2500, burst: 1250, unit: 'requests', over: 'refuse' },
        ...{ shared: 'apigateway/region', from: 'apigateway-rate/af-south-1' },
      },
    ])
    expect(nodeIn(meshIn({ A: api }), 'api', 'A').laws).toMatchObject([
      { rate: 2500, burst: 1250, shared: 'apigateway/region' },
    ])
    const routed = {
      ...stage,
      Properties: { ApiId: { Ref: 'A' }, RouteSettings: { 'GET /x': { ThrottlingRateLimit: 1 } } },
    }
    const one = meshIn({ A: api, S: routed })
    expect(nodeIn(one, 'api', 'A').laws).toMatchObject([{ rate: 2500 }])
    expect(one.unresolved).toMatchObject([{ at: 's/S.RouteSettings.GET /x' }])
    const socket = { ...api, Properties: { ProtocolType: 'WEBSOCKET' } }
    expect(nodeIn(meshIn({ A: socket, S: stage }), 'api', 'A').laws).toMatchObject([
      { rate: 20 },
      { rate: 2500, shared: 'apigateway/region' },
    ])
    expect(nodeIn(meshIn({ A: socket }), 'api', 'A').settings).toEqual({ protocol: 'WEBSOCKET', timeout: 29 })
  })
})

describe('a REST API', () => {
  const uri = (rest: unknown) => ({
    'Fn::Join': [
      '',
      [
        'arn:',
        { Ref: 'AWS::Partition' },
        ':apigateway:',
        { Ref: 'AWS::Region' },
        ':',
        ...(Array.isArray(rest) ? rest : [rest]),
      ],
    ],
  })
  const method = (Integration: object) => ({
    Type: 'AWS::ApiGateway::Method',
    Properties: { RestApiId: { Ref: 'A' }, HttpMethod: 'POST', Integration },
  })
  const mesh = meshIn({
    ...{ A: { Type: 'AWS::ApiGateway::RestApi' }, F: lambda, Q: queue, B: { Type: 'AWS::Events::EventBus' } },
    Lambda: method({
      Type: 'AWS_PROXY',
      Uri: uri(['lambda:path/2015-03-31/functions/', arnOf('F'), '/invocations']),
    }),
    Queue: method({
      Type: 'AWS',
      Uri: uri(['sqs:path/111111111111/', { 'Fn::GetAtt': ['Q', 'QueueName'] }]),
    }),
    Bus: method({
      Type: 'AWS',
      Uri: uri('events:action/PutEvents'),
      RequestTemplates: { 'application/json': { 'Fn::Sub': '{"EventBusName":"${B}"}' } },
    }),
    Address: method({ Type: 'HTTP', Uri: 'http://example.org/x' }),
    Mock: method({ Type: 'MOCK' }),
    Stage: {
      Type: 'AWS::ApiGateway::Stage',
      Properties: {
        RestApiId: { Ref: 'A' },
        MethodSettings: [
          { HttpMethod: 'GET', ResourcePath: '/orders', ThrottlingRateLimit: 2 },
          { HttpMethod: '*', ResourcePath: '/*', ThrottlingRateLimit: 9 },
        ],
      },
    },
  })

  it('waits for functions and addresses, and hands on to services', () => {
    expect(elementsIn(mesh, 'invoke').map(({ to, timeout }) => [to, timeout])).toEqual([
      ['external/example.org', 29],
      ['s/F', 29],
    ])
    expect(elementsIn(mesh, 'call').map(({ to, action }) => [to, action])).toEqual([
      ['s/B', 'events:PutEvents'],
      ['s/Q', 'sqs:SendMessage'],
    ])
  })

  it('is throttled by what its stage says of all methods, and what it says of one is listed', () => {
    expect(nodeIn(mesh, 'api', 'A').laws).toMatchObject([
      { rate: 9, burst: 1250, from: 'template' },
      { rate: 2500, shared: 'apigateway/region' },
    ])
    expect(mesh.unresolved).toEqual([
      {
        at: 's/Stage.MethodSettings.0',
        reference: '2 requests a second of GET /orders alone, held against nothing',
      },
    ])
  })

  it('may be described in OpenAPI', () => {
    const Body = {
      paths: {
        '/x': {
          get: {
            'x-amazon-apigateway-integration': {
              uri: uri(['lambda:path/2015-03-31/functions/', arnOf('F'), '/invocations']),
            },
          },
        },
      },
    }
    const described = meshIn({ F: lambda, A: { Type: 'AWS::ApiGateway::RestApi', Properties: { Body } } })
    expect(elementIn(described, 'invoke', 'A', 'F').timeout).toBe(29)
    const quick = JSON.parse(JSON.stringify(Body).replace('"uri"', '"timeoutInMillis":5000,"uri"'))
    const limited = meshIn({
      F: lambda,
      A: { Type: 'AWS::ApiGateway::RestApi', Properties: { Body: quick } },
    })
    expect(elementIn(limited, 'invoke', 'A', 'F').timeout).toBe(5)
  })
})
