import type { MeshError } from '../../faults.ts'
import type { Lookup } from '../../laws/constant-values.ts'
import type { Retry } from '../../model.ts'
import { at, entriesOf, type Json, listOf, textOf, textsOf } from '../json.ts'
import { serviceOf } from '../producers/actions.ts'

/** The error of a place in a state. */
export type Fault = (path: string, says: string) => MeshError

/** A number of a state; what is an expression, or not there, is undefined. One that may not stand there is an error. */
export function numberOf(
  state: Json | undefined,
  name: string,
  least: number,
  fault: Fault,
): number | undefined {
  const value = at(state, name)
  if (typeof value !== 'number') return undefined
  if (value >= least) return value
  throw fault(name, `expected a number of at least ${least}, not ${value}`)
}

/** Each Retry of a Task, with the language's defaults where it gives nothing. */
export function retriesOf(state: Json, constant: Lookup, fault: Fault): Retry[] {
  return listOf(at(state, 'Retry')).map((retry, index) => {
    const number = (name: string, least = 0) =>
      numberOf(retry, name, least, (path, says) => fault(`Retry.${index}.${path}`, says))
    const attempts = number('MaxAttempts')
    const most = constant('states-retry-attempts')
    const maxDelay = number('MaxDelaySeconds')
    return {
      attempts: (attempts ?? most.value) + 1,
      interval: number('IntervalSeconds') ?? constant('states-retry-interval').value,
      backoff: number('BackoffRate', 1) ?? constant('states-retry-backoff').value,
      ...(maxDelay !== undefined && { maxDelay }),
      jitter: at(retry, 'JitterStrategy') === 'FULL',
      errors: textsOf(at(retry, 'ErrorEquals')),
      from: attempts === undefined ? most.from : 'template',
    }
  })
}

/** The one that holds for a task that fails without a name that others wait for. */
export function generalRetry(retries: readonly Retry[]): Retry | undefined {
  const of = (error: string) => retries.find(({ errors }) => errors?.includes(error))
  return of('States.ALL') ?? of('States.TaskFailed') ?? retries.toSorted((a, b) => b.attempts - a.attempts)[0]
}

export type Integration = {
  /** `sqs:SendMessage`; `lambda:Invoke`; of a function or an activity that is named by its ARN alone too */
  action: string
  service: string
  mode: 'request' | 'sync' | 'token'
  /** what it acts on: texts that mean nodes; expressions are not among them */
  targets: { text: string; count: number }[]
  /** expressions that say what it acts on, at run time only */
  dynamic: string[]
  /** detail types of events that are put */
  types: string[] | null
}

/** Service -> the member of its arguments that names what it acts on. */
const members: Readonly<Record<string, readonly string[]>> = {
  lambda: ['FunctionName'],
  sqs: ['QueueUrl'],
  sns: ['TopicArn', 'TargetArn'],
  states: ['StateMachineArn'],
  dynamodb: ['TableName'],
  kinesis: ['StreamName', 'StreamARN'],
  s3: ['Bucket'],
  ecs: ['TaskDefinition'],
  http: ['ApiEndpoint'],
  apigateway: ['ApiEndpoint'],
}

/** What a Task does, from its Resource and its Arguments (JSONata) or Parameters (JSONPath). */
export function integrationOf(state: Json): Integration {
  const resource = textOf(at(state, 'Resource')) ?? ''
  const [, service = '', call = '', , suffix = ''] =
    /:states:::((?:aws-sdk:)?[\w-]+):(\w+)((\.sync(?::2)?|\.waitForTaskToken)?)$/.exec(resource) ?? []
  if (call === '') {
    const activity = /:activity:|Activity/.test(resource)
    return {
      ...{
        action: activity ? 'states:GetActivityTask' : 'lambda:Invoke',
        service: activity ? 'states' : 'lambda',
      },
      ...{
        mode: activity ? 'token' : 'request',
        targets: [{ text: resource, count: 1 }],
        dynamic: [],
        types: null,
      },
    }
  }
  const of = serviceOf(service.replace(/^aws-sdk:/, ''))
  const action = `${of}:${call.charAt(0).toUpperCase()}${call.slice(1)}`
  const mode = suffix === '' ? 'request' : suffix === '.waitForTaskToken' ? 'token' : 'sync'
  const given = at(state, 'Arguments') ?? at(state, 'Parameters') ?? {}
  if (of === 'events' && call === 'putEvents') return { action, service: of, mode, ...busesIn(given) }
  const values = (members[of] ?? []).flatMap((name) => named(given, name))
  if (action === 'lambda:Invoke' && named(given, 'InvocationType')[0] === 'Event')
    return { action: 'lambda:InvokeAsync', service: of, mode, types: null, ...parted(values) }
  return { action, service: of, mode, types: null, ...parted(values) }
}

/** A member as it is, or as a path: `QueueUrl.$`. */
const named = (given: Json, name: string): string[] =>
  entriesOf(given).flatMap(([key, value]) =>
    key === name ? textsOf(value) : key === `${name}.$` ? [`{% ${textOf(value)} %}`] : [],
  )

const isExpression = (text: string): boolean =>
  /^\{%.*%\}$/s.test(text.trim()) || /^\$\.|^States\./.test(text)

function parted(texts: readonly string[]): Pick<Integration, 'targets' | 'dynamic'> {
  const fixed = Map.groupBy(
    texts.filter((text) => !isExpression(text)),
    (text) => text,
  )
  return {
    targets: [...fixed].map(([text, same]) => ({ text, count: same.length })),
    dynamic: texts.filter(isExpression),
  }
}

/** Of each entry the bus, `default` where it names none. */
function busesIn(given: Json): Pick<Integration, 'targets' | 'dynamic' | 'types'> {
  const entries = at(given, 'Entries')
  if (!Array.isArray(entries)) return { targets: [], dynamic: ['Entries'], types: null }
  const buses = entries.map((entry) => named(entry, 'EventBusName')[0] ?? 'default')
  const types = entries.flatMap((entry) => named(entry, 'DetailType'))
  const known = types.length === entries.length && !types.some(isExpression)
  return { ...parted(buses), types: known ? [...new Set(types)].toSorted() : null }
}
