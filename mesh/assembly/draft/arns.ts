import { leading, splitOutside } from '../resolve/tokens.ts'

/** What an ARN or an address calls by name; `type`: of services with several kinds of resources. */
export type Called = { service: string; type: string; region: string; account: string; name: string }

/** undefined: the text is neither an ARN nor the address of a queue. */
export function called(text: string): Called | undefined {
  const [, queueRegion, queueAccount, queue] =
    /^https:\/\/(?:sqs\.)?([^./]+)\.(?:queue\.)?amazonaws\.com(?:\.cn)?\/([^/]+)\/([^/]+)$/.exec(text) ?? []
  if (queue !== undefined)
    return { service: 'sqs', type: '', region: queueRegion ?? '', account: queueAccount ?? '', name: queue }
  const [arn, , service = '', region = '', account = '', ...rest] = splitOutside(text, ':')
  if (arn !== 'arn' || rest.length === 0) return undefined
  const [type = '', second = ''] = rest
  const parts = splitOutside(type, '/')
  const all = { service, region, account }
  switch (service) {
    case 'lambda':
    case 'states':
      return { ...all, type: type === 'express' ? 'execution' : type, name: second }
    case 'dynamodb':
    case 'events':
    case 'kinesis':
    case 'pipes':
      // of rules of a bus of its own: rule/bus/name
      return { ...all, type: parts[0] ?? '', name: (parts[0] === 'rule' ? parts.at(-1) : parts[1]) ?? '' }
    case 'ecs':
      // a task definition may have its revision behind a colon
      return { ...all, type: parts[0] ?? '', name: parts.at(-1) ?? '' }
    case 's3':
      return { ...all, type: '', name: parts[0] ?? '' }
    default:
      return { ...all, type: '', name: rest.join(':') }
  }
}

/** What API Gateway writes around what it calls. */
export function integrated(text: string): string {
  return /functions\/(.+)\/invocations/.exec(text)?.[1] ?? text
}

/** The key of the resource whose name or ARN a text is or begins with. */
export const keyIn = (text: string): string | undefined => leading(text)?.key
