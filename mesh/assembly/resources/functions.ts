import { invocationSucceeded } from '../../aws-events.ts'
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
  const top = reserved ?? account.value + (provisioned ?? 0)
  const laws: Law[] =
    most === 0
      ? []
      : [
          { law: 'servers', servers: most, over: 'refuse', ...shared, from },
          {
            ...{
              law: 'tokens',
              rate: each.value * (reserved ?? account.whole),
              burst: 0,
              unit: synchronous,
              over: 'refuse',
            },
            ...(reserved === undefined && { shared: sharedIn(draft, 'lambda-requests', resource.stack) }),
            from: each.from,
          },
          {
            law: 'scaling',
            initial: Math.min(top, step.value + (provisioned ?? 0)),
            ...(top > step.value && { ahead: step.value }),
            perMinute: (step.value * 60) / constant('lambda-scaling-interval').value,
            ...{ most: top, from: step.from },
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
 * What functions share that reserve nothing: what the account has, less all that others of it reserve, and less what is
 * provisioned outside of these (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-concurrency.html,
 * ClaimedAccountConcurrency). Lambda keeps some of it from being reserved: where more is, the account has more than this
 * knows. `whole`: with what is provisioned.
 */
function unreserved(draft: Draft, { stack }: Resource): ReturnType<Draft['constant']> & { whole: number } {
  const account = draft.constant('lambda-concurrency')
  const isOfAccount = (other: Resource) =>
    other.stack.region === stack.region && other.stack.account === stack.account
  const functions = (draft.byType.get('AWS::Lambda::Function') ?? []).filter(({ resource }) =>
    isOfAccount(resource),
  )
  const own = new Map(
    functions.map(({ resource, variants }) => [
      resource.key,
      numberAt(draft, resource, variants[0] ?? {}, [reservation]),
    ]),
  )
  const sum = (all: readonly number[]) => all.reduce((total, number) => total + number, 0)
  const reserved = sum([...own.values()].map((number) => number ?? 0))
  const warm = sum(
    warmIn(draft).flatMap(({ of, environments }) =>
      own.has(of) && own.get(of) === undefined ? [environments] : [],
    ),
  )
  const least = Math.min(account.value, draft.constant('lambda-unreserved').value)
  const whole = Math.max(least, account.value - reserved)
  return { ...account, whole, value: Math.max(least, whole - warm) }
}

const reservation = 'ReservedConcurrentExecutions'

/** Environments that aliases and versions of it keep warm. */
function provisionedOf(draft: Draft, { key }: Resource): number | undefined {
  const warm = warmIn(draft).filter(({ of }) => of === key)
  return warm.length === 0 ? undefined : warm.reduce((sum, { environments }) => sum + environments, 0)
}

/** Environments that are kept warm, by the function that they are of. */
function warmIn(draft: Draft): { of: string; environments: number }[] {
  const path = ['ProvisionedConcurrencyConfig', 'ProvisionedConcurrentExecutions']
  return ofType(draft, 'AWS::Lambda::Alias', 'AWS::Lambda::Version').flatMap(({ resource, properties }) => {
    const name = at(properties, 'FunctionName')
    const of = typeof name === 'string' ? keyIn(name) : undefined
    const environments = numberAt(draft, resource, properties, path)
    return of === undefined || environments === undefined ? [] : [{ of, environments }]
  })
}

/** Where the outcome of asynchronous invocations goes. */
function linkDestinations(draft: Draft, resource: Resource, properties: Json) {
  const from = functionOf(draft, resource, properties)
  if (from === undefined) return
  const path = ['DestinationConfig', 'OnFailure', 'Destination']
  keepLetters(draft, { from, of: 'async', resource, properties, path })
  const types = [invocationSucceeded]
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
