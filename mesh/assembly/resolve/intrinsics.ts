import { at, entriesOf, isRecord, type Json, listOf, textOf } from '../json.ts'
import { faultAt, type Stack } from '../read/template.ts'
import { expanded } from './names.ts'
import { enter, keyOf, type Published, published, type Scope } from './scope.ts'
import { hasToken, hasUnknown, plain, pseudo, reference, splitOutside, unknown } from './tokens.ts'

/**
 * A value with its intrinsics followed. A reference to a resource stays one, as a token in a text; what nobody knows is a
 * token that says so. undefined: AWS::NoValue.
 */
export function resolve(value: Json, scope: Scope): Json | undefined {
  if (typeof value === 'string') return dynamic(plain(value), scope)
  if (Array.isArray(value)) return value.flatMap((item) => present(resolve(item, scope)))
  if (!isRecord(value)) return value
  const [first, ...others] = Object.keys(value)
  const argument = first === undefined ? undefined : value[first]
  const intrinsic = first === undefined || others.length > 0 ? undefined : intrinsics[first]
  if (intrinsic !== undefined && argument !== undefined) return intrinsic(argument, scope)
  if (first?.startsWith('Fn::') && others.length === 0) return unknown(first)
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => {
      const resolved = resolve(inner, scope)
      return resolved === undefined ? [] : [[key, resolved]]
    }),
  )
}

const present = (value: Json | undefined): Json[] => (value === undefined ? [] : [value])

/** The same where a text must come out. */
export function textFrom(value: Json, scope: Scope): string {
  const resolved = resolve(value, scope)
  return textOf(resolved) ?? (resolved === undefined ? '' : unknown(`${scope.at}: no text`))
}

/** `{{resolve:ssm:name}}`, with or without a version. */
const dynamic = (text: string, scope: Scope): string =>
  text.replaceAll(
    /\{\{resolve:(ssm|ssm-secure|secretsmanager):([^}]+)\}\}/g,
    (_, service: string, name: string) =>
      service === 'ssm' ? stored(name.replace(/:\d+$/, ''), scope) : unknown(`${service} ${name}`),
  )

function stored(name: string, scope: Scope): string {
  const found = published(scope.world.parameters.get(name), scope.stack)
  const remote = found ?? published(scope.world.remote.get(name), scope.stack)
  return remote === undefined
    ? unknown(`SSM parameter ${name}`)
    : follow(remote, `SSM parameter ${name}`, scope)
}

const follow = ({ stack, value, at: path }: Published, name: string, scope: Scope): string =>
  textFrom(value, enter(scope, name, stack, path))

function ref(name: string, scope: Scope): Json | undefined {
  const { stack, world } = scope
  switch (name) {
    case 'AWS::NoValue':
      return undefined
    case 'AWS::Region':
      return stack.region ?? pseudo('Region')
    case 'AWS::AccountId':
      return stack.account ?? pseudo('AccountId')
    case 'AWS::Partition':
      return stack.region?.startsWith('cn-')
        ? 'aws-cn'
        : stack.region?.startsWith('us-gov-')
          ? 'aws-us-gov'
          : 'aws'
    case 'AWS::URLSuffix':
      return stack.region?.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
    case 'AWS::StackName':
      return stack.deployed
    case 'AWS::NotificationARNs':
      return []
    case 'AWS::StackId':
      return unknown(`the id of ${stack.name}`)
  }
  if (world.resources.has(keyOf(stack, name))) return reference(keyOf(stack, name), 'Ref')
  if (stack.template.Parameters[name] !== undefined) return parameter(name, scope)
  return unknown(`${keyOf(stack, name)}, which is not there`)
}

function parameter(name: string, scope: Scope): Json {
  const { stack, world } = scope
  const { Type = 'String', Default } = stack.template.Parameters[name] ?? {}
  const inner = enter(scope, `parameter ${keyOf(stack, name)}`, stack, `Parameters.${name}`)
  const { parent } = stack
  const passed =
    parent && at(parent.stack.template.Resources[parent.resource]?.Properties, 'Parameters', name)
  const value =
    parent && passed !== undefined
      ? resolve(passed, {
          ...inner,
          stack: parent.stack,
          at: `Resources.${parent.resource}.Properties.Parameters.${name}`,
        })
      : (stack.parameters[name] ?? Default)
  if (value === undefined) return unknown(`parameter ${name} of ${stack.name}`)
  if (Type.startsWith('AWS::SSM::Parameter::Value')) return stored(textOf(value) ?? '', { ...inner, world })
  const list = /^(CommaDelimitedList|List<)/.test(Type) && typeof value === 'string'
  return list ? value.split(',').map((item) => item.trim()) : value
}

function attribute(logicalId: string, name: string, scope: Scope): string {
  const { stack, world } = scope
  const resource = world.resources.get(keyOf(stack, logicalId))
  if (resource === undefined) return unknown(`${keyOf(stack, logicalId)}, which is not there`)
  if (resource.type === 'AWS::CloudFormation::Stack') {
    const nested = stack.nested.get(logicalId)
    return nested ? output(nested, name.replace(/^Outputs\./, ''), scope) : unknown(`${logicalId}.${name}`)
  }
  if (resource.type === 'Custom::CrossRegionExportReader') return stored(name, scope)
  return reference(resource.key, name)
}

function output(stack: Stack, name: string, scope: Scope): string {
  const value = stack.template.Outputs[name]?.Value
  if (value === undefined) return unknown(`output ${name} of ${stack.name}`)
  return follow({ stack, value, at: `Outputs.${name}.Value` }, `output ${stack.name}/${name}`, scope)
}

function sub(argument: Json, scope: Scope): Json {
  const [template, map] = Array.isArray(argument) ? argument : [argument]
  const given = Object.fromEntries(entriesOf(map))
  const text = plain(textOf(template) ?? '')
  const replaced = text.replaceAll(/\$\{(!?)([^}]+)\}/g, (_, literal: string, inner: string) => {
    const name = inner.trim()
    if (literal === '!') return `\${${inner}}`
    if (given[name] !== undefined) return textFrom(given[name], scope)
    const dot = name.indexOf('.')
    if (dot > 0) return attribute(name.slice(0, dot), name.slice(dot + 1), scope)
    const value = ref(name, scope)
    return textOf(value) ?? (Array.isArray(value) ? value.join(',') : '')
  })
  return dynamic(replaced, scope)
}

const listAt = (value: Json | undefined, scope: Scope): Json[] | undefined => {
  const resolved = value === undefined ? undefined : resolve(value, scope)
  return Array.isArray(resolved) ? resolved : undefined
}

const intrinsics: Readonly<Record<string, (argument: Json, scope: Scope) => Json | undefined>> = {
  Ref: (argument, scope) => (typeof argument === 'string' ? ref(argument, scope) : unknown('Ref')),
  'Fn::GetAtt': (argument, scope) => {
    const [id, ...names] =
      typeof argument === 'string' ? argument.split('.') : Array.isArray(argument) ? argument : []
    return attribute(textOf(id) ?? '', names.map((name) => textFrom(name, scope)).join('.'), scope)
  },
  'Fn::Sub': sub,
  'Fn::Join': (argument, scope) => {
    const [separator, items] = Array.isArray(argument) ? argument : []
    const list = listAt(items, scope)
    if (list === undefined) return unknown('Fn::Join of what is no list')
    return dynamic(
      list.map((item) => textOf(item) ?? JSON.stringify(item)).join(textOf(separator) ?? ''),
      scope,
    )
  },
  'Fn::Select': (argument, scope) => {
    const [index, items] = Array.isArray(argument) ? argument : []
    const list = listAt(items, scope)
    const chosen = list?.[Number(textFrom(index ?? null, scope))]
    return chosen ?? unknown('Fn::Select of what is not known')
  },
  'Fn::Split': (argument, scope) => {
    const [separator, source] = Array.isArray(argument) ? argument : []
    const by = textOf(separator) ?? ''
    const text = textFrom(source ?? '', scope)
    return splitOutside(hasUnknown(text) ? text : expanded(text, scope.world), by)
  },
  'Fn::If': (argument, scope) => {
    const [name, yes = null, no = null] = Array.isArray(argument) ? argument : []
    if (typeof name !== 'string')
      throw faultAt(scope.stack, scope.at, 'Fn::If: expected the name of a condition first')
    const key = `${scope.stack.name}/${name}`
    const decided = holds(name, scope)
    if (decided === undefined) scope.asked.add(key)
    return resolve((decided ?? scope.decided.get(key) ?? true) ? yes : no, scope)
  },
  'Fn::ImportValue': (argument, scope) => {
    const name = textFrom(argument, scope)
    const found = published(scope.world.exports.get(name), scope.stack)
    return found === undefined ? unknown(`import of ${name}`) : follow(found, `export ${name}`, scope)
  },
  'Fn::GetStackOutput': (argument, scope) => {
    const name = textFrom(at(argument, 'StackName') ?? '', scope)
    const region = textFrom(at(argument, 'Region') ?? scope.stack.region ?? '', scope)
    const named = scope.world.stacks.filter(({ deployed }) => deployed === name)
    const stack = named.find((of) => of.region === region) ?? named[0]
    const key = textOf(at(argument, 'OutputName')) ?? ''
    return stack === undefined ? unknown(`output ${key} of ${name}`) : output(stack, key, scope)
  },
  'Fn::FindInMap': (argument, scope) => {
    const [map, top, second, options] = Array.isArray(argument) ? argument : []
    const keys = [map, top, second].map((key) => textFrom(key ?? '', scope))
    const found = at(scope.stack.template.Mappings, ...keys)
    if (found !== undefined) return found
    const otherwise = at(options, 'DefaultValue')
    return otherwise !== undefined && !hasToken(keys.join())
      ? resolve(otherwise, scope)
      : unknown(`map ${keys.map((key) => (hasToken(key) ? '?' : key)).join('.')}`)
  },
  'Fn::Base64': (argument, scope) => textFrom(argument, scope),
  'Fn::ToJsonString': (argument, scope) => JSON.stringify(resolve(argument, scope) ?? null),
  'Fn::Length': (argument, scope) => listAt(argument, scope)?.length ?? unknown('Fn::Length'),
}

/** Whether a named condition holds; undefined: it depends on what is known at deployment only. */
export function holds(name: string, scope: Scope): boolean | undefined {
  const { stack } = scope
  const expression = stack.template.Conditions[name]
  if (expression === undefined)
    throw faultAt(
      stack,
      scope.at,
      `there is no condition ${name} among Conditions: define it, or take it away`,
    )
  return evaluate(expression, enter(scope, `condition ${stack.name}/${name}`, stack, `Conditions.${name}`))
}

function evaluate(expression: Json, scope: Scope): boolean | undefined {
  if (!isRecord(expression)) return undefined
  const [key = '', argument = null] = Object.entries(expression)[0] ?? []
  const each = () => listOf(argument).map((inner) => evaluate(inner, scope))
  switch (key) {
    case 'Condition':
      return typeof argument === 'string' ? holds(argument, scope) : undefined
    case 'Fn::Not': {
      const [inner] = each()
      return inner === undefined ? undefined : !inner
    }
    case 'Fn::And':
      return all(each())
    case 'Fn::Or': {
      const none = all(each().map((inner) => (inner === undefined ? undefined : !inner)))
      return none === undefined ? undefined : !none
    }
    case 'Fn::Equals': {
      const [left, right] = listOf(argument).map((side) =>
        String(JSON.stringify(comparable(resolve(side, scope)))),
      )
      if (left === right) return true
      return hasToken(`${left}${right}`) ? undefined : false
    }
    default:
      return undefined
  }
}

/** "5" is equal to 5. */
const comparable = (value: Json | undefined): Json | undefined =>
  typeof value === 'number' || typeof value === 'boolean' ? String(value) : value

function all(parts: readonly (boolean | undefined)[]): boolean | undefined {
  if (parts.includes(false)) return false
  return parts.includes(undefined) ? undefined : true
}
