import type { Law } from '../../model.ts'
import { keepLetters } from '../draft/deliver.ts'
import { base, type Draft, type Handler, numberAt, put, unresolved } from '../draft/draft.ts'
import { at, flagOf, isRecord, type Json, json, textOf } from '../json.ts'
import { faultOf, type Resource } from '../resolve/scope.ts'
import { hasToken } from '../resolve/tokens.ts'

export const queueHandlers: Record<string, Handler> = {
  'AWS::SQS::Queue': { node: queue, link },
}

function queue(draft: Draft, resource: Resource, properties: Json) {
  const { constant } = draft
  const number = (name: string) => numberAt(draft, resource, properties, [name])
  const policy = policyOf(draft, resource, properties)
  const maxReceiveCount = numberAt(draft, resource, policy, ['RedrivePolicy', 'maxReceiveCount'], {
    ...{ least: 1, whole: true },
  })
  const fifo = flagOf(at(properties, 'FifoQueue')) === true
  const flight = constant('sqs-in-flight')
  const laws: Law[] = [{ law: 'servers', servers: flight.value, over: 'wait', from: flight.from }]
  if (fifo) {
    const high = at(properties, 'FifoThroughputLimit') === 'perMessageGroupId'
    const { value, from } = high ? constant('sqs-fifo-high', resource.stack.region) : constant('sqs-fifo')
    laws.push({ law: 'tokens', rate: value, burst: value, unit: 'requests', over: 'refuse', from })
  }
  put(draft, {
    ...{ ...base(resource), kind: 'queue', laws },
    settings: {
      visibility: number('VisibilityTimeout') ?? constant('sqs-visibility').value,
      retention: number('MessageRetentionPeriod') ?? constant('sqs-retention').value,
      delay: number('DelaySeconds') ?? 0,
      ...{ fifo, deadLetters: false },
      ...(maxReceiveCount !== undefined && { maxReceiveCount }),
    },
  })
}

/** A redrive policy may be an object or, in hand-written templates, its JSON. */
function policyOf(draft: Draft, resource: Resource, properties: Json): Json {
  const policy = at(properties, 'RedrivePolicy') ?? {}
  if (isRecord(policy)) return properties
  const text = textOf(policy) ?? ''
  const parsed = recordIn(text)
  if (parsed !== undefined) return { RedrivePolicy: parsed }
  if (!hasToken(text))
    throw faultOf(
      resource,
      'Properties.RedrivePolicy',
      `expected an object or its JSON, not ${JSON.stringify(policy).slice(0, 60)}`,
    )
  unresolved(draft, `${resource.place.path}.RedrivePolicy`, text)
  return { RedrivePolicy: {} }
}

function recordIn(text: string): Json | undefined {
  try {
    const value = json.parse(JSON.parse(text))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function link(draft: Draft, resource: Resource, properties: Json) {
  const path = ['RedrivePolicy', 'deadLetterTargetArn']
  keepLetters(draft, {
    from: resource.key,
    of: 'poll',
    resource,
    properties: policyOf(draft, resource, properties),
    path,
  })
}
