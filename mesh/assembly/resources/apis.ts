import type { ElementOf, Law, NodeOf } from '../../model.ts'
import { nodesAt, typeAt } from '../draft/deliver.ts'
import {
  base,
  type Draft,
  type Handler,
  join,
  numberAt,
  ofType,
  put,
  sharedIn,
  unresolved,
} from '../draft/draft.ts'
import { defaultBus, find, meant } from '../draft/find.ts'
import { once } from '../draft/retries.ts'
import { at, entriesOf, type Json, listOf, textOf } from '../json.ts'
import { carries } from '../producers/actions.ts'
import { typesOf } from '../producers/declared.ts'
import type { Resource } from '../resolve/scope.ts'
import { hasUnknown, splitOutside, tokensIn } from '../resolve/tokens.ts'

export const apiHandlers: Record<string, Handler> = {
  'AWS::ApiGatewayV2::Api': { node: http, link: quick },
  'AWS::ApiGatewayV2::Integration': { link: linkHttp },
  'AWS::ApiGateway::RestApi': { node: rest, link: linkBody },
  'AWS::ApiGateway::Method': { link: linkRest },
}

/** Requests a second: those of the stage where it throttles, and what all APIs of the account share. */
function throttling(draft: Draft, { stack }: Resource, own: Throttle[]): Law[] {
  const [rate, burst] = [
    draft.constant('apigateway-rate', stack.region),
    draft.constant('apigateway-burst', stack.region),
  ]
  const [first] = own.toSorted((a, b) => a.rate - b.rate)
  const law = { law: 'tokens' as const, unit: 'requests', over: 'refuse' as const }
  const shared = sharedIn(draft, 'apigateway', stack)
  return [
    ...(first === undefined
      ? []
      : [{ ...law, rate: first.rate, burst: first.burst ?? burst.value, from: 'template' }]),
    { ...law, rate: rate.value, burst: burst.value, shared, from: rate.from },
  ]
}

type Throttle = { rate: number; burst: number | undefined }

/** What is set at a stage or at an integration of an API: of which type that is, and which member says of which API. */
type Beside = { type: string; of: string }

/** Where a stage sets throttles, and for which route; null: for all. */
type Settings = (stage: Json) => { path: string[]; route: string | null }[]

const byRoute: Settings = (stage) => [
  { path: ['DefaultRouteSettings'], route: null },
  ...entriesOf(at(stage, 'RouteSettings')).map(([route]) => ({ path: ['RouteSettings', route], route })),
]

const byMethod: Settings = (stage) =>
  listOf(at(stage, 'MethodSettings')).map((setting, index) => {
    const route = `${textOf(at(setting, 'HttpMethod')) ?? '*'} ${textOf(at(setting, 'ResourcePath')) ?? '/*'}`
    return { path: ['MethodSettings', String(index)], route: route === '* /*' ? null : route }
  })

/** Those of all of an API. What is of one route is listed: nobody says what of the load goes there. */
function throttlesOf(draft: Draft, api: Resource, { type, of }: Beside, settings: Settings): Throttle[] {
  return ofType(draft, type).flatMap(({ resource, properties }) =>
    (isOf(at(properties, of), api) ? settings(properties) : []).flatMap(({ path, route }) => {
      const number = (name: string) => numberAt(draft, resource, properties, [...path, name])
      const [rate, burst] = [number('ThrottlingRateLimit'), number('ThrottlingBurstLimit')]
      if (rate === undefined || rate <= 0) return []
      if (route === null) return [{ rate, burst }]
      const where = `${resource.place.path}.${path.join('.')}`
      unresolved(draft, where, `${rate} requests a second of ${route} alone, held against nothing`)
      return []
    }),
  )
}

const isOf = (value: Json | undefined, { key }: Resource): boolean =>
  tokensIn(textOf(value) ?? '').some((token) => token.key === key)

/** How long an integration may take that does not say so, seconds. */
const usualTimeout = ({ constant }: Draft, protocol: NodeOf<'api'>['settings']['protocol']): number =>
  constant(protocol === 'HTTP' ? 'apigateway-http-timeout' : 'apigateway-rest-timeout').value

/** The longest that one of its integrations may take, seconds. */
function timeoutOf(draft: Draft, api: Resource, { type, of }: Beside, path: string[], usual: number): number {
  const all = ofType(draft, type).flatMap(({ resource, properties }) => {
    const integration = at(properties, ...path)
    const mock = [at(integration, 'Type'), at(integration, 'IntegrationType')].includes('MOCK')
    if (mock || !isOf(at(properties, of), api)) return []
    const millis = numberAt(draft, resource, properties, [...path, 'TimeoutInMillis'])
    return [millis === undefined ? usual : millis / 1000]
  })
  return all.length === 0 ? usual : Math.max(...all)
}

function http(draft: Draft, resource: Resource, properties: Json) {
  const protocol = textOf(at(properties, 'ProtocolType')) === 'WEBSOCKET' ? 'WEBSOCKET' : 'HTTP'
  const beside = (name: string): Beside => ({ type: `AWS::ApiGatewayV2::${name}`, of: 'ApiId' })
  const timeout = timeoutOf(draft, resource, beside('Integration'), [], usualTimeout(draft, protocol))
  put(draft, {
    ...{ ...base(resource), kind: 'api', settings: { protocol, timeout } },
    laws: throttling(draft, resource, throttlesOf(draft, resource, beside('Stage'), byRoute)),
  })
}

function rest(draft: Draft, resource: Resource) {
  const beside = (name: string): Beside => ({ type: `AWS::ApiGateway::${name}`, of: 'RestApiId' })
  const usual = usualTimeout(draft, 'REST')
  const timeout = timeoutOf(draft, resource, beside('Method'), ['Integration'], usual)
  put(draft, {
    ...{ ...base(resource), kind: 'api', settings: { protocol: 'REST', timeout } },
    laws: throttling(draft, resource, throttlesOf(draft, resource, beside('Stage'), byMethod)),
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
  const least = timeout ?? (api?.kind === 'api' ? usualTimeout(draft, api.settings.protocol) : 0)
  const of = { from, to, types, provenance: 'template' as const, laws: [] }
  join(draft, { kind: 'invoke', ...of, retry: once('template'), timeout: least })
}

type Call = ElementOf<'call'>

/** The API hands a request on to another service, by its API. */
function call(
  draft: Draft,
  { from, to, action, types = null, puts }: Pick<Call, 'from' | 'to' | 'action'> & Partial<Call>,
) {
  const of = { from, to, types, provenance: 'template' as const, laws: [], per: null, ratio: 1 }
  const put = puts === undefined ? {} : { puts }
  join(draft, { kind: 'call', ...of, action, carries: carries(action), retry: once('template'), ...put })
}

/** Of an API that is described in OpenAPI: the functions and addresses that its integrations name. */
function linkBody(draft: Draft, resource: Resource, properties: Json) {
  const body = at(properties, 'Body')
  const where = { at: `${resource.place.path}.Body`, stack: resource.stack, service: 'lambda' }
  for (const [uri, timeout] of integrationsIn(body)) {
    const [, service = 'lambda'] = /:apigateway:[^:]*:([\w.-]+):/.exec(uri) ?? []
    if (service !== 'lambda') unresolved(draft, where.at, uri)
    else for (const to of find(draft, uri, where)) invoke(draft, resource.key, to, timeout)
  }
  if (at(properties, 'BodyS3Location') !== undefined)
    unresolved(
      draft,
      `${resource.place.path}.BodyS3Location`,
      'an API that is described outside of the assembly',
    )
}

/** Addresses and how long each may take, seconds, where that is said. */
function* integrationsIn(value: Json | undefined): Generator<[string, number | undefined]> {
  if (Array.isArray(value)) for (const item of value) yield* integrationsIn(item)
  const integration = at(value, 'x-amazon-apigateway-integration')
  const [uri, millis] = [textOf(at(integration, 'uri')), at(integration, 'timeoutInMillis')]
  if (uri !== undefined) yield [uri, typeof millis === 'number' ? millis / 1000 : undefined]
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
  if (!isRouted(draft, resource, api)) {
    unresolved(
      draft,
      resource.place.path,
      'an integration that no route of its API names: nothing comes by it',
    )
    return
  }
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
  const { service, action } = known
  const puts = service === 'events' ? typeAt(properties, 'RequestParameters', 'DetailType') : undefined
  const of = { from: api, action, types: typesOf(resource), puts }
  if (name === undefined && service === 'events')
    call(draft, { ...of, to: defaultBus(draft, resource.stack) })
  if (name === undefined) return
  for (const to of nodesAt(draft, resource, properties, ['RequestParameters', name], service))
    call(draft, { ...of, to })
}

/** Whether a request can come to an integration; of an API that has no routes here, they are elsewhere. */
function isRouted(draft: Draft, { key }: Resource, api: string): boolean {
  const names = (value: Json | undefined, id: string) =>
    tokensIn(textOf(value) ?? '').some((token) => token.key === id)
  const routes = ofType(draft, 'AWS::ApiGatewayV2::Route').filter(({ properties }) =>
    names(at(properties, 'ApiId'), api),
  )
  return routes.length === 0 || routes.some(({ properties }) => names(at(properties, 'Target'), key))
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
  const called =
    bare === 'sqs' && named !== undefined && named !== ''
      ? find(draft, named, { ...where, service: 'sqs' })
      : mentioned(draft, resource, integration)
  const action = how === 'action' ? `${bare}:${rest.split('?')[0]}` : (wire[bare] ?? `${bare}:*`)
  if (called.length === 0) unresolved(draft, where.at, uri)
  for (const to of called) call(draft, { from: api, to, action })
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
