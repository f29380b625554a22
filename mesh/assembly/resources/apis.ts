import type { Law } from '../../model.ts'
import { nodesAt } from '../draft/deliver.ts'
import { base, type Draft, type Handler, join, numberAt, ofType, put, unresolved } from '../draft/draft.ts'
import { defaultBus, find, meant } from '../draft/find.ts'
import { once } from '../draft/retries.ts'
import { at, entriesOf, type Json, textOf } from '../json.ts'
import { typesOf } from '../producers/declared.ts'
import type { Resource } from '../resolve/scope.ts'
import { hasUnknown, splitOutside, tokensIn } from '../resolve/tokens.ts'

export const apiHandlers: Record<string, Handler> = {
  'AWS::ApiGatewayV2::Api': { node: http, link: quick },
  'AWS::ApiGatewayV2::Integration': { link: linkHttp },
  'AWS::ApiGateway::RestApi': { node: rest, link: linkBody },
  'AWS::ApiGateway::Method': { link: linkRest },
}

/** Requests a second: those of the stage where it throttles, else what all APIs of the account share. */
function throttling(draft: Draft, { stack }: Resource, own: Throttle[]): Law {
  const [rate, burst] = [
    draft.constant('apigateway-rate', stack.region),
    draft.constant('apigateway-burst', stack.region),
  ]
  const [first] = own.toSorted((a, b) => a.rate - b.rate)
  const law = { law: 'tokens' as const, unit: 'requests', over: 'refuse' as const }
  if (first !== undefined)
    return { ...law, rate: first.rate, burst: first.burst ?? burst.value, from: 'template' }
  const shared = `apigateway/${stack.region ?? 'region'}`
  return { ...law, rate: rate.value, burst: burst.value, shared, from: rate.from }
}

type Throttle = { rate: number; burst: number | undefined }

function throttlesOf(
  draft: Draft,
  api: Resource,
  { type, of, path }: { type: string; of: string; path: string[] },
): Throttle[] {
  return ofType(draft, type).flatMap(({ resource, properties }) => {
    if (!isOf(at(properties, of), api)) return []
    const number = (name: string) => numberAt(draft, resource, properties, [...path, name])
    const rate = number('ThrottlingRateLimit')
    return rate === undefined || rate <= 0 ? [] : [{ rate, burst: number('ThrottlingBurstLimit') }]
  })
}

const isOf = (value: Json | undefined, { key }: Resource): boolean =>
  tokensIn(textOf(value) ?? '').some((token) => token.key === key)

/** The longest that one of its integrations may take, seconds. */
function timeoutOf(
  draft: Draft,
  api: Resource,
  { type, of, path }: Parameters<typeof throttlesOf>[2],
  most: number,
) {
  const own = ofType(draft, type).flatMap(({ resource, properties }) => {
    const integrates = isOf(at(properties, of), api)
    return integrates ? (numberAt(draft, resource, properties, [...path, 'TimeoutInMillis']) ?? []) : []
  })
  return own.length === 0 ? most : Math.max(...own) / 1000
}

function http(draft: Draft, resource: Resource, properties: Json) {
  const socket = textOf(at(properties, 'ProtocolType')) === 'WEBSOCKET'
  const most = draft.constant(socket ? 'apigateway-rest-timeout' : 'apigateway-http-timeout').value
  const of = { type: 'AWS::ApiGatewayV2::Stage', of: 'ApiId', path: ['DefaultRouteSettings'] }
  const timeout = timeoutOf(
    draft,
    resource,
    { ...of, type: 'AWS::ApiGatewayV2::Integration', path: [] },
    most,
  )
  put(draft, {
    ...{ ...base(resource), kind: 'api', settings: { protocol: socket ? 'WEBSOCKET' : 'HTTP', timeout } },
    laws: [throttling(draft, resource, throttlesOf(draft, resource, of))],
  })
}

function rest(draft: Draft, resource: Resource) {
  const most = draft.constant('apigateway-rest-timeout').value
  const of = { type: 'AWS::ApiGateway::Stage', of: 'RestApiId', path: ['MethodSettings', '0'] }
  const methods = { type: 'AWS::ApiGateway::Method', of: 'RestApiId', path: ['Integration'] }
  put(draft, {
    ...{ ...base(resource), kind: 'api' },
    settings: { protocol: 'REST', timeout: timeoutOf(draft, resource, methods, most) },
    laws: [throttling(draft, resource, throttlesOf(draft, resource, of))],
  })
}

/** The API waits for what it calls. */
function invoke(
  draft: Draft,
  from: string,
  to: string,
  timeout: number | undefined,
  types: string[] | null = null,
) {
  const api = draft.nodes.get(from)
  const least = timeout ?? (api?.kind === 'api' ? api.settings.timeout : 0)
  const of = { from, to, types, provenance: 'template' as const, laws: [] }
  join(draft, { kind: 'invoke', ...of, retry: once('template'), timeout: least })
}

/** The API hands a request on to another service, by its API. */
function call(draft: Draft, from: string, to: string, action: string) {
  const of = { from, to, types: null, provenance: 'template' as const, laws: [], per: null, ratio: 1 }
  join(draft, { kind: 'call', ...of, action, carries: true, retry: once('template') })
}

/** Of an API that is described in OpenAPI: the functions and addresses that its integrations name. */
function linkBody(draft: Draft, resource: Resource, properties: Json) {
  const body = at(properties, 'Body')
  const where = { at: `${resource.place.path}.Body`, stack: resource.stack, service: 'lambda' }
  for (const uri of new Set(integrationsIn(body))) {
    const [, service = 'lambda'] = /:apigateway:[^:]*:([\w.-]+):/.exec(uri) ?? []
    if (service !== 'lambda') unresolved(draft, where.at, uri)
    else for (const to of find(draft, uri, where)) invoke(draft, resource.key, to, undefined)
  }
  if (at(properties, 'BodyS3Location') !== undefined)
    unresolved(
      draft,
      `${resource.place.path}.BodyS3Location`,
      'an API that is described outside of the assembly',
    )
}

function* integrationsIn(value: Json | undefined): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* integrationsIn(item)
  const uri = textOf(at(value, 'x-amazon-apigateway-integration', 'uri'))
  if (uri !== undefined) yield uri
  for (const [, inner] of entriesOf(value)) yield* integrationsIn(inner)
}

/** Quick create: the target is the API's own. */
function quick(draft: Draft, resource: Resource, properties: Json) {
  linkBody(draft, resource, properties)
  for (const to of nodesAt(draft, resource, properties, ['Target'], 'lambda'))
    invoke(draft, resource.key, to, undefined)
}

/** Subtype -> its action and the parameter that names what it acts on. */
const subtypes: Readonly<Record<string, { action: string; service: string; names: string[] }>> = {
  'SQS-SendMessage': { action: 'sqs:SendMessage', service: 'sqs', names: ['QueueUrl'] },
  'EventBridge-PutEvents': { action: 'events:PutEvents', service: 'events', names: ['EventBusName'] },
  'Kinesis-PutRecord': { action: 'kinesis:PutRecord', service: 'kinesis', names: ['StreamName'] },
  'StepFunctions-StartExecution': {
    action: 'states:StartExecution',
    service: 'states',
    names: ['StateMachineArn'],
  },
  'StepFunctions-StartSyncExecution': {
    ...{ action: 'states:StartSyncExecution', service: 'states', names: ['StateMachineArn'] },
  },
}

function linkHttp(draft: Draft, resource: Resource, properties: Json) {
  const [api] = nodesAt(draft, resource, properties, ['ApiId'])
  if (api === undefined) return
  const millis = numberAt(draft, resource, properties, ['TimeoutInMillis'])
  const timeout = millis === undefined ? undefined : millis / 1000
  const subtype = textOf(at(properties, 'IntegrationSubtype'))
  if (subtype === undefined) {
    for (const to of nodesAt(draft, resource, properties, ['IntegrationUri'], 'lambda'))
      invoke(draft, api, to, timeout, typesOf(resource))
    return
  }
  const known = subtypes[subtype]
  if (known === undefined) {
    unresolved(draft, `${resource.place.path}.IntegrationSubtype`, subtype)
    return
  }
  const name = known.names.find((of) => at(properties, 'RequestParameters', of) !== undefined)
  if (name === undefined && known.service === 'events')
    call(draft, api, defaultBus(draft, resource.stack.region), known.action)
  if (name === undefined) return
  for (const to of nodesAt(draft, resource, properties, ['RequestParameters', name], known.service))
    call(draft, api, to, known.action)
}

/** Actions of an API that REST APIs call by its wire protocol, by service. */
const wire: Readonly<Record<string, string>> = {
  ...{
    sqs: 'sqs:SendMessage',
    sns: 'sns:Publish',
    events: 'events:PutEvents',
    states: 'states:StartExecution',
  },
  ...{ kinesis: 'kinesis:PutRecord', dynamodb: 'dynamodb:PutItem', s3: 's3:PutObject' },
}

function linkRest(draft: Draft, resource: Resource, properties: Json) {
  const [api] = nodesAt(draft, resource, properties, ['RestApiId'])
  const integration = at(properties, 'Integration')
  const type = textOf(at(integration, 'Type')) ?? 'MOCK'
  const uri = textOf(at(integration, 'Uri'))
  if (api === undefined || integration === undefined || type === 'MOCK' || uri === undefined) return
  const millis = numberAt(draft, resource, properties, ['Integration', 'TimeoutInMillis'])
  const timeout = millis === undefined ? undefined : millis / 1000
  const where = { at: `${resource.place.path}.Integration.Uri`, stack: resource.stack }
  const [, service = '', how, rest = ''] = /:apigateway:[^:]*:([\w.-]+):(path|action)\/(.*)$/.exec(uri) ?? []
  if (how === undefined || service === 'lambda') {
    for (const to of find(draft, uri, { ...where, service: 'lambda' })) invoke(draft, api, to, timeout)
    return
  }
  // of a queue the path names it; of other services the request does that is put together
  const bare = service.split('.').at(-1) ?? ''
  const named = how === 'path' && !hasUnknown(rest) ? splitOutside(rest, '/').at(-1) : undefined
  const to =
    bare === 'sqs' && named !== undefined && named !== ''
      ? find(draft, named, { ...where, service: 'sqs' })
      : mentioned(draft, resource, integration)
  const action = how === 'action' ? `${bare}:${rest.split('?')[0]}` : (wire[bare] ?? `${bare}:*`)
  if (to.length === 0) unresolved(draft, where.at, uri)
  for (const id of to) call(draft, api, id, action)
}

/** The nodes that request templates and parameters refer to. */
function mentioned(draft: Draft, resource: Resource, integration: Json): string[] {
  const text = JSON.stringify([
    at(integration, 'RequestTemplates') ?? '',
    at(integration, 'RequestParameters') ?? '',
    at(integration, 'Uri') ?? '',
  ])
  const keys = tokensIn(text).flatMap(({ key }) => (key === '' || key === '?' ? [] : [key]))
  const where = { at: resource.place.path, stack: resource.stack }
  return [...new Set(keys.flatMap((key) => meant(draft, key, where)))]
}
