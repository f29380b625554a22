import { MeshError } from '../faults.ts'
import type { Constant } from '../laws/constants.ts'
import type { MeshNode, NodeKind } from '../model.ts'

/*
 * AWS's own words where a copy of them was read, with the date of the agreement or its announcement; of the others what
 * somebody had collected in April 2022, and nobody has opened the agreements since. Give what matters to you anew, by its name.
 */
const [kinesis, compute, s3, gateway] = [
  { dated: '2024-02', source: 'https://aws.amazon.com/kinesis/data-firehose/sla/' },
  { dated: '2022-05', source: 'https://aws.amazon.com/compute/sla/historical/' },
  { dated: '2019-07', source: 'https://aws.amazon.com/s3/sla/historical/' },
  {
    dated: '2019-01',
    source:
      'https://aws.amazon.com/about-aws/whats-new/2019/01/api-gateway-introduces-service-level-agreement/',
  },
]
const collected = { dated: '2022-04', source: 'https://github.com/mikaelvesavuori/cloud-sla' }

const promised = (
  name: string,
  value: number,
  what: string,
  { dated, source }: Pick<Constant, 'dated' | 'source'> = collected,
): Constant => ({
  name,
  value,
  unit: 'of the time',
  dated,
  source,
  says: `what AWS promises of a month for ${what}: less is refunded, more is usual`,
})

/** What each service is promised to be available. */
export const availabilityConstants = [
  promised('availability-eventbridge', 0.9999, 'EventBridge'),
  promised('availability-messaging', 0.999, 'SQS and SNS'),
  promised('availability-lambda', 0.9995, 'Lambda'),
  promised('availability-step-functions', 0.999, 'Step Functions'),
  promised('availability-dynamodb', 0.9999, 'a table of DynamoDB'),
  promised('availability-kinesis', 0.999, 'Kinesis', kinesis),
  promised('availability-api-gateway', 0.9995, 'API Gateway', gateway),
  promised('availability-compute', 0.9999, 'ECS and Fargate in several zones', compute),
  promised('availability-s3', 0.999, 'S3', s3),
] as const

/** When the oldest and the newest of these promises were written down. */
const dates = availabilityConstants.map(({ dated }) => dated).toSorted()
export const promisedAsOf = `${dates[0]} to ${dates.at(-1)}`

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
 * Answers the part of the time that a node works. `given`: by node id or kind, in this order; a value that is no part of the
 * time is a MeshError. `constants`: in the place of what is promised, by name; names of others are none of its business.
 */
export function availabilityWith(
  given: Readonly<Record<string, number>>,
  constants: Readonly<Record<string, number>>,
): (node: MeshNode) => number {
  checkAvailability('availability', given)
  const values = new Map(availabilityConstants.map(({ name, value }) => [name, constants[name] ?? value]))
  return ({ id, kind }) => {
    const service = services[kind]
    return given[id] ?? given[kind] ?? (service === undefined ? 1 : (values.get(service) ?? 1))
  }
}
