import type { Law, MeshNode, Retry } from '../../model.ts'
import { at, flagOf, type Json, textOf } from '../json.ts'
import type { Resource } from '../resolve/scope.ts'
import { hasToken } from '../resolve/tokens.ts'
import { type Draft, numberAt, ofType, unresolved } from './draft.ts'
import { find } from './find.ts'

export const once = (from: string): Retry => ({ attempts: 1, interval: 0, backoff: 1, jitter: false, from })

/** Of one call by an AWS SDK in its standard mode. */
export function sdkRetry({ constant }: Draft): Retry {
  const attempts = constant('sdk-attempts')
  return {
    ...{ attempts: attempts.value, interval: constant('sdk-interval').value, backoff: 2 },
    ...{ maxDelay: constant('sdk-max-delay').value, jitter: true, from: attempts.from },
  }
}

/** How a target is tried by a rule, a schedule or a pipe, from its RetryPolicy. */
export function pushed(
  draft: Draft,
  resource: Resource,
  properties: Json,
  path: string[],
): { retry: Retry; maxAge: number } {
  const { constant } = draft
  const retries = numberAt(draft, resource, properties, [...path, 'MaximumRetryAttempts'])
  const age = numberAt(draft, resource, properties, [...path, 'MaximumEventAgeInSeconds'])
  const most = constant('eventbridge-retries')
  return {
    retry: {
      ...{ attempts: (retries ?? most.value) + 1, interval: constant('eventbridge-retry-interval').value },
      ...{ backoff: 2, jitter: true, from: retries === undefined ? most.from : 'template' },
    },
    maxAge: age ?? constant('eventbridge-max-age').value,
  }
}

type Async = { retry: Retry; maxAge: number; kept: boolean }

/**
 * How a function is tried that was invoked asynchronously. Whoever invokes it (a rule, a topic, a bucket) is done when
 * Lambda has the event: from then on the function's own configuration decides, and its own destination keeps what fails.
 */
export function asyncOf(draft: Draft, id: string): Async {
  const { constant } = draft
  const retries = constant('lambda-async-retries')
  const configured = ofType(draft, 'AWS::Lambda::EventInvokeConfig').find(
    ({ resource, properties }) => functionOf(draft, resource, properties) === id,
  )
  const number = (name: string) =>
    configured && numberAt(draft, configured.resource, configured.properties, [name])
  const own = number('MaximumRetryAttempts')
  const age = number('MaximumEventAgeInSeconds')
  const letters = ofType(draft, 'AWS::Lambda::Function').some(
    ({ resource, properties }) =>
      resource.key === id && at(properties, 'DeadLetterConfig', 'TargetArn') !== undefined,
  )
  const failed = at(configured?.properties, 'DestinationConfig', 'OnFailure', 'Destination') !== undefined
  return {
    retry: {
      ...{ attempts: (own ?? retries.value) + 1, interval: constant('lambda-async-interval').value },
      ...{ backoff: 2, jitter: false, from: own === undefined ? retries.from : 'template' },
    },
    maxAge: age ?? constant('lambda-async-max-age').value,
    kept: letters || failed,
  }
}

/** The node of the function that a FunctionName means. */
export function functionOf(draft: Draft, resource: Resource, properties: Json): string | undefined {
  const name = at(properties, 'FunctionName')
  const context = { at: `${resource.place.path}.FunctionName`, stack: resource.stack, service: 'lambda' }
  return typeof name === 'string' ? find(draft, name, context)[0] : undefined
}

/** Off is only what says so; what a deployment decides counts as on, and is listed. */
export function isEnabled(draft: Draft, resource: Resource, properties: Json, name: string): boolean {
  const value = at(properties, name)
  const text = textOf(value)
  if (text !== undefined && hasToken(text)) unresolved(draft, `${resource.place.path}.${name}`, text)
  return flagOf(value) !== false && value !== 'DISABLED' && value !== 'STOPPED'
}

/** What the way takes by what carries it, as measured. */
export function latency({ constant }: Draft, kind: string): Law {
  const p50 = constant(`latency-${kind}-p50`)
  return { law: 'latency', p50: p50.value, p99: constant(`latency-${kind}-p99`).value, from: p50.from }
}

/** Whether it is read at a place in a shard, so that a record that fails holds up what is behind it. */
export const keepsPlace = (node: MeshNode | undefined): boolean =>
  node?.kind === 'stream' || node?.kind === 'table'

/**
 * When whoever reads a stream gives a record up: null is not before it expires, which -1 and saying nothing mean; what only
 * a deployment knows is left out.
 */
export function givingUp(
  draft: Draft,
  resource: Resource,
  properties: Json,
  path: string[],
): { attempts?: number | null; maxAge?: number | null } {
  const most = (name: string): number | null | undefined => {
    if (at(properties, ...path, name) === undefined) return null
    const given = numberAt(draft, resource, properties, [...path, name], { least: -1, whole: true })
    return given === -1 ? null : given
  }
  const [retries, maxAge] = [most('MaximumRetryAttempts'), most('MaximumRecordAgeInSeconds')]
  return {
    ...(retries !== undefined && { attempts: retries === null ? null : retries + 1 }),
    ...(maxAge !== undefined && { maxAge }),
  }
}
