import type { Law } from '../../model.ts'
import { keepLetters } from '../draft/deliver.ts'
import { base, type Draft, type Handler, numberAt, put } from '../draft/draft.ts'
import { at, flagOf, type Json } from '../json.ts'
import type { Resource } from '../resolve/scope.ts'

export const queueHandlers: Record<string, Handler> = {
  'AWS::SQS::Queue': { node: queue, link },
}

function queue(draft: Draft, resource: Resource, properties: Json) {
  const { constant } = draft
  const number = (name: string) => numberAt(draft, resource, properties, [name])
  const policy = policyOf(properties)
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
function policyOf(properties: Json): Json {
  const policy = at(properties, 'RedrivePolicy')
  if (typeof policy !== 'string') return properties
  try {
    return { RedrivePolicy: JSON.parse(policy) }
  } catch {
    return { RedrivePolicy: {} }
  }
}

function link(draft: Draft, resource: Resource, properties: Json) {
  const path = ['RedrivePolicy', 'deadLetterTargetArn']
  keepLetters(draft, { from: resource.key, of: 'poll', resource, properties: policyOf(properties), path })
}
