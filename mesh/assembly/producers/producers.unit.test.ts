// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
import { describe, expect, it } from 'vitest'
import { arnOf, elementIn, elementsIn, lambda, meshIn, queue } from '../../../test/mesh-in-template.ts'
import type { Mesh } from '../../model.ts'
import { allowedBy, carries } from './actions.ts'

const allow = (Action: unknown, Resource: unknown, Effect = 'Allow') => ({ Effect, Action, Resource })
const role = (...statements: object[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: { RoleName: 'r', Policies: [{ PolicyDocument: { Statement: statements } }] },
})
const worker = { ...lambda, Properties: { Role: arnOf('R') } }
const calls = (mesh: ReturnType<typeof meshIn>) =>
  elementsIn(mesh, 'call').map(({ to, action, carries: on }) => [to, action, on])

describe('permissions of code', () => {
  it('to send are calls of which nobody knows how many; to ask are calls that carry nothing', () => {
    const table = { Type: 'AWS::DynamoDB::Table' }
    const mesh = meshIn({
      ...{ F: worker, Q: queue, T: table, B: { Type: 'AWS::S3::Bucket' } },
      R: role(
        allow(['sqs:SendMessage', 'sqs:GetQueueUrl'], arnOf('Q')),
        allow(['dynamodb:*'], [arnOf('T'), { 'Fn::Join': ['', [arnOf('T'), '/index/*']] }]),
        allow('s3:Get*', { 'Fn::Sub': '${B.Arn}/*' }),
        allow('kms:Decrypt', '*'),
      ),
    })
    expect(calls(mesh)).toEqual([
      ['s/B', 's3:GetObject', false],
      ['s/Q', 'sqs:SendMessage', true],
      ['s/T', 'dynamodb:GetItem', false],
      ['s/T', 'dynamodb:PutItem', true],
    ])
    expect(elementIn(mesh, 'call', 'F', 'Q')).toMatchObject({
      provenance: 'inferred',
      ratio: null,
      per: null,
      retry: { attempts: 3, from: 'sdk-attempts' },
    })
    expect(mesh.unresolved).toEqual([])
  })

  it('may stand in policies of their own, by reference and by name', () => {
    const document = (id: string) => ({ PolicyDocument: { Statement: allow('sqs:SendMessage', arnOf(id)) } })
    const mesh = meshIn({
      ...{ F: worker, A: queue, B: queue, C: queue, D: queue },
      R: {
        Type: 'AWS::IAM::Role',
        Properties: {
          RoleName: 'r',
          ManagedPolicyArns: [
            { Ref: 'M' },
            'arn:aws:iam::aws:policy/AmazonSQSFullAccess',
            'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole',
          ],
        },
      },
      P: { Type: 'AWS::IAM::Policy', Properties: { Roles: [{ Ref: 'R' }], ...document('A') } },
      M: { Type: 'AWS::IAM::ManagedPolicy', Properties: document('B') },
      N: { Type: 'AWS::IAM::ManagedPolicy', Properties: { Roles: ['r'], ...document('C') } },
      O: { Type: 'AWS::IAM::RolePolicy', Properties: { RoleName: { Ref: 'R' }, ...document('D') } },
    })
    expect(calls(mesh).map(([to]) => to)).toEqual(['s/A', 's/B', 's/C', 's/D'])
    expect(mesh.unresolved).toEqual([
      { at: 's/R.ManagedPolicyArns', reference: 'arn:aws:iam::aws:policy/AmazonSQSFullAccess' },
    ])
  })

  it('by patterns of names are for all that they match; on everything they are listed', () => {
    const named = (name: string) => ({ ...queue, Properties: { QueueName: name } })
    const mesh = meshIn({
      ...{ F: worker, A: named('app-a'), B: named('app-b'), C: named('other') },
      R: role(
        allow('sqs:SendMessage', { 'Fn::Sub': 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:app-*' }),
        allow(['sns:Publish', 'logs:PutLogEvents'], '*'),
        allow('events:PutEvents', 'arn:aws:events:eu-west-1:111111111111:event-bus/*'),
        allow('states:StartExecution', 'arn:aws:states:eu-west-1:111111111111:stateMachine:none-*'),
        allow('sqs:SendMessage', arnOf('C'), 'Deny'),
      ),
    })
    expect(calls(mesh).map(([to]) => to)).toEqual(['s/A', 's/B'])
    expect(mesh.unresolved.map(({ reference }) => reference)).toEqual([
      'events:PutEvents on arn:aws:events:eu-west-1:111111111111:event-bus/*',
      'sns:Publish on *',
      'states:StartExecution on arn:aws:states:eu-west-1:111111111111:stateMachine:none-*',
    ])
  })

  it('that a poll or a destination asks for say nothing about the code', () => {
    const mesh = meshIn({
      ...{
        Q: queue,
        D: queue,
        F: { ...lambda, Properties: { Role: arnOf('R'), DeadLetterConfig: { TargetArn: arnOf('D') } } },
      },
      M: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: { FunctionName: { Ref: 'F' }, EventSourceArn: arnOf('Q') },
      },
      R: role(
        allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage'], arnOf('Q')),
        allow('sqs:SendMessage', arnOf('D')),
      ),
    })
    expect(calls(mesh)).toEqual([])
  })

  it('to receive where no event source takes from is code that polls', () => {
    const mesh = (more: object, ...also: object[]) =>
      meshIn({
        ...{ Q: queue, F: { ...lambda, Properties: { Role: arnOf('R') } }, ...more },
        R: role(allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage'], arnOf('Q')), ...also),
      })
    const polls = (of: Mesh) =>
      of.elements.flatMap(({ kind, from, to, provenance }) =>
        kind === 'poll' ? [`${from} > ${to} ${provenance}`] : [],
      )
    expect(polls(mesh({}))).toEqual(['s/Q > s/F inferred'])
    const source = {
      ...{ Type: 'AWS::Lambda::EventSourceMapping' },
      Properties: { FunctionName: { Ref: 'G' }, EventSourceArn: arnOf('Q') },
    }
    expect(polls(mesh({ G: lambda, M: source }))).toEqual(['s/Q > s/G template'])
    // what failed is put back by hand
    const letters = { RedrivePolicy: { deadLetterTargetArn: arnOf('Q'), maxReceiveCount: 3 } }
    expect(polls(mesh({ P: { ...queue, Properties: letters } }))).toEqual([])
    const both = mesh({}, allow('sqs:SendMessage', arnOf('Q')))
    expect(polls(both)).toEqual([])
    expect(both.unresolved).toEqual([
      { at: 's/F', reference: 'sqs:ReceiveMessage on s/Q, where it may send too' },
    ])
  })

  it('of a role that is elsewhere are not known', () => {
    const mesh = meshIn({ F: { ...lambda, Properties: { Role: 'arn:aws:iam::111111111111:role/other' } } })
    expect(mesh.unresolved).toEqual([{ at: 's/F.Role', reference: 'arn:aws:iam::111111111111:role/other' }])
  })

  it('are understood with wildcards', () => {
    expect(allowedBy('sqs:*')).toEqual([
      { action: 'sqs:SendMessage', use: 'carries' },
      { action: 'sqs:ReceiveMessage', use: 'consumes' },
    ])
    expect(allowedBy('SQS:sendmessage')).toEqual([{ action: 'sqs:SendMessage', use: 'carries' }])
    expect(allowedBy('s3:Get*')).toEqual([{ action: 's3:GetObject', use: 'uses' }])
    for (const none of ['*', 'logs:*', 'sqs:DeleteMessage', '']) expect(allowedBy(none)).toEqual([])
    expect([carries('s3:ListBuckets'), carries('glue:StartJobRun'), carries('dynamodb:GetItem')]).toEqual([
      false,
      true,
      false,
    ])
  })
})

describe('what a resource declares', () => {
  const declared = (mesh: unknown, more: object = {}) => ({
    ...{
      Q: { ...queue, Properties: { QueueName: 'orders' } },
      R: role(allow('sqs:SendMessage', arnOf('Q'))),
    },
    F: { ...worker, Metadata: { mesh } },
    ...more,
  })

  it.each<[string, unknown]>([
    ['reference', arnOf('Q')],
    ['id', 's/Q'],
    ['its own name', 'orders'],
    ['name in the mesh', 'Q'],
    ['ARN', 'arn:aws:sqs:eu-west-1:111111111111:orders'],
  ])('is in the place of what was inferred, by %s', (_, to) => {
    const mesh = meshIn(declared({ sends: [{ to, type: 'placed', per: 'paid', ratio: 2 }] }))
    expect(elementIn(mesh, 'call', 'F', 'Q')).toMatchObject({
      provenance: 'declared',
      types: ['placed'],
      per: 'paid',
      ratio: 2,
      carries: true,
      action: '*',
    })
  })

  it('may be several types to one receiver', () => {
    const mesh = meshIn(
      declared({
        sends: [
          { to: 'Q', type: 'b' },
          { to: 'Q', type: 'a' },
        ],
      }),
    )
    expect(elementsIn(mesh, 'call').map(({ id, types }) => [id, types])).toEqual([
      ['call:s/F>s/Q', ['a']],
      ['call:s/F>s/Q:2', ['b']],
    ])
  })

  it('may say what comes from outside', () => {
    expect(meshIn(declared({ arrivals: { placed: '120/min', paid: 5 } })).arrivals).toEqual({
      's/F': { placed: 2, paid: 5 },
    })
    expect(meshIn(declared({})).arrivals).toBeUndefined()
  })

  it.each<[unknown, RegExp]>([
    [
      { sends: [{ to: 'nowhere' }] },
      /s: Resources\.F\.Metadata\.mesh\.sends\.0\.to: there is no node nowhere/,
    ],
    [{ sends: [{}] }, /Resources\.F\.Metadata\.mesh\.sends\.0\.to/],
    [{ sends: [{ to: 'Q', ratio: -1 }] }, /Metadata\.mesh\.sends\.0\.ratio/],
    [{ send: [] }, /Metadata\.mesh: .*send/],
    [{ arrivals: { placed: 'often' } }, /Metadata\.mesh\.arrivals\.placed: expected a rate/],
  ])('%j is an error that says where', (mesh, says) => {
    expect(() => meshIn(declared(mesh))).toThrow(says)
  })

  it('stands at what sends', () => {
    expect(() => meshIn({ R: { Type: 'AWS::IAM::Role', Metadata: { mesh: { sends: [] } } } })).toThrow(
      /Resources\.R\.Metadata\.mesh: a AWS::IAM::Role sends nothing/,
    )
  })
})
