import { type Law, synchronous } from '../../model.ts'
import { keyIn } from '../draft/arns.ts'
import { deliver, keepLetters, nodesAt } from '../draft/deliver.ts'
import { base, type Draft, type Handler, join, numberAt, ofType, put, sharedIn } from '../draft/draft.ts'
import { asyncOf, functionOf, once } from '../draft/retries.ts'
import { at, type Json } from '../json.ts'
import type { Resource } from '../resolve/scope.ts'

export const functionHandlers: Record<string, Handler> = {
  'AWS::Lambda::Function': {
    node: lambda,
    link: (draft, resource, properties) => {
      const path = ['DeadLetterConfig', 'TargetArn']
      keepLetters(draft, { from: resource.key, of: 'async', resource, properties, path })
    },
  },
  'AWS::Lambda::EventInvokeConfig': { link: linkDestinations, settle: settleDestinations },
  'AWS::Lambda::Url': { node: url, link: linkUrl },
}

function lambda(draft: Draft, resource: Resource, properties: Json) {
  const { constant } = draft
  const number = (name: string) => numberAt(draft, resource, properties, [name])
  const reserved = number(reservation)
  const provisioned = provisionedOf(draft, resource)
  const account = unreserved(draft, resource)
  const each = constant('lambda-requests-per-environment')
  const step = constant('lambda-scaling-step')
  // a function with none reserved shares what the account has left
  const shared =
    reserved === undefined ? { shared: sharedIn(draft, 'lambda-concurrency', resource.stack) } : {}
  const most = reserved ?? account.value
  const from = reserved === undefined ? account.from : 'template'
  const laws: Law[] =
    most === 0
      ? []
      : [
          { law: 'servers', servers: most, over: 'refuse', ...shared, from },
          {
            ...{ law: 'tokens', rate: each.value * most, burst: 0, unit: synchronous, over: 'refuse' },
            ...(reserved === undefined && { shared: sharedIn(draft, 'lambda-requests', resource.stack) }),
            from: each.from,
          },
          {
            law: 'scaling',
            initial: Math.min(most, step.value + (provisioned ?? 0)),
            ...(most > step.value && { ahead: step.value }),
            perMinute: (step.value * 60) / constant('lambda-scaling-interval').value,
            ...{ most, from: step.from },
          },
        ]
  put(draft, {
    ...{ ...base(resource), kind: 'function', laws },
    settings: {
      timeout: number('Timeout') ?? constant('lambda-timeout').value,
      memory: number('MemorySize') ?? constant('lambda-memory').value,
      ...(reserved !== undefined && { reserved }),
      ...(provisioned !== undefined && { provisioned }),
    },
  })
}

/**
 * What functions share that reserve nothing: what the account has, less all that others of it reserve. Lambda keeps some of
 * it from being reserved: where more is, the account has more than this knows.
 */
function unreserved(draft: Draft, { stack }: Resource): ReturnType<Draft['constant']> {
  const account = draft.constant('lambda-concurrency')
  const isOfAccount = (other: Resource) =>
    other.stack.region === stack.region && other.stack.account === stack.account
  const reserved = (draft.byType.get('AWS::Lambda::Function') ?? [])
    .filter(({ resource }) => isOfAccount(resource))
    .map(({ resource, variants }) => numberAt(draft, resource, variants[0] ?? {}, [reservation]) ?? 0)
    .reduce((sum, number) => sum + number, 0)
  const least = Math.min(account.value, draft.constant('lambda-unreserved').value)
  return { ...account, value: Math.max(least, account.value - reserved) }
}

const reservation = 'ReservedConcurrentExecutions'

/** Environments that aliases and versions of it keep warm. */
function provisionedOf(draft: Draft, { key }: Resource): number | undefined {
  const path = ['ProvisionedConcurrencyConfig', 'ProvisionedConcurrentExecutions']
  const warm = ofType(draft, 'AWS::Lambda::Alias', 'AWS::Lambda::Version').flatMap(
    ({ resource, properties }) => {
      const name = at(properties, 'FunctionName')
      const isOf = typeof name === 'string' && keyIn(name) === key
      return isOf ? (numberAt(draft, resource, properties, path) ?? []) : []
    },
  )
  return warm.length === 0 ? undefined : warm.reduce((sum, number) => sum + number, 0)
}

/** Where the outcome of asynchronous invocations goes. */
function linkDestinations(draft: Draft, resource: Resource, properties: Json) {
  const from = functionOf(draft, resource, properties)
  if (from === undefined) return
  const path = ['DestinationConfig', 'OnFailure', 'Destination']
  keepLetters(draft, { from, of: 'async', resource, properties, path })
  const types = ['Lambda Function Invocation Result - Success']
  for (const to of nodesAt(draft, resource, properties, ['DestinationConfig', 'OnSuccess', 'Destination'])) {
    const { retry, maxAge } = asyncOf(draft, from)
    deliver(draft, { from, to, types, retry: { ...retry, attempts: 1 }, maxAge, kept: false })
  }
}

/** Only what was invoked asynchronously has a destination: whoever waits for the answer is told itself. */
function settleDestinations(draft: Draft, resource: Resource, properties: Json) {
  const from = functionOf(draft, resource, properties)
  const kinds = new Set([...draft.elements.values()].flatMap(({ kind, to }) => (to === from ? [kind] : [])))
  if (!kinds.has('poll') && !kinds.has('invoke')) return
  for (const [key, element] of [...draft.elements])
    if (element.kind === 'delivery' && element.from === from) {
      draft.elements.delete(key)
      if (kinds.has('delivery')) join(draft, { ...element, filtered: true })
    }
}

/** An address of the function's own: who calls it waits for the answer. */
function url(draft: Draft, resource: Resource) {
  put(draft, {
    ...{ ...base(resource), kind: 'api', laws: [] },
    settings: { protocol: 'HTTP', timeout: draft.constant('lambda-url-timeout').value },
  })
}

function linkUrl(draft: Draft, resource: Resource, properties: Json) {
  for (const to of nodesAt(draft, resource, properties, ['TargetFunctionArn'], 'lambda')) {
    const node = draft.nodes.get(to)
    const timeout = node?.kind === 'function' ? node.settings.timeout : 0
    const of = { from: resource.key, to, types: null, provenance: 'template' as const, laws: [] }
    join(draft, { kind: 'invoke', ...of, retry: once('template'), timeout })
  }
}
