import { append } from '../../append.ts'
import { putEvents } from '../../model.ts'
import { at, order, textOf } from '../json.ts'
import type { Stack } from '../read/template.ts'
import { textFrom } from '../resolve/intrinsics.ts'
import { nameProperty, namingOf } from '../resolve/names.ts'
import { type Resource, scopeOf } from '../resolve/scope.ts'
import { hasToken, hasUnknown, readable } from '../resolve/tokens.ts'
import { type Called, called, integrated, keyIn } from './arns.ts'
import { type Draft, defaultBusIn, put, sharedIn, unresolved, type Where } from './draft.ts'

/** What is only another way to call something: the property that says what. */
const standIns: Readonly<Record<string, string>> = {
  'AWS::Lambda::Alias': 'FunctionName',
  'AWS::Lambda::Version': 'FunctionName',
  'AWS::StepFunctions::StateMachineVersion': 'StateMachineArn',
  'AWS::StepFunctions::StateMachineAlias': 'RoutingConfiguration',
  'AWS::Kinesis::StreamConsumer': 'StreamARN',
  'AWS::ApiGatewayV2::Stage': 'ApiId',
  'AWS::ApiGateway::Stage': 'RestApiId',
}

/** Where a text stands: what says so in errors, the stack that it is near, and what service a bare name is of. */
type Context = { at: string; stack: Stack; service?: string }

/**
 * The nodes that a text means: a reference, an ARN, an address or a bare name of `service`. What no assembly has is a node
 * `external`; what cannot be told is listed as unresolved, and means none.
 */
export function find(draft: Draft, given: string, context: Context): string[] {
  const text = integrated(given.trim())
  if (text === '' || hasUnknown(text)) {
    unresolved(draft, context.at, text === '' ? 'nothing' : text)
    return []
  }
  const key = keyIn(text)
  if (key !== undefined) return meant(draft, key, context)
  const arn = called(text)
  if (arn !== undefined) return byName(draft, arn, text, context)
  const [, host] = /^https?:\/\/([^/:]+)/.exec(text) ?? []
  if (host !== undefined) return [external(draft, readable(host))]
  const { service = '' } = context
  // of a function the qualifier may follow, or the account come before
  const [, own] =
    service === 'lambda' ? (/^(?:\d{12}:(?:function:)?)?([^:]+)(?::[^:]*)?$/.exec(text) ?? []) : []
  const bare = { service, type: '', region: '', account: '', name: own ?? text }
  return byName(draft, bare, text, context)
}

/** The nodes that a resource is or stands for. */
export function meant(draft: Draft, key: string, context: Context): string[] {
  if (draft.nodes.has(key)) return [key]
  if (draft.helpers.has(key)) return []
  const other = draft.means.get(key)
  if (other !== undefined) return other
  const resource = draft.world.resources.get(key)
  if (resource === undefined) {
    unresolved(draft, context.at, key)
    return []
  }
  const property = standIns[resource.type]
  const value = property === undefined ? undefined : at(resource.properties, property)
  if (value !== undefined) {
    const scope = scopeOf(
      draft.world,
      resource.stack,
      `Resources.${resource.logicalId}.Properties.${property}`,
    )
    const text =
      textOf(value) ?? textFrom(property === 'RoutingConfiguration' ? versionIn(value) : value, scope)
    return find(draft, text, { at: resource.place.path, stack: resource.stack, service: 'lambda' })
  }
  return [outside(draft, resource)]
}

const versionIn = (routing: Parameters<typeof at>[0]) =>
  (Array.isArray(routing) ? at(routing[0], 'StateMachineVersionArn') : undefined) ?? ''

function byName(draft: Draft, arn: Called, text: string, context: Context): string[] {
  const inner = keyIn(arn.name)
  if (inner !== undefined) return meant(draft, inner, context)
  if (arn.service === 'events' && (arn.type === 'event-bus' || arn.type === '') && arn.name === 'default')
    return [
      defaultBus(draft, {
        region: saidOr(arn.region, context.stack.region),
        account: saidOr(arn.account, context.stack.account),
      }),
    ]
  const candidates = (draft.byName.get(`${arn.service}:${arn.name}`) ?? []).filter((id) => {
    const stack = draft.world.resources.get(id)?.stack
    return agree(arn.region, stack?.region) && agree(arn.account, stack?.account)
  })
  const near = candidates.filter((id) => draft.nodes.get(id)?.stack === context.stack.name)
  const [only, ...others] = near.length > 0 ? near : candidates
  if (only !== undefined && others.length === 0) return [only]
  if (only !== undefined) {
    unresolved(draft, context.at, `${readable(text)}, which may be ${[only, ...others].join(' or ')}`)
    return []
  }
  return [external(draft, readable(`${arn.service === '' ? '' : `${arn.service}:`}${arn.name}`))]
}

const saidOr = (said: string, usual: string | null): string | null =>
  said === '' || hasToken(said) ? usual : said

/** Of what is not said, or known at deployment only, nothing speaks against it. */
const agree = (said: string, known: string | null | undefined): boolean =>
  said === '' || hasToken(said) || known === null || known === undefined || said === known

export function external(draft: Draft, name: string): string {
  const id = `external/${name}`
  if (!draft.nodes.has(id))
    put(draft, { id, name, path: id, stack: '', type: '', kind: 'external', settings: {}, laws: [] })
  return id
}

/** A resource of the assembly that messages go to, of a kind that the model does not have. */
function outside(draft: Draft, { key, stack, type, place }: Resource): string {
  const id = `external/${key}`
  const source = place.source && { source: place.source }
  if (!draft.nodes.has(id))
    put(draft, {
      ...{ id, name: '', path: place.path, stack: stack.name, type, ...source },
      ...{ kind: 'external', settings: {}, laws: [] },
    })
  return id
}

export function defaultBus(draft: Draft, where: Where): string {
  const id = defaultBusIn(draft, where)
  const { value, from } = draft.constant('eventbridge-put-events', where.region)
  if (!draft.nodes.has(id))
    put(draft, {
      ...{ id, name: '', path: id, stack: '', type: '', kind: 'bus', settings: {} },
      laws: [
        {
          ...{ law: 'tokens', rate: value, burst: value, unit: putEvents, over: 'refuse', from },
          shared: sharedIn(draft, 'eventbridge-put-events', where),
        },
      ],
    })
  return id
}

/** Nodes by the names that the template gives them. */
export function indexNames(draft: Draft) {
  for (const id of [...draft.nodes.keys()].toSorted(order)) {
    const resource = draft.world.resources.get(id)
    const naming = resource && namingOf(resource.type)
    const name = resource && nameProperty(resource)
    if (resource === undefined || naming === undefined || name === undefined) continue
    const text = textFrom(
      name,
      scopeOf(draft.world, resource.stack, `Resources.${resource.logicalId}.Properties`),
    )
    append(draft.byName, `${naming.service}:${text}`, id)
  }
}
