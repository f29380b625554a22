// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
import { describe, expect, it } from 'vitest'
import { arnOf } from '../../../test/mesh-in-template.ts'
import { MeshError } from '../../faults.ts'
import type { Json } from '../json.ts'
import { meshOf } from '../mesh-of.ts'
import { assemblyOf } from '../read/read.ts'
import { resolve } from './intrinsics.ts'
import { keyOf, scopeOf } from './scope.ts'
import { readable, splitOutside } from './tokens.ts'
import { worldOf } from './world.ts'

const queue = { Type: 'AWS::SQS::Queue' }

/** What a value in a template means, as people read it. */
function meaning(value: Json, template: object = {}): unknown {
  const assembly = assemblyOf('s', {
    Resources: { Q: queue, N: { ...queue, Properties: { QueueName: 'orders' } } },
    ...template,
  })
  const world = worldOf([assembly])
  const [stack] = world.stacks
  if (stack === undefined) throw new Error('no stack')
  const resolved = resolve(value, scopeOf(world, stack, 'here'))
  return resolved === undefined ? undefined : JSON.parse(readable(JSON.stringify(resolved)))
}

const arn = { 'Fn::GetAtt': ['Q', 'Arn'] }

describe('intrinsics', () => {
  it.each<[string, Json, unknown]>([
    ['Ref of a resource', { Ref: 'Q' }, '${s/Q.Ref}'],
    ['GetAtt as a list', arn, '${s/Q.Arn}'],
    ['GetAtt as a text', { 'Fn::GetAtt': 'Q.Arn' }, '${s/Q.Arn}'],
    ['Ref of what is not there', { Ref: 'X' }, '${s/X, which is not there}'],
    ['pseudo parameters that are known', { Ref: 'AWS::Partition' }, 'aws'],
    ['pseudo parameters that are not', { Ref: 'AWS::Region' }, '${AWS::Region}'],
    ['Join', { 'Fn::Join': ['/', ['a', { Ref: 'Q' }, { Ref: 'AWS::NoValue' }, 1]] }, 'a/${s/Q.Ref}/1'],
    ['Sub', { 'Fn::Sub': 'x-${Q.Arn}-${Q}-${!Q}-${AWS::StackName}' }, 'x-${s/Q.Arn}-${s/Q.Ref}-${Q}-s'],
    ['Sub with a map', { 'Fn::Sub': ['${a}:${Q.Arn}', { a: { Ref: 'N' } }] }, '${s/N.Ref}:${s/Q.Arn}'],
    ['Split and Select of a text', { 'Fn::Select': ['1', { 'Fn::Split': ['-', 'a-b-c'] }] }, 'b'],
    ['Split and Select of an ARN', { 'Fn::Select': [5, { 'Fn::Split': [':', arn] }] }, '${s/Q.Name}'],
    [
      'and of one with a name',
      { 'Fn::Select': [5, { 'Fn::Split': [':', { 'Fn::GetAtt': ['N', 'Arn'] }] }] },
      'orders',
    ],
    ['and of the address of a queue', { 'Fn::Select': [4, { 'Fn::Split': ['/', { Ref: 'N' }] }] }, 'orders'],
    ['FindInMap', { 'Fn::FindInMap': ['M', 'a', 'b'] }, 5],
    [
      'FindInMap that depends on the region',
      { 'Fn::FindInMap': ['M', { Ref: 'AWS::Region' }, 'b'] },
      '${map M.?.b}',
    ],
    ['FindInMap with a default', { 'Fn::FindInMap': ['M', 'x', 'b', { DefaultValue: 'd' }] }, 'd'],
    ['a parameter with a default', { Ref: 'P' }, 'given'],
    ['a parameter without', { Ref: 'Free' }, '${parameter Free of s}'],
    ['a list of them', { Ref: 'List' }, ['a', 'b']],
    ['If that is decided', { 'Fn::If': ['IsGiven', 'yes', 'no'] }, 'yes'],
    ['If that is decided against', { 'Fn::If': ['IsNot', 'yes', { Ref: 'AWS::NoValue' }] }, undefined],
    ['an import of what nobody exports', { 'Fn::ImportValue': 'x' }, '${import of x}'],
    ['ToJsonString', { 'Fn::ToJsonString': { a: { Ref: 'Q' } } }, '{"a":"${s/Q.Ref}"}'],
    ['Base64', { 'Fn::Base64': 'a' }, 'a'],
    ['what nobody knows', { 'Fn::Transform': { Name: 'X' } }, '${Fn::Transform}'],
    ['what looks like one and is not', { Ref: 'Q', more: 1 }, { Ref: 'Q', more: 1 }],
    ['a secret', '{{resolve:secretsmanager:x}}', '${secretsmanager x}'],
    ['a stored parameter', 'a-{{resolve:ssm:/stored:3}}', 'a-${s/Q.Arn}'],
    ['a stored parameter by a parameter', { Ref: 'Stored' }, '${s/Q.Arn}'],
  ])('%s', (_, value, means) => {
    const template = {
      Resources: {
        Q: queue,
        N: { ...queue, Properties: { QueueName: 'orders' } },
        S: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/stored', Type: 'String', Value: arn } },
      },
      Mappings: { M: { a: { b: 5 } } },
      Parameters: {
        P: { Type: 'String', Default: 'given' },
        Free: { Type: 'String' },
        List: { Type: 'CommaDelimitedList', Default: 'a, b' },
        Stored: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/stored' },
      },
      Conditions: {
        IsGiven: { 'Fn::Equals': [{ Ref: 'P' }, 'given'] },
        IsNot: { 'Fn::And': [{ Condition: 'IsGiven' }, { 'Fn::Not': [{ Condition: 'IsGiven' }] }] },
      },
    }
    expect(meaning(value, template)).toEqual(means)
  })

  it('tokens stay whole when a text is split', () => {
    expect(splitOutside('a/b', '/')).toEqual(['a', 'b'])
    const [, token] = [...'ab'].map(() => `\uE000s/x\uE001Arn\uE002`)
    expect(splitOutside(`${token}/b`, '/')).toEqual([token, 'b'])
  })
})

const rule = (target: Json) => ({
  Type: 'AWS::Events::Rule',
  Properties: { EventPattern: { source: ['a'] }, Targets: [{ Id: 'x', Arn: target }] },
})
const deliveries = (mesh: ReturnType<typeof meshOf>) =>
  mesh.elements.flatMap(({ kind, from, to }) => (kind === 'delivery' && from.endsWith('/R') ? [to] : []))

describe('references between stacks', () => {
  const producer = assemblyOf('one', {
    Resources: { Q: { ...queue, Properties: { QueueName: 'orders' } } },
    Outputs: { Out: { Value: arn, Export: { Name: { 'Fn::Sub': '${AWS::StackName}-queue' } } } },
  })

  it.each<[string, Json]>([
    ['by export', { 'Fn::ImportValue': 'one-queue' }],
    ['by output', { 'Fn::GetStackOutput': { StackName: 'one', OutputName: 'Out', Region: 'eu-west-1' } }],
    ['by the literal name in an ARN', 'arn:aws:sqs:eu-west-1:111111111111:orders'],
    [
      'by the name in an ARN of this account',
      { 'Fn::Sub': 'arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:orders' },
    ],
    ['by address', 'https://sqs.eu-west-1.amazonaws.com/111111111111/orders'],
  ])('%s', (_, target) => {
    const mesh = meshOf([producer, assemblyOf('two', { Resources: { R: rule(target) } })])
    expect(deliveries(mesh)).toEqual(['one/Q'])
    expect(mesh.unresolved).toEqual([])
  })

  it('what no assembly has is outside; what nobody can follow is listed', () => {
    const outside = assemblyOf('two', { Resources: { R: rule('arn:aws:sqs:eu-west-1:111111111111:other') } })
    expect(deliveries(meshOf([producer, outside]))).toEqual(['external/sqs:other'])
    const unknown = assemblyOf('two', { Resources: { R: rule({ 'Fn::ImportValue': 'other' }) } })
    const mesh = meshOf([producer, unknown])
    expect(deliveries(mesh)).toEqual([])
    expect(mesh.unresolved).toEqual([{ at: 'two/R.Arn', reference: '${import of other}' }])
  })

  it('of two of a name the nearer one is meant, else neither', () => {
    const target = 'arn:aws:sqs:eu-west-1:111111111111:orders'
    const named = { ...queue, Properties: { QueueName: 'orders' } }
    const near = assemblyOf('two', { Resources: { Near: named, R: rule(target) } })
    expect(deliveries(meshOf([producer, near]))).toEqual(['two/Near'])
    const third = assemblyOf('three', { Resources: { Q: named } })
    const mesh = meshOf([producer, third, assemblyOf('two', { Resources: { R: rule(target) } })])
    expect(mesh.unresolved).toEqual([
      { at: 'two/R.Arn', reference: `${target}, which may be one/Q or three/Q` },
    ])
  })
})

describe('conditions', () => {
  const undecided = { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] }
  const template = (resources: object) => ({
    Parameters: { Stage: { Type: 'String' } },
    Conditions: { IsProd: undecided, Never: { 'Fn::Equals': ['a', 'b'] } },
    Resources: resources,
  })

  it('that nothing decides give the elements of both ways, and the settings of the first', () => {
    const mesh = meshOf(
      assemblyOf(
        's',
        template({
          A: { ...queue, Properties: { VisibilityTimeout: { 'Fn::If': ['IsProd', 100, 10] } } },
          B: queue,
          R: rule({ 'Fn::If': ['IsProd', { 'Fn::GetAtt': ['A', 'Arn'] }, { 'Fn::GetAtt': ['B', 'Arn'] }] }),
        }),
      ),
    )
    expect(deliveries(mesh)).toEqual(['s/A', 's/B'])
    expect(mesh.nodes.find(({ id }) => id === 's/A')?.settings).toMatchObject({ visibility: 100 })
    expect(mesh.unresolved.map(({ at }) => at)).toEqual(['s/A', 's/R'])
  })

  it('are tried both ways as far as there are three in a resource; of others one way is listed', () => {
    const names = ['C1', 'C2', 'C3', 'C4']
    const Conditions = Object.fromEntries(names.map((name) => [name, undecided]))
    const pick = (name: string) => ({ Id: name, Arn: { 'Fn::If': [name, arnOf('A'), arnOf('B')] } })
    const target = { EventPattern: { source: ['a'] }, Targets: names.map(pick) }
    const R = { Type: 'AWS::Events::Rule', Properties: target }
    const mesh = meshOf(assemblyOf('s', { ...template({ A: queue, B: queue, R }), Conditions }))
    expect(deliveries(mesh)).toEqual(['s/A', 's/B'])
    expect(mesh.unresolved.map(({ reference }) => reference)).toEqual([
      's/C1, s/C2, s/C3, s/C4: decided at deployment; settings are as if it held',
      's/C4: followed only as if it held',
    ])
  })

  it('that do not hold take resources away', () => {
    const resources = { A: { ...queue, Condition: 'Never' }, B: { ...queue, Condition: 'IsProd' } }
    expect(meshOf(assemblyOf('s', template(resources))).nodes.map(({ id }) => id)).toEqual(['s/B'])
  })

  it('that are not there are an error', () => {
    const resources = { A: { ...queue, Condition: 'Nowhere' } }
    expect(() => meshOf(assemblyOf('t.json', template(resources)))).toThrow(
      /t\.json: Resources\.A\.Condition: there is no condition Nowhere among Conditions/,
    )
  })
})

describe('cycles are errors that name the cycle', () => {
  const refused = (...templates: object[]) => {
    const assemblies = templates.map((template, index) => assemblyOf(`t${index}`, template))
    try {
      meshOf(assemblies)
    } catch (error) {
      expect(error).toBeInstanceOf(MeshError)
      return String(error)
    }
    return 'is a mesh'
  }

  it('of resources', () => {
    const of = (other: string) => ({
      ...queue,
      Properties: { RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': [other, 'Arn'] } } },
    })
    expect(refused({ Resources: { A: of('B'), B: of('A') } })).toMatch(
      /t0: Resources\.A: depends on itself: A -> B -> A/,
    )
    expect(refused({ Resources: { A: { ...queue, DependsOn: 'A' } } })).toMatch(/A -> A/)
    const sub = { ...queue, Properties: { QueueName: { 'Fn::Sub': 'x-${B.QueueName}' } } }
    expect(refused({ Resources: { A: sub, B: { ...queue, DependsOn: ['A'] } } })).toMatch(/A -> B -> A/)
  })

  it('but not of what no way has at once', () => {
    const of = (other: string) => ({
      ...queue,
      Properties: { QueueName: { 'Fn::If': ['C', { Ref: other }, 'x'] } },
    })
    const template = {
      Parameters: { P: { Type: 'String' } },
      Conditions: { C: { 'Fn::Equals': [{ Ref: 'P' }, 'x'] } },
      Resources: { A: of('B'), B: queue },
    }
    expect(refused(template)).toBe('is a mesh')
  })

  it('of conditions, and of exports between stacks', () => {
    const conditions = { A: { Condition: 'B' }, B: { Condition: 'A' } }
    expect(refused({ Conditions: conditions, Resources: { Q: { ...queue, Condition: 'A' } } })).toMatch(
      /refers to itself: condition t0\/A -> condition t0\/B -> condition t0\/A/,
    )
    const of = (exported: string, imported: string) => ({
      Resources: { R: rule({ 'Fn::ImportValue': imported }) },
      Outputs: { O: { Value: { 'Fn::ImportValue': imported }, Export: { Name: exported } } },
    })
    expect(refused(of('a', 'b'), of('b', 'a'))).toMatch(
      /export (a -> export b -> export a|b -> export a -> export b)/,
    )
  })
})

it('a key is the stack and the logical id', () => {
  const [stack] = assemblyOf('s', { Resources: {} }).stacks
  expect(stack && keyOf(stack, 'Q')).toBe('s/Q')
})
