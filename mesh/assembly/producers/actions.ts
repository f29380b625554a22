/** What a service's action does with what it acts on. */
type Use = 'carries' | 'uses' | 'consumes'

/** Actions that hand something on: what is sent starts something, or is kept for somebody. */
const sends: Readonly<Record<string, readonly string[]>> = {
  sqs: ['SendMessage', 'SendMessageBatch'],
  sns: ['Publish', 'PublishBatch'],
  events: ['PutEvents'],
  states: ['StartExecution', 'StartSyncExecution'],
  lambda: ['InvokeFunction', 'Invoke', 'InvokeAsync', 'InvokeFunctionUrl'],
  kinesis: ['PutRecord', 'PutRecords'],
  dynamodb: [
    ...['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems'],
    ...['PartiQLInsert', 'PartiQLUpdate', 'PartiQLDelete', 'ExecuteStatement', 'BatchExecuteStatement'],
  ],
  s3: ['PutObject', 'CopyObject', 'UploadPart', 'CompleteMultipartUpload'],
  ecs: ['RunTask'],
  pipes: [],
}

/** Actions that only ask. */
const reads: Readonly<Record<string, readonly string[]>> = {
  dynamodb: ['GetItem', 'Query', 'Scan', 'BatchGetItem', 'TransactGetItems', 'PartiQLSelect'],
  s3: ['GetObject', 'ListBucket', 'HeadObject', 'ListObjectsV2'],
}

/** Actions that a poll implies. */
const takes: Readonly<Record<string, readonly string[]>> = {
  sqs: ['ReceiveMessage'],
  kinesis: ['GetRecords', 'SubscribeToShard'],
}

/** Services by the names that the SDK has for them. */
const otherNames: Readonly<Record<string, string>> = {
  sfn: 'states',
  eventbridge: 'events',
  cloudwatchevents: 'events',
}

export const serviceOf = (name: string): string => otherNames[name.toLowerCase()] ?? name.toLowerCase()

/** Services that nodes are of: an action on others leads nowhere. */
export const isModelled = (service: string): boolean => sends[service] !== undefined

/** Whether what it acts on gets something by it. Of what is not listed, by the look of its name. */
export function carries(action: string): boolean {
  const [service = '', name = ''] = action.split(':')
  if (sends[service]?.includes(name)) return true
  if (reads[service]?.includes(name)) return false
  return !/^(Get|List|Describe|Query|Scan|Head|BatchGet|Search|Select|Detect)/.test(name)
}

/**
 * What a permission allows: `sqs:SendMessage`, `dynamodb:*`, `s3:Put*`. Of each use the first action that it allows;
 * none for what is not about messages.
 */
export function allowedBy(pattern: string): { action: string; use: Use }[] {
  const [service = '', name = ''] = pattern === '*' ? [] : pattern.split(':')
  const allows = globbed(name.toLowerCase())
  const first = (of: typeof sends, use: Use) => {
    const action = of[service.toLowerCase()]?.find((known) => allows.test(known.toLowerCase()))
    return action === undefined ? [] : [{ action: `${service.toLowerCase()}:${action}`, use }]
  }
  return [...first(sends, 'carries'), ...first(reads, 'uses'), ...first(takes, 'consumes')]
}

/** Of two actions of one use the one that is more usual: the order above. */
export const isBefore = (one: string, other: string): boolean => {
  const rank = (action: string) => {
    const [service = '', name = ''] = action.split(':')
    return [...(sends[service] ?? []), ...(reads[service] ?? [])].indexOf(name)
  }
  return rank(one) < rank(other)
}

/** A pattern with * and ?, as IAM has them. */
export const globbed = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    's',
  )
