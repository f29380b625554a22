import { MeshError } from '../faults.ts'
import type { Constant } from '../laws/constants.ts'
import type { MeshNode, NodeKind } from '../model.ts'

/** When the promises were collected. */
export const promisedAsOf = '2022-04'
const collected =
  'https://aws.amazon.com/legal/service-level-agreements/, as collected in github.com/mikaelvesavuori/cloud-sla'
const promised = (name: string, value: number, what: string): Constant => ({
  name,
  value,
  unit: 'of the time',
  dated: promisedAsOf,
  source: collected,
  says: `what AWS promises of a month for ${what}: less is refunded, more is usual`,
})

/** What each service is promised to be available. */
export const availabilityConstants = [
  promised('availability-eventbridge', 0.9999, 'EventBridge'),
  promised('availability-messaging', 0.999, 'SQS and SNS'),
  promised('availability-lambda', 0.9995, 'Lambda'),
  promised('availability-step-functions', 0.999, 'Step Functions'),
  promised('availability-dynamodb', 0.9999, 'a table of DynamoDB'),
  promised('availability-kinesis', 0.999, 'Kinesis'),
  promised('availability-api-gateway', 0.9995, 'API Gateway'),
  promised('availability-compute', 0.9999, 'ECS and Fargate in several zones'),
  promised('availability-s3', 0.999, 'S3'),
] as const

/** What a kind of node runs on; a rule is part of its bus, a state of its machine; of what is outside nobody promises. */
const services: Readonly<Partial<Record<NodeKind, string>>> = {
  bus: 'availability-eventbridge',
  schedule: 'availability-eventbridge',
  pipe: 'availability-eventbridge',
  queue: 'availability-messaging',
  topic: 'availability-messaging',
  function: 'availability-lambda',
  workflow: 'availability-step-functions',
  table: 'availability-dynamodb',
  stream: 'availability-kinesis',
  api: 'availability-api-gateway',
  service: 'availability-compute',
  bucket: 'availability-s3',
}

/** Refuses what is no part of the time. `where` names the file or the option. */
export function checkAvailability(where: string, given: Readonly<Record<string, number>>): void {
  const faults = Object.entries(given).flatMap(([name, value]) =>
    value >= 0 && value <= 1
      ? []
      : [
          `${name}: ${value} is no part of the time, which is from 0 to 1${value > 1 && value <= 100 ? `: did you mean ${Number((value / 100).toPrecision(12))}, which is ${value} %?` : ''}`,
        ],
  )
  if (faults.length > 0) throw new MeshError(`${where}: ${faults.join('\n  ')}`)
}

/**
 * Answers the part of the time that a node works. `given`: by node id, kind, or name of a constant, in this order; a value that
 * is no part of the time is a MeshError.
 */
export function availabilityWith(given: Readonly<Record<string, number>>): (node: MeshNode) => number {
  checkAvailability('availability', given)
  const values = new Map(availabilityConstants.map(({ name, value }) => [name, value]))
  return ({ id, kind }) => {
    const service = services[kind]
    return (
      given[id] ?? given[kind] ?? (service === undefined ? 1 : (given[service] ?? values.get(service) ?? 1))
    )
  }
}
