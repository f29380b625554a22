import { expect, test } from 'vitest'
import { functionNameOf, resourcesIn } from './templates.ts'

const template = {
  Resources: {
    Relay: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'loadpath-local-relay' } },
    RelayLive: { Type: 'AWS::Lambda::Alias', Properties: { FunctionName: { Ref: 'Relay' } } },
    Nameless: { Type: 'AWS::Lambda::Function', Properties: {} },
  },
}

test.each([
  ['a name', 'loadpath-local-relay'],
  ['a function', { Ref: 'Relay' }],
  ['the alias of a function', { Ref: 'RelayLive' }],
])('the function is told by %s', (_, value) => {
  expect(functionNameOf(value, template)).toBe('loadpath-local-relay')
})

test.each([{ Ref: 'Nameless' }, { Ref: 'Nobody' }, { 'Fn::ImportValue': 'x' }, 12])(
  'what names no function of the template is no function: %j',
  (value) => {
    expect(() => functionNameOf(value, template)).toThrow()
  },
)

test('a resource knows its template', () => {
  expect(resourcesIn(template)[1]).toEqual({
    template,
    type: 'AWS::Lambda::Alias',
    properties: { FunctionName: { Ref: 'Relay' } },
  })
})
